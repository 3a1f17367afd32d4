import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { type TestContext, test } from 'node:test';
import { Machine } from '../../test/machine.ts';
import { Agent } from '../agent/agent.ts';
import { type Config, defaults } from '../config/options.ts';
import { parseRules } from '../rules/rule-parser.ts';
import { RecentPages } from './recent-pages.ts';
import { ReloadRequests } from './reload-requests.ts';
import { respond, routeOf } from './routes.ts';

/** An exporter of a machine in memory, that answers URLs. */
function site(t: TestContext, machine: Machine, changes: Partial<Config> = {}) {
  const setup = {
    config: { ...defaults, log_level: 'error' as const, ...changes },
    origins: {},
    rules: parseRules({ rule: [{ group: 'test', subgroup: 'web', comm: 'init' }] }, 'rules.toml'),
    catalogue: [],
  };
  const agent = new Agent(machine, { version: '1', revision: 'r' }, setup, async () => setup);
  t.after(() => agent.stop());
  const pages = new RecentPages(agent);
  const reloads = new ReloadRequests(async () => ({ ok: true, faults: [] }));
  const get = async (url: string, method = 'GET', accept = '*/*') => {
    const request = { url, method, headers: { accept } } as IncomingMessage;
    const { status, body } = await respond({ agent, pages, reloads }, routeOf(agent, url), request);
    const text = String(body);
    return { status, text, json: text.startsWith('{') ? JSON.parse(text) : undefined };
  };
  return { agent, get };
}

test('/explain has what the metrics have of a process, and why its footprint is as old as it is', async (t) => {
  const machine = new Machine();
  machine.init.memory = { rss: 4096, pss: 2048, privateDirty: 1024 };
  const { agent, get } = site(t, machine);
  await agent.collect();
  const { status, json } = await get('/explain?pid=1');
  assert.equal(status, 200);
  const { collection_age_seconds, smaps, start_time_seconds, ...rest } = json;
  const named = { pid: 1, series: true, name: 'init', group: 'test', subgroup: 'web', rule: 'rules.toml:1' };
  assert.deepEqual(rest, { ...named, rss_bytes: 4 << 20, pss_bytes: 2 << 20, uss_bytes: 1 << 20 });
  assert.ok(collection_age_seconds >= 0 && collection_age_seconds < 5 && start_time_seconds > 0);
  const { age_seconds, confirmed_age_seconds, predicted_seconds, next_turn_seconds, ...known } = smaps;
  const limits = { over_max_read: false, max_read_seconds: 0.25, max_age_seconds: 300 };
  const moved = { moved_bytes: 0, moved_by_relatives_bytes: 0, worth_bytes: 32 << 10 };
  assert.deepEqual(known, { mode: 'bounded', state: 'read', need: 'first', source: 'read', ...limits, ...moved });
  assert.ok(age_seconds >= collection_age_seconds && predicted_seconds > 0 && next_turn_seconds <= 300);
  assert.equal(confirmed_age_seconds, age_seconds);
});

test('/explain has no name and no values of a process without series of its own', async (t) => {
  for (const changes of [{ per_process: 'none' }, { exclude_names: ['init'] }, { collector_process: false }] as const) {
    const { agent, get } = site(t, new Machine(), changes as Partial<Config>);
    await agent.collect();
    const { json } = await get('/explain?pid=1');
    const expected = ['pid', 'start_time_seconds', 'series', 'collection_age_seconds', 'smaps'];
    assert.deepEqual([Object.keys(json), json.series], [expected, false]);
  }
});

test('/explain has no value or rule that is not exported', async (t) => {
  const { agent, get } = site(t, new Machine(), { enable_uss: false, process_info: false });
  await agent.collect();
  const { json } = await get('/explain?pid=1');
  assert.ok('pss_bytes' in json && !('uss_bytes' in json) && !('rule' in json));
});

// biome-ignore format: one line a case
const refused: [url: string, status: number, message: RegExp][] = [
  ['/explain', 400, /^ask for one process: \?pid=N, an integer from 1 to 4194304\n$/],
  ['/explain?pid=', 400, /ask for one/], ['/explain?pid=0', 400, /ask for one/], ['/explain?pid=01', 400, /ask for one/],
  ['/explain?pid=-1', 400, /ask for one/], ['/explain?pid=1.5', 400, /ask for one/], ['/explain?pid=self', 400, /ask/],
  ['/explain?pid=4194305', 400, /ask for one/], ['/explain?pid=99999999', 400, /ask for one/],
  ['/explain?pid=1&pid=1', 400, /ask for one/], ['/explain?pid=1%0a', 400, /ask for one/], ['/explain?PID=1', 400, /ask/],
  ['/explain?pid=4194304', 404, /process 4194304 was not seen at the last collection, 0\.\d s ago; it has ended, or it began after that/],
];
for (const [url, status, message] of refused) {
  test(`${url} is answered ${status}`, async (t) => {
    const { agent, get } = site(t, new Machine());
    await agent.collect();
    const reply = await get(url);
    assert.equal(reply.status, status);
    assert.match(reply.text, message);
  });
}

