// Knows which processes live: births, exits, exec and pid reuse. One pass reads the cheap counters of all of them and
// adds what each gained to its group's ledger. Remembers processes between collections; nothing else here does.
import type { KernelFiles } from '../kernel/files.ts';
import { IoReading, readIo, readStat, StatReading, type Units } from '../kernel/pid.ts';
import { readUptime } from '../kernel/system.ts';
import { latin1 } from '../kernel/text.ts';
import { ReapedChildren } from './children.ts';
import { Families } from './families.ts';
import { Identities } from './identity.ts';
import { inheritedFrom, NO_RULE, passesOn, sourceOf } from './inherit.ts';
import { type Gain, Ledgers } from './ledger.ts';
import { BLOCKED, type Classification, type Identity, Process } from './process.ts';
import { Resident } from './resident.ts';
import { reasonOf, type Unreadable } from './unreadable.ts';

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
export interface Host {
  readonly units: Units;
  /** Unix time of the boot, seconds. */
  readonly bootTime: number;
  readonly users: ReadonlyMap<number, string>;
}

export class Tracker {
  /** Living processes, in the order they began: an ancestor comes before its descendants. */
  readonly living: Process[] = [];
  readonly ledgers = new Ledgers();
  /** Whether processes that no rule matches belong to their nearest classified ancestor. */
  inherits = false;

  readonly #files: KernelFiles;
  readonly #host: Host;
  readonly #unreadable: Unreadable;
  readonly #identities: Identities;
  readonly #children = new ReapedChildren();
  readonly #byPid = new Map<number, Process>();
  readonly #families = new Families((child) => this.#parentOf(child));
  readonly #resident: Resident;
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

  constructor(files: KernelFiles, host: Host, unreadable: Unreadable, classify: Classify) {
    this.#files = files;
    this.#host = host;
    this.#unreadable = unreadable;
    this.#identities = new Identities(files, unreadable, host.users);
    this.#classify = classify;
    this.#resident = new Resident(files, host.units, unreadable, this.#families);
  }

  /** New rules: every process is classified again at the next pass. What its old group gained stays there. */
  reclassify(classify: Classify): void {
    this.#classify = classify;
    for (const process of this.living) process.unsure = !process.kernelThread;
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
      for (const process of this.#heirs.splice(0)) this.#enter(process);
    }
    this.#order();
  }

  /** Takes the dead out of `living`; the order stays. */
  #bury(): void {
    let kept = 0;
    for (let index = 0; index < this.living.length; index++) {
      const process = this.living[index]!;
      if (this.#byPid.get(process.pid) === process) this.living[kept++] = process;
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
  #follow(process: Process): void {
    const stat = this.#stat;
    try {
      readStat(this.#files, process.files, this.#host.units, stat);
    } catch (error) {
      if (reasonOf(error) === 'gone') this.#end(process);
      else {
        process.absent = true;
        this.#unreadable.note(process, 'stat', error);
      }
      return;
    }
    if (stat.startTicks !== process.startTicks) {
      this.#end(process);
      return;
    }
    const executed = !process.kernelThread && this.#executed(process);
    if (process.absent) {
      process.absent = false;
      this.#unreadable.clear(process, 'stat');
    }
    const gain = this.#gain;
    gain.user = rise(process.user, stat.user);
    gain.system = rise(process.system, stat.system);
    gain.minorFaults = rise(process.minorFaults, stat.minorFaults);
    gain.majorFaults = rise(process.majorFaults, stat.majorFaults);
    process.unsettled.user += rise(process.childrenUser, stat.childrenUser);
    process.unsettled.system += rise(process.childrenSystem, stat.childrenSystem);
    this.#take(process);
    this.#takeUsage(process);
    process.ledger.credit(gain);
    this.#credit(process);
    if (executed) this.#recognise(process, true);
    else if (process.unsure && process.state !== BLOCKED) this.#recognise(process, false);
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
    const process = new Process(files, stat.startTicks, start, stat.kernelThread);
    this.#byPid.set(pid, process);
    this.living.push(process);
    process.comm = latin1(this.#files.buffer, stat.commFrom, stat.commTo);
    process.startStack = stat.startStack;
    this.#take(process);
    process.windowFrom = this.#now;
    if (this.#isNew(process)) {
      process.unsettled.user = process.childrenUser;
      process.unsettled.system = process.childrenSystem;
      process.usage = (100 * (process.user + process.system)) / Math.max(this.#now - start, 1 / units.ticksPerSecond);
    }
    this.#introduce(process);
    if (this.inherits && process.who.rule === NO_RULE) this.#heirs.push(process);
    else this.#enter(process);
  }

  /** Whether it was born since the last pass. */
  #isNew({ start }: Process): boolean {
    return start >= this.#previous - CLOCK_SLACK;
  }

  /** Gives a process its first ledger, and that what the process did until now. */
  #enter(process: Process): void {
    this.#inherit(process);
    const ledger = this.ledgers.of(process.who.group, process.who.subgroup);
    process.ledger = ledger;
    if (!this.#isNew(process)) {
      ledger.creditBefore(process.user + process.system);
      return;
    }
    ledger.started++;
    ledger.credit(process);
    this.#credit(process);
  }

  #takeUsage(process: Process): void {
    process.windowUsed += this.#gain.user + this.#gain.system;
    const window = this.#now - process.windowFrom;
    if (window < SHORTEST_WINDOW) return;
    process.usage = (100 * process.windowUsed) / window;
    process.windowFrom = this.#now;
    process.windowUsed = 0;
  }

  #credit(process: Process): void {
    const { user, system, readBytes, writeBytes } = process.unsettled;
    if (user + system + readBytes + writeBytes > 0) this.#children.rose(process);
  }

