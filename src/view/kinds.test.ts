import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Given, Host } from '../../test/view-host.ts';
import type { ProcessView } from './view.ts';

const only = (view: ProcessView) => view.groups[0]!;

test('kinds: PSS by kind as it is now, page tables, stacks by threads; an estimate where nothing is measured', () => {
  const measured = { rss: 900, pss: 400, anonymous: 100, file: 50, shmem: 50, pageTables: 30, threads: 3 };
  const other = { pid: 2, group: 'web', rss: 300, shared: 200, rssShmem: 40, pageTables: 10 };
  const { groups } = new Host().view([{ pid: 1, ...measured }, other], { kernelStack: 80 });
  assert.deepEqual(
    groups.map(({ kinds, footprint }) => [...kinds, footprint]),
    [
      [200, 100, 100, 0, 30, 60, 490],
      [100, 200, 0, 0, 10, 20, 330],
    ],
  );
});

test('kinds: a kernel that does not say of what kind PSS is leaves three of them out, and the footprint is whole', () => {
  const { kinds, footprint } = only(new Host().view([{ pid: 1, rss: 900, pss: 400, pageTables: 30 }]));
  assert.deepEqual([...kinds, footprint], [Number.NaN, Number.NaN, Number.NaN, 0, 30, 0, 430]);
});

test('anonymous, file and shared sum to PSS exactly', () => {
  const size = fc.nat(2 ** 40);
  fc.assert(
    fc.property(fc.array(fc.record({ pid: size, pss: size, anonymous: size, file: size, shmem: size })), (given) => {
      const { rows } = new Host().view(given.map((one) => ({ ...one, rss: one.pss })));
      for (let row = 0; row < rows.length; row++) {
        const parts = [rows.anonymous[row]!, rows.file[row]!, rows.shared[row]!];
        assert.equal(parts[0]! + parts[1]! + parts[2]!, rows.pss[row]);
        assert.ok(Math.min(...parts) >= 0, parts.join(' '));
      }
    }),
  );
});

test('huge pages: a shared segment counts once, and belongs to the groups that map it', () => {
  const maps = (pid: number, group: string, own = 0) => ({
    pid,
    group,
    pss: 0,
    rss: 1,
    hugetlb: 512 + own,
    ownHugetlb: own,
  });
  const given = [maps(1, 'a', 64), maps(2, 'a'), maps(3, 'b'), maps(4, 'b')];
  const shares = (hugetlbUsed: number) => new Host().view(given, { hugetlbUsed }).groups.map(({ kinds }) => kinds[3]);
  assert.deepEqual(shares(576), [64 + 256, 256]);
  assert.deepEqual(shares(64), [64, 0], 'never more than the host has in use');
  assert.deepEqual(shares(Number.NaN), [64 + 512, 512], 'where the host does not say it, once in each group');
  const many = [2, 3, 4, 5, 6].map((pid) => maps(pid, 'b'));
  const fewer = new Host().view([maps(1, 'a'), ...many], { hugetlbUsed: 512 }).groups.map(({ kinds }) => kinds[3]);
  assert.deepEqual(fewer, [256, 256], 'a group with many processes has no more of it');
  assert.deepEqual(shares(9000), [64 + 1024, 1024], 'never more than they map, where their address space has no more');
  const wide = given.map((one) => ({ ...one, virtualSize: 3001 }));
  const { groups } = new Host().view(wide, { hugetlbUsed: 5064 });
  assert.deepEqual(
    groups.map(({ kinds }) => kinds[3]),
    [64 + 2500, 2500],
    'pages that ended processes touched stay in the segment',
  );
});

test('huge pages: of two segments each belongs to the groups that map it, as far as smaps tells', () => {
  const shares = (given: readonly Given[], hugetlbUsed: number) =>
    new Host().view(given, { hugetlbUsed }).groups.map(({ kinds }) => kinds[3]);
  const maps = (pid: number, group: string, ...keys: string[]) => ({
    ...{ pid, group, pss: 0, rss: 1, hugetlb: 240 * keys.length },
    segments: keys.map((key) => ({ key, bytes: 240, size: 240 })),
  });
  const given = [maps(1, 'a', 'one'), maps(2, 'b', 'two'), maps(3, 'c', 'two'), maps(4, 'd', 'one', 'two')];
  assert.deepEqual(shares(given, 480), [120, 80, 80, 200]);
  assert.deepEqual(shares(given, Number.NaN), [120, 80, 80, 200], 'where the host does not say it');
  assert.deepEqual(shares([...given, maps(5, 'a', 'one')], 480), [120, 80, 80, 200], 'many processes are no more');
  const unread = given.map(({ segments, ...one }) => (one.group === 'd' ? { ...one, segments } : one));
  assert.equal(
    shares(unread, 480).reduce((sum, bytes) => sum! + bytes!),
    480,
    'an estimate is as much in all',
  );
  const next = { ...maps(5, 'a', 'one'), segments: undefined };
  assert.deepEqual(shares([...given, next], 480), [120, 80, 80, 200], 'a new process has the segment of its group');
  const grown = given.map((one) => (one.group === 'a' ? { ...one, hugetlb: 480 } : one));
  assert.deepEqual(shares(grown, 720), [320, 80, 80, 240], 'of a single segment all are');
  const wide = { ...maps(6, 'a', 'one'), segments: [{ key: 'one', bytes: 42, size: 512 }], hugetlb: 42 };
  assert.deepEqual(
    shares([wide, maps(2, 'b', 'two')], 412),
    [172, 240],
    'pages that ended processes touched are in the segment that has room for them',
  );
});

test('swap that processes share counts once in the group, also what was swapped out since', () => {
  const one = { swap: 600, measuredSwap: 300, swapPss: 100, pss: 10 };
  const given = [1, 2, 3].map((pid) => ({ pid, ...one }));
  assert.equal(only(new Host().view(given)).swap, 600);
  assert.equal(only(new Host().view([{ pid: 1, swap: 50 }])).swap, 50, 'nothing measured');
  const segment = { ...one, swap: 300, swapEntries: 100, swapPss: 50 };
  const shared = [1, 2, 3].map((pid) => ({ pid, ...segment }));
  assert.equal(only(new Host().view(shared)).swap, 3 * 50 + 200, 'shared memory is in full in each');
});

test('before Linux 5.4 the most shared memory of one process is what is mapped for sure', () => {
  const old = { pss: 900, rss: 1000, anonymous: Number.NaN, file: Number.NaN };
  const { books } = new Host().view([
    { pid: 1, ...old, rssShmem: 300 },
    { pid: 2, ...old, rssShmem: 200 },
  ]);
  assert.equal(books.kinds.get('shared_memory'), undefined, 'this host says nothing of mapped memory');
  const memory = { mapped: 800, shmem: 500, cached: 2000, buffers: 0 };
  const told = new Host().view(
    [
      { pid: 1, ...old, rssShmem: 300 },
      { pid: 2, ...old, rssShmem: 200 },
    ],
    { memory },
  );
  assert.deepEqual(
    ['shared_memory', 'process_file', 'tmpfs'].map((kind) => told.books.kinds.get(kind as 'tmpfs')),
    [300, 500, 200],
  );
});
