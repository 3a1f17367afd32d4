import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { frameOf } from '../../test/kernel-text.ts';
import { Machine } from '../../test/machine.ts';
import type { Enabled } from '../collectors/collector.ts';
import { type Config, defaults } from '../config/options.ts';
import { type CapturedFile, framedFiles } from '../kernel/capture.ts';
import type { ExporterState } from '../view/exporter-state.ts';
import { Renderer } from './render.ts';
import { Sampler, type Snapshot } from './sampler.ts';
import { enabledOf, samplerOptionsOf } from './settings.ts';
import { clock } from './time-slices.ts';

const classify = ({ name }: { name: string }) => ({ group: name, subgroup: name, rule: 'test' });

/** A sampler of a machine; it does not start by itself, and ends with the test. */
function sample(t: TestContext, machine: Machine, changes: Partial<Config> = {}) {
  const config = { ...defaults, ...changes };
  let collections = 0;
  const sampler = new Sampler(machine, classify, samplerOptionsOf(config), () => collections++);
  t.after(() => sampler.stop());
  return { sampler, config, collections: () => collections };
}

const STATE: Omit<ExporterState, 'view'> = {
  ...{ version: '1', revision: 'r', nodejs: '20', scrapeDuration: 1, updateDuration: 1, updateSuccess: true },
  ...{
    processesHidden: false,
    updating: false,
    collections: {},
    collectionAge: 1,
    series: 1,
    seriesDropped: new Map(),
    reloadSuccessful: true,
    unknownNames: new Map(),
    reloadTime: 1,
  },
  ...{ requests: [], cpuSeconds: 1, residentMemory: 1, startTime: 1 },
  self: { openFiles: 1, maxFiles: 1, virtualMemory: 1, readersCpu: 0, readersMemory: 0 },
};
const stateOf = (snapshot: Snapshot | undefined): ExporterState => ({ ...STATE, view: snapshot?.view });
const render = async (enabled: Enabled, { snapshot }: Sampler) => {
  const { pieces, series } = await new Renderer(enabled).body(snapshot, 'text', false, () => stateOf(snapshot));
  const lines = Buffer.concat(pieces)
    .toString()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  assert.equal(lines.length, series);
  return lines;
};

test('there is one collection at a time, and callers meanwhile wait for it', async (t) => {
  const machine = new Machine();
  let reads = 0;
  machine.beforeStat = () => reads++;
  const { sampler, collections } = sample(t, machine);
  const [first, second] = [sampler.collect(), sampler.collect()];
  assert.equal(first, second);
  assert.equal(sampler.collecting, true);
  await first;
  assert.deepEqual([sampler.collecting, collections(), reads], [false, 1, 1]);
  await sampler.collect();
  assert.deepEqual([collections(), reads], [2, 2]);
});

test('a failed collection leaves the last snapshot in force, and the next one can begin', async (t) => {
  const machine = new Machine();
  const { sampler, collections } = sample(t, machine);
  await sampler.collect();
  const { snapshot, lastSuccess } = sampler;
  machine.broken = true;
  machine.fork(machine.init);
  await sampler.collect();
  assert.match(sampler.failure!.message, /proc: denied/);
  assert.equal(sampler.snapshot, snapshot);
  assert.equal(sampler.lastSuccess, lastSuccess);
  machine.broken = false;
  await sampler.collect();
  assert.equal(sampler.failure, undefined);
  assert.equal(sampler.snapshot!.view.seen, 2);
  assert.equal(collections(), 3);
});

test('the first failure leaves no snapshot, and a host that recovers is collected', async (t) => {
  const machine = new Machine();
  machine.broken = true;
  const { sampler } = sample(t, machine);
  await sampler.collect();
  assert.equal(sampler.snapshot, undefined);
  machine.broken = false;
  await sampler.collect();
  assert.ok(sampler.snapshot);
});

test('where the first collection fails and nobody asks, the next one follows soon', async (t) => {
  const machine = new Machine();
  machine.broken = true;
  const { sampler, collections } = sample(t, machine, { interval: 'auto' });
  sampler.start();
  for (const end = clock() + 30; collections() < 1; await new Promise(setImmediate)) assert.ok(clock() < end);
  machine.broken = false;
  for (const end = clock() + 30; !sampler.snapshot; await new Promise(setImmediate)) assert.ok(clock() < end);
});