  /** Takes over what #stat holds, and reads memory and I/O. */
  #take(process: Process): void {
    const stat = this.#stat;
    this.#resident.take(process, stat);
    process.ppid = stat.ppid;
    process.state = stat.state;
    process.threads = stat.threads;
    process.user = stat.user;
    process.system = stat.system;
    process.childrenUser = stat.childrenUser;
    process.childrenSystem = stat.childrenSystem;
    process.minorFaults = stat.minorFaults;
    process.majorFaults = stat.majorFaults;
    if (process.kernelThread || process.zombie) return;
    if (process.unreadable?.get('io') !== 'denied') this.#takeIo(process);
  }

  /** A process's io holds that of the children it waited for (task_io_accounting_add in the kernel's wait_task_zombie). */
  #takeIo(process: Process): void {
    const io = this.#io;
    try {
      readIo(this.#files, process.files, io);
    } catch (error) {
      this.#unreadable.note(process, 'io', error);
      return;
    }
    if (process.unreadable) this.#unreadable.clear(process, 'io');
    const known = !Number.isNaN(process.readBytes);
    if (known || this.#isNew(process)) {
      process.unsettled.readBytes += rise(known ? process.readBytes : 0, io.readBytes);
      process.unsettled.writeBytes += rise(known ? process.writeBytes : 0, io.writeBytes);
    }
    process.readBytes = io.readBytes;
    process.writeBytes = io.writeBytes;
  }

  /** Whether the process became another program; looks at what #stat left in the buffer. */
  #executed(process: Process): boolean {
    const stat = this.#stat;
    const { buffer } = this.#files;
    const moved = stat.startStack !== process.startStack && stat.startStack !== 0 && process.startStack !== 0;
    let same = process.comm.length === stat.commTo - stat.commFrom;
    for (let i = 0; same && i < process.comm.length; i++)
      same = process.comm.charCodeAt(i) === buffer[stat.commFrom + i];
    process.startStack = stat.startStack;
    if (!same) process.comm = latin1(buffer, stat.commFrom, stat.commTo);
    if (moved) process.sample.at = -1;
    return moved || !same;
  }

  /** First identity of a process: gives it its family. */
  #introduce(process: Process): void {
    if (process.kernelThread) {
      this.#describe(process, this.#identities.ofKernelThread(process), KERNEL);
    } else {
      const identity = this.#identities.of(process);
      this.#describe(process, identity, this.#classify(identity));
      process.unsure = this.#now - process.start < YOUNG || process.state === BLOCKED;
    }
    this.#families.join(process);
  }

  /** Finds out again what a process is. After an exec, moving to another group counts as an exit and a start. */
  #recognise(process: Process, executed: boolean): void {
    const identity = this.#identities.of(process);
    this.#describe(process, identity, this.#classify(identity));
    this.#inherit(process);
    process.unsure = executed && process.state === BLOCKED;
    if (executed) {
      this.#unreadable.clear(process, 'smaps_rollup');
      this.#unreadable.clear(process, 'io');
    }
    this.#families.join(process);
    const ledger = this.ledgers.of(process.who.group, process.who.subgroup);
    if (ledger === process.ledger) return;
    if (executed) {
      process.ledger.exited++;
      ledger.started++;
    }
    process.ledger = ledger;
  }

  /** What a process once inherited it keeps, whoever its parent has become, for as long as no rule matches it. */
  #inherit(process: Process): void {
    const { source, who } = process;
    process.source = undefined;
    if (!this.inherits || who.rule !== NO_RULE) return;
    const kept = source && (source.ended || passesOn(source)) ? source : undefined;
    process.source = sourceOf(process, this.#parentOf) ?? kept;
    if (process.source) this.#describe(process, who.identity, inheritedFrom(process.source));
  }

  #describe(process: Process, identity: Identity, classification: Classification): void {
    process.who = {
      pid: process.pid,
      identity: { ...identity, argv: NO_ARGV },
      ...classification,
      startTime: this.#host.bootTime + process.start,
      ...{ labels: '', infoLabels: '' },
    };
  }

  #end(process: Process): void {
    this.#byPid.delete(process.pid);
    process.ended = true;
    process.source = undefined;
    this.#families.leave(process);
    this.#unreadable.forget(process);
    process.ledger.exited++;
    process.files.close();
    this.#children.ended(process);
  }
}

/** How much a cumulative counter rose; never negative. */
const rise = (before: number, now: number): number => Math.max(0, now - before);
