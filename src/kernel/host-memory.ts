// What the kernel says of the host's memory: /proc/meminfo and /proc/zoneinfo (Documentation/filesystems/proc.rst, Linux
// 6.18). What older kernels, or kernels that were built without it, do not say is NaN.
import { type KernelFiles, unlessUnreadable } from './files.ts';
import { keyed, lineKeys, sumOfLines, wholeNumber } from './text.ts';

/** The values by their lines: `MemTotal:       24567890 kB`. */
const LINES = {
  total: 'MemTotal',
  free: 'MemFree',
  /** Memory that new processes could get without swapping, as the kernel estimates it; since Linux 3.14. */
  available: 'MemAvailable',
  swapTotal: 'SwapTotal',
  swapFree: 'SwapFree',
  /** Anonymous pages that processes have mapped. */
  anonymous: 'AnonPages',
  /** Pages of files and of shared memory that processes have mapped. */
  mapped: 'Mapped',
  /** The page cache of block devices, and that of files with shared memory and tmpfs, without the swap cache. */
  buffers: 'Buffers',
  cached: 'Cached',
  /** Shared memory and tmpfs: a part of `cached`. */
  shmem: 'Shmem',
  /** Pages that are in memory and in swap; a process may have them mapped as well. */
  swapCached: 'SwapCached',
  /** Anonymous pages, shared memory and the swap cache, without what is locked. */
  activeAnonymous: 'Active(anon)',
  inactiveAnonymous: 'Inactive(anon)',
  slabReclaimable: 'SReclaimable',
  slabUnreclaimable: 'SUnreclaim',
  pageTables: 'PageTables',
  /** Page tables of virtual machines and devices; since Linux 6.1. */
  secondaryPageTables: 'SecPageTables',
  kernelStacks: 'KernelStack',
  /** Shadow call stacks of arm64; since Linux 5.8, where it was built with them. */
  shadowStacks: 'ShadowCallStack',
  /** Since Linux 4.20. */
  perCpu: 'Percpu',
  /** Pages that vmalloc(9) has: modules, tables, and with most kernels the stacks too. 0 before Linux 5.3, which did not count. */
  vmalloc: 'VmallocUsed',
  /** Memory that holds compressed pages of swap; since Linux 5.19. */
  zswap: 'Zswap',
  /** Huge pages of all sizes, used or free; since Linux 4.16. */
  hugetlb: 'Hugetlb',
} as const;

/**
 * Bytes; NaN where the kernel does not say it. `freeOfCpus` are free pages that each CPU keeps to hand: MemFree lacks them,
 * and since Linux 6.6 they can be some percent of the memory.
 */
export type HostMemory = Readonly<Record<keyof typeof LINES | 'hugetlbFree' | 'freeOfCpus', number>>;

const NAMES = Object.keys(LINES) as (keyof typeof LINES)[];
/** Behind the values in kB: numbers of huge pages of the usual size, and that size in kB. */
const KEYS = lineKeys(...Object.values(LINES), 'HugePages_Total', 'HugePages_Free', 'Hugepagesize');
const found = new Float64Array(KEYS.length);

/**
 * With more CPUs /proc/zoneinfo is not read: its text grows with them, and the kernel holds a lock of the allocator while it
 * writes it.
 */
const ZONEINFO_CPUS_MAX = 64;

/** Every value is NaN where its file cannot be read. @param cpus number of CPUs; NaN where it is not known */
export function readMemory(files: KernelFiles, pageSize: number, cpus: number): HostMemory {
  const length = unlessUnreadable(() => files.read('proc/meminfo')) ?? 0;
  keyed(files.buffer, length, KEYS, found);
  const values = Object.fromEntries(NAMES.map((name, index) => [name, found[index]! * 1024]));
  const [pages, freePages, size] = found.subarray(NAMES.length) as unknown as [number, number, number];
  const usual = pages * size * 1024;
  const hugetlb = Number.isNaN(values.hugetlb!) ? usual : values.hugetlb!;
  const hugetlbFree = freePages * size * 1024 + (hugetlb > usual ? freeOfOtherSizes(files, size) : 0);
  const freeOfCpus = cpus > ZONEINFO_CPUS_MAX ? Number.NaN : freePagesOfCpus(files) * pageSize;
  return { ...(values as Record<keyof typeof LINES, number>), hugetlb, hugetlbFree, freeOfCpus };
}

/** The pages in the lists of each zone and CPU: `    cpu: 0\n              count:    104859\n`. */
function freePagesOfCpus(files: KernelFiles): number {
  const length = unlessUnreadable(() => files.read('proc/zoneinfo'));
  return length === undefined ? Number.NaN : sumOfLines(files.buffer, length, COUNT);
}
const COUNT = Buffer.from('count:');

/** kB: the sizes of huge pages that x86, arm64 with pages of 4, 16 and 64 KiB, POWER, RISC-V and s390 have. */
const SIZES = [64, 1024, 2048, 16384, 32768, 524288, 1048576, 2097152, 16777216];

/** meminfo has the free huge pages of the usual size only (Documentation/admin-guide/mm/hugetlbpage.rst). */
function freeOfOtherSizes(files: KernelFiles, usualSize: number): number {
  let bytes = 0;
  for (const size of SIZES) {
    if (size === usualSize) continue;
    const path = `sys/kernel/mm/hugepages/hugepages-${size}kB/free_hugepages`;
    const length = unlessUnreadable(() => files.read(path)) ?? 0;
    bytes += (wholeNumber(files.buffer, length) || 0) * size * 1024;
  }
  return bytes;
}
