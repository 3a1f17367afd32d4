// What Linux says about one process: a parser and a reader for each file of /proc/<pid>/ (proc(5), Linux 6.18).
// Base units out (bytes, seconds). Parsers fill a reading they are given and say whether the text was understood.
import { KernelFileError, type KernelFiles, type ProcessFile, type ProcessFiles } from './files.ts';
import { Fields, keyed, lineKeys } from './text.ts';

/** What this kernel counts in: bytes per page and clock ticks per second (AT_PAGESZ and AT_CLKTCK, getauxval(3)). */
export interface Units {
  readonly pageSize: number;
  readonly ticksPerSecond: number;
}

const fields = new Fields();

/** /proc/<pid>/stat; times in seconds. */
export class StatReading {
  /** Where comm stands in the parsed bytes. At most 15 bytes (kernel workers: 63), anything but NUL. */
  commFrom = 0;
  commTo = 0;
  /** Character code of the state: R running, S sleeping, D blocked, T and t stopped, Z zombie, X dead, I idle. */
  state = 0;
  ppid = 0;
  kernelThread = false;
  /** Page faults since the process began: without I/O, and with. */
  minorFaults = 0;
  majorFaults = 0;
  /** CPU time since the process began, in user and in kernel mode. */
  user = 0;
  system = 0;
  /** CPU time of all children that were waited for, and of theirs. */
  childrenUser = 0;
  childrenSystem = 0;
  threads = 0;
  /** Start in clock ticks since boot: with the pid, the process's identity. */
  startTicks = 0;
  /** Resident pages but for the remainders of single CPUs (up to some dozens of each): tells that memory moved, no more. */
  roughRss = 0;
  /** Bottom of the main thread's stack, which an exec moves; 0 where ptrace access is missing. */
  startStack = 0;
}

const OPEN = 0x28;
const CLOSE = 0x29;
/** PF_KTHREAD of include/linux/sched.h. */
const KERNEL_THREAD = 0x00200000;

/**
 * `1 (systemd) S 0 1 1 0 -1 4194560 9123 801 12 3 45 67 8 9 20 0 1 0 5 …`
 * comm may hold anything, parentheses and newlines too: fields count from the last `)`.
 */
export function parseStat(bytes: Uint8Array, length: number, units: Units, out: StatReading): boolean {
  let open = 0;
  while (open < length && bytes[open] !== OPEN) open++;
  let close = length - 1;
  while (close > open && bytes[close] !== CLOSE) close--;
  if (close <= open || close + 3 >= length) return false;
  fields.start(bytes, close + 3, length);
  out.commFrom = open + 1;
  out.commTo = close;
  out.state = bytes[close + 2]!;
  out.ppid = fields.next();
  fields.skip(4); // pgrp, session, tty_nr, tpgid
  out.kernelThread = (fields.next() & KERNEL_THREAD) !== 0;
  out.minorFaults = fields.next();
  fields.skip(1); // cminflt
  out.majorFaults = fields.next();
  fields.skip(1); // cmajflt
  out.user = fields.next() / units.ticksPerSecond;
  out.system = fields.next() / units.ticksPerSecond;
  out.childrenUser = fields.next() / units.ticksPerSecond;
  out.childrenSystem = fields.next() / units.ticksPerSecond;
  fields.skip(2); // priority, nice
  out.threads = fields.next();
  fields.skip(1); // itrealvalue
  out.startTicks = fields.next();
  if (fields.failed) return false;
  fields.skip(1); // vsize
  out.roughRss = fields.next();
  fields.skip(3); // rsslim, startcode, endcode
  out.startStack = fields.next();
  return true;
}

/** /proc/<pid>/statm. */
export class StatmReading {
  /** Resident bytes, exact on Linux 6.17 and later. */
  rss = 0;
  /** Resident bytes that belong to files or shared memory; the rest is anonymous. */
  shared = 0;
}

/** `5432 1210 903 220 0 310 0`: pages, of which the second and third are resident and shared. */
export function parseStatm(bytes: Uint8Array, length: number, units: Units, out: StatmReading): boolean {
  fields.start(bytes, 0, length).skip(1);
  out.rss = fields.next() * units.pageSize;
  out.shared = fields.next() * units.pageSize;
  return !fields.failed;
}

/** /proc/<pid>/io: what reached the storage layer. */
export class IoReading {
  readBytes = 0;
  writeBytes = 0;
}

const IO = lineKeys('read_bytes', 'write_bytes');
const io = new Float64Array(IO.length);

/** `rchar: 323934931\n…read_bytes: 4096\nwrite_bytes: 323932160\n…` */
export function parseIo(bytes: Uint8Array, length: number, out: IoReading): boolean {
  if (keyed(bytes, length, IO, io) < IO.length) return false;
  out.readBytes = io[0]!;
  out.writeBytes = io[1]!;
  return true;
}

/** /proc/<pid>/smaps_rollup (Documentation/ABI/testing/procfs-smaps_rollup, Linux 4.14): bytes. */
export class FootprintReading {
  rss = 0;
  pss = 0;
  /** Private_Clean + Private_Dirty + Private_Hugetlb. */
  uss = 0;
  swap = 0;
  /** The part of pss that is shared memory: tmpfs, memfd, System V, shared anonymous mappings (Linux 5.6). */
  shmem = 0;
}

