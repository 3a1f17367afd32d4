// Every setting has an effect: the tests change one setting alone and look at what changes with it. A setting that this
// file does not know is a failure. Settings of listening and encryption are tested end to end; this file only checks that
// those tests name them.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Agent, type Setup } from '../src/agent/agent.ts';
import { enabledOf, runningOf, samplerOptionsOf } from '../src/agent/settings.ts';
import { openHost } from '../src/cli/load-host.ts';
import { switchOf } from '../src/collectors/collector.ts';
import { collectors } from '../src/collectors/index.ts';
import { type Config, defaults, type Key, keys } from '../src/config/options.ts';
import { loadRuleFiles } from '../src/config/rule-files.ts';
import { settingsWithoutEffect } from '../src/config/without-effect.ts';
import { type CapturedFile, framedFiles } from '../src/kernel/capture.ts';
import { FileRequests } from '../src/kernel/files.ts';
import { KERNEL_LOG } from '../src/kernel/kernel-log.ts';
import { parseRules } from '../src/rules/rule-parser.ts';
import { frameOf, type ProcessText } from './kernel-text.ts';

const MEMORY = { rss: 4096, pss: 3072, privateDirty: 2048, swap: 100 };
const named = (pid: number, comm: string, more: Partial<ProcessText> = {}): ProcessText => ({
  pid,
  comm,
  memory: { ...MEMORY, rss: 4096 + 16 * pid },
  user: 10 * pid,
  startTicks: 1000 + pid,
  ...more,
});

const PROCESSES: readonly ProcessText[] = [
  { pid: 2, comm: 'kthreadd', kernelThread: true, startTicks: 1 },
  ...[11, 12, 13, 14, 15].map((pid) => named(pid, 'postgres')),
  named(21, 'stranger', { cgroup: '0::/a.service\n' }),
  named(22, 'stranger', { ppid: 15 }),
  named(24, 'stranger', { cgroup: '0::/b.service\n' }),
  named(23, 'tiny', { memory: { rss: 64, pss: 32, privateDirty: 16 } }),
];

const rules = parseRules(
  {
    rule: [
      { group: 'db', subgroup: 'postgres', comm: 'postgres' },
      { group: 'web', subgroup: 'nginx', comm: 'nginx' },
    ],
  },
  'rules',
);

function agentOf(change: Partial<Config>): Agent {
  const setup: Setup = { config: { ...defaults, log_level: 'error', ...change }, origins: {}, rules, catalogue: [] };
  const frame = frameOf({ swapTotal: 1000, swapFree: 500 }, PROCESSES);
  const cgroup = { 'cgroup.controllers': 'memory\n', 'memory.current': '4096\n' };
  const accounts = Object.entries(cgroup).map(([file, text]): [string, CapturedFile] => [
    `sys/fs/cgroup/a.service/${file}`,
    { bytes: Buffer.from(text) },
  ]);
  return new Agent(
    framedFiles([new Map([...frame, ...accounts, [KERNEL_LOG, { bytes: Buffer.alloc(0) }]])]),
    { version: 'test', revision: 'test' },
    setup,
    async () => setup,
  );
}

/** The page of one collection under these settings. */
async function pageOf(change: Partial<Config>): Promise<string> {
  const agent = agentOf(change);
  const { pieces: page } = await agent.metrics('text', false, 600);
  agent.stop();
  return Buffer.concat(page).toString();
}

