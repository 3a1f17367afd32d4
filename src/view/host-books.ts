// The host's books: every byte of the host's memory under one name, and whether the processes add up to what the kernel
// says of all of them. The kinds always sum to the host's memory, because what no kind explains is a kind itself.
//
// How pages are told apart: the page cache (Cached and Buffers) holds shared memory as well, and the mapped pages (Mapped)
// are files and shared memory together. Which shared memory is mapped, only the processes tell (Pss_Shmem).
import type { HostMemory } from '../kernel/host-memory.ts';

/** The kinds in the order in which they are shown: processes, files, the kernel, what is free, and the rest. */
export const HOST_KINDS = [
  'process_anonymous',
  'process_file',
  'shared_memory',
  'tmpfs',
  'page_cache',
  'slab_reclaimable',
  'slab_unreclaimable',
  'page_tables',
  'kernel_stacks',
  'per_cpu',
  'vmalloc',
  'hugetlb_used',
  'hugetlb_free',
  'swap_cache',
  'zswap',
  'free',
  'unexplained',
] as const;
export type HostKind = (typeof HOST_KINDS)[number];

export interface HostBooks {
  /** Bytes by kind; they sum to the host's memory. Empty where that or the free memory is not known. */
  readonly kinds: ReadonlyMap<HostKind, number>;
  /** Kinds that are left out, because what /proc/meminfo says of them cannot be true. */
  readonly contradictory: readonly HostKind[];
  /** PSS of all processes over what they map by the kernel's count; NaN unless (nearly) every process is measured. */
  readonly attributedRatio: number;
}

/** What the kernel alone has. In a container whose /proc/meminfo is made by lxcfs it is that of the host, not of the container. */
const OF_THE_KERNEL: readonly HostKind[] = [
  ...(['slab_reclaimable', 'slab_unreclaimable', 'page_tables', 'kernel_stacks', 'per_cpu'] as const),
  ...(['vmalloc', 'hugetlb_used', 'hugetlb_free', 'zswap'] as const),
];

/**
 * The kernel counts on each CPU and adds up later, so that the kinds together can exceed the whole a little; `unexplained`
 * is negative then. More than this share of the whole is a contradiction.
 */
const EXCESS_MAX = 0.01;

/**
 * @param mappedShmem shared memory that processes have mapped, bytes
 * @returns the kinds and the contradictory ones, as in HostBooks
 */
export function kindsOf(memory: HostMemory, mappedShmem: number): Omit<HostBooks, 'attributedRatio'> {
  const { total } = memory;
  const kinds = new Map<HostKind, number>();
  if (!(total > 0 && memory.free >= 0)) return { kinds, contradictory: [] };
  const parts = partsOf(memory, mappedShmem);
  const foreign = hasNoSlab(memory) ? OF_THE_KERNEL : [];
  const contradictory: HostKind[] = [];
  let sum = 0;
  for (const kind of HOST_KINDS) {
    if (kind === 'unexplained' || Number.isNaN(parts[kind])) continue;
    if (parts[kind] < 0 || parts[kind] > total || foreign.includes(kind)) {
      contradictory.push(kind);
      continue;
    }
    kinds.set(kind, parts[kind]);
    sum += parts[kind];
  }
  if (sum > total * (1 + EXCESS_MAX)) return { kinds: new Map(), contradictory: [...contradictory, ...kinds.keys()] };
  return { kinds: kinds.set('unexplained', total - sum), contradictory };
}

/** A kernel without slab cannot run: lxcfs shows a container 0, and the kernel's other memory as that of the host. */
const hasNoSlab = ({ slabReclaimable, slabUnreclaimable }: HostMemory) => slabReclaimable + slabUnreclaimable === 0;

/** Bytes; NaN where the kernel does not say it, below 0 where what it says contradicts itself. */
function partsOf(memory: HostMemory, mappedShmem: number): Record<Exclude<HostKind, 'unexplained'>, number> {
  const { anonymous, mapped, shmem, hugetlb, hugetlbFree } = memory;
  const sharedMemory = Math.min(mappedShmem, shmem, mapped);
  const processFile = mapped - sharedMemory;
  // Pages of the swap cache that a process has mapped are anonymous pages already. Locked pages are in no list, so this is
  // the least that is not mapped, and no page counts twice.
  const unmappedAnonymous = memory.activeAnonymous + memory.inactiveAnonymous - anonymous - shmem;
  return {
    process_anonymous: anonymous,
    process_file: processFile,
    shared_memory: sharedMemory,
    tmpfs: shmem - sharedMemory,
    page_cache: memory.cached + memory.buffers - shmem - processFile,
    slab_reclaimable: memory.slabReclaimable,
    slab_unreclaimable: memory.slabUnreclaimable,
    page_tables: memory.pageTables + (memory.secondaryPageTables || 0),
    kernel_stacks: memory.kernelStacks + (memory.shadowStacks || 0),
    per_cpu: memory.perCpu,
    // The stacks are in it (CONFIG_VMAP_STACK) and have a name. Where a kernel puts them elsewhere, this is the least.
    vmalloc: memory.vmalloc > 0 ? Math.max(0, memory.vmalloc - memory.kernelStacks) : Number.NaN,
    hugetlb_used: hugetlb - hugetlbFree,
    hugetlb_free: hugetlbFree,
    swap_cache: Math.min(memory.swapCached, Math.max(0, unmappedAnonymous)),
    zswap: memory.zswap,
    free: memory.free + (hasNoSlab(memory) ? 0 : memory.freeOfCpus || 0),
  };
}

/** The sums over processes that the check needs; bytes. */
export interface Attributed {
  readonly pss: number;
  readonly rss: number;
  /** The part of `rss` that is of processes whose PSS is measured and fresh. */
  readonly measuredRss: number;
  /** Number of processes that could not be read, so that their memory is in none of the sums. */
  readonly absent: number;
}

/** Of so much of the RSS the PSS must be measured: one process that nobody may read, such as pid 1, does not matter. */
const MEASURED_MIN = 0.99;

/** 1 where the processes together have what the kernel says all of them have mapped. NaN where too little is measured. */
export function attributedRatioOf({ anonymous, mapped }: HostMemory, sums: Attributed): number {
  const counted = anonymous + mapped;
  const measured = sums.absent === 0 && sums.rss > 0 && sums.measuredRss >= sums.rss * MEASURED_MIN;
  return measured && counted > 0 ? sums.pss / counted : Number.NaN;
}
