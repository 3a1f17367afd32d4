// What Linux says about control groups: where they are mounted, which cgroup a process's memory is charged to, and what
// that cgroup uses. Version 2, the memory controller of version 1, and hosts that mount both give the same reading.
// cgroups(7), Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst, Linux 6.18.
import { KernelFileError, type KernelFiles, readText, unlessUnreadable } from './files.ts';
import { type Pressure, readPressure } from './host.ts';
import { unescapedPath } from './mountinfo.ts';

/** A line of /proc/<pid>/cgroup. */
export interface Membership {
  /** Number of the hierarchy; "0" is version 2. */
  readonly hierarchy: string;
  /** Separated by commas: "cpu,cpuacct"; empty in version 2. */
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
  /** The mount point, without the leading slash. */
  readonly point: string;
  /** The cgroup that appears at the mount point. */
  readonly root: string;
}

/** Where cgroups are mounted; undefined where they are not. */
export interface CgroupMounts {
  /** Version 2. */
  readonly unified: Mount | undefined;
  /** The memory controller of version 1. Where it is mounted, version 2 has no memory controller. */
  readonly memory: Mount | undefined;
}

/** Lines of mountinfo about cgroups: id, parent, device, root, mount point, options …, a dash, type, source, options. */
const CGROUP_MOUNT = /^\d+ \d+ \S+ (\S+) \/(\S+) .* - (cgroup2?) \S+ (\S+)$/;
/** The mounts that pid 1 sees: the paths in it are those of the host, wherever its procfs is mounted for us. */
export const MOUNTINFO = 'proc/1/mountinfo';

/**
 * mountinfo (proc(5)), lines `41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw`. Where it cannot be
 * read: version 2 in its usual place.
 */
export function readCgroupMounts(files: KernelFiles): CgroupMounts {
  const text = unlessUnreadable(() => readText(files, MOUNTINFO));
  if (text === undefined) return { unified: { point: 'sys/fs/cgroup', root: '/' }, memory: undefined };
  let unified: Mount | undefined;
  let memory: Mount | undefined;
  for (const line of text.split('\n')) {
    const [, root, point, type, options] = CGROUP_MOUNT.exec(line) ?? [];
    if (root === undefined) continue;
    const mount = { point: unescapedPath(point!), root: unescapedPath(root) };
    if (type === 'cgroup2') unified = better(unified, mount);
    else if (options!.split(',').includes('memory')) memory = better(memory, mount);
  }
  return { unified, memory };
}

/** Of several mounts the one whose root is nearest to the root of all cgroups: it shows most. */
const better = (known: Mount | undefined, mount: Mount): Mount =>
  known && known.root.length <= mount.root.length ? known : mount;

/** Reduces mountinfo to the lines that `readCgroupMounts` uses. The other mounts must not leave the host in a capture. */
export function cgroupLinesOf(mountinfo: Uint8Array): Uint8Array {
  const lines = Buffer.from(mountinfo).toString('latin1').split('\n');
  const kept = lines.filter((line) => CGROUP_MOUNT.test(line)).map((line) => `${line}\n`);
  return Buffer.from(kept.join(''), 'latin1');
}

/** Of the cgroups that a process is in, the path of the one that has the memory controller; '' where there is none. */
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
  /** The folder of its files, without the leading slash. */
  readonly folder: string;
  /** The folder of its files about pressure; undefined where version 2 is not mounted. */
  readonly pressureFolder: string | undefined;
}

/**
 * The cgroup that the memory of the processes in `path` is charged to: `path` itself, or in version 2 its nearest
 * ancestor that has the memory controller. Undefined for the root: its memory is that of the host.
 * Example: in version 2, `/a/b` without the controller is charged to `/a`, if `memory` stands in its cgroup.controllers.
 * @throws KernelFileError where it is gone, or lies outside of what is mounted
 */
export function findMemoryCgroup(files: KernelFiles, mounts: CgroupMounts, path: string): MemoryCgroup | undefined {
  if (path === '') return undefined;
  if (mounts.memory) {
    if (path === '/') return undefined;
    const pressureFolder = mounts.unified && unlessUnreadable(() => folderOf(mounts.unified!, path));
    const folder = folderOf(mounts.memory, path);
    files.read(`${folder}/memory.usage_in_bytes`);
    return { path, version: 1, folder, pressureFolder };
  }
  if (!mounts.unified) return undefined;
  for (let at = path; ; at = at.slice(0, at.lastIndexOf('/')) || '/') {
    const folder = folderOf(mounts.unified, at);
    const hasMemory = readText(files, `${folder}/cgroup.controllers`).trimEnd().split(' ').includes('memory');
    if (hasMemory && (at !== '/' || unlessUnreadable(() => files.read(`${folder}/memory.current`)) !== undefined))
      return { path: at, version: 2, folder, pressureFolder: folder };
    if (at === '/') return undefined;
  }
}

