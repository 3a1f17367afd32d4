import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Machine } from '../../test/machine.ts';
import { type Config, defaults } from '../config/options.ts';
import { parseRules } from '../rules/rule-parser.ts';
import { Agent, type Setup } from './agent.ts';

const setup = (changes: Partial<Config> = {}, subgroup = 'web'): Setup => ({
  config: { ...defaults, log_level: 'error', ...changes },
  origins: {},
  rules: parseRules({ rule: [{ group: 'test', subgroup, comm: 'init' }] }, 'rules.toml'),
  catalogue: [],
});

function run(t: TestContext, machine: Machine, changes: Partial<Config> = {}) {
  const agent = new Agent(machine, { version: '1.2.3', revision: 'abc' }, setup(changes), async () => loaded());
  let loaded = (): Setup => setup(changes);
  const logged: string[] = [];
  agent.log.options = { level: 'error', format: 'logfmt' };
  t.mock.method(process.stderr, 'write', (line: string) => logged.push(line) > 0);
  agent.stop(); // collects only when asked: a collection of its own would be counted on a busy machine
  const scrape = async (patience = 300) =>
    Buffer.concat((await agent.metrics('text', false, patience)).pieces).toString();
  return { agent, scrape, logged, load: (next: () => Setup) => (loaded = next) };
}

const value = (text: string, series: string): number | undefined => {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
};

test('a scrape is served the newest collection while it is fresh, else it waits for one', async (t) => {
  const machine = new Machine();
  let passes = 0;
  machine.beforeStat = () => passes++;
  const { scrape } = run(t, machine, { cache_ttl: 3600 });
  await scrape();
  await scrape();
  assert.equal(passes, 1);
  const eager = run(t, machine, { cache_ttl: 0 });
  await Promise.all([eager.scrape(), eager.scrape(), eager.scrape()]);
  assert.equal(passes, 2, 'scrapes that wait share one collection');
  await eager.scrape();
  assert.equal(passes, 3);
});

test('a scrape that cannot wait longer gets the last snapshot, with its age', async (t) => {
  const machine = new Machine();
  const open = machine.process.bind(machine);
  machine.process = (pid) => ({ ...open(pid), readLater: () => new Promise(() => {}) });
  machine.init.memory = { rss: 8 << 20 }; // its first footprint keeps a collection for a second
  const { agent, scrape } = run(t, machine, { cache_ttl: 0 });
  const nothing = await scrape(0.01);
  assert.equal(value(nothing, 'herakles_exporter_cache_updating'), 1);
  assert.equal(value(nothing, 'herakles_exporter_cache_update_success'), 0);
  assert.equal(value(nothing, 'herakles_exporter_collection_age_seconds'), undefined);
  assert.ok(!nothing.includes('herakles_mem_process'));
  await agent.collect();
  machine.now += 100;
  assert.equal(value(await scrape(), 'herakles_exporter_processes_total'), 1);
  machine.broken = true;
  machine.fork(machine.init);
  await agent.collect();
  const old = await scrape();
  assert.equal(value(old, 'herakles_exporter_cache_update_success'), 0);
  assert.ok(value(old, 'herakles_exporter_collection_age_seconds')! > 0);
  assert.ok(old.includes('herakles_mem_process_rss_bytes{pid="1"'));
});

test('a response has the same content in every form', async (t) => {
  const machine = new Machine(5000);
  for (let i = 0; i < 500; i++) machine.fork(machine.init, `job${i}`); // a page of many chunks
  const { agent } = run(t, machine, { cache_ttl: 3600, collector_exporter: false });
  await agent.collect();
  for (const format of ['text', 'openmetrics'] as const) {
    const plain = Buffer.concat((await agent.metrics(format, false, 600)).pieces);
    assert.ok(gunzipSync(Buffer.concat((await agent.metrics(format, true, 600)).pieces)).equals(plain), format);
    assert.equal(plain.toString().endsWith('# EOF\n'), format === 'openmetrics');
    assert.ok(plain.length > 2.5e5);
  }
});

test('whatever collectors clients choose, each is written once for a snapshot and format', async (t) => {
  const { agent } = run(t, new Machine(), { cache_ttl: 3600 });
  const names = agent.collectors.flatMap(({ name, running }) => (running ? [name] : []));
  const written = new Map<object, string>();
  for (const gzip of [false, true]) {
    for (let choice = 0; choice < 2 ** names.length; choice++) {
      const chosen = names.filter((_, bit) => (choice >> bit) & 1);
      const { pieces, parts } = await agent.metrics('text', gzip, 600, new Set(chosen));
      assert.deepEqual(
        parts.map(({ name }) => name),
        chosen.filter((name) => name !== 'exporter'),
      );
      for (const part of parts) written.set(part, part.name);
      if (gzip) gunzipSync(Buffer.concat(pieces));
    }
    const whole = await agent.metrics('text', gzip, 600);
    for (const part of whole.parts) assert.ok(written.has(part), part.name);
  }
  assert.deepEqual([...written.values()].sort(), ['group', 'group', 'process', 'process', 'system', 'system']);
});

