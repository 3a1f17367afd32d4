// How much each tmpfs of the host holds, by mount point. It is in no file: statfs(2) tells it, and statfs on a path may wait
// for ever where a network or user-space file system answers. So a path is only looked at if mountinfo says that all mounts
// on the way to it are of a local type, and that nothing is mounted over it.
import * as fs from 'node:fs';
import { type Mount, parseMounts, unescapedPath } from './mountinfo.ts';

/**
 * The path for `KernelFiles.read`, which gives a line for each tmpfs: bytes that it holds, in memory or in swap, and its mount
 * point as in mountinfo: `1048576 /dev/shm\n`. devtmpfs is a tmpfs as well; ramfs is not, and says nothing of its size.
 */
export const TMPFS_USAGE = 'statfs/tmpfs';

/** TMPFS_MAGIC of include/uapi/linux/magic.h. */
const TMPFS_MAGIC = 0x01021994;
const TMPFS = new Set(['tmpfs', 'devtmpfs']);
/** File systems that answer without another machine or program. */
const LOCAL = new Set([
  ...['tmpfs', 'devtmpfs', 'ramfs', 'rootfs', 'ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'f2fs', 'zfs', 'bcachefs'],
  ...['overlay', 'squashfs', 'erofs', 'sysfs'],
]);
/** Hosts with thousands of containers have two or three for each; those listed first are looked at. */
const TMPFS_MAX = 1024;

/** Mount points at which each tmpfs is seen, one for each: where all of it is mounted, rather than a folder of it. */
export function visibleTmpfs(mountinfo: string): string[] {
  const mounts = new Map<string, Mount>();
  const places = new Set<string>();
  for (const mount of parseMounts(mountinfo)) {
    mounts.set(mount.id, mount);
    places.add(`${mount.parent} ${mount.point}`);
  }
  const found = new Map<string, Mount>();
  for (const mount of mounts.values()) {
    if (!TMPFS.has(mount.type) || !isVisible(mount, mounts, places)) continue;
    if (!found.has(mount.device) || (mount.root === '/' && found.get(mount.device)!.root !== '/'))
      found.set(mount.device, mount);
  }
  return [...found.values()].map(({ point }) => point);
}

/** @param places for each mount its parent and its mount point */
function isVisible(mount: Mount, mounts: ReadonlyMap<string, Mount>, places: ReadonlySet<string>): boolean {
  if (places.has(`${mount.id} ${mount.point}`)) return false;
  let at = mount;
  for (let steps = 0; steps < mounts.size; steps++) {
    const parent = mounts.get(at.parent);
    if (!parent || parent === at) return at.point === '/';
    if (!LOCAL.has(parent.type)) return false;
    for (const above of foldersAbove(at.point)) if (places.has(`${parent.id} ${above}`)) return false;
    at = parent;
  }
  return false;
}

/** Of /dev/shm: /dev and /. */
function* foldersAbove(path: string): Generator<string> {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) yield path.slice(0, end);
  if (path !== '/') yield '/';
}

/**
 * @param mountinfo of the processes whose root folder is `root`; bytes as characters
 * @returns the lines, bytes as characters; of a tmpfs that cannot be asked, or whose size has no limit, there is none
 */
export function tmpfsUsage(mountinfo: string, root: string): string {
  const lines: string[] = [];
  for (const point of visibleTmpfs(mountinfo).slice(0, TMPFS_MAX)) {
    const bytes = bytesUsed(Buffer.from(root + unescapedPath(point), 'latin1'));
    if (bytes >= 0) lines.push(`${bytes} ${point}\n`);
  }
  return lines.join('');
}

/** NaN where it is no tmpfs, may not be looked at, or does not count its pages. */
function bytesUsed(path: Buffer): number {
  try {
    const { type, bsize, blocks, bfree } = fs.statfsSync(path);
    return type === TMPFS_MAGIC && blocks > 0 ? (blocks - bfree) * bsize : Number.NaN;
  } catch {
    return Number.NaN;
  }
}
