// One live process: what does not change in its life, and parts that change, each with one class that writes it.
//
//   part         what it holds                                        its one writer
//   stat         counters and state, as last read; absent, ended      StatReader             stat.ts
//   memory       resident bytes, as last read                         RssReader              rss.ts
//   io           storage I/O, as last read                            IoReader               io.ts
//   usage        CPU percentage and its window                        CpuUsage               cpu-usage.ts
//   sharing      processes that share its pages, bytes touched        PageSharing            page-sharing.ts
//   membership   what it is, and the group it belongs to              Memberships            membership.ts
//   unreadable   files that gave no value                             Unreadable             unreadable.ts
//   measurement  the last smaps_rollup reading, and whether one waits FootprintScheduler     footprint/scheduler.ts
//   pageTables   page tables, where they can be large                 PageTableReader        footprint/page-tables.ts
//   footprint    PSS, USS and swap as exported                        FootprintEstimator     footprint/estimator.ts
//
// How one writer is kept: `Process` has its parts as `Readonly<…>`, so that the compiler refuses a write through it. A
// writer takes the part under its own class (`const memory: Memory = proc.memory`), for which it has to import that class;
// test/architecture.test.ts allows that import to one file for each part.
//
// Metrics and pages are made of the columns that view/view.ts copies from the parts; only the explanation of a single
// process (footprint/explanation.ts, server/api.ts) reads a Process itself. NaN: the value is not known.

import type { ProcessFiles, UnreadableReason } from '../kernel/files.ts';
import type { HugeSegment } from '../kernel/huge-mappings.ts';
import type { Classification, Identity } from '../rules/identity.ts';
import type { GroupCounters } from './group-counters.ts';
import { NumberLayout } from './packed-numbers.ts';
import type { Cgroups } from './placement.ts';
import type { CountedFile } from './unreadable.ts';

/** A process, never confused with a later one of the same pid: pid and start time together (proc(5), stat field 22). */
export interface ProcessId {
  readonly pid: number;
  /** Start time in the kernel's clock ticks since boot. */
  readonly startTicks: number;
}

/** What a process is: stays the same between collections, and is replaced by a new object after an exec. */
export interface ProcessDescription extends Classification {
  readonly pid: number;
  /** Without the command line, which is dropped as soon as the rules have seen it. */
  readonly identity: Identity;
  /** Unix time of the start, seconds. */
  readonly startTime: number;
  /** Kept for the collectors: the label text of this process's series and of its info series, once it was rendered. */
  labels: string;
  infoLabels: string;
}

/** Why a footprint is read (again): never read, touched its memory, a relative did, or old. In falling urgency. */
export type ReadReason = 'first' | 'changed' | 'relative' | 'age';

const numbers = new NumberLayout();

/** What stat said last: cumulative counters, and state. Times in seconds. Writer: StatReader. */
export class Stat extends numbers.part({
  /** Start in seconds since boot. */
  start: 0,
  user: 0,
  system: 0,
  /** CPU time of children that were waited for. */
  childrenUser: 0,
  childrenSystem: 0,
  minorFaults: 0,
  majorFaults: 0,
  /** Resident pages but for the remainders of single CPUs: tells that memory moved, no more. */
  roughRss: Number.NaN,
  /** Bottom of the main thread's stack, which an exec moves, as last known; 0 while ptrace access is missing. */
  startStack: 0,
  /** Grows with each exec, as last known; 0 while the source of the reading does not count them. */
  countedExecs: 0,
  /** Bytes of address space, with what is reserved and never touched. */
  virtualSize: 0,
}) {
  /** The kernel's bytes, a character each: a typed array of Node's takes ten times the memory. */
  comm = '';
  ppid = 0;
  /** Character code of the state; S where the first thread has ended and others live, which the kernel shows as a zombie. */
  state = 0;
  threads = 0;
  /** The first thread has ended, and others live on. */
  leaderEnded = false;
  /** Execs that were seen, without execs that only a new name shows: a footprint that was measured before the last one is of another program. */
  execs = 0;
  /** stat could not be read at this collection: the process is left out of the view. */
  absent = false;
  /** The process is gone: stat said so, or it is of a later process with the same pid. */
  ended = false;
}

