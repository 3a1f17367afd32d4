// The kinds of memory that a footprint is made of. A measurement says what kinds of pages PSS is made of; between two
// measurements they are carried over as PSS is, so that anonymous, file and shared sum to PSS exactly.
import type { Process } from '../process/process.ts';
import { usesSpaceOfParent } from './address-space.ts';

/** What a footprint is made of; bytes. */
export interface FootprintParts {
  readonly anonymous: number;
  readonly file: number;
  readonly shared: number;
  /** Only those that no other process maps. */
  readonly hugetlb: number;
  readonly pageTables: number;
  readonly kernelStacks: number;
}

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

/**
 * Swapped-out bytes of shared memory at the measurement. smaps has them in full in Swap of each process that maps them, and
 * neither in SwapPss nor in VmSwap of status (Documentation/filesystems/proc.rst).
 */
export const swappedSharedOf = ({ measurement, footprint }: Process): number =>
  measurement.at >= 0 ? footprint.swappedShared : 0;

/** Swapped-out bytes of anonymous pages, a page that several processes share in proportion, as at the measurement. */
export function proportionalSwapOf(proc: Process): number {
  const { measurement, footprint } = proc;
  const shared = swappedSharedOf(proc);
  const measured = measurement.swap - shared;
  const now = footprint.swap - shared;
  return measurement.at >= 0 && measured > 0 ? Math.round((now * measurement.swapPss) / measured) : now;
}

/**
 * Bytes that one process occupies; NaN where nothing is known of its memory. The footprints of the processes of a group sum to
 * that of the group where PSS is measured, but for shared huge pages. Where it is not, only what the process surely has alone
 * counts: its anonymous pages. The group has more than that sum, because it also estimates the pages of files.
 * @param stack bytes of the kernel stack of a thread
 */
export function footprintOf(proc: Process, stack: number): number {
  const { memory, footprint, stat } = proc;
  const stacks = Math.round(stat.threads * stack) || 0;
  if (!(memory.rss >= 0)) return Number.NaN;
  if (usesSpaceOfParent(proc)) return stacks;
  const others = (footprint.pageTables || 0) + stacks;
  if (footprint.pss >= 0) return footprint.pss + ownHugetlbOf(proc) + others;
  return Math.max(0, memory.rss - memory.shared || 0) + others;
}

/** The parts of `footprintOf`, bytes. NaN: the kernel does not say of what kind the pages are. @param stack as there */
export function footprintPartsOf(proc: Process, stack: number): FootprintParts {
  const kernelStacks = Math.round(proc.stat.threads * stack) || 0;
  if (usesSpaceOfParent(proc)) return { anonymous: 0, file: 0, shared: 0, hugetlb: 0, pageTables: 0, kernelStacks };
  const { memory, footprint } = proc;
  const rest = { hugetlb: ownHugetlbOf(proc), pageTables: footprint.pageTables || 0, kernelStacks };
  if (footprint.pss >= 0) return { anonymous: anonymousOf(proc), file: fileOf(proc), shared: sharedOf(proc), ...rest };
  return { anonymous: memory.rss - memory.shared, file: Number.NaN, shared: Number.NaN, ...rest };
}

/** Bytes of huge pages that no other process maps; 0 where they were not measured. */
export const ownHugetlbOf = ({ footprint, measurement }: Process): number =>
  footprint.pss >= 0 ? Math.min(footprint.hugetlb || 0, measurement.hugetlb) : 0;

/** Whether PSS, USS and footprint are estimates: not measured, or scaled with the RSS since the measurement. */
export const isEstimated = ({ footprint, measurement, memory }: Process): boolean =>
  !(footprint.pss >= 0) || measurement.rss !== memory.rss;

/** A stack takes 16 KiB with most kernels, and at most a page of 64 KiB. */
const STACK_MAX = 64 << 10;

/**
 * Bytes of the kernel stack of a thread; NaN where the host does not say it.
 * @param kernelStack stacks of all threads of the host, bytes
 * @param threads of all processes that are seen: in a container these can be fewer than the host has
 */
export const stackOfThread = (kernelStack: number, threads: number): number =>
  threads > 0 ? Math.min(STACK_MAX, kernelStack / threads) : Number.NaN;