test('after a listener has thrown, the next collection can begin', async (t) => {
  const sampler = new Sampler(new Machine(), classify, samplerOptionsOf({ ...defaults, interval: 0.01 }), () => {
    throw new Error('log is gone');
  });
  t.after(() => sampler.stop());
  await assert.rejects(sampler.collect(), /log is gone/);
  assert.equal(sampler.collecting, false);
  assert.ok(sampler.snapshot);
});

test('after start: the second collection follows soon, then one at every interval; after stop there is none', async (t) => {
  const machine = new Machine();
  const { sampler, collections } = sample(t, machine, { interval: 0.02 });
  sampler.start();
  for (const end = clock() + 5; collections() < 4; await new Promise(setImmediate)) assert.ok(clock() < end);
  sampler.stop();
  await sampler.collect();
  const stood = collections();
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.equal(collections(), stood);
});

/** Lets the simulated time pass in small steps; every collection that begins ends before the next step. */
function simulatedTime(t: TestContext) {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  return async (seconds: number, { sampler }: { readonly sampler: Sampler }) => {
    for (const end = now + seconds * 1000; now < end; ) {
      now += 50;
      t.mock.timers.tick(50);
      if (sampler.collecting) await sampler.collect();
    }
  };
}

test('auto: collections come just before the scrapes; without a reader, once a minute', async (t) => {
  const pass = simulatedTime(t);
  const sampled = sample(t, new Machine(), { interval: 'auto' });
  const { sampler } = sampled;
  sampler.start();
  await pass(180, sampled);
  assert.deepEqual(sampler.collections, { scrape: 0, expected: 0, idle: 4, request: 0 }, 'the second comes at once');
  for (let scrape = 1; scrape <= 23; scrape++) {
    const collection = sampler.read('scrape');
    assert.equal(collection !== undefined, scrape <= 3, `scrape ${scrape} waits`);
    await collection;
    assert.ok(clock() - sampler.snapshot!.at <= (scrape <= 3 ? 0 : 0.3), `scrape ${scrape}`);
    await pass(15, sampled);
  }
  assert.equal(sampler.collections.scrape, 3);
  const { expected, idle } = sampler.collections;
  assert.ok(expected >= 20 && expected <= 21 && idle === 4, `${expected} ${idle}`);
  await pass(600, sampled);
  assert.ok(sampler.collections.expected <= expected + 3);
  assert.ok(sampler.collections.idle >= 4 + 8);
});

test('auto: somebody who reads pages again and again finds them fresh; a fixed interval knows only scrapes', async (t) => {
  const pass = simulatedTime(t);
  for (const [interval, expected] of [
    ['auto', { request: 3, expected: 5 }],
    [3600, { request: 0, expected: 0 }],
  ] as const) {
    const sampled = sample(t, new Machine(), { interval });
    const { sampler } = sampled;
    sampler.start();
    await pass(10, sampled);
    for (let read = 1; read <= 8; read++) {
      await sampler.read('request');
      await pass(10, sampled);
    }
    sampler.stop();
    await pass(10, sampled);
    assert.equal(sampler.collections.scrape, 0);
    assert.equal(sampler.collections.request, expected.request);
    assert.ok(Math.abs(sampler.collections.expected - expected.expected) <= 1, String(interval));
    await sampler.read('scrape');
    assert.equal(sampler.collections.scrape, 1, 'a scrape always gets a snapshot no older than cache_ttl');
  }
});

/** Reads off the main thread, of processes that are too large for it, never end. */
function hang(machine: Machine): void {
  const open = machine.process.bind(machine);
  machine.process = (pid) => ({ ...open(pid), readLater: () => new Promise(() => {}) });
}

test('a read that hangs delays the first collection a little, and no later one', async (t) => {
  const machine = new Machine();
  hang(machine);
  machine.init.memory = { rss: 8 << 20 };
  const { sampler } = sample(t, machine);
  const times: number[] = [];
  for (let i = 0; i < 6; i++) {
    const began = clock();
    machine.now += 1500;
    await sampler.collect();
    times.push(clock() - began);
    assert.equal(sampler.snapshot!.view.rows.rss[0], 2 ** 33);
    assert.equal(sampler.snapshot!.view.rows.pss[0], Number.NaN);
  }
  const [first, ...later] = times;
  assert.ok(first! < 20 && Math.min(...later) < 0.9, `${times} s`); // a busy machine may disturb some
});

