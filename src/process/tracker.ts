// Knows which processes live: births, ends, exec and pid reuse. One pass reads the cheap counters of all of them, or of those that
// changed where the files know that, and hands the difference to the last reading to everything that counts: usage, group
// counters, page sharing, reaped children.
//
// Which processes are known from one collection to the next is decided here only; other classes may refer to them.

import {
  FileRequests,
  type FileWork,
  type KernelFiles,
  type ProcessFiles,
  reasonOf,
  type UnreadableReason,
} from '../kernel/files.ts';
import { type Boot, readUptime } from '../kernel/host.ts';
import type { Units } from '../kernel/pid.ts';
import type { ServiceGroups } from '../rules/service-groups.ts';
import { CheapCounters } from './cheap-counters.ts';
import { CpuUsage } from './cpu-usage.ts';
import type { Difference } from './difference.ts';
import type { GroupCounters, GroupCountersTable } from './group-counters.ts';
import { type Classify, Memberships } from './membership.ts';
import { PageSharing } from './page-sharing.ts';
import type { Process } from './process.ts';
import { ProcessTurns } from './process-turns.ts';
import { ReapedChildren } from './reaped-children.ts';
import { RecentlyEnded } from './recently-ended.ts';
import type { Unreadable } from './unreadable.ts';

/** Processes whose files are read together. */
const CHUNK = 512;

/**
 * ProcessTurns between two checks whether a process was moved to another cgroup or became another user's: an hour. A check reads
 * two files of the process; at every sixtieth pass that took 4 % of the CPU.
 */
const MOVED_TURNS = 240;

export class Tracker {
  /** Living processes, in the order they began: an ancestor comes before its descendants. */
  readonly living: Process[] = [];

  readonly #files: KernelFiles;
  readonly #requests = new FileRequests();
  readonly #unreadable: Unreadable;
  readonly #byPid = new Map<number, Process>();
  readonly #cheapCounters: CheapCounters;
  readonly #usage: CpuUsage;
  readonly #sharing = new PageSharing((child) => this.#parentOf(child));
  readonly #children = new ReapedChildren();
  readonly #memberships: Memberships;
  readonly #ended = new RecentlyEnded();

  /** The kernel's count of forks when the pids were last listed. */
  #forks = Number.NaN;
  /** Processes that are asked whether they moved. */
  readonly #moved = new ProcessTurns(MOVED_TURNS);
  /** Kernel time now, and when the last complete pass began; seconds since boot, NaN before the first. */
  #now = Number.NaN;
  #lastPass = Number.NaN;
  /** Listed processes whose stat could not be read, by reason, at the last listing. */
  readonly #unreadStats = new Map<UnreadableReason, number>();
  /** Read again at the next pass, also where the files say that nothing changed: their parts may still have to follow. */
  readonly #restless = new Set<Process>();
  /** Processes that this pass reads again. */
  readonly #due: Process[] = [];
  /** Whether it holds all of them: the last pass came to its end, and its files knew what changed. */
  #knowsRestless = false;
  /** Processes in `living` that have ended. */
  #endedCount = 0;
  /** Found by the listing under way, without a group until all are found: it may come from an ancestor listed later. */
  readonly #withoutGroup: Process[] = [];

  constructor(files: KernelFiles, units: Units, unreadable: Unreadable, classify: Classify) {
    this.#files = files;
    this.#unreadable = unreadable;
    this.#cheapCounters = new CheapCounters(files, units, unreadable);
    this.#usage = new CpuUsage(units.ticksPerSecond);
    this.#memberships = new Memberships(files, unreadable, (child) => this.#parentOf(child), classify);
  }

  get groupCounters(): GroupCountersTable {
    return this.#memberships.groupCounters;
  }

  /** Whether processes that no rule matches belong to their nearest classified ancestor. */
  set inherits(inherits: boolean) {
    this.#memberships.inherits = inherits;
  }

  /** The groups of system services, for processes that neither match a rule nor inherit. */
  get services(): ServiceGroups {
    return this.#memberships.services;
  }

  /** New rules: every process is classified again at the next pass. What its old group gained stays there. */
  reclassify(classify: Classify): void {
    this.#memberships.reclassify(classify, this.living);
  }

  /** Counters of the group of a process that lives, or that ended in this pass or the one before. */
  countersOf(pid: number, comm: string): GroupCounters | undefined {
    const living = this.#byPid.get(pid);
    return living?.stat.comm === comm ? living.membership.counters : this.#ended.countersOf(pid, comm);
  }

