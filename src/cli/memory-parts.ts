// The host's memory in few parts, for people: each has some of the kinds of view/host-books.ts.
import type { Style } from './terminal.ts';

const PARTS: readonly { name: string; kinds: readonly string[]; style: Style }[] = [
  { name: 'programs', kinds: ['process_anonymous'], style: 'blue' },
  { name: 'their files', kinds: ['process_file'], style: 'cyan' },
  { name: 'shared', kinds: ['shared_memory', 'tmpfs'], style: 'magenta' },
  { name: 'huge pages', kinds: ['hugetlb_used', 'hugetlb_free'], style: 'yellow' },
  {
    name: 'kernel',
    kinds: ['slab_unreclaimable', 'page_tables', 'kernel_stacks', 'per_cpu', 'vmalloc', 'zswap'],
    style: 'red',
  },
  { name: 'unexplained', kinds: ['unexplained'], style: 'redBright' },
  { name: 'cache', kinds: ['page_cache', 'slab_reclaimable', 'swap_cache'], style: 'green' },
  { name: 'free', kinds: ['free'], style: 'gray' },
];

export interface MemoryPart {
  readonly name: string;
  readonly bytes: number;
  readonly style: Style;
}

/** Every part, also those of which the host has nothing. @param kinds bytes by kind; none where the host does not say them */
export const memoryPartsOf = (kinds: Readonly<Record<string, number>>): MemoryPart[] =>
  PARTS.map(({ name, kinds: of, style }) => ({
    ...{ name, style },
    bytes: of.reduce((sum, kind) => sum + (kinds[kind] ?? 0), 0),
  }));