/** What statm said last; bytes. Writer: RssReader. */
export class Memory extends numbers.part({
  rss: Number.NaN,
  /** Resident bytes of files and shared memory. */
  shared: Number.NaN,
  /** `stat.roughRss` when statm was last read, pages. */
  roughRss: Number.NaN,
}) {
  /** Whether statm was requested of a living thread, because the first one had ended. */
  ofThread = false;
}

/** What io said last: bytes that reached the storage layer since the process began. Writer: IoReader. */
export class Io extends numbers.part({ readBytes: Number.NaN, writeBytes: Number.NaN }) {}

/** CPU usage. Writer: CpuUsage. */
export class Usage extends numbers.part({
  /** Percent of one core over the last complete window. */
  percent: Number.NaN,
  /** Kernel time at which the current window began, seconds since boot; and CPU seconds used in it so far. */
  windowFrom: 0,
  windowUsed: 0,
}) {}

/** Processes that may share pages: those of one executable. Writer: PageSharing. */
export class Sharers {
  readonly key: string;
  members = 0;
  /** Bytes that all of them touched or gave back so far. */
  activity = 0;

  constructor(key: string) {
    this.key = key;
  }
}

/** The processes that may share pages with this one, and how much memory may have moved. Writer: PageSharing. */
export class Sharing extends numbers.part({
  /** Bytes touched (faults) or given back so far. */
  activity: 0,
  /** Bytes that its children of other executables touched so far. */
  childrenActivity: 0,
}) {
  sharers!: Readonly<Sharers>;
  /** Its parent, where that has another executable. */
  parent: Process | undefined = undefined;
  /** Its parent, where both had the same stack when it was found: it was not made by an exec. */
  forkedFrom: Process | undefined = undefined;
}

/** What a process is and the group it belongs to; set as soon as the process is found. Writer: Memberships. */
export class Member {
  description!: ProcessDescription;
  counters!: GroupCounters;
  /** The process whose group it inherited because no rule matches; may have ended. Undefined where nothing was inherited. */
  source: Process | undefined = undefined;
  /** As last read with its identity; undefined for kernel threads. */
  cgroups: Cgroups | undefined = undefined;
  /** The identity has to be read (again) at the next pass: just born, rules changed, cgroup gone, or it was not readable. */
  outdated = false;
}

/** Files that gave no value, with the reason; undefined while all did. Writer: Unreadable. */
export class UnreadableFiles {
  reasons: Map<CountedFile, UnreadableReason> | undefined = undefined;
}

/** The last reading of smaps: which segments of huge pages the process shares. */
export interface SegmentReading {
  /** Empty where smaps could not be read. */
  readonly list: readonly HugeSegment[];
  /** Kernel time of the reading, seconds since boot; and what it took, seconds. */
  readonly at: number;
  readonly took: number;
  /** As they were: `stat.execs`, `measurement.sharedHugetlb`, `stat.virtualSize`. */
  readonly execs: number;
  readonly sharedHugetlb: number;
  readonly virtualSize: number;
}

/** The last reading of smaps_rollup, and what the activities were when it was taken; bytes. Writer: FootprintScheduler. */
export class Measurement extends numbers.part({
  /** Kernel time of the reading, seconds since boot; negative: there is none. */
  at: -1,
  /** Kernel time of the last attempt, successful or not; negative: never tried. */
  tried: -1,
  /** Kernel time at which the reading was last known to hold: its own, or that of a read of others (idle-samples.ts); else negative. */
  confirmed: -1,
  rss: 0,
  pss: 0,
  uss: 0,
  swap: 0,
  swapPss: 0,
  /** Parts of `pss`: anonymous (NaN before Linux 5.4), and shared memory (tmpfs, memfd, System V). The rest is of files. */
  anonymous: Number.NaN,
  shmem: 0,
  /** Anonymous bytes that it shares with other processes; NaN before Linux 5.4. */
  sharedAnonymous: Number.NaN,
  /** Huge pages: first its own, then those that other processes map too. `pss` does not include them. */
  hugetlb: 0,
  sharedHugetlb: 0,
  /** What the reading took, seconds; 0 while unknown. */
  cost: 0,
  /** What read-cost.ts guessed for it then, before it corrects the guess for this host, seconds. */
  guess: 0,
  /** `sharing.activity`, and `activity` and `members` of its sharers, as they were. */
  activity: 0,
  sharersActivity: 0,
  sharersMembers: 0,
  /** What its parent and its children of other executables had touched, together. */
  relativesActivity: 0,
  /** How urgently the footprint should be read, where it is `wanted`. */
  urgency: 0,
}) {
  /** `stat.execs` as it was. */
  execs = 0;
  /** Why the reading was taken. */
  reason: ReadReason = 'first';
  /** Undefined where the process shares no huge pages, or smaps was not read yet. */
  segments: SegmentReading | undefined = undefined;
  /** The footprint waits to be read, for this reason; undefined when there is no need. */
  wanted: ReadReason | undefined = undefined;
  /** The footprint is being read beside the collections, or waits for that. */
  queued = false;
}

