import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Bench, BOUNDED, type Fake, INTERVAL, MIB } from '../../test/footprint-bench.ts';
import { KernelFileError } from '../kernel/files.ts';
import { Sharers } from '../process/process.ts';

const GIB = 1024 * MIB;
let programs = 0;
const add = (bench: Bench, fake: Partial<Fake>) => bench.add(fake, new Sharers(`program ${++programs}`));
/** What maps and reads so much fresh memory: page tables without RSS, and a read that takes as long as they are large. */
const zeroPages = (gib: number): Partial<Fake> => ({
  ...{ rss: MIB, pss: MIB, uss: MIB, virtualSize: gib * GIB, pageTables: gib * 2 * MIB, cost: gib * 0.006 },
});

test('a read of large page tables is predicted from them, before the first read and when they grew', async () => {
  const bench = new Bench();
  const proc = add(bench, zeroPages(100));
  const small = add(bench, {});
  await bench.collect({ ...BOUNDED, budget: 1 });
  assert.deepEqual([bench.reads, bench.later], [[small.pid], [proc.pid]]);
  const [before, ...after] = bench.statuses;
  assert.equal(before, proc.pid, 'status is read before smaps only where page tables can be large');
  assert.deepEqual(after, [proc.pid, small.pid], 'and once after it, of each');
  const grows = add(bench, { rss: MIB, pss: MIB, uss: MIB });
  await bench.collect({ ...BOUNDED, budget: 1 });
  assert.ok(bench.scheduler.predict(grows) < 0.001, 'it was small');
  Object.assign(grows.stat, { virtualSize: 100 * GIB });
  bench.touch(grows, MIB, zeroPages(100));
  bench.later.length = 0;
  const began = bench.clock;
  await bench.collect();
  assert.deepEqual(bench.later, [], 'and is large now: it is read when its age demands it');
  assert.ok(bench.clock - began < 0.01);
  assert.ok(bench.scheduler.predict(grows) > 0.25, `${bench.scheduler.predict(grows)} s`);
});

test('where status cannot be read, the page tables are taken to be as large as they can be', async () => {
  const bench = new Bench();
  const proc = add(bench, { virtualSize: 600 * GIB });
  const { read } = proc.files;
  proc.files.read = (file) => {
    if (file === 'status') throw new KernelFileError('status', 'hung');
    return read(file);
  };
  await bench.collect();
  assert.deepEqual([bench.reads, bench.later], [[], [proc.pid]]);
});

test('whatever others take, processes whose reads fit into half of the budget are read at every collection', async () => {
  const hostile = fc.oneof(
    fc.integer({ min: 1, max: 300 }).map(zeroPages),
    // Memory in 65,000 mappings: nothing tells before the read that it takes long.
    fc.double({ min: 0.005, max: 2, noNaN: true }).map((cost) => ({ cost })),
    fc.integer({ min: 100, max: 60_000 }).map((mib) => ({ rss: mib * MIB, cost: mib * 15e-6 })),
    fc.double({ min: 0.001, max: 2, noNaN: true }).map((cost) => ({ ...zeroPages(1), cost })),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(hostile, { minLength: 1, maxLength: 30 }), fc.nat(3), async (fakes, from) => {
      const bench = new Bench();
      const usual = Array.from({ length: 40 }, () => add(bench, { cost: 0.0003 }));
      for (let collection = 0; collection < 12; collection++) {
        if (collection === from) for (const fake of fakes) add(bench, fake);
        for (const proc of bench.processes) if (proc.measurement.at >= 0) bench.touch(proc, MIB);
        await bench.collect();
        // What nothing announced takes its time once or twice: what is left of that collection waits for the next one.
        const surprises = collection - from < 3 ? fakes.length : 0;
        const read = usual.filter(({ measurement }) => measurement.at === bench.at).length;
        if (surprises === 0) assert.equal(read, usual.length, `${collection}: ${read} of ${usual.length}`);
      }
    }),
    { numRuns: 40 },
  );
});

test('the budget holds for all kinds of reads together, but for one read of each kind', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 20 }), async (sizes) => {
      const bench = new Bench();
      for (const gib of sizes) add(bench, zeroPages(gib));
      for (let i = 0; i < 40; i++) add(bench, { rss: 1000 * MIB, cost: 0.015 });
      const began = bench.clock;
      for (let collections = 1; collections <= 30; collections++) {
        for (const proc of bench.processes) if (proc.measurement.at >= 0) bench.touch(proc, 10 * MIB);
        await bench.collect();
        const longest = Math.max(...sizes) * 0.006 + 0.25 + 0.015;
        const spent = bench.clock - began;
        assert.ok(
          spent <= collections * BOUNDED.budget * INTERVAL + longest,
          `${spent} s in ${collections} collections`,
        );
      }
    }),
    { numRuns: 20 },
  );
});

test('a large process does not wait for many huge ones, and a huge one is read in the end', async () => {
  const bench = new Bench();
  const huge = Array.from({ length: 20 }, () => add(bench, zeroPages(300)));
  const database = add(bench, { rss: 4 * GIB, cost: 0.06 });
  const larger = add(bench, { rss: 20 * GIB, cost: 0.3 });
  await bench.collect();
  assert.equal(database.measurement.at, bench.at, 'it is read at once');
  assert.equal(larger.measurement.at, bench.at, 'and before huge ones, whose reads take longer');
  for (let i = 0; i < 20; i++) {
    bench.touch(database, 100 * MIB);
    await bench.collect();
    assert.ok(bench.at - database.measurement.at <= 2 * INTERVAL, `${i}: ${bench.at - database.measurement.at} s old`);
  }
  for (let i = 0; i < 400; i++) await bench.collect();
  assert.ok(huge.filter(({ measurement }) => measurement.at >= 0).length >= 10, 'one after the other');
});
