import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkAnswer, declaredFields } from '../../../test/api-check.ts';
import { kB, PROCESSES, site } from '../../../test/api-site.ts';
import type { Config } from '../../config/options.ts';
import { POINTS } from '../../view/history-store.ts';
import { type DocumentName, documents, POINTS_MAX, SORTS } from './documents.ts';

const ALL: readonly [name: DocumentName, url: string][] = [
  ['host', 'host'],
  ['groups', 'groups'],
  ['processes', 'processes'],
  ['process', 'processes/11'],
  ['process', 'processes/21'],
  ['process', 'processes/22'],
  ['history', 'history?of=host'],
  ['history', 'history?of=groups'],
  ['history', 'history?of=group:db'],
  ['history', 'history?of=subgroup:db/postgres'],
  ['history', 'history?of=processes:db/postgres'],
  ['history', 'history?of=process:11'],
  ['events', 'events'],
  ['rules', 'rules'],
];

test('every answer is as its document declares it, and every declared field is in some answer', async (t) => {
  const seen = new Map<DocumentName, Set<string>>(
    Object.keys(documents).map((name) => [name as DocumentName, new Set<string>()]),
  );
  const ask = async ({ get }: ReturnType<typeof site>) => {
    for (const [name, url] of ALL) {
      const { status, json, text } = await get(url);
      assert.equal(status, 200, `${url}: ${text}`);
      checkAnswer(name, json, seen.get(name));
    }
  };
  const born = { pid: 31, comm: 'postgres', memory: kB(16_000), startTicks: 101_000 };
  const usual = site(t, {}, [PROCESSES, [...PROCESSES, born], PROCESSES]);
  await usual.collect();
  await ask(usual);
  const captured = site(t, { capture: 'x.capture', declared_groups: [] });
  await captured.collect();
  await ask(captured);
  for (const name of Object.keys(documents) as DocumentName[]) {
    const missing = declaredFields(name).filter((field) => !seen.get(name)!.has(field));
    assert.deepEqual(
      missing.map((field) => `${name}.${field}`),
      [],
    );
  }
});

test('a series can be asked for with all the points that are kept', () => assert.equal(POINTS_MAX, POINTS));

test('the host uses no more CPU than it has, whatever its processes say of themselves', async (t) => {
  const busy = (user: number) => [11, 12, 13, 14].map((pid) => ({ pid, comm: 'postgres', user, startTicks: 200 }));
  const { get, collect } = site(t, {}, [busy(100), busy(1500)]);
  await collect();
  const { cpu_percent, host } = (await get('host')).json;
  const { groups } = (await get('groups')).json;
  assert.equal(cpu_percent, 100 * host.cpus);
  assert.ok(groups[0].cpu_percent > cpu_percent, 'the group keeps what its processes add up to');
});

test('the index lists the documents, with the parameters that they take', async (t) => {
  const { get } = site(t);
  const { text } = await get('');
  assert.deepEqual(JSON.parse(text), Object.values(documents));
});

// biome-ignore format: one line a case
const refused: [url: string, status: number, message: RegExp][] = [
  ['host?x=1', 400, /^there is no parameter "x"; \/api\/v1\/host takes none\n$/],
  ['groups?limit=5', 400, /^there is no parameter "limit"; \/api\/v1\/groups takes none/],
  ['processes?Limit=5', 400, /"Limit"; \/api\/v1\/processes takes group, subgroup, sort, limit/],
  ['processes?limit=5&limit=6', 400, /^limit is given twice; keep one of them/],
  ['processes?limit=0', 400, /^limit is "0"; give a whole number from 1 to 10000/],
  ['processes?limit=10001', 400, /from 1 to 10000/], ['processes?limit=1e3', 400, /from 1 to 10000/],
  ['processes?limit=', 400, /^limit is ""; give/], ['processes?limit=-1', 400, /give/], ['processes?limit=07', 400, /give/],
  ['processes?sort=size', 400, /^sort is "size"; give footprint, pss, uss, rss, swap, cpu, pid, name, age/],
  ['processes?sort=__proto__', 400, /^sort is "__proto__"; give/],
  ['processes?%E2%80%AE=1', 400, /"\\u202e"/], [`processes?${'x'.repeat(500)}`, 400, /"x{40}…"; /],
  ['processes/0', 400, /^"0" is not a pid; ask for \/api\/v1\/processes\/ and an integer from 1 to 4194304/],
  ['processes/', 400, /^"" is not a pid/], ['processes/11/x', 400, /is not a pid/], ['processes/4194305', 400, /is not a pid/],
  ['processes/%31%31', 400, /is not a pid/], ['processes/11?x=1', 400, /^there is no parameter "x"/],
  ['processes/99', 404, /^process 99 was not seen at the last collection, \d+\.\d s ago; it has ended, or it began after that/],
  ['history', 400, /^of is missing; give host, groups, group:NAME, subgroup:GROUP\/NAME, processes:GROUP\/NAME or process:PID/],
  ['history?of=', 400, /^of is ""; give/], ['history?of=group', 400, /^of is "group"; give/], ['history?of=group:', 400, /give/],
  ['history?of=host:x', 400, /give/], ['history?of=toString', 400, /give/], ['history?of=host&from=yesterday', 400, /^from is "yesterday"; give Unix time/],
  ['history?of=host&points=0', 400, /^points is "0"; give a whole number from 1 to 240/], ['history?of=host&to=-1', 400, /^to is/],
  ['history?of=group:nope', 404, /^there is no history of group "nope"; \/api\/v1\/history\?of=groups has all/],
  ['history?of=subgroup:db/nope', 404, /no history of subgroup "db\/nope"/], ['history?of=process:99', 404, /no history of process "99"; it is kept of the largest/],
  ['history?of=processes:db/nope', 404, /no history of processes "db\/nope"/], ['history?of=processes:system/kernel', 200, /"series":\[\]/],
  ['events?since=now', 400, /^since is "now"; give Unix time/], ['rules?x', 400, /no parameter "x"/],
  ['nothing', 404, /^not found/], ['', 200, /./],
];
test('what is not allowed is answered with what is', async (t) => {
  const { get, collect } = site(t);
  await collect();
  for (const [url, status, message] of refused) {
    const { text, ...response } = await get(url);
    assert.equal(response.status, status, `${url}: ${text}`);
    assert.match(text, message, url);
  }
});