/** Pids that have series. */
const shown = (page: string): number[] =>
  [...page.matchAll(/^herakles_mem_process_rss_bytes\{pid="(\d+)"/gm)].map(([, pid]) => Number(pid));
const has = (family: string) => (page: string) => page.includes(`\n${family}`);
const options = (change: Partial<Config>) => samplerOptionsOf({ ...defaults, ...change });

/** Texts that are on the page with one value and not with the other. */
type Effect = { readonly on: Partial<Config>; readonly off: Partial<Config>; readonly seen: (page: string) => boolean };
const family = (key: Key, name: string): Effect => ({
  on: { [key]: true },
  off: { [key]: false },
  seen: has(name),
});

const EFFECTS: Partial<Record<Key, Effect>> = {
  enable_rss: family('enable_rss', 'herakles_mem_process_rss_bytes{'),
  enable_pss: family('enable_pss', 'herakles_mem_group_pss_bytes{'),
  enable_uss: family('enable_uss', 'herakles_mem_process_uss_bytes{'),
  enable_kinds: family('enable_kinds', 'herakles_mem_group_kind_bytes{'),
  enable_swap: family('enable_swap', 'herakles_mem_process_swap_bytes{'),
  enable_cpu: family('enable_cpu', 'herakles_cpu_process_time_seconds{'),
  enable_oom_kills: family('enable_oom_kills', 'herakles_group_oom_kills_total{'),
  process_info: family('process_info', 'herakles_process_info{'),
  process_start_time: family('process_start_time', 'herakles_process_start_time_seconds{'),
  process_kinds: family('process_kinds', 'herakles_mem_process_kind_bytes{'),
  process_io: family('process_io', 'herakles_io_process_read_bytes_total{'),
  process_context_switches: family('process_context_switches', 'herakles_process_voluntary_context_switches_total{'),
  process_oom_score: family('process_oom_score', 'herakles_mem_process_oom_score{'),
  kernel_threads: family('kernel_threads', 'herakles_cpu_process_time_seconds{pid="2",'),
  collector_process: family('collector_process', 'herakles_mem_process_rss_bytes{'),
  collector_group: family('collector_group', 'herakles_mem_group_rss_bytes{'),
  collector_cgroup: family('collector_cgroup', 'herakles_cgroup_memory_bytes{'),
  collector_system: family('collector_system', 'herakles_mem_system_total_bytes '),
  collector_exporter: family('collector_exporter', 'herakles_exporter_build_info{'),
  declared_groups: {
    on: { declared_groups: ['web/nginx'] },
    off: {},
    seen: has('herakles_mem_group_rss_bytes{group="web",subgroup="nginx"} 0'),
  },
  per_process: { on: {}, off: { per_process: 'none' }, seen: (page) => shown(page).length > 0 },
  top_n_subgroup: {
    on: { per_process: 'top', top_n_subgroup: 2 },
    off: { per_process: 'top', top_n_subgroup: 4 },
    seen: (page) =>
      shown(page)
        .filter((pid) => pid < 20)
        .join() === '11,12',
  },
  top_n_others: {
    on: { per_process: 'top', top_n_others: 1, service_groups: false },
    off: { per_process: 'top', service_groups: false },
    seen: (page) =>
      shown(page)
        .filter((pid) => pid > 20)
        .join() === '21',
  },
  max_series: {
    on: { max_series: 170 },
    off: {},
    seen: has('herakles_exporter_series_dropped{reason="processes"}'),
  },
  max_processes: { on: { max_processes: 2 }, off: {}, seen: (page) => shown(page).length === 2 },
  min_uss_kb: { on: { min_uss_kb: 100 }, off: {}, seen: (page) => !shown(page).includes(23) },
  include_names: { on: { include_names: ['post'] }, off: {}, seen: (page) => shown(page).every((pid) => pid < 20) },
  exclude_names: { on: { exclude_names: ['post'] }, off: {}, seen: (page) => shown(page).every((pid) => pid > 20) },
  search_mode: {
    on: { search_mode: 'exclude', search_groups: ['db'] },
    off: { search_mode: 'include', search_groups: ['db'] },
    seen: (page) => shown(page).every((pid) => pid > 20),
  },
  search_groups: {
    on: { search_mode: 'include', search_groups: ['db'] },
    off: { search_mode: 'include', search_groups: ['other'] },
    seen: (page) => shown(page).every((pid) => pid < 20),
  },
  search_subgroups: {
    on: { search_mode: 'include', search_subgroups: ['postgres'] },
    off: { search_mode: 'include', search_subgroups: ['other'] },
    seen: (page) => shown(page).every((pid) => pid < 20),
  },
  disable_others: {
    on: { disable_others: true, service_groups: false },
    off: { service_groups: false },
    seen: (page) => shown(page).every((pid) => pid < 20),
  },
  inherit_group: {
    on: { inherit_group: true },
    off: {},
    seen: has('herakles_mem_process_rss_bytes{pid="22",name="stranger",group="db",subgroup="postgres"}'),
  },
  service_groups: {
    on: {},
    off: { service_groups: false },
    seen: has('herakles_mem_process_rss_bytes{pid="21",name="stranger",group="service",subgroup="a"}'),
  },
  max_services: {
    on: { max_services: 1 },
    off: { max_services: 2 },
    seen: has('herakles_mem_process_rss_bytes{pid="24",name="stranger",group="service",subgroup="other"}'),
  },
  smaps: { on: {}, off: { smaps: 'off' }, seen: has('herakles_mem_process_pss_bytes{') },
};

for (const [key, { on, off, seen }] of Object.entries(EFFECTS)) {
  test(`${key} changes the page`, async () => {
    assert.equal(seen(await pageOf(on)), true, JSON.stringify(on));
    assert.equal(seen(await pageOf(off)), false, JSON.stringify(off));
  });
}

/** Settings that `check` says have no effect, beside others; undefined where a page cannot show it. */
const WITHOUT_EFFECT: [given: Partial<Config>, beside: Partial<Config>, says: RegExp][] = [
  [{ search_groups: ['db'] }, {}, /^here: search_groups has no effect while search_mode is none$/],
  [{ search_subgroups: ['postgres'] }, {}, /search_subgroups .* search_mode is none/],
  [{ top_n_subgroup: 1 }, {}, /top_n_subgroup has no effect while per_process is all, unless there are more series/],
  [{ top_n_others: 1 }, {}, /top_n_others .* per_process is all/],
  [{ top_n_others: 1 }, { per_process: 'top', disable_others: true }, /top_n_others .* disable_others is true/],
  [{ max_processes: 1 }, { per_process: 'none' }, /max_processes .* per_process is none/],
  [{ process_start_time: true }, { collector_process: false }, /process_start_time .* collector_process is false/],
  [{ per_process: 'top' }, { collector_process: false }, /per_process .* collector_process and collector_desc/],
  [{ process_oom_score: true }, { per_process: 'none' }, /process_oom_score .* per_process is none/],
  [{ min_uss_kb: 100 }, { smaps: 'off' }, /min_uss_kb .* smaps is off/],
  [{ smaps: 'exact' }, { enable_pss: false, enable_uss: false }, /smaps .* enable_pss and enable_uss are false/],
  [{ smaps_budget: 0.5 }, { smaps: 'exact' }, /smaps_budget .* smaps is exact/],
  [{ max_services: 1 }, { service_groups: false }, /max_services .* service_groups is false/],
  [{ declared_groups: ['web/nginx'] }, { collector_group: false }, /declared_groups .* collector_group is false/],
];

for (const [given, beside, says] of WITHOUT_EFFECT) {
  test(`${JSON.stringify(given)} changes nothing beside ${JSON.stringify(beside)}, and check says so`, async () => {
    const said = settingsWithoutEffect(
      { ...defaults, ...beside, ...given },
      Object.fromEntries(keys.map((key) => [key, 'here'])),
    );
    assert.equal(said.length, 1, said.join('\n'));
    assert.match(said[0]!, says);
    const lines = (page: string) => page.split('\n').filter((line) => /^herakles_(?!exporter)/.test(line));
    assert.deepEqual(lines(await pageOf({ ...beside, ...given })), lines(await pageOf(beside)));
  });
}

test('listening and TLS: what another setting takes the place of', () => {
  const cases: [Partial<Config>, string][] = [
    [{ port: 1, web_listen_address: [':2'] }, 'port'],
    [{ bind: 'x', web_systemd_socket: true }, 'bind'],
    [{ tls_cert_path: '/x' }, 'tls_cert_path'],
    [{ path_procfs: '/x', capture: '/y' }, 'path_procfs'],
    [{ bpf_file: '/x', source: 'procfs' }, 'bpf_file'],
  ];
  for (const [given, key] of cases) {
    const said = settingsWithoutEffect({ ...defaults, ...given }, {});
    assert.deepEqual(
      said.map((line) => line.split(' ')[1]),
      [key],
    );
  }
  assert.deepEqual(settingsWithoutEffect(defaults, {}), []);
  assert.deepEqual(settingsWithoutEffect({ ...defaults, enable_tls: true, tls_cert_path: '/x' }, {}), []);
});

/** The switch of each collector, also of one that reads a file which the host above lacks. */
const SWITCHES = new Map(collectors.map((collector) => [switchOf(collector), collector]));

for (const [key, collector] of SWITCHES) {
  test(`${key} decides whether the collector runs`, async () => {
    const runs = (on: boolean) => runningOf(collectors, enabledOf({ ...defaults, [key]: on })).includes(collector);
    assert.deepEqual([runs(true), runs(false)], [true, false]);
    const page = await pageOf({ [key]: false });
    for (const { name } of collector.families) assert.ok(!page.includes(`\n# TYPE ${name} `), name);
  });
}

test('cache_ttl decides whether a scrape collects', async () => {
  for (const [cache_ttl, same] of [
    [3600, true],
    [0, false],
  ] as const) {
    const agent = agentOf({ cache_ttl });
    await agent.metrics('text', false, 600);
    const first = agent.snapshot;
    await agent.metrics('text', false, 600);
    assert.equal(agent.snapshot === first, same, String(cache_ttl));
    agent.stop();
  }
});

test('interval is the time between two collections', async () => {
  const agent = agentOf({ interval: 0.1 });
  agent.start();
  await agent.collect();
  const first = agent.snapshot;
  for (let left = 3000; left > 0 && agent.snapshot === first; left--) await new Promise((done) => setTimeout(done, 20));
  assert.notEqual(agent.snapshot, first);
  agent.stop();
});

test('history decides whether the exporter remembers, and how far back', async () => {
  for (const history of [0, 60, 7200]) {
    const agent = agentOf({ history });
    await agent.collect();
    assert.equal(agent.history?.span ?? 0, history);
    assert.equal(agent.history?.points().length ?? 0, Number(history > 0));
    agent.stop();
  }
});

test('interval also says how long a budget of reads is gathered, and what counts as old', () => {
  for (const [interval, gap] of [
    [15, 15],
    ['auto', 60],
  ] as const) {
    const { footprints, longestGap } = options({ interval });
    assert.deepEqual([footprints.interval, longestGap], [gap, gap]);
  }
});

test('the settings of footprints reach the sampler', () => {
  assert.equal(options({ smaps_budget: 0.5 }).footprints.budget, 0.5);
  assert.equal(options({ smaps_max_age: 7 }).footprints.maxAge, 7);
  assert.equal(options({ smaps_max_read: 0.7 }).footprints.maxRead, 0.7);
});

test('path_procfs and capture say where kernel files are', async () => {
  await assert.rejects(openHost({ ...defaults, path_procfs: '/nowhere' }), /\/nowhere: no procfs can be read there/);
  await assert.rejects(openHost({ ...defaults, capture: '/nowhere.capture' }), /\/nowhere.capture: no such file/);
});

test('source and bpf_file say where counters come from, and what is wrong', async () => {
  const sourceWith = async (change: Partial<Config>) => {
    const files = await openHost({ ...defaults, bpf_file: '/nowhere', ...change });
    files.begin();
    await files.prefetch(new FileRequests());
    return files.source;
  };
  assert.equal(await sourceWith({ source: 'procfs' }), undefined);
  assert.deepEqual(await sourceWith({ source: 'auto' }), { name: 'procfs', problem: undefined });
  const missing = 'it is not there, or this user cannot reach it';
  assert.deepEqual(await sourceWith({ source: 'bpf' }), { name: 'procfs', problem: missing });
});

test('subgroups names rule files that decide before all others', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'herakles-')), 'rules.toml');
  writeFileSync(file, 'rule = [{ group = "mine", subgroup = "own", comm = "stranger" }]\n');
  const loaded = await loadRuleFiles([file], { cwd: '/nowhere' });
  assert.deepEqual(
    loaded.map((each) => each.file),
    [file],
  );
});

test('log_level and log_format shape the log', (t) => {
  const lines: string[] = [];
  t.mock.method(process.stderr, 'write', (line: string) => lines.push(line) > 0);
  agentOf({ log_level: 'warn' }).log.info('not heard');
  agentOf({ log_level: 'info', log_format: 'json' }).log.info('heard');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).msg),
    ['heard'],
  );
});

/** Settings that only a running server shows, and the tests that drive them. */
const DRIVEN: readonly string[] = [
  'test/lifecycle.e2e.ts',
  'test/web-config.e2e.ts',
  'test/addresses.e2e.ts',
  'test/tls.e2e.ts',
  'test/server-abuse.e2e.ts',
  'src/server/server.test.ts',
  'src/server/web-config.test.ts',
];

test('every setting is under test', () => {
  const own = readFileSync(new URL(import.meta.url), 'utf8');
  const driven = DRIVEN.map((file) => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')).join('\n');
  const named = (text: string, key: string) => text.includes(key) || text.includes(`--${key.replaceAll('_', '-')}`);
  const unknown = keys.filter(
    (key) => !(key in EFFECTS) && !SWITCHES.has(key) && !named(own, key) && !named(driven, key),
  );
  assert.deepEqual(unknown, []);
});
