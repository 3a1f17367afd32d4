import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Bench, BOUNDED, EXACT, type Fake, INTERVAL, MIB } from '../../test/footprint-bench.ts';
import { BLOCKED, type Process, Sharers } from '../process/process.ts';
import { explainFootprint } from './explanation.ts';

test('exact reads all at every collection, bounded those whose memory moved, off none', async () => {
  const bench = new Bench();
  const [quiet, busy] = [bench.add(), bench.add({}, new Sharers('two'))];
  assert.deepEqual(await bench.collect(EXACT), [1, 2]);
  assert.deepEqual(await bench.collect(EXACT), [1, 2]);
  assert.deepEqual(await bench.collect(), []);
  bench.touch(busy, MIB);
  assert.deepEqual(await bench.collect(), [2]);
  bench.touch(quiet, 4096);
  assert.deepEqual(await bench.collect(), [], 'one page is below the threshold');
  assert.deepEqual(await bench.collect({ ...BOUNDED, mode: 'off' }), []);
  assert.deepEqual([quiet.footprint.pss, busy.footprint.uss], [Number.NaN, Number.NaN]);
});

test('the most urgent are read first: never read, most changed, less changed, a relative changed, old', async () => {
  const bench = new Bench();
  const sharers = new Sharers('shared');
  const relatives = [bench.add({}, sharers), bench.add({}, sharers), bench.add({}, sharers)];
  const little = bench.add({}, new Sharers('little'));
  const much = bench.add({}, new Sharers('much'));
  await bench.collect();
  bench.touch(little, 2 * MIB);
  bench.touch(much, 8 * MIB);
  bench.touch(relatives[0]!, 9 * MIB);
  const fresh = bench.add({}, new Sharers('fresh'));
  const read = await bench.collect({ ...BOUNDED, budget: 0.00065 / INTERVAL }); // a little less than all of them take
  const order = (proc: Process) => read.indexOf(proc.pid);
  assert.ok(order(fresh) < order(relatives[0]!), `${read}`);
  assert.ok(order(relatives[0]!) < order(much));
  assert.ok(order(much) < order(little));
  assert.ok(order(little) < order(relatives[1]!));
  assert.equal(read.length, 6);
  assert.equal(relatives[1]!.measurement.reason, 'relative');
});

test('a relative that was born, ended or touched its memory may have moved the sharing', async () => {
  const bench = new Bench();
  const sharers = new Sharers('shared');
  const parent = bench.add({}, sharers);
  await bench.collect();
  const child = bench.add({}, sharers);
  assert.deepEqual(await bench.collect(), [parent.pid, child.pid]);
  bench.touch(child, 4 * MIB);
  assert.deepEqual(await bench.collect(), [parent.pid, child.pid]);
  sharers.members--;
  bench.processes.pop();
  assert.deepEqual(await bench.collect(), [parent.pid]);
});

test('whatever needs to be read, a collection spends no more than its budget and one read', async () => {
  const spending = fc.record({
    costs: fc.array(fc.double({ min: 0.00005, max: 0.003, noNaN: true }), { minLength: 1, maxLength: 60 }),
    budget: fc.double({ min: 0.0001, max: 0.01, noNaN: true }),
    touched: fc.array(fc.array(fc.nat(60), { maxLength: 60 }), { minLength: 1, maxLength: 8 }),
  });
  await fc.assert(
    fc.asyncProperty(spending, async ({ costs, budget, touched }) => {
      const bench = new Bench();
      for (const cost of costs) bench.add({ cost }, new Sharers(String(cost)));
      const options = { ...BOUNDED, budget };
      const longest = Math.max(...costs);
      const began = bench.clock;
      for (const [collection, indexes] of touched.entries()) {
        for (const index of indexes) {
          const proc = bench.processes[index % costs.length]!;
          if (proc.measurement.at >= 0) bench.touch(proc, MIB);
        }
        const before = bench.clock;
        await bench.collect(options);
        assert.ok(bench.clock - before <= budget * INTERVAL + longest + 1e-9);
        assert.ok(
          bench.clock - began <= (collection + 1) * budget * INTERVAL + longest + 1e-9,
          'an overdrawn budget is paid back',
        );
      }
    }),
    { numRuns: 100 },
  );
});