test('before the first collection there is no answer, and none is begun', async (t) => {
  const { get, agent } = site(t);
  for (const [, url] of ALL) assert.equal((await get(url)).status, 503, url);
  assert.equal(agent.snapshot, undefined);
});

test('processes: filters, orders and limits', async (t) => {
  const { get, collect } = site(t);
  await collect();
  const pids = async (query: string) =>
    (await get(`processes?${query}`)).json.processes.map(({ pid }: { pid: number }) => pid);
  const cases: [query: string, pids: number[]][] = [
    ['', [11, 21, 12, 22]],
    ['sort=pid', [11, 12, 21, 22]],
    ['sort=name', [22, 11, 12, 21]],
    ['sort=rss&limit=2', [11, 21]],
    ['sort=swap', [11, 12, 21, 22]],
    ['sort=age', [22, 11, 12, 21]],
    ['group=db', [11, 12]],
    ['group=db&subgroup=postgres&limit=1', [11]],
    ['subgroup=a&group=service', [21]],
    ['group=nope', []],
  ];
  for (const [query, expected] of cases) assert.deepEqual(await pids(query), expected, query);
  const { json: kernel } = await get('processes?group=system');
  assert.deepEqual([kernel.total, kernel.hidden, kernel.unlisted], [0, 0, 1], 'a kernel thread');
  const { json } = await get('processes?limit=1&group=db');
  assert.deepEqual([json.total, json.hidden, json.processes.length], [2, 0, 1]);
});

test('footprints of processes sum to that of their group, and the parts of one to its footprint', async (t) => {
  const { get, collect } = site(t);
  await collect();
  const { groups } = (await get('groups')).json;
  for (const { group, subgroup, footprint_bytes, processes } of groups) {
    const found = (await get(`processes?group=${group}&subgroup=${subgroup}`)).json.processes;
    if (group === 'system' || processes === 0) continue;
    assert.equal(
      found.reduce((sum: number, each: { footprint_bytes: number }) => sum + each.footprint_bytes, 0),
      footprint_bytes,
    );
    for (const { pid, footprint_bytes: whole } of found) {
      const { parts, footprint_bytes: again } = (await get(`processes/${pid}`)).json.process;
      assert.deepEqual([Object.values(parts as number[]).reduce((sum, part) => sum + part, 0), again], [whole, whole]);
    }
  }
});

test('a group is an estimate where processes are that have a part of its RSS, and says since when it grew', async (t) => {
  const { get, collect, agent } = site(t);
  await collect();
  const history = agent.history!;
  // No time passes for the kernel, so that no other point follows.
  do await collect(1);
  while (agent.snapshot!.time - history.time(history.points().at(-1)!) < 0.02);
  const { at, groups } = (await get('groups')).json;
  const estimated = groups.map(({ group, subgroup, estimated }: Record<string, unknown>) => [
    group,
    subgroup,
    estimated,
  ]);
  // Process 22 cannot be measured; kernel threads have no resident memory, so that nothing of it is an estimate.
  assert.deepEqual(estimated.sort(), [
    ['db', 'postgres', undefined],
    ['other', 'other', true],
    ['service', 'a', undefined],
    ['system', 'kernel', undefined],
    ['web', 'nginx', undefined],
  ]);
  const first = history.time(history.points()[0]!);
  const { change_seconds } = groups.find(({ group }: { group: string }) => group === 'db');
  assert.ok(Math.abs(change_seconds - (at - first)) < 0.002, `${change_seconds} s`);
});