test('a process is unknown until a collection has seen it, and known at once when one is under way', async (t) => {
  const machine = new Machine();
  const { agent, get } = site(t, machine, { interval: 15 });
  assert.deepEqual([(await get('/explain?pid=1')).status], [503]);
  await agent.collect();
  const { pid } = machine.fork(machine.init);
  const { status, json } = await get(`/explain?pid=${pid}`);
  assert.deepEqual([status, typeof json.collection_age_seconds], [404, 'number']);
  void agent.collect();
  assert.equal((await get(`/explain?pid=${pid}`)).status, 200);
});

test('only reading, and only JSON', async (t) => {
  const { agent, get } = site(t, new Machine());
  await agent.collect();
  assert.equal((await get('/explain?pid=1', 'POST')).status, 405);
  assert.equal((await get('/explain?pid=1', 'HEAD')).status, 200);
  assert.equal((await get('/explain?pid=1', 'GET', 'text/html')).status, 406);
  assert.ok(!(await get('/')).text.includes('/explain'), 'a link without a pid would lead nowhere');
});

// biome-ignore format: one line a case
const CHOICES: [query: string, families: string[]][] = [
  ['', ['group', 'process', 'system', 'exporter']], ['?x=1', ['group', 'process', 'system', 'exporter']],
  ['?collect[]=group', ['group']], ['?collect%5B%5D=group&collect[]=exporter', ['group', 'exporter']],
  ['?collect[]=group&collect[]=group', ['group']], ['?exclude[]=process', ['group', 'system', 'exporter']],
  ['?exclude[]=cgroup&exclude[]=exporter', ['group', 'process', 'system']],
  ['?exclude[]=process&exclude[]=group&exclude[]=system&exclude[]=exporter', []],
];
const FAMILY_OF = {
  ...{ group: 'herakles_mem_group_rss_bytes{', process: 'herakles_mem_process_rss_bytes{' },
  ...{ system: 'herakles_mem_system_total_bytes ', exporter: 'herakles_exporter_build_info{' },
};
for (const [query, families] of CHOICES) {
  test(`/metrics${query} has ${families.join(', ') || 'nothing'}`, async (t) => {
    const { get } = site(t, new Machine());
    const { status, text } = await get(`/metrics${query}`);
    const found = Object.entries(FAMILY_OF).flatMap(([name, line]) => (text.includes(`\n${line}`) ? [name] : []));
    assert.deepEqual([status, found], [200, families]);
    if (families.length === 0) assert.equal(text, '');
  });
}

// biome-ignore format: one line a case
const REFUSED_CHOICES: [query: string, message: string][] = [
  ['collect[]=a&exclude[]=b', 'collect[] and exclude[] cannot be combined; keep one of them\n'],
  ['collect[]=cpu', 'there is no collector "cpu"; the collectors are process, group, cgroup, descriptors, shared_memory, system, exporter\n'],
  ['exclude[]=', 'there is no collector ""; the collectors are process, group, cgroup, descriptors, shared_memory, system, exporter\n'],
  ['collect[]=%1b[2J', 'there is no collector "\\u001b[2J"; the collectors are process, group, cgroup, descriptors, shared_memory, system, exporter\n'],
  ['collect[]=cgroup', 'the collector cgroup is switched off; set collector_cgroup to true, or do not ask for it\n'],
];
for (const [query, message] of REFUSED_CHOICES) {
  test(`/metrics?${query} is answered 400`, async (t) => {
    const { get } = site(t, new Machine());
    const { status, text } = await get(`/metrics?${query}`);
    assert.deepEqual([status, text], [400, message]);
  });
}

test('a scrape of some collectors does not count as the previous scrape', async (t) => {
  const { get } = site(t, new Machine());
  const series = async (query: string) =>
    /^herakles_exporter_series (\d+)$/m.exec((await get(`/metrics${query}`)).text)?.[1];
  for (let i = 0; i < 3; i++) await series(''); // its own series come with the second
  const whole = await series('');
  await series('?collect[]=system');
  assert.ok(Number(whole) > 20, whole);
  assert.equal(await series(''), whole);
});

test('pages of groups and processes are of a fresh collection, also where nobody else reads', async (t) => {
  const { agent, get } = site(t, new Machine(), { interval: 'auto' });
  const { status, text } = await get('/groups?group=test&subgroup=web');
  assert.deepEqual([status, agent.snapshot?.serial], [200, 1]);
  assert.match(text, /1 process, by footprint[\s\S]*init/);
});
