// The books of hosts of many kernels. The texts are made by hand: they have the lines that each kernel writes, and round
// numbers. test/captures has a text of a real host.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CapturedFile, framedFiles } from '../kernel/capture.ts';
import { readMemory } from '../kernel/host-memory.ts';
import { liveFiles } from '../kernel/live-host.ts';
import { attributedRatioOf, HOST_KINDS, kindsOf } from './host-books.ts';

/** Lines `name: kB`, but of the numbers of huge pages. */
type Lines = Readonly<Record<string, number>>;

function memoryOf(lines: Lines, files: Readonly<Record<string, string>> = {}, pageSize = 4096) {
  const text = Object.entries(lines).map(([name, value]) =>
    name.startsWith('HugePages_') ? `${name}: ${value}\n` : `${`${name}:`.padEnd(16)}${value} kB\n`,
  );
  const all = Object.entries({ 'proc/meminfo': text.join(''), ...files });
  return readMemory(
    framedFiles([new Map(all.map(([path, bytes]): [string, CapturedFile] => [path, { bytes: Buffer.from(bytes) }]))]),
    pageSize,
    2,
  );
}

/** RHEL 8's 4.18 has Percpu, as 4.20; Linux 4.18 itself has not. Neither has Zswap and SecPageTables. */
const LINUX_4_18: Lines = {
  ...{ MemTotal: 8_000_000, MemFree: 4_000_000, MemAvailable: 6_000_000, Buffers: 50_000, Cached: 2_000_000 },
  ...{ SwapCached: 0, 'Active(anon)': 700_000, 'Inactive(anon)': 400_000, SwapTotal: 0, SwapFree: 0 },
  ...{
    AnonPages: 1_000_000,
    Mapped: 300_000,
    Shmem: 100_000,
    Slab: 500_000,
    SReclaimable: 400_000,
    SUnreclaim: 100_000,
  },
  ...{ KernelStack: 10_000, PageTables: 20_000, HugePages_Total: 0, HugePages_Free: 0, Hugepagesize: 2048, Hugetlb: 0 },
};
const LINUX_5_4: Lines = { ...LINUX_4_18, KReclaimable: 400_000, Percpu: 5000 };
const LINUX_5_15: Lines = { ...LINUX_5_4, Unevictable: 20_000, Mlocked: 20_000 };
const LINUX_6_1: Lines = { ...LINUX_5_15, SecPageTables: 4000, Zswap: 30_000, Zswapped: 90_000 };
const LINUX_6_18: Lines = { ...LINUX_6_1, Balloon: 0 };
/** Pages of 64 KiB: huge ones have 512 MiB. Shadow call stacks. */
const ARM64: Lines = {
  ...{ ...LINUX_6_1, ShadowCallStack: 640, Hugepagesize: 524_288, HugePages_Total: 4, HugePages_Free: 1 },
  ...{ Hugetlb: 2_097_152, MemFree: 1_902_848 },
};

/** Of two zones and two CPUs. */
const ZONES = `Node 0, zone    DMA32
  pages free     772012
      nr_free_pages 772012
  pagesets
    cpu: 0
              count:    7
              high:     2872
              batch:    63
    cpu: 1
              count:    3
Node 0, zone   Normal
  pagesets
    cpu: 0
              count:    100
    cpu: 1
              count:    0
  node_unreclaimable:  0
`;

const kB = (bytes: number | undefined): number | undefined => bytes && bytes / 1024;