test('a process that is hidden by name is nowhere; one that only has no series is everywhere', async (t) => {
  const everywhere = [
    'processes',
    'processes/21',
    'history?of=groups',
    'history?of=processes:service/a',
    'history?of=process:21',
    'events',
    'groups',
    'rules',
    'host',
  ];
  for (const changes of [
    { exclude_names: ['strang'] },
    { include_names: ['postgres'] },
    { search_mode: 'include', search_groups: ['db'] },
  ] as const) {
    const { get, collect } = site(t, changes as Partial<Config>);
    await collect();
    const answers = await Promise.all(everywhere.map((url) => get(url)));
    for (const { text, json } of answers) if (json) assert.doesNotMatch(text, /stranger/);
    assert.ok(answers[0]!.json.hidden >= 1);
    assert.deepEqual([answers[1]!.status, answers[4]!.status], [404, 404]);
    assert.deepEqual(answers[3]!.json.series, []);
    assert.match(
      answers[1]!.text,
      /^the settings hide process 21: include_names, exclude_names, search_mode or disable_others/,
    );
  }
  for (const changes of [
    { per_process: 'none' },
    { max_processes: 1 },
    { min_uss_kb: 10_000 },
    { collector_process: false },
  ] as const) {
    const { get, collect } = site(t, changes as Partial<Config>);
    await collect();
    assert.match((await get('processes')).text, /stranger/);
    assert.equal((await get('processes/21')).status, 200);
  }
});

test('whose a process is, and what decided, is said only with process_info; a command line never', async (t) => {
  for (const process_info of [true, false]) {
    const { get, collect } = site(t, { process_info });
    await collect();
    for (const [, url] of ALL) {
      const { text } = await get(url);
      assert.doesNotMatch(text, /hunter2|password/, url);
      if (!process_info && url !== 'rules') assert.doesNotMatch(text, /"(user|unit|container_id|exe|rule)"/, url);
    }
    const { process } = (await get('processes/21')).json;
    if (process_info)
      assert.deepEqual(
        [process.user, process.unit, process.rule, process.exe],
        ['me', 'a.service', 'none; system unit', '/usr/bin/stranger'],
      );
  }
});

test('an answer has the ETag of its snapshot, of the last reload, and of whether all is well', async (t) => {
  const { get, collect, agent } = site(t);
  await collect(1);
  const first = await get('groups');
  const tag = first.headers!.etag!;
  assert.match(tag, /^W\/"[\w-]+"$/);
  for (const known of [tag, tag.slice(2), `"x", ${tag}`, '*']) {
    const { status, sent, headers } = await get('groups', { 'if-none-match': known });
    assert.deepEqual([status, sent.length, headers!.etag], [304, 0, tag], known);
  }
  assert.equal((await get('groups', { 'if-none-match': '"x"' })).status, 200);
  await agent.reload();
  assert.equal((await get('groups', { 'if-none-match': tag })).status, 200, 'after a reload');
  const reloaded = (await get('groups')).headers!.etag!;
  await collect(1);
  assert.equal((await get('groups', { 'if-none-match': reloaded })).status, 200, 'after a collection');
});

test('clients of one snapshot get the same bytes; gzip where it is accepted', async (t) => {
  const { get, collect } = site(t);
  await collect(1);
  const [one, other] = [await get('processes?sort=pid&limit=9'), await get('processes?limit=9&sort=pid')];
  assert.equal((one.body as Buffer[])[0], (other.body as Buffer[])[0]);
  const zipped = await get('processes?sort=pid&limit=9', { 'accept-encoding': 'gzip' });
  assert.equal(zipped.headers!['content-encoding'], 'gzip');
  assert.equal(zipped.text, one.text);
  await collect(1);
  assert.notEqual((await get('processes?sort=pid&limit=9')).text, one.text);
});

