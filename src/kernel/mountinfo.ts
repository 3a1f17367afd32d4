// Mounts as the kernel lists them (proc(5), /proc/pid/mountinfo):
//   25 24 0:23 / /dev/shm rw,nosuid shared:4 - tmpfs tmpfs rw,size=24684084k

export interface Mount {
  readonly id: string;
  /** Id of the mount that it is mounted on. */
  readonly parent: string;
  /** Major and minor number: the same for all mounts of a file system. */
  readonly device: string;
  /** The folder of the file system that is mounted: / is all of it. */
  readonly root: string;
  /** Escaped, as is `root`. */
  readonly point: string;
  readonly type: string;
}

const LINE = /^(\d+) (\d+) (\d+:\d+) (\S+) (\S+) .*? - (\S+) /;

/** All mounts, in the kernel's order. A last line that was cut has no newline and is left out. */
export function* parseMounts(text: string): Generator<Mount> {
  for (const line of text.split('\n').slice(0, -1)) {
    const [, id, parent, device, root, point, type] = LINE.exec(line) ?? [];
    if (type !== undefined) yield { id: id!, parent: parent!, device: device!, root: root!, point: point!, type };
  }
}

/** A path in which space, tab, newline and backslash stand in octal: `/mnt/my\040disk`. */
export const unescapedPath = (path: string): string =>
  path.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
