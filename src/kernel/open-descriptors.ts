// How many file descriptors a process has open: the number of entries of its folder /proc/<pid>/fd (proc_pid_fd(5)). No
// link in it is read. Since Linux 6.2 the size of the folder is that number (stat(2); fs/proc/fd.c, proc_fd_getattr), which
// costs the same for any number and needs no privilege. Older kernels say 0 there: then the entries are listed, which
// only the owner of the process and a program with CAP_DAC_READ_SEARCH may do.
//
// A list has no end that this program could rely on: a process may have a billion descriptors (fs.nr_open). So it is read up
// to a limit, and beyond that the number is not known.
import { opendirSync, statSync } from 'node:fs';

/** Entries that are listed at most: some 50 ms. A usual limit of descriptors is 1,024 to 65,536. */
export const LISTED_MAX = 1 << 16;
/** Entries that the kernel is asked for at once. */
const LISTED_AT_ONCE = 256;

/** Whether the size of such folders tells, by procfs: a folder that is never empty says so, that of this program. */
const sizesTell = new Map<string, boolean>();

function sizeTells(procfs: string): boolean {
  let tells = sizesTell.get(procfs);
  if (tells === undefined) {
    const own = statSync(`${procfs}/self/fd`, { throwIfNoEntry: false });
    tells = own !== undefined && own.size > 0;
    sizesTell.set(procfs, tells);
  }
  return tells;
}

/**
 * @param folder "/proc/7/fd"
 * @param procfs where procfs is mounted: "/proc"
 * @throws the error of stat(2) or open(2), or one that says that there are more than LISTED_MAX to list
 */
export function countDescriptors(folder: string, procfs: string): number {
  const { size } = statSync(folder);
  return size > 0 || sizeTells(procfs) ? size : countEntries(folder);
}

/** @throws the error of open(2), or one that says that there are more entries than `most` */
export function countEntries(folder: string, most = LISTED_MAX): number {
  const directory = opendirSync(folder, { bufferSize: LISTED_AT_ONCE });
  try {
    let count = 0;
    while (count <= most && directory.readSync()) count++;
    if (count > most) throw new Error(`more than ${most} entries`);
    return count;
  } finally {
    directory.closeSync();
  }
}