test('processes that wait for budget are counted, and are read later', async () => {
  const bench = new Bench();
  for (let i = 0; i < 10; i++) bench.add({ cost: 0.001 }, new Sharers(String(i)));
  const options = { ...BOUNDED, budget: 0.0002 }; // 3 ms a collection
  assert.equal((await bench.collect(options)).length, 3);
  assert.equal(bench.scheduler.statistics.deferred, 7);
  const seen = new Set(bench.reads);
  for (let i = 0; i < 5; i++) for (const pid of await bench.collect(options)) seen.add(pid);
  assert.equal(seen.size, 10);
});

test('a large process is read off the main thread, and not more often than max_age once it proved too large', async () => {
  const bench = new Bench();
  const large = bench.add({ rss: 40_000 * MIB, pss: 30_000 * MIB, uss: 20_000 * MIB, cost: 0.6 });
  const options = { ...BOUNDED, budget: 1 };
  assert.deepEqual(await bench.collect(options), [1]);
  assert.deepEqual([bench.reads, bench.later], [[], [1]]);
  assert.equal(large.footprint.pss, 30_000 * MIB);
  let read = 0;
  for (let i = 0; i < BOUNDED.maxAge / INTERVAL; i++) {
    bench.touch(large, 900 * MIB);
    read += (await bench.collect(options)).length;
  }
  assert.equal(read, 1);
});

test('a process in state D is read off the main thread, however small', async () => {
  const bench = new Bench();
  Object.assign(bench.add().stat, { state: BLOCKED });
  await bench.collect(EXACT);
  assert.deepEqual([bench.reads, bench.later], [[], [1]]);
});

test('a read that was held up once does not make its process look expensive', async () => {
  const bench = new Bench();
  const proc = bench.add();
  await bench.collect();
  bench.fakes.get(proc.pid)!.cost = 1;
  bench.touch(proc, MIB);
  assert.deepEqual(await bench.collect(), [proc.pid]);
  assert.ok(bench.scheduler.predict(proc) < BOUNDED.maxRead, `${bench.scheduler.predict(proc)} s`);
  for (let i = 0; i < 3; i++) {
    bench.touch(proc, MIB);
    bench.at += 60; // the budget fills again
    assert.deepEqual(await bench.collect(), [proc.pid]);
  }
  assert.ok(bench.scheduler.predict(proc) > BOUNDED.maxRead, 'a process whose reads always take so long does');
});

test('a guest never reads what is predicted over maxRead, and an exporter reads it first', async () => {
  for (const guest of [true, false]) {
    const bench = new Bench();
    const large = bench.add({ rss: 30_000 * MIB }, new Sharers('large'));
    const small = bench.add({}, new Sharers('small'));
    assert.ok(bench.scheduler.predict(large) > BOUNDED.maxRead);
    const read = await bench.collect({ ...BOUNDED, guest });
    assert.deepEqual([read.includes(large.pid), read.includes(small.pid)], [!guest, true]);
    assert.equal(large.footprint.pss >= 0, !guest);
  }
});

test('where a read is held up, what the reader left out after it is requested again', async () => {
  const bench = new Bench();
  for (const name of ['a', 'b', 'c', 'd'])
    bench.add({ cost: name === 'a' || name === 'c' ? 5 : 0.0001 }, new Sharers(name));
  assert.deepEqual(await bench.collect(), [1, 2, 3, 4]);
  assert.equal(bench.scheduler.statistics.deferred, 0);
});

test('a read that hangs delays nothing else, and costs no budget', async () => {
  const bench = new Bench();
  const hung = bench.add({ rss: 900 * MIB, hangs: true });
  const large = bench.add({ rss: 900 * MIB, pss: MIB, uss: MIB, cost: 0.01 }, new Sharers('large'));
  const small = bench.add({}, new Sharers('small'));
  await bench.collect();
  assert.equal(small.footprint.pss, 5 * MIB);
  assert.equal(hung.footprint.pss, Number.NaN);
  for (let i = 0; i < 5; i++) {
    bench.clock += INTERVAL;
    bench.touch(large, 300 * MIB);
    bench.touch(small, MIB);
    const read = await bench.collect();
    assert.ok(read.includes(large.pid) && read.includes(small.pid), `${i}: ${read}`);
  }
  assert.deepEqual(
    bench.later.filter((pid) => pid === hung.pid),
    [hung.pid],
    'it is not tried again while it hangs',
  );
});