test('a snapshot does not change any more, whatever is collected later', async (t) => {
  const machine = new Machine();
  for (let i = 0; i < 20; i++) machine.fork(machine.init, 'web');
  const { sampler, config } = sample(t, machine);
  await sampler.collect();
  const held = sampler.snapshot!;
  const renderer = new Renderer(enabledOf(config));
  const first = renderer.body(held, 'text', true, () => stateOf(held));
  const second = renderer.body(held, 'text', false, () => stateOf(held)); // begins when the first is compressed
  for (let i = 0; i < 4; i++) {
    for (const task of machine.tasks.values()) machine.spend(task, { user: 500 });
    machine.fork(machine.init, 'db');
    machine.now += 1500;
    await sampler.collect();
  }
  await first;
  const text = Buffer.concat((await second).pieces).toString();
  assert.ok(
    !text.includes('"db"') &&
      text.includes('herakles_cpu_process_time_seconds{pid="1",name="init",group="init",subgroup="init"} 0\n'),
  );
});

test('beyond max_series: top, then none, then fewer groups; deterministic, and counted as dropped', async (t) => {
  const machine = new Machine();
  for (const [group, count] of [
    ['a', 30],
    ['b', 20],
    ['c', 1],
  ] as const) {
    for (let i = 0; i < count; i++) machine.fork(machine.init, group).memory = { rss: 4096 + 4 * i };
  }
  const seen = new Set<string>();
  for (const max of [100_000, 500, 480, 420, 300, 250, 200, 180, 150, 120, 100]) {
    const { sampler, config } = sample(t, machine, { max_series: max });
    await sampler.collect();
    const lines = await render(enabledOf(config), sampler);
    assert.ok(lines.length <= max, `${lines.length} series of ${max}`);
    const rss = lines.filter((line) => line.startsWith('herakles_mem_process_rss_bytes'));
    const groups = lines.filter((line) => line.startsWith('herakles_mem_group_rss_bytes')).length;
    const top = rss.some((line) => line.includes('(rest)'));
    const mode = groups < 4 ? 'groups' : top ? 'top' : rss.length > 0 ? 'all' : 'none';
    const { dropped } = sampler.snapshot!;
    assert.equal(dropped.size > 0, mode !== 'all', `${max}: ${mode}`);
    assert.equal(dropped.has('groups'), mode === 'groups');
    for (const count of dropped.values()) assert.ok(count > 0);
    if (seen.has(mode)) continue;
    seen.add(mode);
    const again = sample(t, machine, { max_series: max }).sampler;
    await again.collect();
    assert.deepEqual(
      (await render(enabledOf(config), again)).filter((line) => line.includes('process')),
      lines.filter((line) => line.includes('process')),
    );
  }
  assert.deepEqual([...seen], ['all', 'top', 'none', 'groups']);
});

test('a response has at most 256 bytes for each series of max_series, whatever processes are called', async (t) => {
  const processes = Array.from({ length: 300 }, (_, index) => ({
    ...{ pid: 10 + index, comm: '"'.repeat(15), memory: { rss: 4096 + 4 * index } },
    ...{ exe: `/${'"\\'.repeat(2000)}`, cgroup: `0::/${'"'.repeat(240)}${index}.service\n` },
  }));
  const seen = new Set<string>();
  for (const [max_series, hostile] of [
    [4000, true],
    [2700, false],
    [2700, true],
  ] as const) {
    const host = frameOf(
      {},
      processes.map(({ pid, memory, ...names }) => (hostile ? { pid, memory, ...names } : { pid, memory })),
    );
    const config = { ...defaults, max_series };
    const sampler = new Sampler(framedFiles([host]), classify, samplerOptionsOf(config));
    t.after(() => sampler.stop());
    await sampler.collect();
    const lines = await render(enabledOf(config), sampler);
    const bytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
    assert.ok(bytes <= max_series * 256, `${bytes} bytes with ${max_series} series`);
    const rss = lines.filter((line) => line.startsWith('herakles_mem_process_rss_bytes'));
    const mode = rss.some((line) => line.includes('(rest)')) ? 'top' : rss.length > 0 ? 'all' : 'none';
    assert.equal(sampler.snapshot!.dropped.has('processes'), mode !== 'all');
    seen.add(`${hostile ? 'hostile ' : ''}${max_series}: ${mode}`);
  }
  assert.deepEqual([...seen], ['hostile 4000: all', '2700: all', 'hostile 2700: top']);
});

