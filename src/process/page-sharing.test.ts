import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench, BOUNDED, MIB } from '../../test/footprint-bench.ts';
import { PageSharing } from './page-sharing.ts';
import { Sharers } from './process.ts';

test('parent and child share memory, whatever their executables are', async () => {
  const bench = new Bench();
  const shmem = MIB;
  const add = (family: string, shared = shmem) => bench.add({ shmem: shared }, new Sharers(family));
  const [parent, child, stranger, sibling] = [add('one'), add('two'), add('three'), add('four', 0)];
  const families = new PageSharing((proc) => (proc === child || proc === sibling ? parent : undefined));
  const collect = async () => (await bench.collect({ ...BOUNDED, maxAge: 1e6 })).sort();
  for (const proc of [child, sibling]) families.touched(proc, 0); // as the first pass does
  await collect();
  assert.deepEqual(await collect(), []);
  families.touched(child, 4 * MIB);
  assert.deepEqual(await collect(), [parent.pid, child.pid]);
  families.touched(parent, 4 * MIB);
  assert.deepEqual(await collect(), [parent.pid, child.pid]);
  assert.deepEqual([child.measurement.reason, stranger.measurement.reason], ['relative', 'first']);
  child.parent = stranger; // reparented
  families.touched(stranger, MIB);
  assert.deepEqual(await collect(), [child.pid, stranger.pid]);
});