test('a read that took an hour does not take an hour from the budget', async () => {
  const bench = new Bench();
  const slow = bench.add({ rss: 900 * MIB, pss: MIB, uss: MIB, cost: 3600 });
  await bench.collect();
  assert.equal(slow.footprint.pss, MIB);
  const small = bench.add({}, new Sharers('small'));
  bench.fakes.get(slow.pid)!.cost = 0.01;
  assert.deepEqual(await bench.collect(), [small.pid]);
});

test('processes that end while their slow read waits leave nothing behind', async () => {
  const tight = { ...BOUNDED, budget: 0.001 / INTERVAL };
  const bench = new Bench();
  bench.add({ rss: 900 * MIB, hangs: true });
  await bench.collect();
  const ended = bench.add({ rss: 900 * MIB, failed: 'gone' });
  await bench.collect(tight);
  bench.end(ended);
  bench.processes.pop();
  const small = bench.add({}, new Sharers('small'));
  bench.clock += 60;
  assert.deepEqual(await bench.collect(tight), [small.pid], 'it is not read, and its reserved budget is free again');
});

test('a late read of a process that has ended counts nothing as unreadable', async () => {
  const bench = new Bench();
  bench.end(bench.add({ rss: 900 * MIB, failed: 'gone' }));
  bench.at += INTERVAL;
  for (const _ of bench.scheduler.read(bench.processes, BOUNDED, bench.at));
  await bench.scheduler.readLarge(BOUNDED, bench.at);
  assert.deepEqual([bench.later, bench.unreadable.counts()], [[1], []]);
});

test('a denied read is counted, and tried again once in max_age', async () => {
  const bench = new Bench();
  const denied = bench.add({ failed: 'denied' });
  await bench.collect(EXACT);
  assert.deepEqual(bench.unreadable.counts(), [{ file: 'smaps_rollup', reason: 'denied', processes: 1 }]);
  assert.equal(bench.scheduler.statistics.reads.denied, 1);
  let read = 0;
  for (let i = 0; i < BOUNDED.maxAge / INTERVAL; i++) read += (await bench.collect(i % 2 ? EXACT : BOUNDED)).length;
  assert.equal(read, 1);
  bench.fakes.get(denied.pid)!.failed = undefined as never;
  for (let i = 0; i < BOUNDED.maxAge / INTERVAL; i++) await bench.collect();
  assert.equal(denied.footprint.pss, 5 * MIB);
  assert.deepEqual(bench.unreadable.counts(), [{ file: 'smaps_rollup', reason: 'denied', processes: 0 }]);
});

test('after an exec the measurement is dropped, and so is a read that was running', async () => {
  const bench = new Bench();
  const proc = bench.add();
  await bench.collect();
  bench.exec(proc);
  assert.deepEqual(await bench.collect(), [1]);
  assert.equal(proc.measurement.reason, 'first');
  const large = bench.add({ rss: 900 * MIB }, new Sharers('large'));
  bench.at += INTERVAL;
  for (const _ of bench.scheduler.read(bench.processes, BOUNDED, bench.at));
  const reading = bench.scheduler.readLarge(BOUNDED, bench.at);
  bench.exec(large);
  await reading;
  assert.equal(large.measurement.at, -1);
  assert.equal(bench.scheduler.statistics.reads.ok, 3, 'but it was read');
});

test('every process is read again within max_age, spread evenly', async () => {
  const bench = new Bench();
  for (let i = 0; i < 100; i++) bench.add({}, new Sharers(String(i)));
  await bench.collect();
  const counts: number[] = [];
  for (let i = 0; i < BOUNDED.maxAge / INTERVAL; i++) counts.push((await bench.collect()).length);
  assert.equal(
    counts.reduce((a, b) => a + b),
    100,
  );
  assert.ok(Math.max(...counts) <= 10, `${counts}`);
});

test('uss <= pss <= rss, whatever the kernel says and however rss moves', async () => {
  const bytes = fc.nat(1 << 20).map((kB) => kB * 1024);
  await fc.assert(
    fc.asyncProperty(bytes, bytes, bytes, fc.array(bytes, { maxLength: 5 }), async (rss, pss, uss, moves) => {
      const bench = new Bench();
      const proc = bench.add({ rss: rss + 4096, pss, uss });
      for (const move of [rss, ...moves]) {
        Object.assign(proc.memory, { rss: move });
        await bench.collect();
        if (proc.memory.rss === 0) continue;
        assert.ok(
          proc.footprint.uss <= proc.footprint.pss && proc.footprint.pss <= proc.memory.rss,
          `${proc.footprint.uss} ${proc.footprint.pss} ${proc.memory.rss}`,
        );
      }
    }),
    { numRuns: 200, includeErrorInReport: true },
  );
});