test('beyond max_series cgroups are left out after processes and before groups, smallest first', async (t) => {
  const entry = (text: string): CapturedFile => ({ bytes: Buffer.from(text) });
  const units = [1, 2, 3, 4, 5, 6];
  const processes = units.map((unit) => ({
    ...{ pid: 10 * unit, comm: 'web', memory: { rss: 4096 * unit }, cgroup: `0::/${unit}.service\n` },
  }));
  const accounts = units.flatMap((unit): [string, CapturedFile][] => [
    [`sys/fs/cgroup/${unit}.service/cgroup.controllers`, entry('memory\n')],
    [`sys/fs/cgroup/${unit}.service/memory.current`, entry(`${unit}\n`)],
  ]);
  const host = new Map([...frameOf({}, processes), ...accounts]);
  const seen = new Map<number, string>();
  for (const max_series of [1000, 181, 126, 83, 51]) {
    const config = { ...defaults, max_series, collector_cgroup: true, collector_exporter: false };
    const sampler = new Sampler(framedFiles([host]), classify, samplerOptionsOf(config));
    t.after(() => sampler.stop());
    await sampler.collect();
    const lines = await render(enabledOf(config), sampler);
    assert.ok(lines.length <= max_series, `${lines.length} series of ${max_series}`);
    const cgroups = lines.flatMap((line) => /^herakles_cgroup_memory_bytes.* (\d)$/.exec(line)?.[1] ?? []);
    seen.set(max_series, `${cgroups.join('')} ${[...sampler.snapshot!.dropped.keys()]}`);
  }
  assert.deepEqual(
    [...seen.values()],
    ['654321 ', '654321 processes', '6543 cgroups,processes', '6 cgroups,processes', ' cgroups,processes,groups'],
  );
});

test('the processes with series change only when another one is clearly larger', async (t) => {
  const machine = new Machine();
  const [first, second] = [machine.fork(machine.init, 'web'), machine.fork(machine.init, 'web')];
  const { sampler } = sample(t, machine, { per_process: 'top', top_n_subgroup: 1, smaps: 'off' });
  const shown = async (sizes: readonly [number, number]) => {
    first.memory = { rss: sizes[0] };
    second.memory = { rss: sizes[1] };
    machine.now += 1500;
    await sampler.collect();
    const { rows } = sampler.snapshot!.view;
    return rows.description.filter(({ group }, row) => rows.shown[row] && group === 'web').map(({ pid }) => pid);
  };
  assert.deepEqual(await shown([4000, 3600]), [first.pid]);
  assert.deepEqual(await shown([4000, 4200]), [first.pid]);
  assert.deepEqual(await shown([4000, 4800]), [second.pid]);
});

test('declared groups without a process are shown with 0; new rules take effect at the next collection', async (t) => {
  const machine = new Machine();
  const { sampler, config } = sample(t, machine, { declared_groups: ['db/pg/x'] });
  await sampler.collect();
  const rows = () => sampler.snapshot!.view.groups.map(({ counters, rss }) => [counters.group, counters.subgroup, rss]);
  assert.deepEqual(rows(), [
    ['db', 'pg/x', 0],
    ['init', 'init', 1 << 20],
  ]);
  sampler.configure(samplerOptionsOf(config), () => ({ group: 'new', subgroup: 'new', rule: 'new' }));
  await sampler.collect();
  assert.deepEqual(rows().at(-1), ['new', 'new', 1 << 20]);
});

test('a switched-off collector leaves its families out, and costs no series', async (t) => {
  const machine = new Machine();
  const cases: [keyof Config, RegExp][] = [
    ['collector_process', /^herakles_(mem|cpu|io)_process_|^herakles_process_info/],
    ['collector_group', /_group_/],
    ['collector_system', /_system_/],
    ['collector_exporter', /^herakles_exporter_|^process_/],
    ['enable_rss', /_rss_bytes/],
    ['enable_pss', /_pss_bytes/],
    ['enable_uss', /_uss_bytes/],
    ['enable_swap', /_(process|group)_swap_bytes/],
    ['enable_cpu', /^herakles_cpu_(process|group)/],
    ['process_info', /^herakles_process_info/],
  ];
  for (const [key, families] of cases) {
    for (const on of [true, false]) {
      const { sampler, config } = sample(t, machine, { [key]: on });
      await sampler.collect();
      machine.now += 1000;
      await sampler.collect();
      const lines = await render(enabledOf(config), sampler);
      assert.equal(
        lines.some((line) => families.test(line)),
        on,
        `${key} ${on}`,
      );
    }
  }
});
