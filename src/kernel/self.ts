// What Linux says about this exporter's own process (proc(5), Linux 6.18). It is read from the running kernel also when
// the exporter serves a capture.
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

export interface SelfReading {
  /** Open descriptors. */
  readonly openFiles: number;
  /** Descriptors that it may have open: its soft limit RLIMIT_NOFILE. */
  readonly maxFiles: number;
  /** Bytes of address space. */
  readonly virtualMemory: number;
  /** What the readers (reader.ts) of this process use: CPU seconds, also of readers that ended; anonymous resident bytes. */
  readonly readersCpu: number;
  readonly readersMemory: number;
}

/**
 * The state of this process; NaN where a value cannot be read. Since Linux 6.2 the size of /proc/self/fd is the number of
 * its entries; before, it is 0 and the entries are counted. `Max open files  1024  524288  files` is a line of limits.
 */
export function readSelf(): SelfReading {
  const self = statOf('/proc/self/stat');
  return {
    openFiles: orNaN(() => statSync('/proc/self/fd').size || readdirSync('/proc/self/fd').length),
    maxFiles: orNaN(() => numberIn('/proc/self/limits', /^Max open files\s+(\d+)/m)),
    virtualMemory: self.vsize,
    ...readChildren(self),
  };
}

/** Clock ticks a second in /proc/<pid>/stat, on every architecture that Node runs on (sysconf(3), _SC_CLK_TCK). */
const TICKS_PER_SECOND = 100;

/** The children of this process are its readers: nobody else can make a read of their files wait. 0 where there are none. */
function readChildren(self: OwnStat): Pick<SelfReading, 'readersCpu' | 'readersMemory'> {
  let ticks = self.childrenTicks || 0;
  let memory = 0;
  try {
    const children = readFileSync('/proc/thread-self/children', 'latin1').trim();
    for (const pid of children ? children.split(' ') : []) {
      ticks += statOf(`/proc/${pid}/stat`).ticks || 0;
      memory += numberIn(`/proc/${pid}/status`, /^RssAnon:\s+(\d+) kB/m) * 1024;
    }
  } catch {} // a child has just ended, or this kernel has no list of children
  return { readersCpu: ticks / TICKS_PER_SECOND, readersMemory: memory };
}

/** Whether a child of this process waits for something: it is neither running nor ready to run (proc(5), stat, field 3). */
export function isWaiting(child: number): boolean {
  try {
    const stat = readFileSync(`/proc/${child}/stat`, 'latin1');
    return /[SD]/.test(stat[stat.lastIndexOf(')') + 2]!);
  } catch {
    return false;
  }
}

interface OwnStat {
  /** CPU time of the process, and of its children that ended; clock ticks. */
  readonly ticks: number;
  readonly childrenTicks: number;
  /** Bytes of address space. */
  readonly vsize: number;
}

/** Fields 14 to 17 and 23 of stat (proc(5)): utime, stime, cutime, cstime and vsize. NaN where it cannot be read. */
function statOf(path: string): OwnStat {
  try {
    const stat = readFileSync(path, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [user, system, childrenUser, childrenSystem] = fields.slice(11, 15).map(Number);
    return { ticks: user! + system!, childrenTicks: childrenUser! + childrenSystem!, vsize: Number(fields[20]) };
  } catch {
    return { ticks: Number.NaN, childrenTicks: Number.NaN, vsize: Number.NaN };
  }
}

const numberIn = (path: string, pattern: RegExp): number => Number(pattern.exec(readFileSync(path, 'latin1'))?.[1]);

function orNaN(read: () => number): number {
  try {
    return read();
  } catch {
    return Number.NaN;
  }
}

/** PROC_IPC_INIT_INO of include/linux/proc_ns.h. */
const FIRST_IPC_NAMESPACE = 'ipc:[4026531839]';

/** Whether this process sees the shared memory of the host (ipc_namespaces(7)). */
export function inFirstIpcNamespace(): boolean {
  try {
    return readlinkSync('/proc/self/ns/ipc') === FIRST_IPC_NAMESPACE;
  } catch {
    return false;
  }
}

/** What this process may read, and how /proc is mounted for it. */
export interface Privileges {
  readonly uid: number;
  /** Effective capabilities that matter for reading /proc, by name (capabilities(7)). */
  readonly capabilities: readonly string[];
  /** Value of the mount option hidepid (proc(5)) where it hides processes from this user; '' where it does not. */
  readonly hidepid: string;
  /** It runs in a user namespace of its own (user_namespaces(7)): capabilities do not count for processes outside. */
  readonly userNamespace: boolean;
}

const CAPABILITIES: readonly (readonly [bit: bigint, name: string])[] = [
  [2n, 'CAP_DAC_READ_SEARCH'],
  [19n, 'CAP_SYS_PTRACE'],
  [34n, 'CAP_SYSLOG'],
  [38n, 'CAP_PERFMON'],
];

/** @param procfs where the procfs is mounted that is read */
export function readPrivileges(procfs = '/proc'): Privileges {
  const effective = BigInt(`0x${match('/proc/self/status', /^CapEff:\s+([0-9a-f]+)/m) || '0'}`);
  const capabilities = CAPABILITIES.filter(([bit]) => (effective >> bit) & 1n).map(([, name]) => name);
  // The first user namespace maps all ids to themselves.
  const ids = match('/proc/self/uid_map', /^\s*(\d+\s+\d+\s+\d+)\s*$/);
  const userNamespace = ids.split(/\s+/).join(' ') !== '0 0 4294967295' && existsSync('/proc/self/uid_map');
  const sees = capabilities.includes('CAP_SYS_PTRACE') && !userNamespace;
  return { uid: process.getuid?.() ?? 0, capabilities, hidepid: sees ? '' : hidepidOf(procfs), userNamespace };
}

/**
 * The option of the last mount there, `proc /proc proc rw,relatime,gid=4,hidepid=invisible 0 0` (proc(5), /proc/pid/mounts);
 * '' where it hides nothing from this user: the processes of the group gid see all, but not with ptraceable.
 */
function hidepidOf(procfs: string): string {
  const mount = mountOptions(procfs);
  const hidepid = /(?:^|,)hidepid=(\w+)/.exec(mount)?.[1] ?? '0';
  const gid = Number(/(?:^|,)gid=(\d+)/.exec(mount)?.[1] ?? 0);
  const member =
    hidepid !== '4' &&
    hidepid !== 'ptraceable' &&
    (process.getgroups?.() ?? []).concat(process.getegid?.() ?? []).includes(gid);
  return hidepid === '0' || hidepid === 'off' || member ? '' : hidepid;
}

function mountOptions(procfs: string): string {
  try {
    const lines = readFileSync('/proc/self/mounts', 'latin1')
      .split('\n')
      .map((line) => line.split(' '));
    return lines.findLast(([, point, type]) => point === procfs && type === 'proc')?.[3] ?? '';
  } catch {
    return '';
  }
}

function match(path: string, pattern: RegExp): string {
  try {
    return pattern.exec(readFileSync(path, 'latin1'))?.[1] ?? '';
  } catch {
    return '';
  }
}
