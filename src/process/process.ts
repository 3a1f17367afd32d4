// What is known of one live process.
// Process is the record the tracker keeps and updates in place; everyone above sees view.ts instead.
import type { ProcessFiles } from '../kernel/files.ts';
import type { Classification, Identity } from '../rules/identity.ts';
import type { GroupCounters, ReapedUsage } from './group-counters.ts';
import { withNumbers } from './packed-numbers.ts';
import type { Cgroups } from './placement.ts';

/** A process, never confused with a later one of the same pid: pid and start time together (proc(5), stat field 22). */
export interface ProcessId {
  readonly pid: number;
  /** Start time in the kernel's clock ticks since boot. */
  readonly startTicks: number;
}

/** Everything about a process that does not change from one collection to the next. A new one is made after an exec. */
export interface ProcessDescription extends Classification {
  readonly pid: number;
  /** Without the command line, which is let go as soon as the rules have seen it. */
  readonly identity: Identity;
  /** Unix time of the start, seconds. */
  readonly startTime: number;
  /** Kept for the collectors: the label text of this process's series and of its info series, once it was rendered. */
  labels: string;
  infoLabels: string;
}

/** Why a footprint is read (again): never read, touched its memory, a relative did, or old. In falling urgency. */
export type ReadReason = 'first' | 'changed' | 'relative' | 'age';

/** A measured footprint and what the world looked like when it was taken; bytes. */
export class Measurement extends withNumbers({
  /** Kernel time of the reading, seconds since boot; negative: there is none. */
  at: -1,
  /** Kernel time of the last attempt, successful or not; negative: never tried. */
  tried: -1,
  rss: 0,
  pss: 0,
  uss: 0,
  swap: 0,
  shmem: 0,
  /** What the reading took, seconds; 0 while unknown. */
  cost: 0,
  /** `Process.activity`, `Family.activity` and `Family.members` as they stood. */
  activity: 0,
  familyActivity: 0,
  familyMembers: 0,
  /** The same of its parent and of its children, together. */
  kinActivity: 0,
}) {
  /** Why it was taken. */
  reason: ReadReason = 'first';
}

/** Processes that may share pages: those of one executable. */
export class Sharers {
  readonly key: string;
  members = 0;
  /** Bytes touched or given back by all of them so far. */
  activity = 0;

  constructor(key: string) {
    this.key = key;
  }
}

/** One live process. NaN stands for a value that is not known. */
export class Process
  extends withNumbers({
    /** Start in seconds since boot. */
    start: 0,
    /** Kernel time at which the window of `usage` that is under way began, seconds since boot, and CPU seconds used in it. */
    windowFrom: 0,
    windowUsed: 0,
    /** Cumulative, as last read: CPU seconds, faults, bytes. */
    user: 0,
    system: 0,
    childrenUser: 0,
    childrenSystem: 0,
    minorFaults: 0,
    majorFaults: 0,
    readBytes: Number.NaN,
    writeBytes: Number.NaN,
    /** Percent of one core over the last window. */
    usage: Number.NaN,

    /** Resident pages as stat has them, when rss was last read. */
    roughRss: Number.NaN,
    /** Bytes. */
    rss: Number.NaN,
    /** Resident bytes of files and shared memory. */
    shared: Number.NaN,
    /** From status, read only where no sample can be had: bytes, and the rss and shared they belong to. */
    rssFile: Number.NaN,
    rssShmem: Number.NaN,
    swap: Number.NaN,
    statusRss: Number.NaN,
    statusShared: Number.NaN,
    /** Bytes touched (faults) or given back so far: how much a footprint may have moved. */
    activity: 0,
    /** What its own children of other families touched so far; bytes. */
    childrenActivity: 0,
    /** The sample carried over to the present: what is exported. */
    pss: Number.NaN,
    uss: Number.NaN,
    /** How urgently its footprint should be read, where it is `wanted`. */
    urgency: 0,

    startStack: 0,
  })
  implements ProcessId
{
  readonly pid: number;
  /** Start time in the kernel's clock ticks since boot. */
  readonly startTicks: number;
  readonly files: ProcessFiles;
  readonly kernelThread: boolean;

  /** Set by the tracker as soon as the process is known. */
  description!: ProcessDescription;
  counters!: GroupCounters;
  sharers!: Sharers;
  /** Whose group it belongs to, as no rule matches it; it may have ended. Undefined where it inherited nothing. */
  source: Process | undefined = undefined;
  /** As last read with its identity; undefined for kernel threads. */
  cgroups: Cgroups | undefined = undefined;
  /** Its parent, where that is of another family. */
  parent: Process | undefined = undefined;

  /** The kernel's bytes, a character each: a typed array of Node's takes ten times the memory. */
  comm = '';
  ppid = 0;
  state = 0;
  threads = 0;
  /** Gained, and not yet credited: parts of it may be of children that were seen while they lived. */
  readonly unsettled: ReapedUsage = { user: 0, system: 0, readBytes: 0, writeBytes: 0 };
  readonly measurement = new Measurement();

  /** Its stat could not be read at this collection: it is left out of the view. */
  absent = false;
  /** It is gone, and the tracker has let go of it. */
  ended = false;
  /** What it is has to be found out (again) at the next reading: just born, rules changed, or it could not be read. */
  unsure = false;
  /** Waits for its footprint to be read, for this reason; undefined when there is no need. */
  wanted: ReadReason | undefined = undefined;
  /** Its footprint is being read off the main thread, or waits for that. */
  queued = false;
  /** Files that gave no value, by name; undefined while all did. */
  unreadable: Map<string, string> | undefined = undefined;

  constructor(files: ProcessFiles, startTicks: number, start: number, kernelThread: boolean) {
    super();
    this.pid = files.pid;
    this.files = files;
    this.startTicks = startTicks;
    this.start = start;
    this.kernelThread = kernelThread;
  }

  get zombie(): boolean {
    return isZombie(this.state);
  }
}

export const ZOMBIE = 0x5a;
export const DEAD = 0x58;
export const isZombie = (state: number): boolean => state === ZOMBIE || state === DEAD;
export const BLOCKED = 0x44;
