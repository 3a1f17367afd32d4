// What Linux says about this exporter's own process; always live, whatever host or capture it serves.
import { readdirSync, readFileSync, statSync } from 'node:fs';

export interface SelfReading {
  /** Open descriptors. */
  readonly openFiles: number;
  /** Descriptors it may have open (RLIMIT_NOFILE). */
  readonly maxFiles: number;
  /** Bytes. */
  readonly virtualMemory: number;
  /** What the processes that read for this one use: CPU seconds, of those that ended too; anonymous resident bytes. */
  readonly readersCpu: number;
  readonly readersMemory: number;
}

/** NaN stands for what cannot be read. /proc/self/fd tells its number of entries as its size since Linux 6.2. */
export function readSelf(): SelfReading {
  return {
    openFiles: quietly(() => statSync('/proc/self/fd').size || readdirSync('/proc/self/fd').length),
    maxFiles: quietly(() => numberIn('/proc/self/limits', /^Max open files\s+(\d+)/m)),
    virtualMemory: quietly(() => numberIn('/proc/self/status', /^VmSize:\s+(\d+) kB/m) * 1024),
    ...readChildren(),
  };
}

/** Clock ticks a second in /proc/<pid>/stat on every architecture that Node runs on (getconf CLK_TCK). */
const TICKS = 100;

/** Of the children of this process. They are its own readers: a read of their files does not wait. 0 where there are none. */
function readChildren(): Pick<SelfReading, 'readersCpu' | 'readersMemory'> {
  let ticks = 0;
  let memory = 0;
  try {
    const [, , cutime, cstime] = cpuTicks('/proc/self/stat');
    ticks += cutime! + cstime!;
    const children = readFileSync('/proc/thread-self/children', 'latin1').trim();
    for (const pid of children ? children.split(' ') : []) {
      const [utime, stime] = cpuTicks(`/proc/${pid}/stat`);
      ticks += utime! + stime!;
      memory += numberIn(`/proc/${pid}/status`, /^RssAnon:\s+(\d+) kB/m) * 1024;
    }
  } catch {} // a child has just ended, or this kernel has no list of children
  return { readersCpu: ticks / TICKS, readersMemory: memory };
}

/** utime, stime, cutime and cstime (proc(5), stat, fields 14 to 17). */
function cpuTicks(path: string): number[] {
  const stat = readFileSync(path, 'latin1');
  return stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15)
    .map(Number);
}

const numberIn = (path: string, pattern: RegExp): number => Number(pattern.exec(readFileSync(path, 'latin1'))?.[1]);

function quietly(read: () => number): number {
  try {
    return read();
  } catch {
    return Number.NaN;
  }
}

/** What this process may do, and how /proc is mounted for it. */
export interface Privileges {
  readonly uid: number;
  /** Effective capabilities that matter for reading /proc, by name (capabilities(7)). */
  readonly capabilities: readonly string[];
  /** Value of the mount option hidepid (proc(5)) where it hides anything; '' where it does not. */
  readonly hidepid: string;
}

const CAPABILITIES: readonly (readonly [bit: bigint, name: string])[] = [
  [2n, 'CAP_DAC_READ_SEARCH'],
  [19n, 'CAP_SYS_PTRACE'],
  [38n, 'CAP_PERFMON'],
];

export function readPrivileges(): Privileges {
  const effective = BigInt(`0x${match('/proc/self/status', /^CapEff:\s+([0-9a-f]+)/m) || '0'}`);
  const hidepid = match('/proc/self/mounts', /^\S+ \/proc proc \S*\bhidepid=(\w+)/m);
  return {
    uid: process.getuid?.() ?? 0,
    capabilities: CAPABILITIES.filter(([bit]) => (effective >> bit) & 1n).map(([, name]) => name),
    hidepid: hidepid === '0' || hidepid === 'off' ? '' : hidepid,
  };
}

function match(path: string, pattern: RegExp): string {
  try {
    return pattern.exec(readFileSync(path, 'latin1'))?.[1] ?? '';
  } catch {
    return '';
  }
}
