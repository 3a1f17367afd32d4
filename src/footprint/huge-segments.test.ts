import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench, BOUNDED, MIB } from '../../test/footprint-bench.ts';

/** How many processes have an smaps that cannot be read. */
const unreadable = ({ unreadable }: Bench): number =>
  unreadable.counts().reduce((sum, { file, processes }) => sum + (file === 'smaps' ? processes : 0), 0);

test('an smaps that cannot be read counts while the process shares huge pages, and smaps is on', async () => {
  const bench = new Bench(); // it has no smaps
  const [first, second] = [bench.add({ sharedHugetlb: 2 * MIB }), bench.add({ sharedHugetlb: 2 * MIB })];
  await bench.collect();
  await bench.collect();
  assert.equal(unreadable(bench), 2);
  bench.touch(first, MIB, { sharedHugetlb: 0 });
  await bench.collect();
  assert.equal(unreadable(bench), 1);
  await bench.collect({ ...BOUNDED, mode: 'off' });
  assert.equal(unreadable(bench), 0);
  assert.ok(second.measurement.sharedHugetlb > 0);
});

test('smaps of a process is not read a second time while the first read has no end', async () => {
  const bench = new Bench();
  const proc = bench.add({ sharedHugetlb: 2 * MIB, hangs: true });
  for (let round = 1; round < 6; round++) {
    await bench.collect();
    bench.clock += 20;
    bench.touch(proc, MIB, { sharedHugetlb: 2 * MIB * round });
  }
  assert.deepEqual(bench.later, [proc.pid]);
});
