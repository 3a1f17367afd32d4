import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench, BOUNDED, MIB } from '../../test/footprint-bench.ts';
import { Difference } from './difference.ts';
import { PageSharing } from './page-sharing.ts';
import { type Process, Sharers } from './process.ts';

test('parent and child share memory, whatever their executables are', async () => {
  const bench = new Bench();
  const shmem = MIB;
  const add = (executable: string, shared = shmem) => bench.add({ shmem: shared }, new Sharers(executable));
  const [parent, child, stranger, sibling] = [add('one'), add('two'), add('three'), add('four', 0)];
  const sharing = new PageSharing((proc) => (proc === child || proc === sibling ? parent : undefined));
  const touch = (proc: Process, bytes: number) =>
    sharing.take(proc, Object.assign(new Difference(), { memoryMoved: bytes }));
  const collect = async () => (await bench.collect({ ...BOUNDED, maxAge: 1e6 })).sort();
  for (const proc of [child, sibling]) touch(proc, 0); // as the first pass does
  await collect();
  assert.deepEqual(await collect(), []);
  touch(child, 4 * MIB);
  assert.deepEqual(await collect(), [parent.pid, child.pid]);
  touch(parent, 4 * MIB);
  assert.deepEqual(await collect(), [parent.pid, child.pid]);
  assert.deepEqual([child.measurement.reason, stranger.measurement.reason], ['relative', 'first']);
  Object.assign(child.sharing, { parent: stranger }); // reparented
  touch(stranger, MIB);
  assert.deepEqual(await collect(), [child.pid, stranger.pid]);
});