test('unhealthy: no collection succeeded for three intervals', async (t) => {
  const machine = new Machine();
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const { agent } = run(t, machine, { interval: 20 });
  machine.broken = true;
  await agent.collect();
  now = 60_000;
  assert.equal(agent.unhealthy, undefined, 'it has just begun');
  now = 61_000;
  assert.match(agent.unhealthy!, /^no collection succeeded for 61 seconds: proc: denied/);
  machine.broken = false;
  await agent.collect();
  assert.equal(agent.unhealthy, undefined);
});

test('a reload applies configuration and rules; a failed reload changes nothing, and says that it failed', async (t) => {
  const { agent, scrape, load, logged } = run(t, new Machine(), { cache_ttl: 0 });
  assert.ok((await scrape()).includes('name="init",group="test",subgroup="web"'));
  load(() => {
    throw Object.assign(new Error('two faults'), { faults: ['port is "x"', 'bind is "\u001b[2J"'] });
  });
  assert.deepEqual(await agent.reload(), { ok: false, faults: ['port is "x"', 'bind is "\u001b[2J"'] });
  assert.equal(logged.length, 2);
  assert.ok(!logged.join('').includes('\u001b'));
  const still = await scrape();
  assert.ok(still.includes('subgroup="web"'));
  assert.equal(value(still, 'herakles_exporter_config_last_reload_successful'), 0);
  load(() => setup({ cache_ttl: 0, enable_swap: false, port: 1 }, 'new'));
  const [first, second] = [agent.reload(), agent.reload()];
  assert.equal(first, second, 'requests join a reload under way');
  assert.deepEqual(await first, { ok: true, faults: [] });
  const after = await scrape();
  assert.ok(after.includes('name="init",group="test",subgroup="new"') && !after.includes('_process_swap_'));
  assert.equal(value(after, 'herakles_exporter_config_last_reload_successful'), 1);
  assert.equal(agent.subgroups()[0]!.subgroup, 'new');
});

test('a group that no rule has is not declared, and is said once; a reload looks again', async (t) => {
  const wrong = { cache_ttl: 0, declared_groups: ['test/webb'], search_groups: ['test'], log_level: 'info' } as const;
  const { agent, scrape, load, logged } = run(t, new Machine(), wrong);
  agent.log.options = { level: 'info', format: 'logfmt' };
  await agent.collect();
  const page = await scrape();
  assert.equal(value(page, 'herakles_exporter_unknown_names{setting="declared_groups"}'), 1);
  assert.equal(value(page, 'herakles_exporter_unknown_names{setting="search_groups"}'), 0);
  assert.doesNotMatch(page, /subgroup="webb"/);
  const warned = () => logged.filter((line) => line.includes('test/webb'));
  assert.equal(warned().length, 1, logged.join(''));
  assert.match(
    warned()[0]!,
    /level=warn msg="a setting names a group that no rule has" setting=declared_groups name=test\/webb remedy="did you mean test\/web\?"/,
  );
  load(() => setup(wrong));
  await agent.reload();
  await agent.collect();
  assert.equal(warned().length, 1, 'the same names are not logged again');

  load(() => setup(wrong, 'webb'));
  await agent.reload();
  const right = await scrape();
  assert.equal(value(right, 'herakles_exporter_unknown_names{setting="declared_groups"}'), 0);
  assert.equal(value(right, 'herakles_group_declared{group="test",subgroup="webb"}'), 1);
  assert.match(logged.join(''), /every group that a setting names exists/);
});

test('what lasts is logged when it begins, not at every collection', async (t) => {
  const machine = new Machine();
  for (let i = 0; i < 40; i++) machine.fork(machine.init, `job${i}`);
  const { agent, logged } = run(t, machine, { max_series: 200 });
  agent.log.options = { level: 'info', format: 'logfmt' };
  for (let i = 0; i < 20; i++) {
    machine.fork(machine.init, `more${i}`); // another number of series each time
    await agent.collect();
  }
  assert.equal(logged.filter((line) => line.includes('series left out')).length, 1, logged.join(''));
});

test('the families about the exporter itself', async (t) => {
  const { agent, scrape } = run(t, new Machine(), { cache_ttl: 3600 });
  agent.countRequest('/metrics', 200);
  agent.countRequest('/metrics', 200);
  agent.countRequest('other', 404);
  const first = await scrape();
  assert.equal(
    value(first, `herakles_exporter_build_info{version="1.2.3",revision="abc",nodejs="${process.versions.node}"}`),
    1,
  );
  assert.equal(value(first, 'herakles_exporter_http_requests_total{path="/metrics",code="200"}'), 2);
  assert.equal(value(first, 'herakles_exporter_http_requests_total{path="other",code="404"}'), 1);
  assert.equal(value(first, 'herakles_exporter_scrape_duration_seconds'), undefined, 'there was none before');
  const second = await scrape();
  assert.ok(value(second, 'herakles_exporter_scrape_duration_seconds')! > 0);
  const series = first.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
  assert.equal(value(second, 'herakles_exporter_series'), series);
  assert.ok(Math.abs(value(second, 'process_start_time_seconds')! - (Date.now() / 1000 - process.uptime())) < 1);
  assert.ok(value(second, 'process_resident_memory_bytes')! > 10e6);
});
