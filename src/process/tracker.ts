// Knows which processes live: births, ends, exec and pid reuse. One pass reads the cheap counters of all of them, and hands
// the difference to the last reading to everything that counts: usage, group counters, page sharing, reaped children.
//
// Which processes are known from one collection to the next is decided here only; other classes may refer to them.

import { type KernelFiles, reasonOf, type UnreadableReason } from '../kernel/files.ts';
import { readUptime } from '../kernel/host.ts';
import type { Units } from '../kernel/pid.ts';
import { CheapCounters } from './cheap-counters.ts';
import { CpuUsage } from './cpu-usage.ts';
import type { Difference } from './difference.ts';
import type { GroupCountersTable } from './group-counters.ts';
import { type Classify, Memberships } from './membership.ts';
import { PageSharing } from './page-sharing.ts';
import type { Process } from './process.ts';
import { ReapedChildren } from './reaped-children.ts';
import type { Unreadable } from './unreadable.ts';

/** After so many processes a pass may be interrupted; after so many such steps it looks at the clock again. */
const STEP = 16;
const STEPS_PER_CLOCK = 8;
/** Reading a process for the first time takes so many times what it takes to see that a listed pid is known. */
const FIRST_READING = 16;

/** What stays true of a host while it runs. */
export interface HostFacts {
  readonly units: Units;
  /** Unix time of the boot, seconds. */
  readonly bootTime: number;
  readonly users: ReadonlyMap<number, string>;
}

export class Tracker {
  /** Living processes, in the order they began: an ancestor comes before its descendants. */
  readonly living: Process[] = [];

  readonly #files: KernelFiles;
  readonly #unreadable: Unreadable;
  readonly #byPid = new Map<number, Process>();
  readonly #cheapCounters: CheapCounters;
  readonly #usage: CpuUsage;
  readonly #sharing = new PageSharing((child) => this.#parentOf(child));
  readonly #children = new ReapedChildren();
  readonly #memberships: Memberships;

  /** The kernel's count of forks when the pids were last listed. */
  #forks = Number.NaN;
  /** Kernel time now, and when the last complete pass began; seconds since boot, NaN before the first. */
  #now = Number.NaN;
  #lastPass = Number.NaN;
  /** Listed processes whose stat could not be read, by reason, at the last listing. */
  readonly #unreadStats = new Map<UnreadableReason, number>();
  /** Found by the listing under way, without a group until all are found: it may come from an ancestor listed later. */
  readonly #withoutGroup: Process[] = [];

  constructor(files: KernelFiles, host: HostFacts, unreadable: Unreadable, classify: Classify) {
    this.#files = files;
    this.#unreadable = unreadable;
    this.#cheapCounters = new CheapCounters(files, host.units, unreadable);
    this.#usage = new CpuUsage(host.units.ticksPerSecond);
    this.#memberships = new Memberships(files, host, unreadable, (child) => this.#parentOf(child), classify);
  }

  get groupCounters(): GroupCountersTable {
    return this.#memberships.groupCounters;
  }

  /** Whether processes that no rule matches belong to their nearest classified ancestor. */
  set inherits(inherits: boolean) {
    this.#memberships.inherits = inherits;
  }

  /** New rules: every process is classified again at the next pass. What its old group gained stays there. */
  reclassify(classify: Classify): void {
    this.#memberships.reclassify(classify, this.living);
  }

  /** What a process is, and its cgroups, are read again at the next pass. */
  describeAgain(proc: Process): void {
    this.#memberships.expire(proc);
  }

  /**
   * One pass over all processes; yields where it may be interrupted.
   * @param forks tasks forked since boot, read before the pass: while it stands still nothing was born and the pids
   *   need not be listed; NaN where the kernel does not tell
   * @throws KernelFileError where the host itself cannot be read
   */
  *pass(forks: number): Generator<void, void, void> {
    const began = readUptime(this.#files);
    this.#now = began;
    this.#cheapCounters.beginPass(this.#lastPass);
    try {
      for (let index = 0; index < this.living.length; index++) {
        if (index % STEP === STEP - 1) yield;
        if (index % (STEP * STEPS_PER_CLOCK) === STEP - 1) this.#now = readUptime(this.#files);
        if (this.#readAgain(this.living[index]!)) yield;
      }
    } finally {
      this.#dropEnded();
    }
    if (forks !== this.#forks) {
      yield* this.#list();
      this.#forks = forks;
    }
    this.#children.creditGains(this.#byPid);
    this.#lastPass = began;
  }

  /** Lists the pids, and reads those that are not known. */
  *#list(): Generator<void, void, void> {
    for (const [reason, count] of this.#unreadStats) this.#unreadable.add('stat', reason, -count);
    this.#unreadStats.clear();
    let step = 0;
    try {
      for (const pid of this.#files.pids()) {
        if (!this.#byPid.has(pid)) {
          this.#readFirst(pid);
          step += FIRST_READING;
          yield;
        }
        if (++step < STEP * FIRST_READING) continue;
        step = 0;
        yield;
        this.#now = readUptime(this.#files);
      }
    } finally {
      for (const proc of this.#withoutGroup.splice(0)) this.#memberships.join(proc, this.#cheapCounters.isBorn(proc));
    }
    this.#sortByStart();
  }

  /** Takes processes that ended out of `living`; the order stays. */
  #dropEnded(): void {
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

  #readFirst(pid: number): void {
    let first: { readonly proc: Process; readonly difference: Readonly<Difference> };
    try {
      first = this.#cheapCounters.first(pid);
    } catch (error) {
      const reason = reasonOf(error);
      this.#unreadable.add('stat', reason, 1);
      this.#unreadStats.set(reason, (this.#unreadStats.get(reason) ?? 0) + 1);
      return;
    }
    const { proc, difference } = first;
    this.#byPid.set(pid, proc);
    this.living.push(proc);
    this.#memberships.describe(proc, this.#now);
    this.#usage.take(proc, difference, this.#now);
    this.#children.take(proc, difference);
    this.#sharing.add(proc, difference);
    if (this.#memberships.inheritsGroup(proc)) this.#withoutGroup.push(proc);
    else this.#memberships.join(proc, difference.born);
  }

  /** @returns whether the process was classified, which may take some 10 ms where there are very many rules */
  #readAgain(proc: Process): boolean {
    const difference = this.#cheapCounters.next(proc);
    if (!difference) {
      if (proc.stat.ended) this.#remove(proc);
      return false;
    }
    this.#usage.take(proc, difference, this.#now);
    this.#children.take(proc, difference);
    this.#sharing.take(proc, difference);
    proc.membership.counters.credit(difference);
    if (!this.#memberships.isDue(proc, difference.executed)) return false;
    this.#memberships.describeAgain(proc, difference.executed);
    this.#sharing.describedAgain(proc);
    return true;
  }

  #remove(proc: Process): void {
    this.#byPid.delete(proc.pid);
    this.#memberships.leave(proc);
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
