import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench, BOUNDED, type Fake, INTERVAL, MIB } from '../../test/footprint-bench.ts';
import { Sharers } from '../process/process.ts';
import { explainFootprint } from './explanation.ts';

const COLLECTIONS = BOUNDED.maxAge / INTERVAL;

/** Processes of one executable that were all read once. */
async function fleet(count: number, fake: Partial<Fake> = {}): Promise<Bench> {
  const bench = new Bench();
  const sharers = new Sharers('one');
  for (let i = 0; i < count; i++) bench.add(fake, sharers);
  await bench.collect();
  return bench;
}

/** Collects for some periods of `maxAge`. @returns the pids that were read */
async function collect(bench: Bench, periods: number, before: () => void = () => {}): Promise<number[]> {
  const read: number[] = [];
  for (let i = 0; i < periods * COLLECTIONS; i++) {
    before();
    read.push(...(await bench.collect()));
  }
  return read;
}

/** PSS of all processes that moves while they do nothing: another program maps their files. */
function share(bench: Bench, pss: number): void {
  for (const fake of bench.fakes.values()) fake.pss = pss;
}

test('one in seventeen idle processes of an executable is read in each period, and confirms the others', async () => {
  const bench = await fleet(200);
  await collect(bench, 1);
  const read = await collect(bench, 2);
  assert.ok(read.length >= 20 && read.length <= 28, `${read.length} of 400`);
  const oldest = Math.min(...bench.processes.map(({ measurement }) => measurement.confirmed));
  assert.ok(bench.at - oldest <= BOUNDED.maxAge, `${bench.at - oldest}`);
});

for (const count of [3, 5, 34, 170])
  test(`each of ${count} idle processes is read now and then`, async () => {
    const bench = await fleet(count);
    const read = await collect(bench, 21);
    assert.equal(new Set(read).size, count);
    assert.ok(read.length < (21 * count) / 1.4, `${read.length}`);
  });

test('at least one of a few idle processes is read in each period', async () => {
  const bench = await fleet(4);
  for (let period = 0; period < 10; period++) {
    const read = await collect(bench, 1);
    assert.ok(read.length >= 1 && read.length <= 2, `${read}`);
  }
});

test('one process of an executable, and both of two, are read in each period', async () => {
  for (const count of [1, 2]) {
    const bench = await fleet(count);
    assert.equal((await collect(bench, 3)).length, 3 * count);
  }
});

test('where a read finds another PSS than before, all processes of the executable are read', async () => {
  const bench = await fleet(200);
  const other = bench.add({}, new Sharers('other'));
  await collect(bench, 1);
  share(bench, 4 * MIB);
  await collect(bench, 1);
  const wrong = bench.processes.filter((proc) => proc !== other && proc.footprint.pss !== 4 * MIB);
  assert.deepEqual(wrong, []);
  assert.ok(bench.processes.filter(({ measurement }) => measurement.reason === 'relative').length > 150);
  assert.notEqual(other.measurement.reason, 'relative');
  assert.ok((await collect(bench, 1)).length < 20, 'then some answer for all again');
});

test('where huge pages are no longer shared, which no PSS tells, all processes of the executable are read', async () => {
  const bench = await fleet(100, { sharedHugetlb: 2 * MIB });
  await collect(bench, 1);
  for (const fake of bench.fakes.values()) Object.assign(fake, { sharedHugetlb: 0, privateHugetlb: 2 * MIB });
  await collect(bench, 1);
  const wrong = bench.processes.filter(({ measurement }) => measurement.sharedHugetlb > 0);
  assert.equal(wrong.length, 0);
});

test('a change of less than a hundredth makes nobody read', async () => {
  const bench = await fleet(200);
  await collect(bench, 1);
  share(bench, 5 * MIB - 50_000);
  assert.ok((await collect(bench, 1)).length < 20);
});

test('where sharing never rests, each process is read once in a period, and once because of the others', async () => {
  const bench = await fleet(100);
  let pss = 5 * MIB;
  const read = await collect(bench, 5, () => {
    pss *= 0.97;
    share(bench, Math.round(pss));
  });
  assert.ok(read.length <= 2 * 5 * 100, `${read.length}`);
  assert.ok(read.length >= 4 * 100, `${read.length}`);
});

test('nobody answers for a process that touched a page, and none that is very large', async () => {
  const bench = await fleet(50);
  const large = bench.add({ rss: 40_000 * MIB, cost: 0.6 }, bench.processes[0]!.sharing.sharers as Sharers);
  await collect(bench, 2);
  for (const proc of bench.processes.slice(0, 5)) bench.touch(proc, 4096);
  const read = await collect(bench, 1);
  for (const pid of [1, 2, 3, 4, 5, large.pid]) assert.ok(read.includes(pid), `${pid}: ${read}`);
  assert.ok(read.length < 12, `${read}`);
});

test('a process that is confirmed says so', async () => {
  const bench = await fleet(50);
  await collect(bench, 2);
  const told = bench.processes.map((proc) => explainFootprint(bench.scheduler, proc, BOUNDED, bench.at));
  const confirmed = told.filter(({ state }) => state === 'confirmed');
  assert.ok(confirmed.length > 40, `${confirmed.length}`);
  for (const { age, confirmedAge } of confirmed) assert.ok(confirmedAge < age && confirmedAge <= BOUNDED.maxAge);
});
