// Decides which group each process belongs to, and keeps the starts and exits of the groups. A process is classified when
// it is found, again after an exec, and again when the rules, its cgroup, its user or the host's users changed.
//
// Where groups are inherited, a process that no rule matches belongs to its nearest classified ancestor. It keeps what it
// inherited for as long as no rule matches it, also when that ancestor ends and it gets another parent. What inherits
// nothing, but runs in a system unit, belongs to the group of that service.

import type { FileRequests, KernelFiles } from '../kernel/files.ts';
import { type Classification, type Identity, isWithoutRule, KERNEL_THREAD } from '../rules/identity.ts';
import { childrenMayInherit, inheritanceSource, inheritedClassification } from '../rules/inheritance.ts';
import { ServiceGroups } from '../rules/service-groups.ts';
import { type GroupCounters, GroupCountersTable } from './group-counters.ts';
import { Identities } from './identities.ts';
import { BLOCKED, type Member, type Process } from './process.ts';
import type { Unreadable } from './unreadable.ts';
import { Users } from './users.ts';

export type Classify = (identity: Identity) => Classification;

/** The time of the boot follows the clock, which is always being corrected a little, seconds. */
const BOOT_TIME_SLACK = 2;
/** Seconds: a younger process is identified twice, because it will probably execute a program or change its title. */
const YOUNG = 2;
const NO_ARGV: readonly string[] = [];

/** Characters of a path that are kept once the rules have seen all of it. */
const PATH_KEPT_MAX = 512;

/** The end of a longer path: a path of 4 KiB for each of thousands of processes would be the largest part of our memory. */
function keptPath(path: string): string {
  if (path.length <= PATH_KEPT_MAX) return path;
  // By way of bytes, because a slice of a string keeps the whole string alive.
  return Buffer.from(`…${path.slice(1 - PATH_KEPT_MAX)}`.toWellFormed()).toString();
}

export class Memberships {
  readonly groupCounters = new GroupCountersTable();
  /** Whether processes that no rule matches belong to their nearest classified ancestor. */
  inherits = false;
  /** Processes that were expired and not described again since, whether they still live or not. */
  readonly expired = new Set<Process>();
  /** The groups of system services, for processes that neither match a rule nor inherit. */
  readonly services = new ServiceGroups();

  readonly #identities: Identities;
  readonly #unreadable: Unreadable;
  readonly #users: Users;
  /** Unix time of the boot, seconds; NaN where it is not known. */
  #bootTime = Number.NaN;
  readonly #parentOf: (child: Process) => Process | undefined;
  #classify: Classify;

  constructor(
    files: KernelFiles,
    unreadable: Unreadable,
    parentOf: (child: Process) => Process | undefined,
    classify: Classify,
  ) {
    this.#users = new Users(files);
    this.#identities = new Identities(files, unreadable, this.#users);
    this.#unreadable = unreadable;
    this.#parentOf = parentOf;
    this.#classify = classify;
  }

  /** New rules: every process is classified again at its next reading. What its old group gained stays there. */
  reclassify(classify: Classify, living: readonly Process[]): void {
    this.#classify = classify;
    this.#users.expire();
    for (const proc of living) this.expire(proc);
  }

