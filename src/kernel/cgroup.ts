// What Linux says about control groups: where they are mounted, which one has a process's memory on its account, and
// what that one uses. Version 2, version 1's memory controller and hybrids of both give the same reading.
import { KernelFileError, type KernelFiles } from './files.ts';
import { type Pressure, readPressure } from './host.ts';

/** A line of /proc/<pid>/cgroup. */
export interface Membership {
  /** "0" is version 2. */
  readonly hierarchy: string;
  readonly controllers: string;
  readonly path: string;
}

/** Lines `hierarchy:controllers:path` (cgroups(7)): `4:memory:/user.slice\n0::/system.slice/nginx.service\n`. */
export function* parseMemberships(text: string): Generator<Membership> {
  for (const line of text.split('\n')) {
    const [, hierarchy, controllers, path] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    if (path !== undefined) yield { hierarchy: hierarchy!, controllers: controllers!, path };
  }
}

interface Mount {
  /** Where it is, without the leading slash. */
  readonly point: string;
  /** The cgroup that is seen there. */
  readonly root: string;
}

/** Where cgroups are mounted; undefined where they are not. */
export interface CgroupMounts {
  /** Version 2. */
  readonly unified: Mount | undefined;
  /** Version 1's memory controller; where it is mounted, version 2 has none. */
  readonly memory: Mount | undefined;
}

/** Lines of mountinfo about cgroups: id, parent, device, root, mount point, options …, a dash, type, source, options. */
const CGROUP_MOUNT = /^\d+ \d+ \S+ (\S+) \/(\S+) .* - (cgroup2?) \S+ (\S+)$/;
/** The mounts as pid 1 sees them, so that they lie beside procfs wherever that is mounted. */
export const MOUNTINFO = 'proc/1/mountinfo';

/**
 * mountinfo (proc(5)), lines `41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw`; where it may not
 * be read, version 2 in its usual place.
 */
export function readCgroupMounts(files: KernelFiles): CgroupMounts {
  const text = unlessUnread(() => textOf(files, MOUNTINFO));
  if (text === undefined) return { unified: { point: 'sys/fs/cgroup', root: '/' }, memory: undefined };
  let unified: Mount | undefined;
  let memory: Mount | undefined;
  for (const line of text.split('\n')) {
    const [, root, point, type, options] = CGROUP_MOUNT.exec(line) ?? [];
    if (root === undefined) continue;
    const mount = { point: unescaped(point!), root: unescaped(root) };
    if (type === 'cgroup2') unified = better(unified, mount);
    else if (options!.split(',').includes('memory')) memory = better(memory, mount);
  }
  return { unified, memory };
}

/** Of several mounts the one that shows most. */
const better = (known: Mount | undefined, mount: Mount): Mount =>
  known && known.root.length <= mount.root.length ? known : mount;

/** mountinfo writes space, tab, newline and backslash in octal. */
const unescaped = (text: string): string =>
  text.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** What of mountinfo a capture needs; the other mounts are nobody's business. */
export function cgroupLinesOf(mountinfo: Uint8Array): Uint8Array {
  const lines = Buffer.from(mountinfo).toString('latin1').split('\n');
  const kept = lines.filter((line) => CGROUP_MOUNT.test(line)).map((line) => `${line}\n`);
  return Buffer.from(kept.join(''), 'latin1');
}

/** Of the cgroups a process is in, the one that says whose memory it uses; '' where there is none. */
export function memoryPathOf(mounts: CgroupMounts, memberships: Iterable<Membership>): string {
  const wanted = (each: Membership): boolean =>
    mounts.memory ? each.controllers.split(',').includes('memory') : each.hierarchy === '0';
  for (const each of memberships) if (wanted(each)) return each.path;
  return '';
}

/** A cgroup that memory is charged to. */
export interface MemoryCgroup {
  /** As in /proc/<pid>/cgroup. */
  readonly path: string;
  readonly version: 1 | 2;
  /** Where its files are, and those about pressure; the latter undefined where version 2 is not mounted. */
  readonly folder: string;
  readonly pressureFolder: string | undefined;
}

/**
 * The cgroup that the memory of those in `path` is charged to: itself, or in version 2 the nearest one around it that
 * has the memory controller. Undefined for the root: that is the host.
 * @throws KernelFileError where it is gone, or cannot be seen from here
 */
