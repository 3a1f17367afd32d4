// What Linux says about one process: a parser and a reader for each file of /proc/<pid>/ (proc(5), Linux 6.18).
// Results are in base units: bytes and seconds. A parser fills a reading that its caller gives it, so that it allocates
// nothing, and returns whether the text was as expected.
import { KernelFileError, type KernelFiles, type ProcessFile, type ProcessFiles, textOf } from './files.ts';
import { type HugeSegment, parseHugeMappings } from './huge-mappings.ts';
import { Fields, keyed, latin1, lineKeys } from './text.ts';

/** The units this kernel counts in (AT_PAGESZ and AT_CLKTCK, getauxval(3)). */
export interface Units {
  /** Bytes. */
  readonly pageSize: number;
  /** Clock ticks. */
  readonly ticksPerSecond: number;
}

const fields = new Fields();

/** /proc/<pid>/stat; times in seconds. */
export class StatReading {
  /** Where comm begins and ends in the parsed bytes. It has at most 15 bytes (63 in a kernel worker), and never NUL. */
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
  /** CPU time of all children that the process waited for, and of the children that those had waited for. */
  childrenUser = 0;
  childrenSystem = 0;
  threads = 0;
  /** Start in clock ticks since boot: with the pid, the process's identity. */
  startTicks = 0;
  /**
   * Resident pages, without what each CPU has not yet added to the sum (up to some dozens of pages a CPU). It tells that
   * memory moved; the exact value is in statm.
   */
  roughRss = 0;
  /** Bytes of address space: bounds what page tables the process can have. */
  virtualSize = 0;
  /** Address of the bottom of the main thread's stack, which every exec changes; 0 where ptrace access is missing. */
  startStack = 0;
  /** Grows with each exec; 0 while that is not known. No text has it. */
  execs = 0;
}

const OPEN = 0x28;
const CLOSE = 0x29;
/** PF_KTHREAD of include/linux/sched.h. */
const KERNEL_THREAD = 0x00200000;

/**
 * One line (proc(5), /proc/pid/stat):
 * `1 (systemd) S 0 1 1 0 -1 4194560 9123 801 12 3 45 67 8 9 20 0 1 0 5 …`
 * comm may hold any bytes, also parentheses and newlines, so the fields are counted from the last `)`: of
 * `7 (a) b) S 1 …` comm is `a) b`.
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
  out.virtualSize = fields.next();
  out.roughRss = fields.next();
  fields.skip(3); // rsslim, startcode, endcode
  out.startStack = fields.next();
  return true;
}

/** /proc/<pid>/statm. */
export class StatmReading {
  /** Resident bytes, exact since Linux 6.17. */
  rss = 0;
  /** Resident bytes of files and of shared memory; the other resident bytes are anonymous. */
  shared = 0;
}

/** `5432 1210 903 220 0 310 0`: numbers of pages. The second number is the resident pages, the third is the shared pages. */
export function parseStatm(bytes: Uint8Array, length: number, units: Units, out: StatmReading): boolean {
  fields.start(bytes, 0, length).skip(1);
  out.rss = fields.next() * units.pageSize;
  out.shared = fields.next() * units.pageSize;
  return !fields.failed;
}

/** /proc/<pid>/io: bytes that reached the storage layer. */
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

/** /proc/<pid>/smaps_rollup (Documentation/ABI/testing/procfs-smaps_rollup, since Linux 4.14): bytes. */
export class FootprintReading {
  rss = 0;
  pss = 0;
  /** Private_Clean + Private_Dirty. */
  uss = 0;
  swap = 0;
  /** The proportional share of swap; where the kernel does not say it, all of swap. */
  swapPss = 0;
  /** The part of pss that is anonymous; NaN before Linux 5.4. */
  anonymous = 0;
  /** The part of pss that is shared memory: tmpfs, memfd, System V, shared anonymous mappings; 0 before Linux 5.4. */
  shmem = 0;
  /** Anonymous bytes, in memory or swapped out, that processes share after a fork: what of them counts for the others. */
  sharedAnonymous = 0;
  /** Huge pages (hugetlb): first those of this process alone, then those that others map too. No other value includes them. */
  hugetlb = 0;
  sharedHugetlb = 0;
}

const ROLLUP = lineKeys(
  ...['Rss', 'Pss', 'Pss_Anon', 'Pss_Shmem', 'Private_Clean', 'Private_Dirty'],
  ...['Shared_Hugetlb', 'Private_Hugetlb', 'Swap', 'SwapPss', 'Anonymous'],
);
const rollup = new Float64Array(ROLLUP.length);