const ROLLUP = lineKeys('Rss', 'Pss', 'Private_Clean', 'Private_Dirty', 'Private_Hugetlb', 'Swap', 'Pss_Shmem');
const rollup = new Float64Array(ROLLUP.length);

/** `558c…-7ffd… ---p 00000000 00:00 0    [rollup]\nRss:    884 kB\nPss:    385 kB\n…` */
export function parseSmapsRollup(bytes: Uint8Array, length: number, out: FootprintReading): boolean {
  keyed(bytes, length, ROLLUP, rollup);
  const uss = rollup[2]! + rollup[3]! + (rollup[4]! || 0);
  if (Number.isNaN(rollup[0]! + rollup[1]! + uss)) return false;
  out.rss = rollup[0]! * 1024;
  out.pss = rollup[1]! * 1024;
  out.uss = uss * 1024;
  out.swap = (rollup[5]! || 0) * 1024;
  out.shmem = (rollup[6]! || 0) * 1024;
  return true;
}

/** /proc/<pid>/status: what needs no privilege; bytes. */
export class StatusReading {
  /** Real user id. */
  uid = 0;
  rssAnon = 0;
  rssFile = 0;
  rssShmem = 0;
  swap = 0;
}

const STATUS = lineKeys('Uid', 'RssAnon', 'RssFile', 'RssShmem', 'VmSwap');
const status = new Float64Array(STATUS.length);

/** `Name:\tbash\n…Uid:\t1000\t1000\t1000\t1000\n…RssAnon:\t    1200 kB\n…` Kernel threads have no memory lines. */
export function parseStatus(bytes: Uint8Array, length: number, out: StatusReading): boolean {
  keyed(bytes, length, STATUS, status);
  if (Number.isNaN(status[0])) return false;
  out.uid = status[0]!;
  out.rssAnon = (status[1]! || 0) * 1024;
  out.rssFile = (status[2]! || 0) * 1024;
  out.rssShmem = (status[3]! || 0) * 1024;
  out.swap = (status[4]! || 0) * 1024;
  return true;
}

/** Longest part of a command line that is looked at, bytes: the class path of a JVM is longer than a page. */
export const LONGEST_COMMAND_LINE = 64 << 10;

/** /proc/<pid>/cmdline: arguments, each ended by NUL; one without NUL where the program rewrote its title. */
export function parseCmdline(bytes: Uint8Array, length: number): string[] {
  let to = Math.min(length, LONGEST_COMMAND_LINE);
  while (to > 0 && bytes[to - 1] === 0) to--;
  if (to === 0) return [];
  return Buffer.from(bytes.buffer, bytes.byteOffset, to).toString('utf8').split('\0');
}

function malformed(proc: ProcessFiles, file: ProcessFile): KernelFileError {
  return new KernelFileError(`proc/${proc.pid}/${file}`, 'malformed');
}

// Readers: read and parse in one step. All throw KernelFileError.

export function readStat(files: KernelFiles, proc: ProcessFiles, units: Units, out: StatReading): void {
  const length = proc.read('stat');
  if (!parseStat(files.buffer, length, units, out)) throw malformed(proc, 'stat');
}

export function readStatm(files: KernelFiles, proc: ProcessFiles, units: Units, out: StatmReading): void {
  const length = proc.read('statm');
  if (!parseStatm(files.buffer, length, units, out)) throw malformed(proc, 'statm');
}

export function readIo(files: KernelFiles, proc: ProcessFiles, out: IoReading): void {
  const length = proc.read('io');
  if (!parseIo(files.buffer, length, out)) throw malformed(proc, 'io');
}

export function readSmapsRollup(files: KernelFiles, proc: ProcessFiles, out: FootprintReading): void {
  const length = proc.read('smaps_rollup');
  if (!parseSmapsRollup(files.buffer, length, out)) throw malformed(proc, 'smaps_rollup');
}

/** As readSmapsRollup, off the main thread. */
export async function readSmapsRollupLater(proc: ProcessFiles, out: FootprintReading): Promise<void> {
  const bytes = await proc.readLater('smaps_rollup');
  if (!parseSmapsRollup(bytes, bytes.length, out)) throw malformed(proc, 'smaps_rollup');
}

export function readStatus(files: KernelFiles, proc: ProcessFiles, out: StatusReading): void {
  const length = proc.read('status');
  if (!parseStatus(files.buffer, length, out)) throw malformed(proc, 'status');
}

export function readCmdline(files: KernelFiles, proc: ProcessFiles): string[] {
  const length = proc.read('cmdline');
  return parseCmdline(files.buffer, length);
}

/** /proc/<pid>/cgroup as text: `4:memory:/user.slice\n0::/system.slice/nginx.service\n` (cgroups(7)). */
export function readCgroup(files: KernelFiles, proc: ProcessFiles): string {
  const length = proc.read('cgroup');
  return Buffer.from(files.buffer.buffer, files.buffer.byteOffset, length).toString('utf8');
}
