// The kinds of memory that a footprint is made of. A measurement says what kinds of pages PSS is made of; between two
// measurements they are carried over as PSS is, so that anonymous, file and shared sum to PSS exactly.
import type { Process } from '../process/process.ts';

/** Bytes of PSS that are anonymous; NaN where there is no measurement, or the kernel does not say it. */
export const anonymousOf = (proc: Process): number => partOfPss(proc, proc.measurement.anonymous);

/** Bytes of PSS that are shared memory; NaN as above. */
export const sharedOf = (proc: Process): number => partOfPss(proc, proc.measurement.shmem);

/** Bytes of PSS that are of files: what the other two leave. */
export const fileOf = (proc: Process): number => proc.footprint.pss - anonymousOf(proc) - sharedOf(proc);

/** The kernel rounds each part down, so that parts may exceed the whole by a kilobyte where PSS was limited to RSS. */
function partOfPss({ measurement, footprint }: Process, part: number): number {
  const whole = Math.max(measurement.pss, measurement.anonymous + measurement.shmem);
  return whole === 0 ? 0 : Math.floor((footprint.pss * part) / whole);
}

/**
 * Swapped-out bytes of shared memory, as at the measurement. smaps has them in full in Swap of each process that maps them, and
 * neither in SwapPss nor in VmSwap of status (Documentation/filesystems/proc.rst).
 */
export const swappedSharedOf = ({ measurement, footprint }: Process): number =>
  measurement.at >= 0 ? Math.min(footprint.swappedShared, footprint.swap) || 0 : 0;

/** Swapped-out bytes of anonymous pages, a page that several processes share in proportion, as at the measurement. */
export function proportionalSwapOf(proc: Process): number {
  const { measurement, footprint } = proc;
  if (!(footprint.swap > 0)) return footprint.swap;
  const shared = swappedSharedOf(proc);
  const measured = measurement.swap - shared;
  const now = footprint.swap - shared;
  return measurement.at >= 0 && measured > 0 ? Math.round((now * measurement.swapPss) / measured) : now;
}

/** Bytes of huge pages that this process has alone, as far as that is measured. */
export function ownHugetlbOf({ measurement, footprint }: Process): number {
  return footprint.pss >= 0 ? Math.min(footprint.hugetlb, measurement.hugetlb) || 0 : 0;
}

/** Bytes of huge pages that other processes may map as well, in full. */
export const sharedHugetlbOf = (proc: Process): number => (proc.footprint.hugetlb || 0) - ownHugetlbOf(proc);

/** A stack takes 16 KiB with most kernels, and at most a page of 64 KiB. */
const STACK_MAX = 64 << 10;

/**
 * Bytes of the kernel stack of a thread; NaN where the host does not say it. Whole, so that the stacks of the processes sum to
 * those of their group.
 * @param kernelStack stacks of all threads of the host, bytes
 * @param threads of all processes that are seen: in a container these can be fewer than the host has
 */
export const stackOfThread = (kernelStack: number, threads: number): number =>
  threads > 0 ? Math.min(STACK_MAX, Math.round(kernelStack / threads)) : Number.NaN;
