// Tells which processes use the address space of another one: a child of vfork(2) before its exec, or of clone(2) with
// CLONE_VM. The kernel says the memory of such a space for each of its processes in full, so sums would have it several times.
//
// /proc names no address space. But a child that was only forked has the pages of its parent, and as long as neither wrote to
// them they belong to both: what the dynamic linker wrote and then made read-only, the environment, the arguments. Where a
// child has the stack of its parent, the same sizes, and not one anonymous page that belongs to another process, nothing was
// forked. A process that shares pages with a forked one besides is not recognised: it counts twice, as the kernel says it.
import type { Process } from '../process/process.ts';

/** The sizes of two processes are read one after the other: meanwhile they may change by this share. */
const SIZE_SHARE = 0.02;

/** Whether the memory of a process is counted with its parent's, in every sum and in the rows of both. */
export function usesSpaceOfParent({ stat, memory, measurement, footprint, sharing }: Process): boolean {
  const parent = sharing.forkedFrom;
  if (!parent || parent.stat.ended || parent.stat.absent || parent.stat.startStack !== stat.startStack) return false;
  // Swapped-out shared memory looks like anonymous pages that others share, in smaps_rollup.
  const unshared = measurement.anonymous > 0 && measurement.sharedAnonymous === footprint.swappedShared;
  return unshared && alike(memory.rss, parent.memory.rss) && alike(stat.virtualSize, parent.stat.virtualSize);
}

const alike = (a: number, b: number): boolean => Math.abs(a - b) <= SIZE_SHARE * b;