  /** What a process is, and its cgroups, are read again at the next pass. */
  describeAgain(proc: Process): void {
    this.#memberships.expire(proc);
  }

  /**
   * One pass over all processes. Yields the files that it reads next.
   * @param boot read before the pass. While `forks` stands still nothing was born and the pids need not be listed
   * @throws KernelFileError where the host itself cannot be read
   */
  *pass({ forks, bootTime, cpus }: Boot): FileWork {
    const began = readUptime(this.#files);
    this.#usage.cpus = cpus;
    this.#moved.beginPass(began);
    this.#ended.beginPass();
    this.#memberships.beginPass(bootTime, began, this.living);
    this.#cheapCounters.beginPass(began, this.#lastPass);
    const due = yield* this.#findDue();
    const { changed } = this.#files;
    try {
      for (let from = 0; from < due.length; from += CHUNK) yield* this.#readAgain(due, from, from + CHUNK);
    } finally {
      this.#due.length = 0;
      this.#dropEnded();
    }
    // A process that hangs without being known is tried again only by listing it.
    if (forks !== this.#forks || this.#unreadStats.has('hung')) {
      yield* this.#list();
      this.#forks = forks;
    }
    this.#children.creditGains(this.#byPid);
    this.#lastPass = began;
    this.#knowsRestless = changed !== undefined;
  }

  /**
   * Finds the processes that have to be read again: all of them, in the order they began; where the files know which processes
   * changed, these, and the processes of which something else is due.
   */
  *#findDue(): FileWork<readonly Process[]> {
    const requests = this.#requests;
    const knowsRestless = this.#knowsRestless;
    this.#knowsRestless = false; // until the pass has come to its end
    requests.clear();
    yield requests; // the files know it once something was requested
    const { changed } = this.#files;
    const restless = this.#restless;
    const { expired } = this.#memberships;
    let due = this.living;
    if (changed && knowsRestless) {
      for (let index = 0; index < changed.length; index++) {
        const proc = this.#byPid.get(changed.pids[index]!);
        if (proc) restless.add(proc);
      }
      for (const pid of this.#byPid.keys()) if (this.#moved.has(pid)) restless.add(this.#byPid.get(pid)!);
      for (const proc of expired) restless.add(proc);
      due = this.#due;
      for (const proc of restless) if (!proc.stat.ended) due.push(proc);
      due.sort((a, b) => a.startTicks - b.startTicks || a.pid - b.pid);
    }
    expired.clear();
    restless.clear();
    return due;
  }

  /** Reads a part of the processes again. */
  *#readAgain(procs: readonly Process[], from: number, to: number): FileWork {
    const requests = this.#requests;
    const end = Math.min(to, procs.length);
    const { changed } = this.#files;
    requests.clear();
    for (let index = from; index < end; index++) {
      const proc = procs[index]!;
      this.#cheapCounters.requestNext(proc, requests);
      if (this.#moved.has(proc.pid)) this.#memberships.requestMoved(proc, requests);
    }
    yield requests;
    this.#now = readUptime(this.#files);
    const due: { readonly proc: Process; readonly executed: boolean }[] = [];
    for (let index = from; index < end; index++) {
      const proc = procs[index]!;
      const difference = this.#next(proc);
      if (difference && this.#moved.has(proc.pid)) this.#memberships.expireIfMoved(proc);
      if (difference && this.#memberships.isDue(proc, difference.executed))
        due.push({ proc, executed: difference.executed });
      if (changed && !(difference && isSettled(proc, difference))) this.#restless.add(proc);
    }
    if (due.length === 0) return;
    requests.clear();
    for (const { proc } of due) this.#memberships.request(proc, requests);
    yield requests;
    for (const { proc, executed } of due) {
      this.#memberships.describeAgain(proc, executed);
      this.#sharing.describedAgain(proc);
      yield undefined; // to classify one process may take some 10 ms where there are very many rules
    }
  }

  /** Lists the pids, and reads the processes that are not known. */
  *#list(): FileWork {
    for (const [reason, count] of this.#unreadStats) this.#unreadable.add('stat', reason, -count);
    this.#unreadStats.clear();
    const known = this.living.length;
    try {
      let unknown: number[] = [];
      for (const pid of this.#files.pids()) {
        if (!this.#byPid.has(pid)) unknown.push(pid);
        if (unknown.length < CHUNK) continue;
        yield* this.#readFirst(unknown);
        unknown = [];
      }
      yield* this.#readFirst(unknown);
    } finally {
      for (let index = known; index < this.living.length; index++) this.#sharing.allFound(this.living[index]!);
      for (const proc of this.#withoutGroup.splice(0)) this.#memberships.join(proc, this.#cheapCounters.isBorn(proc));
    }
    if (this.living.length > known) this.#sortByStart();
  }

  /** Reads processes that are not known: stat, which tells what a process is, then everything else. */
  *#readFirst(pids: readonly number[]): FileWork {
    const requests = this.#requests;
    requests.clear();
    const listed = pids.map((pid) => this.#files.process(pid));
    for (const files of listed) requests.add(files, 'stat');
    yield requests;
    const found: Process[] = [];
    for (const files of listed) {
      const proc = this.#first(files);
      if (proc) found.push(proc);
    }
    requests.clear();
    for (const proc of found) {
      this.#cheapCounters.requestOthers(proc, requests);
      this.#memberships.request(proc, requests);
    }
    yield requests;
    this.#now = readUptime(this.#files);
    for (const proc of found) {
      this.#add(proc);
      yield undefined;
    }
  }

  /** Takes processes that ended out of `living`; the order stays. */
  #dropEnded(): void {
    if (this.#endedCount === 0) return;
    this.#endedCount = 0;
    let kept = 0;
    for (let index = 0; index < this.living.length; index++) {
      const proc = this.living[index]!;
      if (!proc.stat.ended) this.living[kept++] = proc;
    }
    this.living.length = kept;
  }

  /** Puts ancestors before their descendants: pids wrap around, start times do not. */
  #sortByStart(): void {
    let last = 0;
    for (const { startTicks } of this.living) {
      if (startTicks < last) {
        this.living.sort((a, b) => a.startTicks - b.startTicks);
        return;
      }
      last = startTicks;
    }
  }

  #first(files: ProcessFiles): Process | undefined {
    try {
      return this.#cheapCounters.first(files);
    } catch (error) {
      files.close();
      const reason = reasonOf(error);
      this.#unreadable.add('stat', reason, 1);
      this.#unreadStats.set(reason, (this.#unreadStats.get(reason) ?? 0) + 1);
      return undefined;
    }
  }

  #add(proc: Process): void {
    const difference = this.#cheapCounters.firstDifference(proc);
    this.#byPid.set(proc.pid, proc);
    this.living.push(proc);
    this.#restless.add(proc);
    this.#memberships.describe(proc, this.#now);
    this.#usage.take(proc, difference, this.#now);
    this.#children.take(proc, difference);
    this.#sharing.add(proc, difference);
    if (this.#memberships.inheritsGroup(proc)) this.#withoutGroup.push(proc);
    else this.#memberships.join(proc, difference.born);
  }

  /** @returns undefined where the process has no reading */
  #next(proc: Process): Readonly<Difference> | undefined {
    if (!proc.stat.absent) this.#usage.wasIdleUntil(proc, this.#lastPass);
    const difference = this.#cheapCounters.next(proc);
    if (!difference) {
      if (proc.stat.ended) this.#remove(proc);
      return undefined;
    }
    this.#usage.take(proc, difference, this.#now);
    this.#children.take(proc, difference);
    this.#sharing.take(proc, difference);
    proc.membership.counters.credit(difference);
    return difference;
  }

  #remove(proc: Process): void {
    this.#endedCount++;
    this.#byPid.delete(proc.pid);
    this.#memberships.leave(proc);
    this.#ended.add(proc);
    this.#sharing.remove(proc);
    this.#unreadable.forget(proc);
    this.#children.ended(proc);
    proc.files.close();
  }

  #parentOf(child: Process): Process | undefined {
    const parent = this.#byPid.get(child.stat.ppid);
    return parent && parent !== child && parent.startTicks <= child.startTicks ? parent : undefined;
  }
}

/** Whether nothing of a process changes, and nothing about it has to follow, until its files say something else. */
function isSettled(
  { usage, membership, stat, unreadable: { reasons } }: Process,
  difference: Readonly<Difference>,
): boolean {
  if (!difference.idle || difference.executed || difference.first) return false;
  if (usage.percent !== 0 || usage.windowUsed !== 0 || membership.outdated || stat.leaderEnded) return false;
  return !(reasons?.has('stat') || reasons?.has('statm') || reasons?.has('io'));
}