// biome-ignore format: one line a case
const cases: [what: string, memory: ReturnType<typeof memoryOf>, mappedShmem: number, expected: Lines, contradictory: string[]][] = [
  ['Linux 4.18', memoryOf(LINUX_4_18), 60_000, { process_anonymous: 1_000_000, process_file: 240_000, shared_memory: 60_000, tmpfs: 40_000, page_cache: 1_710_000, slab_reclaimable: 400_000, slab_unreclaimable: 100_000, page_tables: 20_000, kernel_stacks: 10_000, hugetlb_used: 0, hugetlb_free: 0, swap_cache: 0, free: 4_000_000, unexplained: 420_000 }, []],
  ['Linux 5.4', memoryOf(LINUX_5_4), 60_000, { per_cpu: 5000, unexplained: 415_000 }, []],
  ['Linux 5.15', memoryOf(LINUX_5_15), 0, { shared_memory: 0, tmpfs: 100_000, process_file: 300_000, page_cache: 1_650_000 }, []],
  ['Linux 6.1', memoryOf(LINUX_6_1), 0, { page_tables: 24_000, zswap: 30_000, unexplained: 381_000 }, []],
  ['vmalloc has the stacks as well', memoryOf({ ...LINUX_6_1, VmallocUsed: 31_000 }), 0, { vmalloc: 21_000, kernel_stacks: 10_000, unexplained: 360_000 }, []],
  ['stacks elsewhere', memoryOf({ ...LINUX_6_1, VmallocUsed: 9000 }), 0, { vmalloc: 0, unexplained: 381_000 }, []],
  ['Linux 4.18 does not count vmalloc', memoryOf({ ...LINUX_6_1, VmallocUsed: 0 }), 0, { unexplained: 381_000 }, []],
  ['Linux 6.18: processes say more than there is of shared memory', memoryOf(LINUX_6_18), 900_000, { shared_memory: 100_000, tmpfs: 0, process_file: 200_000 }, []],
  ['arm64 with pages of 64 KiB', memoryOf(ARM64, { 'proc/zoneinfo': ZONES }, 65_536), 0, { free: 1_902_848 + 110 * 64, kernel_stacks: 10_640, hugetlb_used: 1_572_864, hugetlb_free: 524_288 }, []],
  ['huge pages of two sizes', memoryOf({ ...LINUX_6_1, MemFree: 100_000, HugePages_Total: 10, HugePages_Free: 4, Hugetlb: 1_048_576 * 3 + 20_480 }, { 'sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages': '2\n', 'sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages': '4\n' }), 0, { hugetlb_used: 1_048_576 + 12_288, hugetlb_free: 2 * 1_048_576 + 8192 }, []],
  ['huge pages before Linux 4.16', memoryOf({ ...LINUX_4_18, Hugetlb: Number.NaN, HugePages_Total: 10, HugePages_Free: 4 }), 0, { hugetlb_used: 12_288, hugetlb_free: 8192 }, []],
  ['a swap cache that is mapped counts as anonymous', memoryOf({ ...LINUX_6_1, SwapCached: 50_000 }), 0, { swap_cache: 0 }, []],
  ['a swap cache with 20,000 kB that no process has mapped', memoryOf({ ...LINUX_6_1, SwapCached: 50_000, 'Inactive(anon)': 420_000 }), 0, { swap_cache: 20_000, unexplained: 361_000 }, []],
  ['counted a little twice', memoryOf({ ...LINUX_6_1, MemFree: 4_400_000 }), 0, { free: 4_400_000, unexplained: -19_000 }, []],
  ['lxcfs: no slab, and the stacks of the whole host', memoryOf({ ...LINUX_6_1, Slab: 0, SReclaimable: 0, SUnreclaim: 0, KernelStack: 9_000_000 }), 0, { process_anonymous: 1_000_000, free: 4_000_000, unexplained: 950_000 }, ['slab_reclaimable', 'slab_unreclaimable', 'page_tables', 'kernel_stacks', 'per_cpu', 'hugetlb_used', 'hugetlb_free', 'zswap']],
  ['a part larger than the whole', memoryOf({ ...LINUX_6_1, Percpu: 8_000_001 }), 0, { unexplained: 386_000 }, ['per_cpu']],
  ['more shared memory than page cache', memoryOf({ ...LINUX_6_1, Cached: 10_000, Buffers: 0 }), 0, { tmpfs: 100_000 }, ['page_cache']],
  ['more free huge pages than huge pages', memoryOf({ ...LINUX_6_1, HugePages_Free: 7 }), 0, { hugetlb_free: 14_336 }, ['hugetlb_used']],
  ['together more than the whole', memoryOf({ ...LINUX_5_4, MemFree: 5_000_000 }), 0, {}, HOST_KINDS.filter((kind) => kind !== 'unexplained' && kind !== 'zswap' && kind !== 'vmalloc')],
  ['free pages of CPUs', memoryOf(LINUX_6_18, { 'proc/zoneinfo': ZONES }), 0, { free: 4_000_000 + 110 * 4, unexplained: 381_000 - 110 * 4 }, []],
  ['lxcfs: free pages of CPUs are those of the host', memoryOf({ ...LINUX_6_1, Slab: 0, SReclaimable: 0, SUnreclaim: 0 }, { 'proc/zoneinfo': ZONES }), 0, { free: 4_000_000 }, HOST_KINDS.filter((kind) => /slab|page_tables|kernel|cpu|hugetlb|zswap/.test(kind))],
  ['no more than total and free', memoryOf({ MemTotal: 5, MemFree: 3 }), 0, { free: 3, unexplained: 2 }, []],
  ['no total', memoryOf({ MemFree: 3 }), 0, {}, []],
  ['no free memory', memoryOf({ MemTotal: 5 }), 0, {}, []],
  ['nothing', memoryOf({}), 0, {}, []],
];
for (const [what, memory, mappedShmem, expected, contradictory] of cases) {
  test(`kinds: ${what}`, () => {
    const books = kindsOf(memory, mappedShmem * 1024);
    const wanted = Object.keys(expected).length === 0 ? [...books.kinds.keys()] : Object.keys(expected);
    assert.deepEqual(Object.fromEntries(wanted.map((kind) => [kind, kB(books.kinds.get(kind as 'free'))])), expected);
    assert.deepEqual(books.contradictory, contradictory);
    for (const kind of books.contradictory) assert.ok(!books.kinds.has(kind), kind);
    if (books.kinds.size > 0) assert.equal(sumOf(books.kinds), memory.total);
  });
}

