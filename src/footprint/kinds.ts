// The kinds of memory that a footprint is made of. A measurement says what kinds of pages PSS is made of; between two
// measurements they are carried over as PSS is, so that anonymous, file and shared sum to PSS exactly.
import type { Process } from '../process/process.ts';

/** Bytes of PSS that are anonymous; NaN where there is no measurement, or the kernel does not say it. */
export const anonymousOf = (proc: Process): number => partOfPss(proc, proc.measurement.anonymous);

/** Bytes of PSS that are shared memory; NaN as above. */
export const sharedOf = (proc: Process): number => partOfPss(proc, proc.measurement.shmem);

/** Bytes of PSS that are of files: what the other two leave. */
export const fileOf = (proc: Process): number => proc.footprint.pss - anonymousOf(proc) - sharedOf(proc);

function partOfPss({ measurement, footprint }: Process, part: number): number {
  const whole = measurement.anonymous + measurement.file + measurement.shmem;
  return whole === 0 ? 0 : Math.floor((footprint.pss * part) / whole);
}

/** Bytes swapped out, a page that several processes share in proportion; of the pages swapped out since the measurement too. */
export function proportionalSwapOf({ measurement, footprint }: Process): number {
  const { swap, swapPss } = measurement;
  return measurement.at >= 0 && swap > 0 ? Math.round((footprint.swap * swapPss) / swap) : footprint.swap;
}

/** A stack takes 16 KiB with most kernels, and at most a page of 64 KiB. */
const STACK_MAX = 64 << 10;

/**
 * Bytes of the kernel stack of a thread; NaN where the host does not say it.
 * @param kernelStack stacks of all threads of the host, bytes
 * @param threads of all processes that are seen: in a container these can be fewer than the host has
 */
export const stackOfThread = (kernelStack: number, threads: number): number =>
  threads > 0 ? Math.min(STACK_MAX, kernelStack / threads) : Number.NaN;
