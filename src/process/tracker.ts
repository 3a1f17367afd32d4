// Knows which processes live: births, exits, exec and pid reuse. One pass reads the cheap counters of all of them and
// adds what each gained to its group's ledger. Remembers processes between collections; nothing else here does.

import { type KernelFiles, reasonOf } from '../kernel/files.ts';
import { readUptime } from '../kernel/host.ts';
import { IoReading, readIo, readStat, StatReading, type Units } from '../kernel/pid.ts';
import { latin1 } from '../kernel/text.ts';
import { type Classification, type Identity, NO_RULE } from '../rules/identity.ts';
import { childrenMayInherit, inheritanceSource, inheritedClassification } from '../rules/inheritance.ts';
import { type Gain, GroupCountersTable } from './group-counters.ts';
import { Identities } from './identities.ts';
import { PageSharing } from './page-sharing.ts';
import { BLOCKED, Process } from './process.ts';
import { ReapedChildren } from './reaped-children.ts';
import { RssReader } from './rss.ts';
import type { Unreadable } from './unreadable.ts';

export type Classify = (identity: Identity) => Classification;

const KERNEL: Classification = { group: 'system', subgroup: 'kernel', rule: 'kernel thread' };

/** A process younger than this when first seen, seconds, is looked at twice: an exec or a new title is likely. */
const YOUNG = 2;
/** Start times are in ticks and the kernel's clock in hundredths: they may disagree by so much, seconds. */
const CLOCK_SLACK = 0.05;
/** CPU is counted in ticks of 10 ms: over a shorter window than this, seconds, percentages would be noise. */
const SHORTEST_WINDOW = 0.2;
/** After so many processes a pass may be interrupted; after so many such steps it looks at the clock again. */
const STEP = 16;
const STEPS_PER_CLOCK = 8;
/** Meeting a process takes so many times what it takes to see that it is known. */
const MEETING = 16;
const NO_ARGV: readonly string[] = [];

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
  readonly groupCounters = new GroupCountersTable();
  /** Whether processes that no rule matches belong to their nearest classified ancestor. */
  inherits = false;

  readonly #files: KernelFiles;
  readonly #host: HostFacts;
  readonly #unreadable: Unreadable;
  readonly #identities: Identities;
  readonly #children = new ReapedChildren();
  readonly #byPid = new Map<number, Process>();
  readonly #families = new PageSharing((child) => this.#parentOf(child));
  readonly #resident: RssReader;
  #classify: Classify;

  readonly #stat = new StatReading();
  readonly #io = new IoReading();
  readonly #gain: Gain = { user: 0, system: 0, minorFaults: 0, majorFaults: 0 };

  readonly #parentOf = (child: Process): Process | undefined => {
    const parent = this.#byPid.get(child.ppid);
    return parent && parent !== child && parent.startTicks <= child.startTicks ? parent : undefined;
  };
  /** The kernel's count of forks when the pids were last listed. */
  #forks = Number.NaN;
  /** Kernel time now, and when the last pass began that came to its end; seconds since boot, NaN before the first. */
  #now = Number.NaN;
  #previous = Number.NaN;
  /** Listed processes whose stat could not be read, by reason, at the last listing. */
  readonly #strangers = new Map<ReturnType<typeof reasonOf>, number>();
  /** Met at the listing under way, and without a ledger until it is known whom they inherit from. */
  readonly #heirs: Process[] = [];

  constructor(files: KernelFiles, host: HostFacts, unreadable: Unreadable, classify: Classify) {
    this.#files = files;
    this.#host = host;
    this.#unreadable = unreadable;
    this.#identities = new Identities(files, unreadable, host.users);
    this.#classify = classify;
    this.#resident = new RssReader(files, host.units, unreadable, this.#families);
  }

  /** New rules: every process is classified again at the next pass. What its old group gained stays there. */
  reclassify(classify: Classify): void {
    this.#classify = classify;
    for (const proc of this.living) proc.unsure = !proc.kernelThread;
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
    this.#resident.begin();
    try {
      for (let index = 0; index < this.living.length; index++) {
        if (index % STEP === STEP - 1) yield;
        if (index % (STEP * STEPS_PER_CLOCK) === STEP - 1) this.#now = readUptime(this.#files);
        this.#follow(this.living[index]!);
      }
    } finally {
      this.#bury();
    }
    if (forks !== this.#forks) {
      yield* this.#list();
      this.#forks = forks;
    }
    this.#children.settle(this.#byPid);
    this.#previous = began;
  }

  *#list(): Generator<void, void, void> {
    for (const [reason, count] of this.#strangers) this.#unreadable.add('stat', reason, -count);
    this.#strangers.clear();
    let step = 0;
    try {
      for (const pid of this.#files.pids()) {
        if (!this.#byPid.has(pid)) {
          this.#meet(pid);
          step += MEETING;
        }
        if (++step < STEP * MEETING) continue;
        step = 0;
        yield;
        this.#now = readUptime(this.#files);
      }
    } finally {
      for (const proc of this.#heirs.splice(0)) this.#enter(proc);
    }
    this.#order();
  }

  /** Takes the dead out of `living`; the order stays. */
  #bury(): void {
    let kept = 0;
    for (let index = 0; index < this.living.length; index++) {
      const proc = this.living[index]!;
      if (this.#byPid.get(proc.pid) === proc) this.living[kept++] = proc;
    }
    this.living.length = kept;
  }

  /** Puts ancestors before their descendants: pids wrap around, start times do not. */
  #order(): void {
    let last = 0;
    for (const { startTicks } of this.living) {
      if (startTicks < last) {
        this.living.sort((a, b) => a.startTicks - b.startTicks);
        return;
      }
      last = startTicks;
    }
  }

  /** Reads a known process again. */
  #follow(proc: Process): void {
    const stat = this.#stat;
    try {
      readStat(this.#files, proc.files, this.#host.units, stat);
    } catch (error) {
      if (reasonOf(error) === 'gone') this.#end(proc);
      else {
        proc.absent = true;
        this.#unreadable.note(proc, 'stat', error);
      }
      return;
    }
    if (stat.startTicks !== proc.startTicks) {
      this.#end(proc);
      return;
    }
    const executed = !proc.kernelThread && this.#executed(proc);
    if (proc.absent) {
      proc.absent = false;
      this.#unreadable.clear(proc, 'stat');
    }
    const gain = this.#gain;
    gain.user = rise(proc.user, stat.user);
    gain.system = rise(proc.system, stat.system);
    gain.minorFaults = rise(proc.minorFaults, stat.minorFaults);
    gain.majorFaults = rise(proc.majorFaults, stat.majorFaults);
    proc.unsettled.user += rise(proc.childrenUser, stat.childrenUser);
    proc.unsettled.system += rise(proc.childrenSystem, stat.childrenSystem);
    this.#take(proc);
    this.#takeUsage(proc);
    proc.counters.credit(gain);
    this.#credit(proc);
    if (executed) this.#recognise(proc, true);
    else if (proc.unsure && proc.state !== BLOCKED) this.#recognise(proc, false);
  }

  /** Meets a process for the first time. */
  #meet(pid: number): void {
    const files = this.#files.process(pid);
    const { units } = this.#host;
    const stat = this.#stat;
    try {
      readStat(this.#files, files, units, stat);
    } catch (error) {
      files.close();
      const reason = reasonOf(error);
      this.#unreadable.add('stat', reason, 1);
      this.#strangers.set(reason, (this.#strangers.get(reason) ?? 0) + 1);
      return;
    }
    const start = stat.startTicks / units.ticksPerSecond;
    const proc = new Process(files, stat.startTicks, start, stat.kernelThread);
    this.#byPid.set(pid, proc);
    this.living.push(proc);
    proc.comm = latin1(this.#files.buffer, stat.commFrom, stat.commTo);
    proc.startStack = stat.startStack;
    this.#take(proc);
    proc.windowFrom = this.#now;
    if (this.#isNew(proc)) {
      proc.unsettled.user = proc.childrenUser;
      proc.unsettled.system = proc.childrenSystem;
      proc.usage = (100 * (proc.user + proc.system)) / Math.max(this.#now - start, 1 / units.ticksPerSecond);
    }
    this.#introduce(proc);
    if (this.inherits && proc.description.rule === NO_RULE) this.#heirs.push(proc);
    else this.#enter(proc);
  }

  /** Whether it was born since the last pass. */
  #isNew({ start }: Process): boolean {
    return start >= this.#previous - CLOCK_SLACK;
  }

  /** Gives a process its first ledger, and that what the process did until now. */
  #enter(proc: Process): void {
    this.#inherit(proc);
    const ledger = this.groupCounters.of(proc.description.group, proc.description.subgroup);
    proc.counters = ledger;
    if (!this.#isNew(proc)) {
      ledger.creditBefore(proc.user + proc.system);
      return;
    }
    ledger.started++;
    ledger.credit(proc);
    this.#credit(proc);
  }

  #takeUsage(proc: Process): void {
    proc.windowUsed += this.#gain.user + this.#gain.system;
    const window = this.#now - proc.windowFrom;
    if (window < SHORTEST_WINDOW) return;
    proc.usage = (100 * proc.windowUsed) / window;
    proc.windowFrom = this.#now;
    proc.windowUsed = 0;
  }

  #credit(proc: Process): void {
    const { user, system, readBytes, writeBytes } = proc.unsettled;
    if (user + system + readBytes + writeBytes > 0) this.#children.rose(proc);
  }

  /** Takes over what #stat holds, and reads memory and I/O. */
  #take(proc: Process): void {
    const stat = this.#stat;
    this.#resident.take(proc, stat);
    proc.ppid = stat.ppid;
    proc.state = stat.state;
    proc.threads = stat.threads;
    proc.user = stat.user;
    proc.system = stat.system;
    proc.childrenUser = stat.childrenUser;
    proc.childrenSystem = stat.childrenSystem;
    proc.minorFaults = stat.minorFaults;
    proc.majorFaults = stat.majorFaults;
    if (proc.kernelThread || proc.zombie) return;
    if (proc.unreadable?.get('io') !== 'denied') this.#takeIo(proc);
  }

  /** A process's io holds that of the children it waited for (task_io_accounting_add in the kernel's wait_task_zombie). */
  #takeIo(proc: Process): void {
    const io = this.#io;
    try {
      readIo(this.#files, proc.files, io);
    } catch (error) {
      this.#unreadable.note(proc, 'io', error);
      return;
    }
    if (proc.unreadable) this.#unreadable.clear(proc, 'io');
    const known = !Number.isNaN(proc.readBytes);
    if (known || this.#isNew(proc)) {
      proc.unsettled.readBytes += rise(known ? proc.readBytes : 0, io.readBytes);
      proc.unsettled.writeBytes += rise(known ? proc.writeBytes : 0, io.writeBytes);
    }
    proc.readBytes = io.readBytes;
    proc.writeBytes = io.writeBytes;
  }

  /** Whether the process became another program; looks at what #stat left in the buffer. */
  #executed(proc: Process): boolean {
    const stat = this.#stat;
    const { buffer } = this.#files;
    const moved = stat.startStack !== proc.startStack && stat.startStack !== 0 && proc.startStack !== 0;
    let same = proc.comm.length === stat.commTo - stat.commFrom;
    for (let i = 0; same && i < proc.comm.length; i++) same = proc.comm.charCodeAt(i) === buffer[stat.commFrom + i];
    proc.startStack = stat.startStack;
    if (!same) proc.comm = latin1(buffer, stat.commFrom, stat.commTo);
    if (moved) proc.measurement.at = -1;
    return moved || !same;
  }

  /** First identity of a process: gives it its family. */
  #introduce(proc: Process): void {
    if (proc.kernelThread) {
      this.#describe(proc, this.#identities.ofKernelThread(proc), KERNEL);
    } else {
      const identity = this.#identities.of(proc);
      this.#describe(proc, identity, this.#classify(identity));
      proc.unsure = this.#now - proc.start < YOUNG || proc.state === BLOCKED;
    }
    this.#families.join(proc);
  }

  /** Finds out again what a process is. After an exec, moving to another group counts as an exit and a start. */
  #recognise(proc: Process, executed: boolean): void {
    const identity = this.#identities.of(proc);
    this.#describe(proc, identity, this.#classify(identity));
    this.#inherit(proc);
    proc.unsure = executed && proc.state === BLOCKED;
    if (executed) {
      this.#unreadable.clear(proc, 'smaps_rollup');
      this.#unreadable.clear(proc, 'io');
    }
    this.#families.join(proc);
    const ledger = this.groupCounters.of(proc.description.group, proc.description.subgroup);
    if (ledger === proc.counters) return;
    if (executed) {
      proc.counters.exited++;
      ledger.started++;
    }
    proc.counters = ledger;
  }

  /** What a process once inherited it keeps, whoever its parent has become, for as long as no rule matches it. */
  #inherit(proc: Process): void {
    const { source, description: who } = proc;
    proc.source = undefined;
    if (!this.inherits || who.rule !== NO_RULE) return;
    const kept = source && (source.ended || childrenMayInherit(source)) ? source : undefined;
    proc.source = inheritanceSource(proc, this.#parentOf) ?? kept;
    if (proc.source) this.#describe(proc, who.identity, inheritedClassification(proc.source));
  }

  #describe(proc: Process, identity: Identity, classification: Classification): void {
    proc.description = {
      pid: proc.pid,
      identity: { ...identity, argv: NO_ARGV },
      ...classification,
      startTime: this.#host.bootTime + proc.start,
      ...{ labels: '', infoLabels: '' },
    };
  }

  #end(proc: Process): void {
    this.#byPid.delete(proc.pid);
    proc.ended = true;
    proc.source = undefined;
    this.#families.leave(proc);
    this.#unreadable.forget(proc);
    proc.counters.exited++;
    proc.files.close();
    this.#children.ended(proc);
  }
}

/** How much a cumulative counter rose; never negative. */
const rise = (before: number, now: number): number => Math.max(0, now - before);
