// Tells whether the kernel may have taken memory of processes that did not run, or given them some. It counts that for the host in
// /proc/vmstat (mm/vmstat.c, Linux 6.18): pages that it reclaimed, for the host or for a cgroup, pages from and to swap, and
// small pages that it put together to huge ones, for example
//
//   pgsteal_anon 0
//   pgsteal_file 4096
//
// Other processes can change such memory too, and nothing counts that: process_madvise(2), process_vm_writev(2), the end of a file
// that is made shorter, a process with the same address space (CLONE_VM, clone(2)). So the memory of processes that do not run is
// looked at now and then in any case (process/rss.ts).
import { type KernelFiles, unlessUnreadable } from './files.ts';
import { lineNumber } from './text.ts';

/** Both since Linux 5.8: where they are missing, nothing is known. */
const RECLAIMED = [lineNumber('pgsteal_anon'), lineNumber('pgsteal_file')];
/** Missing in a kernel without swap or without transparent huge pages. */
const MOVED = [lineNumber('pswpin'), lineNumber('pswpout'), lineNumber('thp_collapse_alloc')];

/** Seconds for which a change counts: until all processes have had their turn (process/rss.ts). */
const LASTS = 75;

export class Reclaim {
  #sum = Number.NaN;
  #movedAt = Number.NEGATIVE_INFINITY;

  /** @param now seconds on a clock that never goes back @returns whether memory may have moved lately */
  lately(files: KernelFiles, now: number): boolean {
    const sum = unlessUnreadable(() => this.#read(files)) ?? Number.NaN;
    // Also at the first time, and where a counter is missing: NaN equals nothing.
    if (sum !== this.#sum) this.#movedAt = now;
    this.#sum = sum;
    return now - this.#movedAt <= LASTS;
  }

  #read(files: KernelFiles): number {
    const length = files.read('proc/vmstat');
    let sum = 0;
    for (const line of RECLAIMED) sum += line(files.buffer, length);
    for (const line of MOVED) sum += line(files.buffer, length) || 0;
    return sum;
  }
}