export function findMemoryCgroup(files: KernelFiles, mounts: CgroupMounts, path: string): MemoryCgroup | undefined {
  if (path === '') return undefined;
  if (mounts.memory) {
    if (path === '/') return undefined;
    const pressureFolder = mounts.unified && unlessUnread(() => folderOf(mounts.unified!, path));
    const folder = folderOf(mounts.memory, path);
    files.read(`${folder}/memory.usage_in_bytes`);
    return { path, version: 1, folder, pressureFolder };
  }
  if (!mounts.unified) return undefined;
  for (let at = path; ; at = at.slice(0, at.lastIndexOf('/')) || '/') {
    const folder = folderOf(mounts.unified, at);
    const hasMemory = textOf(files, `${folder}/cgroup.controllers`).trimEnd().split(' ').includes('memory');
    if (hasMemory && (at !== '/' || unlessUnread(() => files.read(`${folder}/memory.current`)) !== undefined))
      return { path: at, version: 2, folder, pressureFolder: folder };
    if (at === '/') return undefined;
  }
}

/** A path begins with ".." where it lies outside of our cgroup namespace (cgroup_namespaces(7)). @throws KernelFileError */
function folderOf({ point, root }: Mount, path: string): string {
  const below = root === '/' ? path : `${path}/`.startsWith(`${root}/`) ? path.slice(root.length) : undefined;
  if (below === undefined || below.split('/').includes('..'))
    throw new KernelFileError(`${point}${path}`, 'unsupported', 'it lies outside of what is mounted there');
  return below === '/' ? point : point + below;
}

/** What a cgroup uses, those below it included; bytes. NaN: this kernel does not tell. */
export interface CgroupReading {
  /** All of it: anonymous pages, page cache, the kernel's own. */
  readonly memory: number;
  readonly anon: number;
  /** Page cache, shared memory included. */
  readonly file: number;
  /** Of the page cache, what processes have mapped. */
  readonly mapped: number;
  /** tmpfs, shared memory, shared anonymous mappings. */
  readonly shmem: number;
  readonly kernel: number;
  readonly swap: number;
  /** Processes the kernel killed because the cgroup's, or the host's, memory was used up. */
  readonly oomKills: number;
  readonly memoryPressure: Pressure | undefined;
  readonly cpuPressure: Pressure | undefined;
}

/**
 * Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst, Linux 6.18. memory.stat has lines `anon 1794048`.
 * @throws KernelFileError where its usage cannot be read, or is nonsense
 */
export function readMemoryCgroup(files: KernelFiles, cgroup: MemoryCgroup): CgroupReading {
  const { folder, version, pressureFolder } = cgroup;
  const number = (file: string): number => finite(textOf(files, `${folder}/${file}`));
  const optional = (file: string): number => unlessUnread(() => number(file)) ?? Number.NaN;
  const keyed = (file: string) => {
    const text = unlessUnread(() => textOf(files, `${folder}/${file}`)) ?? '';
    return (key: string): number => finite(new RegExp(`^${key} (\\d+)$`, 'm').exec(text)?.[1] ?? '');
  };
  const memory = number(version === 2 ? 'memory.current' : 'memory.usage_in_bytes');
  if (Number.isNaN(memory)) throw new KernelFileError(folder, 'malformed');
  const stat = keyed('memory.stat');
  const pressure = (file: string) =>
    pressureFolder === undefined ? undefined : unlessUnread(() => readPressure(files, `${pressureFolder}/${file}`));
  const pressures = { memoryPressure: pressure('memory.pressure'), cpuPressure: pressure('cpu.pressure') };
  if (version === 2) {
    const charged = { anon: stat('anon'), file: stat('file'), mapped: stat('file_mapped'), shmem: stat('shmem') };
    const rest = { kernel: stat('kernel'), swap: optional('memory.swap.current') };
    return { memory, ...charged, ...rest, oomKills: keyed('memory.events')('oom_kill'), ...pressures };
  }
  const charged = { anon: stat('total_rss'), file: stat('total_cache'), mapped: stat('total_mapped_file') };
  const rest = { shmem: stat('total_shmem'), kernel: optional('memory.kmem.usage_in_bytes'), swap: stat('total_swap') };
  return { memory, ...charged, ...rest, oomKills: keyed('memory.oom_control')('oom_kill'), ...pressures };
}

function finite(text: string): number {
  const value = /^\d+\s*$/.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : Number.NaN;
}

const textOf = (files: KernelFiles, path: string): string => {
  const length = files.read(path);
  return Buffer.from(files.buffer.buffer, files.buffer.byteOffset, length).toString('utf8');
};

function unlessUnread<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof KernelFileError) return undefined;
    throw error;
  }
}