/** What status said last of page tables; read only where they can be large. Writer: PageTableReader. */
export class PageTables extends numbers.part({
  /** Bytes of all levels; 0 while they were never read. */
  bytes: 0,
  /** Kernel time of the reading, seconds since boot; negative: there is none. */
  at: -1,
}) {}

/** The footprint as exported: the measurement carried over to the present; bytes. Writer: FootprintEstimator. */
export class Footprint extends numbers.part({
  pss: Number.NaN,
  uss: Number.NaN,
  swap: Number.NaN,
  /** Page tables, and huge pages that it maps, shared ones in full. */
  pageTables: Number.NaN,
  hugetlb: Number.NaN,
  /** Kernel time of the measurement to which the next two belong, seconds since boot. */
  measuredAt: -1,
  /** Huge pages in status then. It has fewer than smaps where processes share page tables, so only its change counts. */
  statusHugetlb: 0,
  /** Swapped-out shared memory then, which status does not have. */
  swappedShared: 0,
  /** Resident pages by kind from status, for a process without a measurement. */
  rssFile: Number.NaN,
  rssShmem: Number.NaN,
  /** `memory.rss`, `memory.shared`, `sharing.activity` and `stat.virtualSize` when status was last read. */
  statusRss: Number.NaN,
  statusShared: Number.NaN,
  statusActivity: Number.NaN,
  statusVirtualSize: Number.NaN,
}) {}

/** One live process. */
export class Process implements ProcessId {
  readonly pid: number;
  /** Start time in the kernel's clock ticks since boot. */
  readonly startTicks: number;
  readonly files: ProcessFiles;
  readonly kernelThread: boolean;
  readonly stat: Readonly<Stat>;
  readonly memory: Readonly<Memory>;
  readonly io: Readonly<Io>;
  readonly usage: Readonly<Usage>;
  readonly sharing: Readonly<Sharing>;
  readonly membership: Readonly<Member>;
  readonly unreadable: Readonly<UnreadableFiles>;
  readonly measurement: Readonly<Measurement>;
  readonly pageTables: Readonly<PageTables>;
  readonly footprint: Readonly<Footprint>;

  constructor(files: ProcessFiles, startTicks: number, kernelThread: boolean) {
    const values = numbers.create();
    this.pid = files.pid;
    this.startTicks = startTicks;
    this.files = files;
    this.kernelThread = kernelThread;
    this.stat = new Stat(values);
    this.memory = new Memory(values);
    this.io = new Io(values);
    this.usage = new Usage(values);
    this.sharing = new Sharing(values);
    this.membership = new Member();
    this.unreadable = new UnreadableFiles();
    this.measurement = new Measurement(values);
    this.pageTables = new PageTables(values);
    this.footprint = new Footprint(values);
  }

  /** What it is. With `source`, what group inheritance (rules/inheritance.ts) looks at. */
  get description(): ProcessDescription {
    return this.membership.description;
  }

  get source(): Process | undefined {
    return this.membership.source;
  }

  get zombie(): boolean {
    return isZombie(this.stat.state);
  }
}

/** Character codes of states (proc(5), stat): S, Z, X, and D for an uninterruptible wait. */
export const SLEEPING = 0x53;
export const ZOMBIE = 0x5a;
export const DEAD = 0x58;
export const BLOCKED = 0x44;
export const isZombie = (state: number): boolean => state === ZOMBIE || state === DEAD;
