// What Linux says about memory that belongs to no process: files of tmpfs, and shared memory segments of System V, which
// stay when their last process has ended.
import { KernelFileError, type KernelFiles, readText } from './files.ts';
import { unescapedPath } from './mountinfo.ts';
import { TMPFS_USAGE } from './tmpfs.ts';

export interface TmpfsReading {
  readonly mountPoint: string;
  /** Of all files in it, in memory or in swap. */
  readonly bytes: number;
}

/** @throws KernelFileError */
export function readTmpfs(files: KernelFiles): TmpfsReading[] {
  const text = readText(files, TMPFS_USAGE);
  return [...text.matchAll(/^(\d{1,16}) (\/\S*)$/gm)].map(([, bytes, point]) => ({
    mountPoint: unescapedPath(point!),
    bytes: Number(bytes),
  }));
}

/** A segment of shared memory, shmget(2). */
export interface SysvSegment {
  /** The process that made it: it may have ended, and another process may have its pid. */
  readonly creator: number;
  /** Unix time of the last change of the segment itself; it was made then or before, seconds. */
  readonly changed: number;
  readonly attached: boolean;
  /** Bytes in memory. */
  readonly bytes: number;
}

/** The path of the kernel's list of the segments of our own IPC namespace. */
export const SYSV_SEGMENTS = 'proc/sysvipc/shm';
/** The largest page that Linux has on a usual machine (arm64, POWER): of a segment, whole pages are in memory. */
const PAGE_MAX = 65_536;
const COLUMNS = ['cpid', 'nattch', 'ctime', 'size', 'rss'] as const;

/**
 * A table whose first line names the columns (proc(5), /proc/sysvipc/shm; rss since Linux 2.6.36):
 *   `       key      shmid perms                  size  cpid  lpid nattch   uid … ctime                   rss                  swap`
 *   `         0         63   600              16777216   575   575      1     0 … 1795787605             8388608                  0`
 * Of huge pages, Linux 6.18 counts 512 times what is there, so no segment has more than its size.
 * @throws KernelFileError
 */
export function readSysvSegments(files: KernelFiles): SysvSegment[] {
  const [header, ...lines] = readText(files, SYSV_SEGMENTS)
    .split('\n')
    .slice(0, -1)
    .map((line) => line.trim().split(/ +/));
  const at = COLUMNS.map((column) => header?.indexOf(column) ?? -1);
  if (at.includes(-1)) throw new KernelFileError(SYSV_SEGMENTS, 'malformed');
  return lines
    .map((line) => at.map((column) => Number(line[column])) as [number, number, number, number, number])
    .filter((numbers) => numbers.every((number) => number >= 0))
    .map(([creator, attachments, changed, size, rss]) => ({
      ...{ creator, changed, attached: attachments > 0 },
      bytes: Math.min(rss, Math.ceil(size / PAGE_MAX) * PAGE_MAX),
    }));
}
