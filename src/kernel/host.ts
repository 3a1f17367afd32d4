// What Linux says about the host beside its memory (host-memory.ts): pressure, boot time, CPUs, users, and the units that the kernel counts in.
// Documents and examples are of Linux 6.18; what older kernels lack is said at the value.
import { KernelFileError, type KernelFiles, readText, unlessUnreadable } from './files.ts';
import { type HostMemory, readMemory } from './host-memory.ts';
import type { Units } from './pid.ts';
import { lineNumber, numberAt } from './text.ts';

/** AT_PAGESZ and AT_CLKTCK of include/uapi/linux/auxvec.h. */
const PAGE_SIZE = 6;
const CLOCK_TICKS = 17;

/**
 * Page size and clock tick from the auxiliary vector (/proc/self/auxv, getauxval(3)): pairs of machine words, key and
 * value, such as 6 (AT_PAGESZ) and 4096. Where it cannot be read: 4,096 bytes and 100 ticks, as on nearly every host.
 */
export function readUnits(files: KernelFiles): Units {
  let pageSize = 4096;
  let ticksPerSecond = 100;
  const length = unlessUnreadable(() => files.read('proc/self/auxv')) ?? 0;
  const words = new DataView(files.buffer.buffer, files.buffer.byteOffset, length);
  for (let at = 0; at + 16 <= length; at += 16) {
    const key = Number(words.getBigUint64(at, true));
    const value = Number(words.getBigUint64(at + 8, true));
    if (key === PAGE_SIZE && value >= 1024 && value <= 1 << 20) pageSize = value;
    if (key === CLOCK_TICKS && value >= 1 && value <= 1e6) ticksPerSecond = value;
  }
  return { pageSize, ticksPerSecond };
}

/** Seconds in which some task, or every task that was not idle, waited (Documentation/accounting/psi.rst, Linux 4.20). */
export interface Pressure {
  readonly some: number;
  /** NaN where the kernel does not say it: for the CPU of a cgroup before Linux 5.13. */
  readonly full: number;
}

/**
 * `some avg10=0.00 avg60=0.00 avg300=0.00 total=12345\nfull …`, the total in microseconds.
 * @param path "proc/pressure/memory" of the host, or "memory.pressure" and "cpu.pressure" in a cgroup's folder
 * @throws KernelFileError
 */
export function readPressure(files: KernelFiles, path: string): Pressure {
  const text = readText(files, path);
  const seconds = (kind: string): number => Number(new RegExp(`^${kind} .*total=(\\d+)$`, 'm').exec(text)?.[1]) / 1e6;
  const pressure = { some: seconds('some'), full: seconds('full') };
  if (Number.isNaN(pressure.some)) throw new KernelFileError(path, 'malformed');
  return pressure;
}

const OOM_KILLS = lineNumber('oom_kill');

/** Processes that the kernel killed for memory since boot: `oom_kill 0` of /proc/vmstat, since Linux 4.13; NaN before. */
export function readOomKills(files: KernelFiles): number {
  const length = unlessUnreadable(() => files.read('proc/vmstat')) ?? 0;
  return OOM_KILLS(files.buffer, length);
}

/**
 * Seconds since boot with two decimals, on the clock of the start times of processes: `12345.67 98765.43` (proc(5)).
 * @throws KernelFileError
 */
export function readUptime(files: KernelFiles): number {
  const length = files.read('proc/uptime');
  const whole = numberAt(files.buffer, 0, length);
  let point = 0;
  while (point < length && files.buffer[point] !== 0x2e) point++;
  const hundredths = numberAt(files.buffer, point + 1, Math.min(length, point + 3));
  if (whole < 0) throw new KernelFileError('proc/uptime', 'malformed');
  return whole + Math.max(0, hundredths) / 100;
}

/** /proc/stat. */
export interface Boot {
  /** Unix time of the boot, whole seconds; NaN where the kernel does not say it. */
  readonly bootTime: number;
  /** Tasks forked since boot: while it does not change, no process was born. NaN where the kernel does not say it. */
  readonly forks: number;
  /** Logical CPUs that are online; NaN where the kernel does not say it. */
  readonly cpus: number;
}

/**
 * `cpu …\ncpu0 …\ncpu1 …\n…btime 1790000000\nprocesses 26442\n…` (proc(5)). Each value may be missing: lxcfs cuts the file on hosts
 * with many CPUs, before btime, and gives nothing (ENOTCONN) when it has ended.
 */
export function readBoot(files: KernelFiles): Boot {
  const text = unlessUnreadable(() => readText(files, 'proc/stat')) ?? '';
  const after = (key: string): number => {
    const at = text.lastIndexOf(`\n${key} `);
    return at < 0 ? Number.NaN : Number.parseInt(text.slice(at + key.length + 2, at + key.length + 24), 10);
  };
  let cpus = 0;
  for (let at = text.indexOf('\ncpu'); at >= 0; at = text.indexOf('\ncpu', at + 1)) cpus++;
  return { bootTime: after('btime'), forks: after('processes') || Number.NaN, cpus: cpus || Number.NaN };
}

/** What a collection needs of the host. Each value may be missing, and what depends on it is absent then. */
export interface HostState extends Boot {
  readonly memory: HostMemory;
}

/** Reads the host's files for a collection; what only one collector needs, that collector reads. Before processes are read. */
export function readHost(files: KernelFiles, pageSize: number): HostState {
  const boot = readBoot(files);
  return { ...boot, memory: readMemory(files, pageSize, boot.cpus) };
}

/** User names by user id from /etc/passwd, `root:x:0:0:root:/root:/bin/bash` (passwd(5)); empty where it cannot be read. */
export function readUsers(files: KernelFiles): ReadonlyMap<number, string> {
  return parseUsers(unlessUnreadable(() => readText(files, USERS)) ?? '');
}

/** As `readUsers`, of the text of the file. */
export function parseUsers(text: string): ReadonlyMap<number, string> {
  const users = new Map<number, string>();
  for (const [, name, uid] of text.matchAll(/^([^:\n]+):[^:\n]*:(\d+):/gm)) {
    if (!users.has(Number(uid))) users.set(Number(uid), name!);
  }
  return users;
}

/** The file of the host's users. */
export const USERS = 'etc/passwd';

/** What of etc/passwd a capture needs: `sync:x:4:` of `sync:x:4:65534:Sync,Room 7,555-0100:/bin:/bin/sync`. */
export function userNamesOf(passwd: Uint8Array): Uint8Array {
  const lines = Buffer.from(passwd)
    .toString('latin1')
    .matchAll(/^([^:\n]+):[^:\n]*:(\d+):/gm);
  return Buffer.from([...lines].map(([, name, uid]) => `${name}:x:${uid}:\n`).join(''), 'latin1');
}