/** `558c…-7ffd… ---p 00000000 00:00 0    [rollup]\nRss:    884 kB\nPss:    385 kB\n…` */
export function parseSmapsRollup(bytes: Uint8Array, length: number, out: FootprintReading): boolean {
  keyed(bytes, length, ROLLUP, rollup);
  const uss = rollup[4]! + rollup[5]!;
  if (Number.isNaN(rollup[0]! + rollup[1]! + uss)) return false;
  out.rss = rollup[0]! * 1024;
  out.pss = rollup[1]! * 1024;
  out.anonymous = rollup[2]! * 1024;
  out.shmem = (rollup[3]! || 0) * 1024;
  out.uss = uss * 1024;
  out.sharedHugetlb = (rollup[6]! || 0) * 1024;
  out.hugetlb = (rollup[7]! || 0) * 1024;
  out.swap = (rollup[8]! || 0) * 1024;
  out.sharedAnonymous = (rollup[10]! - rollup[2]! + rollup[8]! - rollup[9]!) * 1024;
  out.swapPss = rollup[9]! >= 0 ? rollup[9]! * 1024 : out.swap;
  return true;
}

/** /proc/<pid>/status, which every user may read; memory in bytes. */
export class StatusReading {
  /** Real user id. */
  uid = 0;
  rssAnon = 0;
  rssFile = 0;
  rssShmem = 0;
  /** Page tables of all levels. */
  pageTables = 0;
  swap = 0;
  /** Huge pages that it maps, shared ones in full; 0 before Linux 4.4. */
  hugetlb = 0;
}

const STATUS = lineKeys('Uid', 'RssAnon', 'RssFile', 'RssShmem', 'VmSwap', 'VmPTE', 'HugetlbPages');
const status = new Float64Array(STATUS.length);

/** `Name:\tbash\n…Uid:\t1000\t1000\t1000\t1000\n…RssAnon:\t    1200 kB\n…` A kernel thread has no lines about memory: 0. */
export function parseStatus(bytes: Uint8Array, length: number, out: StatusReading): boolean {
  keyed(bytes, length, STATUS, status);
  if (Number.isNaN(status[0])) return false;
  out.uid = status[0]!;
  out.rssAnon = (status[1]! || 0) * 1024;
  out.rssFile = (status[2]! || 0) * 1024;
  out.rssShmem = (status[3]! || 0) * 1024;
  out.swap = (status[4]! || 0) * 1024;
  out.pageTables = (status[5]! || 0) * 1024;
  out.hugetlb = (status[6]! || 0) * 1024;
  return true;
}

/** Bytes of a command line that are used; the rest is cut. The class path of a JVM is longer than a page. */
export const COMMAND_LINE_MAX_BYTES = 64 << 10;

/** `nginx\0-g\0daemon off;\0`: arguments, each ended by NUL. A program that rewrote its title may leave one without NUL. */
export function parseCmdline(bytes: Uint8Array, length: number): string[] {
  let to = Math.min(length, COMMAND_LINE_MAX_BYTES);
  while (to > 0 && bytes[to - 1] === 0) to--;
  if (to === 0) return [];
  return Buffer.from(bytes.buffer, bytes.byteOffset, to).toString('utf8').split('\0');
}

function malformed(proc: ProcessFiles, file: ProcessFile): KernelFileError {
  return new KernelFileError(`proc/${proc.pid}/${file}`, 'malformed');
}

// Readers: each reads one file of a process and parses it. All of them throw KernelFileError.

export function readStat(files: KernelFiles, proc: ProcessFiles, units: Units, out: StatReading): void {
  if (!proc.fillStat?.(units, out)) {
    const length = proc.read('stat');
    if (!parseStat(files.buffer, length, units, out)) throw malformed(proc, 'stat');
  }
  out.execs = proc.execs ?? 0;
}

export function readStatm(files: KernelFiles, proc: ProcessFiles, units: Units, out: StatmReading): void {
  if (proc.fillStatm?.(units, out)) return;
  const length = proc.read('statm');
  if (!parseStatm(files.buffer, length, units, out)) throw malformed(proc, 'statm');
}

export function readIo(files: KernelFiles, proc: ProcessFiles, out: IoReading): void {
  if (proc.fillIo?.(out)) return;
  const length = proc.read('io');
  if (!parseIo(files.buffer, length, out)) throw malformed(proc, 'io');
}

export function readSmapsRollup(files: KernelFiles, proc: ProcessFiles, out: FootprintReading): void {
  const length = proc.read('smaps_rollup');
  if (!parseSmapsRollup(files.buffer, length, out)) throw malformed(proc, 'smaps_rollup');
}

/** As readSmapsRollup, between two prefetches. @param seconds what the read is predicted to take */
export async function readSmapsRollupLater(proc: ProcessFiles, seconds: number, out: FootprintReading): Promise<void> {
  const bytes = await proc.readLater('smaps_rollup', seconds);
  if (!parseSmapsRollup(bytes, bytes.length, out)) throw malformed(proc, 'smaps_rollup');
}

/** The segments of huge pages that it shares, read between two prefetches. @param seconds what the read is predicted to take */
export async function readHugeSegmentsLater(proc: ProcessFiles, seconds: number): Promise<readonly HugeSegment[]> {
  const bytes = await proc.readLater('smaps', seconds);
  const segments = parseHugeMappings(latin1(bytes, 0, bytes.length));
  if (!segments) throw malformed(proc, 'smaps');
  return segments;
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
  return textOf(files, proc.read('cgroup'));
}