test('history is kept over a reload, and none with history 0', async (t) => {
  const { get, collect, agent, setup, setLoad } = site(t, {}, [PROCESSES, PROCESSES, PROCESSES, PROCESSES]);
  await collect(2);
  setLoad(async () => ({ ...setup, config: { ...setup.config, history: 7200 } }));
  await agent.reload();
  await collect(2);
  const { history } = (await get('host')).json;
  assert.deepEqual([history.seconds, history.points, history.step_seconds], [7200, 3, 30]);
  const before = (await get('events')).json.events;
  assert.deepEqual(
    before.map(({ kind }: { kind: string }) => kind),
    ['exporter_start', 'reload', 'oom_kill', 'oom_kill'],
  );
  assert.equal(before[2].text, 'the kernel killed 1 process of db/postgres because memory was used up');
  assert.equal(before[3].text, 'the kernel killed 1 process because memory was used up', 'no group has it');
  setLoad(async () => {
    throw new Error('a fault');
  });
  await agent.reload();
  const { events } = (await get('events')).json;
  assert.equal(
    events.at(-1).text,
    'the configuration could not be loaded again, with 1 fault; the old one is in force',
  );
  setLoad(async () => ({ ...setup, config: { ...setup.config, history: 0 } }));
  await agent.reload();
  assert.deepEqual((await get('history?of=groups')).json, { of: 'groups', at: [], series: [] });
  assert.deepEqual((await get('events')).json, { events: [] });
  assert.deepEqual((await get('host')).json.history, { seconds: 0, points: 0, step_seconds: 0, left_out: 0 });
});

test('what is wrong stands first, with a remedy', async (t) => {
  const { get, collect, agent, setLoad } = site(t, { search_groups: ['dbb'] });
  setLoad(async () => {
    throw Object.assign(new Error(), { faults: ['config.yaml:3: port is no number'] });
  });
  await agent.reload();
  await collect();
  const { problems } = (await get('host')).json as { problems: { severity: string; what: string; remedy?: string }[] };
  const own = problems.filter(({ what }) => !what.startsWith('smaps_rollup of 1 process cannot be read (denied)'));
  assert.equal(own.length, problems.length - 1);
  assert.deepEqual(
    own.map(({ severity }) => severity),
    ['critical', 'critical', 'warning'],
  );
  const texts = own.map(({ what, remedy }) => `${what} | ${remedy}`).join('\n');
  assert.match(texts, /the old one is in force: config\.yaml:3: port is no number \| correct it/);
  assert.match(texts, /no process of the declared group web\/nginx runs \| start it/);
  assert.match(texts, /search_groups names dbb, which no rule has \| did you mean db\?/);
});

test('rules stand in the order in which they decide, with what they match now', async (t) => {
  const { get, collect } = site(t);
  await collect();
  const { rules } = (await get('rules')).json;
  const [first, second] = rules;
  assert.deepEqual(
    { ...first, footprint_bytes: 0 },
    {
      rule: './rules.toml:1',
      group: 'db',
      subgroup: 'postgres',
      source: './rules.toml',
      order: 1,
      processes: 2,
      footprint_bytes: 0,
    },
  );
  const { groups } = (await get('groups')).json;
  assert.equal(first.footprint_bytes, groups.find(({ group }: { group: string }) => group === 'db').footprint_bytes);
  assert.deepEqual([second.source, second.order, second.processes], ['catalogue/web.toml', 2, 0]);
});

test('hostile names: the answer is JSON, and shows no control character', async (t) => {
  const names = ['<img src=x oner', '\u001b[2J"\\', '\xff\xfe\x80\xe2\x80', 'a\u202eb'];
  const hostile = names.map((comm, index) => ({
    pid: 100 + index,
    comm: Buffer.from(comm, index === 2 ? 'latin1' : 'utf8').subarray(0, 15),
    memory: kB(4000),
  }));
  const { get, collect } = site(t, {}, [hostile, hostile]);
  await collect();
  const { text, json } = await get('processes?sort=pid');
  assert.match(text, /^[\x20-\x7e\n\ufffd]*$/);
  assert.deepEqual([json.processes[0].name, json.processes[3].name], [names[0], names[3]]);
});

test('an answer that is made while collections go on is of its own snapshot', async (t) => {
  const frames = Array.from({ length: 2 }, (_, index) =>
    Array.from({ length: 2000 }, (_, pid) => ({ pid: pid + 11, comm: 'postgres', memory: kB(1000 * (index + 1)) })),
  );
  const { get, collect } = site(t, {}, frames);
  await collect(1);
  const asked = SORTS.slice(0, 3).map((sort) => get(`processes?limit=2000&sort=${sort}`));
  await collect(2);
  for (const { json } of await Promise.all(asked)) {
    assert.equal(json.snapshot, 1);
    assert.ok(json.processes.every((each: { rss_bytes: number }) => each.rss_bytes === 1_024_000));
  }
  const [large, again] = [await get('processes?limit=2000'), await get('processes?limit=2000')];
  assert.notEqual((large.body as Buffer[])[0], (again.body as Buffer[])[0], 'a large answer is not kept');
  assert.ok(large.sent.length > 512 << 10, `${large.sent.length} bytes`);
});