/**
 * The folder of a cgroup below a mount. A path begins with ".." where it lies outside of our cgroup namespace
 * (cgroup_namespaces(7)). @throws KernelFileError where the mount does not show it
 */
function folderOf({ point, root }: Mount, path: string): string {
  const below = root === '/' ? path : `${path}/`.startsWith(`${root}/`) ? path.slice(root.length) : undefined;
  if (below === undefined || below.split('/').includes('..'))
    throw new KernelFileError(`${point}${path}`, 'unsupported', 'it lies outside of what is mounted there');
  return below === '/' ? point : point + below;
}

/** What a cgroup and the cgroups below it use, in bytes. NaN: this kernel does not say it. */
export interface CgroupReading {
  /** All memory charged to it: anonymous pages, page cache and the kernel's own memory. */
  readonly memory: number;
  /** Anonymous pages. */
  readonly anon: number;
  /** Page cache, shared memory included. */
  readonly file: number;
  /** The part of the page cache that processes have mapped. */
  readonly mapped: number;
  /** tmpfs, shared memory and shared anonymous mappings: a part of the page cache. */
  readonly shmem: number;
  /** The kernel's own memory: slab, kernel stacks, page tables; in version 2 since Linux 5.18. */
  readonly kernel: number;
  readonly swap: number;
  /** Limits of its memory; NaN where there is none. Above `high` (version 2 only) its processes are slowed down. */
  readonly max: number;
  readonly high: number;
  /** Number of processes that the kernel killed because the memory of the cgroup or of the host was used up. */
  readonly oomKills: number;
  readonly memoryPressure: Pressure | undefined;
  readonly cpuPressure: Pressure | undefined;
}

/**
 * Without a limit, version 2 has `max` and version 1 the largest number of whole pages: 9223372036854771712, or less with
 * larger pages. No host has half of that.
 */
const UNLIMITED = 2 ** 62;

/**
 * Reads the usage and the limits of a cgroup. memory.current has one number, `5242880`; memory.stat has lines `anon 1794048`.
 * @throws KernelFileError where its total usage cannot be read or is not a number
 */
export function readMemoryCgroup(files: KernelFiles, cgroup: MemoryCgroup): CgroupReading {
  const { folder, version, pressureFolder } = cgroup;
  const number = (file: string): number => finite(readText(files, `${folder}/${file}`));
  const optional = (file: string): number => unlessUnreadable(() => number(file)) ?? Number.NaN;
  const keyed = (file: string) => {
    const text = unlessUnreadable(() => readText(files, `${folder}/${file}`)) ?? '';
    return (key: string): number => finite(new RegExp(`^${key} (\\d+)$`, 'm').exec(text)?.[1] ?? '');
  };
  const memory = number(version === 2 ? 'memory.current' : 'memory.usage_in_bytes');
  if (Number.isNaN(memory)) throw new KernelFileError(folder, 'malformed');
  const stat = keyed('memory.stat');
  const pressure = (file: string) =>
    pressureFolder === undefined ? undefined : unlessUnreadable(() => readPressure(files, `${pressureFolder}/${file}`));
  const pressures = { memoryPressure: pressure('memory.pressure'), cpuPressure: pressure('cpu.pressure') };
  if (version === 2) {
    const charged = { anon: stat('anon'), file: stat('file'), mapped: stat('file_mapped'), shmem: stat('shmem') };
    const rest = { kernel: stat('kernel'), swap: optional('memory.swap.current') };
    const limits = { max: optional('memory.max'), high: optional('memory.high') };
    return { memory, ...charged, ...rest, ...limits, oomKills: keyed('memory.events')('oom_kill'), ...pressures };
  }
  const charged = { anon: stat('total_rss'), file: stat('total_cache'), mapped: stat('total_mapped_file') };
  const rest = { shmem: stat('total_shmem'), kernel: optional('memory.kmem.usage_in_bytes'), swap: stat('total_swap') };
  const limit = optional('memory.limit_in_bytes');
  const limits = { max: limit < UNLIMITED ? limit : Number.NaN, high: Number.NaN };
  return { memory, ...charged, ...rest, ...limits, oomKills: keyed('memory.oom_control')('oom_kill'), ...pressures };
}

function finite(text: string): number {
  const value = /^\d+\s*$/.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : Number.NaN;
}
