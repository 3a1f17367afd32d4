import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench, MIB } from '../../test/footprint-bench.ts';
import { Families } from './families.ts';
import { Family } from './process.ts';

test('parent and child share, whatever their executables are', async () => {
  const bench = new Bench();
  const [parent, child, stranger] = [bench.add(), bench.add({}, new Family('two')), bench.add({}, new Family('three'))];
  const families = new Families((process) => (process === child ? parent : undefined));
  const collect = async () => (await bench.collect()).sort();
  families.touched(child, 0); // as the first pass does
  await collect();
  assert.deepEqual(await collect(), []);
  families.touched(child, 4 * MIB);
  assert.deepEqual(await collect(), [parent.pid, child.pid]);
  families.touched(parent, 4 * MIB);
  assert.deepEqual(await collect(), [parent.pid, child.pid]);
  assert.deepEqual([child.sample.need, stranger.sample.need], ['relative', 'first']);
  child.parent = stranger; // reparented
  families.touched(stranger, MIB);
  assert.deepEqual(await collect(), [child.pid, stranger.pid]);
});