const sumOf = (kinds: ReadonlyMap<string, number>): number =>
  [...kinds.values()].reduce((sum, bytes) => sum + bytes, 0);

test('whatever /proc/meminfo says, the kinds sum to the total, none is negative, and only `unexplained` may be, by 1 %', () => {
  const value = fc.oneof(fc.nat(10_000_000), fc.constant(0), fc.constant(Number.NaN), fc.nat(2 ** 31));
  const lines = fc.record(Object.fromEntries(Object.keys(ARM64).map((name) => [name, value])));
  fc.assert(
    fc.property(lines, fc.nat(20_000_000), (given, mappedShmem) => {
      const memory = memoryOf(given as Lines);
      const { kinds, contradictory } = kindsOf(memory, mappedShmem * 1024);
      if (kinds.size === 0) return;
      assert.equal(sumOf(kinds), memory.total);
      for (const [kind, bytes] of kinds) {
        assert.ok(bytes >= (kind === 'unexplained' ? -0.01 * memory.total : 0), `${kind} ${bytes}`);
        assert.ok(!contradictory.includes(kind), kind);
      }
    }),
  );
});

test('this host: the kinds sum to the total, and little is left unexplained', () => {
  const memory = readMemory(liveFiles(), 4096, 2);
  assert.equal(memory.total, Number(/MemTotal:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))![1]) * 1024);
  const { kinds, contradictory } = kindsOf(memory, 0);
  assert.deepEqual(contradictory, []);
  assert.equal(sumOf(kinds), memory.total);
  assert.deepEqual(
    [...kinds.keys()].filter((kind) => !HOST_KINDS.includes(kind)),
    [],
  );
});

// biome-ignore format: one line a case
const ratios: [what: string, memory: ReturnType<typeof memoryOf>, pss: number, rss: number, measuredRss: number, expected: number][] = [
  ['everything is measured', memoryOf({ AnonPages: 600, Mapped: 200 }), 1000, 3000, 3000, 1.25],
  ['nearly everything', memoryOf({ AnonPages: 600, Mapped: 200 }), 800, 1000, 990, 1],
  ['too little', memoryOf({ AnonPages: 600, Mapped: 200 }), 800, 1000, 989, Number.NaN],
  ['no process', memoryOf({ AnonPages: 600, Mapped: 200 }), 0, 0, 0, Number.NaN],
  ['the kernel does not say it', memoryOf({ AnonPages: 600 }), 800, 1000, 1000, Number.NaN],
  ['the kernel says 0', memoryOf({ AnonPages: 0, Mapped: 0 }), 800, 1000, 1000, Number.NaN],
];
for (const [what, memory, pss, rss, measuredRss, expected] of ratios) {
  test(`attributed ratio: ${what}`, () => {
    const sums = { pss: pss * 1024, rss: rss * 1024, measuredRss: measuredRss * 1024, absent: 0 };
    assert.equal(attributedRatioOf(memory, sums), expected);
    assert.equal(attributedRatioOf(memory, { ...sums, absent: 1 }), Number.NaN, 'a process could not be read');
  });
}