test('between two reads PSS and USS scale with RSS', async () => {
  const bench = new Bench();
  const proc = bench.add();
  await bench.collect();
  Object.assign(proc.memory, { rss: 11 * MIB });
  await bench.collect();
  assert.deepEqual([proc.footprint.pss, proc.footprint.uss], [5.5 * MIB, 2.2 * MIB].map(Math.round));
});

test('swap is that of the measurement, else of status, and 0 where the host has none in use', async () => {
  const bench = new Bench();
  const sampled = bench.add();
  const denied = bench.add({ failed: 'denied' }, new Sharers('denied'));
  await bench.collect(BOUNDED);
  assert.deepEqual([sampled.footprint.swap, denied.footprint.swap], [0, 0]);
  bench.touch(sampled, MIB, { swap: 8192 });
  bench.touch(denied, MIB, { rss: 11 * MIB, swap: 4096 });
  await bench.collect(BOUNDED, { swap: true, hugePages: false });
  assert.deepEqual([sampled.footprint.swap, denied.footprint.swap], [8192, 4096]);
  assert.deepEqual([denied.footprint.rssFile, denied.footprint.rssShmem], [4096, 0]);
});

test('why a process was read or was not read can be explained', async () => {
  const bench = new Bench();
  const add = (fake: Partial<Fake>, sharers: string) => bench.add(fake, new Sharers(sharers));
  const [quiet, busy, denied] = [add({}, 'a'), add({}, 'b'), add({ failed: 'denied' }, 'c')];
  const large = add({ rss: 40_000 * MIB, cost: 0.6 }, 'd');
  const empty = add({ rss: 0 }, 'e');
  const told = (proc: Process, options = BOUNDED) => explainFootprint(bench.scheduler, proc, options, bench.at);
  const brief = (proc: Process, options = BOUNDED) => {
    const { state, need, source, age } = told(proc, options);
    return [state, need, source, age];
  };
  await bench.collect({ ...BOUNDED, budget: 1 });
  assert.deepEqual(brief(quiet), ['read', 'first', 'read', 0]);
  assert.deepEqual(brief(denied), ['unreadable', undefined, 'none', Number.NaN]);
  assert.equal(told(denied).failure, 'denied');
  assert.deepEqual(brief(empty), ['nothing', undefined, 'none', Number.NaN]);
  bench.touch(quiet, 4096);
  bench.touch(busy, MIB, { rss: 11 * MIB });
  bench.touch(large, MIB);
  await bench.collect();
  assert.deepEqual(brief(quiet), ['unchanged', undefined, 'read', INTERVAL]);
  assert.deepEqual([told(quiet).moved, told(quiet).threshold, told(quiet).overMaxRead], [4096, 32 << 10, false]);
  assert.deepEqual(brief(busy), ['read', 'changed', 'read', 0]);
  assert.deepEqual(brief(large), ['large', undefined, 'read', INTERVAL]);
  assert.deepEqual([told(large).predicted, told(large).overMaxRead].map(String), ['0.6', 'true']);
  const broke = { ...BOUNDED, budget: -1 };
  bench.touch(busy, MIB, { rss: 12 * MIB });
  await bench.collect(broke);
  assert.deepEqual(brief(busy), ['waiting', 'changed', 'estimated', INTERVAL]);
  assert.deepEqual(brief(busy, { ...BOUNDED, mode: 'off' })[0], 'off');
  const { untilDue } = told(quiet);
  assert.ok(untilDue > 0 && untilDue <= BOUNDED.maxAge, `${untilDue}`);
  while (told(quiet).age > 0) await bench.collect();
  assert.deepEqual(brief(quiet), ['read', 'age', 'read', 0]);
  const hung = add({ rss: 900 * MIB, hangs: true }, 'f');
  await bench.collect({ ...BOUNDED, budget: 1 });
  assert.deepEqual(brief(hung), ['reading', 'first', 'none', Number.NaN]);
});