  /**
   * Begins a pass. Where the host's users changed, or its clock was set and with it the time of its boot, every process is
   * described again.
   * @param bootTime Unix time, seconds; NaN where it is not known @param now kernel time
   */
  beginPass(bootTime: number, now: number, living: readonly Process[]): void {
    const clockSet = !(Math.abs(bootTime - this.#bootTime) <= BOOT_TIME_SLACK) && !Object.is(bootTime, this.#bootTime);
    if (clockSet) this.#bootTime = bootTime;
    if (!this.#users.look(now) && !clockSet) return;
    for (const proc of living) {
      if (proc.kernelThread) this.describe(proc, now);
      else this.expire(proc);
    }
  }

  /** What `expireIfMoved` will read. */
  requestMoved(proc: Process, requests: FileRequests): void {
    if (!proc.kernelThread) this.#identities.requestMoved(proc, requests);
  }

  /** A process that is in another cgroup or belongs to another user than when it was described has to be described again. */
  expireIfMoved(proc: Process): void {
    const { cgroups, description } = proc.membership;
    if (cgroups && this.#identities.moved(proc, cgroups, description.identity.user)) this.expire(proc);
  }

  /** What a process is has to be read again. */
  expire(proc: Process): void {
    const member: Member = proc.membership;
    member.outdated = !proc.kernelThread;
    if (member.outdated) this.expired.add(proc);
  }

  /** What describing a process will read. */
  request(proc: Process, requests: FileRequests): void {
    this.#identities.request(proc, requests);
  }

  /** Describes a process that was found. Its group is still open where `inheritsGroup` says so. @param now seconds since boot */
  describe(proc: Process, now: number): void {
    const member: Member = proc.membership;
    if (proc.kernelThread) {
      this.#describe(proc, member, this.#identities.ofKernelThread(proc), KERNEL_THREAD);
      return;
    }
    this.#identify(proc, member);
    member.outdated = now - proc.stat.start < YOUNG || proc.stat.state === BLOCKED;
  }

  /** Whether a process has its group from an ancestor, if from anywhere: that has to be described first. */
  inheritsGroup({ description }: Process): boolean {
    return this.inherits && isWithoutRule(description);
  }

  /** Gives a process its first group, with what it did until now. @param born whether it began since the last pass */
  join(proc: Process, born: boolean): void {
    const member: Member = proc.membership;
    this.#completeGroup(proc, member);
    member.counters = this.#countersOf(proc);
    if (born) {
      member.counters.started++;
      member.counters.credit(proc.stat);
    } else {
      member.counters.creditBefore(proc.stat.user + proc.stat.system);
    }
  }

  /** Whether a process has to be described again. In state D its command line cannot be read: later, then. */
  isDue(proc: Process, executed: boolean): boolean {
    return executed || (proc.membership.outdated && proc.stat.state !== BLOCKED);
  }

  /** Finds out again what a process is. After an exec, moving to another group counts as an exit and a start. */
  describeAgain(proc: Process, executed: boolean): void {
    const member: Member = proc.membership;
    this.#identify(proc, member);
    this.#completeGroup(proc, member);
    member.outdated = executed && proc.stat.state === BLOCKED;
    if (executed) {
      this.#unreadable.clear(proc, 'smaps_rollup');
      this.#unreadable.clear(proc, 'smaps');
      this.#unreadable.clear(proc, 'io');
    }
    const counters = this.#countersOf(proc);
    if (counters === member.counters) return;
    if (executed) {
      member.counters.exited++;
      counters.started++;
    }
    member.counters = counters;
  }

  /** A process ended. */
  leave(proc: Process): void {
    const member: Member = proc.membership;
    member.source = undefined;
    member.counters.exited++;
  }

  #countersOf({ description: { group, subgroup } }: Process): GroupCounters {
    return this.groupCounters.of(group, subgroup);
  }

  #identify(proc: Process, member: Member): void {
    member.cgroups = this.#identities.cgroupsOf(proc);
    const identity = this.#identities.of(proc, member.cgroups);
    this.#describe(proc, member, identity, this.#classify(identity));
  }

  /** Gives a process that no rule matches the group of an ancestor, otherwise that of its service. */
  #completeGroup(proc: Process, member: Member): void {
    const { source } = member;
    member.source = undefined;
    if (!isWithoutRule(proc.description)) return;
    if (this.inherits) {
      const kept = source && (source.stat.ended || childrenMayInherit(source)) ? source : undefined;
      member.source = inheritanceSource(proc, this.#parentOf) ?? kept;
    }
    const { identity } = proc.description;
    const found = member.source ? inheritedClassification(member.source) : this.services.of(identity);
    if (found) this.#describe(proc, member, identity, found);
  }

  #describe(proc: Process, member: Member, identity: Identity, classification: Classification): void {
    member.description = {
      pid: proc.pid,
      identity: { ...identity, argv: NO_ARGV, exe: keptPath(identity.exe) },
      ...classification,
      startTime: this.#bootTime + proc.stat.start,
      ...{ labels: '', infoLabels: '' },
    };
  }
}
