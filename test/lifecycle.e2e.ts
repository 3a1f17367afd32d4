// Start, reload and end of the real program: an operator's mistake gives one plain message and status 2, a bad reload
// leaves the old configuration in force, scrapes at the same time cause one collection, and the end is prompt.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import {
  bundle,
  eventually,
  need,
  replace,
  runBundle,
  Started,
  scratch,
  startChildren,
  startExporter,
} from './harness.ts';

const reloaded = 'herakles_exporter_config_last_reload_successful';
const reloadTime = 'herakles_exporter_config_last_reload_success_timestamp_seconds';

/** One message on standard error that holds each of these, no stack, and status 2. */
function assertPlain(
  run: { code: number | null; stdout: string; stderr: string },
  ...parts: (string | RegExp)[]
): void {
  assert.equal(run.code, 2, `status ${run.code}: ${run.stdout}${run.stderr}`);
  for (const part of parts) assert.ok(run.stderr.search(part) >= 0, `${part} is not in: ${run.stderr}`);
  assert.doesNotMatch(run.stderr, /^\s+at |node:internal|\[object |undefined/m);
  const lines = run.stderr.trim().split('\n');
  assert.ok(lines.length <= 4, `one message, not ${lines.length} lines: ${run.stderr}`);
}

const listen = (port: number) =>
  new Promise<Server>((resolve) => {
    const server = createServer().listen(port, '127.0.0.1', () => resolve(server));
  });

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} ends it promptly with status 0`, async (t) => {
    const exporter = await startExporter(t);
    await exporter.scrape(); // leaves a kept connection open
    const slow = connect(exporter.port, '127.0.0.1', () => slow.write('GET /metrics HTTP/1.1\r\n')); // the rest of the request never comes
    slow.on('error', () => {});
    t.after(() => void slow.destroy());
    const scrapes = [1, 2, 3].map(() => exporter.scrape());
    const answered = Promise.allSettled(scrapes);
    await once(slow, 'connect');
    const { code, signal: by, seconds } = await exporter.stop(signal);
    assert.deepEqual({ code, by }, { code: 0, by: null }, exporter.stderr);
    assert.ok(seconds < 5, `it took ${seconds} s`);
    await answered;
    await assert.rejects(fetch(`${exporter.url}/-/healthy`));
  });
}

test('SIGHUP applies a new configuration, and keeps the old one when the new one is bad', async (t) => {
  if (!need(t, 'cc')) return;
  const cwd = scratch();
  const file = `${cwd}/config.yaml`;
  const rules = `${cwd}/rules.toml`;
  const pid = (await startChildren(t, 'private', 1)).pids[0]!;
  writeFileSync(rules, '[[rule]]\ngroup = "test"\nsubgroup = "one"\ncomm = "hk-private"\n');
  writeFileSync(file, `cache_ttl: 0s\nsubgroups: [${rules}]\n`);
  const second = {
    [rules]: '[[rule]]\ngroup = "test"\nsubgroup = "two"\ncomm = "hk-private"\n',
    [file]: `cache_ttl: 0s\nenable_swap: false\nsubgroups: [${rules}]\n`,
  };
  const exporter = await startExporter(t, { cwd, args: ['--config', file] });
  const subgroupOf = async () =>
    (await exporter.scrape()).all('herakles_mem_process_rss_bytes', { pid })[0]?.labels.subgroup;
  assert.equal(await subgroupOf(), 'one');
  assert.equal((await exporter.scrape()).value(reloaded), 1);
  const before = (await exporter.scrape()).value(reloadTime);

  await t.test('the same one', async () => {
    exporter.signal('SIGHUP'); // no file has changed, so the signal causes the reload
    await eventually(async () => assert.ok((await exporter.scrape()).value(reloadTime) > before));
  });

  await t.test('a good one', async () => {
    for (const [good, content] of Object.entries(second)) replace(good, content);
    exporter.signal('SIGHUP');
    await eventually(async () => {
      assert.equal(await subgroupOf(), 'two');
      const seen = await exporter.scrape();
      assert.deepEqual(seen.all('herakles_mem_process_swap_bytes'), []);
      assert.equal(seen.value(reloaded), 1);
      assert.ok(seen.value(reloadTime) > before);
    });
  });

  for (const [what, path, text, said] of [
    ['an unknown key', file, 'cach_ttl: 1s\n', /cache_ttl/],
    ['a bad rule', rules, '[[rule]]\ngroup = "test"\nsubgroup = "three"\nargv = "("\n', /rules\.toml/],
  ] as const) {
    await t.test(`${what}: the old one stays, metric and log say so`, async () => {
      await eventually(async () => {
        const time = (await exporter.scrape()).value(reloadTime);
        await pause(1000); // files are watched as well: the earlier change may be loaded twice
        assert.equal((await exporter.scrape()).value(reloadTime), time);
      });
      const logged = exporter.stderr.length;
      const changed = Date.now() / 1000;
      replace(path, text);
      exporter.signal('SIGHUP');
      await eventually(async () => {
        const seen = await exporter.scrape();
        assert.equal(seen.value(reloaded), 0);
        assert.ok(seen.value(reloadTime) < changed, 'the time of the last good one');
        assert.deepEqual(seen.all('herakles_mem_process_swap_bytes'), []);
      });
      assert.equal(await subgroupOf(), 'two');
      await eventually(() => assert.match(exporter.stderr.slice(logged), said));
      for (const [good, content] of Object.entries(second)) replace(good, content);
      exporter.signal('SIGHUP');
      await eventually(async () => assert.equal((await exporter.scrape()).value(reloaded), 1));
    });
  }
});

test('a mistake of the operator ends the start with status 2 and one message', async (t) => {
  const cwd = scratch();
  const write = (name: string, text: string) => {
    writeFileSync(`${cwd}/${name}`, text);
    return `${cwd}/${name}`;
  };

  await t.test('the port is taken', async (t) => {
    const holder = await listen(0);
    t.after(() => void holder.close());
    const { port } = holder.address() as { port: number };
    const run = await runBundle(t, ['--bind', '127.0.0.1', '--port', String(port)]);
    assertPlain(run, String(port), /in use|taken/);
  });

  const rule = (line: string) => write('rules.toml', `[[rule]]\ngroup = "a"\nsubgroup = "b"\n${line}\n`);
  const cases: [string, () => string[], (string | RegExp)[]][] = [
    [
      'an unknown key',
      () => ['--config', write('key.yaml', 'port: 9300\ncach_ttl: 5s\n')],
      [/key\.yaml/, /cach_ttl/, /cache_ttl/, /2/],
    ],
    [
      'a wrong type',
      () => ['--config', write('type.yaml', 'port: many\n')],
      [/type\.yaml/, /port/, /many|number|integer/],
    ],
    ['no YAML at all', () => ['--config', write('broken.yaml', 'port: [1,\n')], [/broken\.yaml/]],
    ['no JSON at all', () => ['--config', write('broken.json', '{"port": 1,}')], [/broken\.json/]],
    ['a named file that is missing', () => ['--config', `${cwd}/none.yaml`], [/none\.yaml/]],
    ['a named rule file that is missing', () => ['--subgroups', `${cwd}/none.toml`], [/none\.toml/]],
    ['an invalid rule', () => ['--subgroups', rule('argv = "("')], [/rules\.toml/, /argv/]],
    ['a rule with an unknown key', () => ['--subgroups', rule('com = "x"')], [/rules\.toml/, /com/, /comm/]],
    ['an unreadable procfs', () => ['--path-procfs', cwd], [cwd, /proc/]],
    ['a procfs that is not there', () => ['--path-procfs', `${cwd}/none`], [`${cwd}/none`]],
    ['a missing capture', () => ['--capture', `${cwd}/none.capture`], [/none\.capture/]],
    ['an unknown flag', () => ['--cache-tl', '5s'], [/--cache-tl/, /--cache-ttl/]],
    ['a flag without its value', () => ['--port'], [/--port/]],
    ['a wrong value of a flag', () => ['--port', '70000'], [/port/, /65535/]],
    ['an unknown verb', () => ['chek'], [/chek/, /check/]],
  ];
  for (const [what, args, parts] of cases) {
    await t.test(what, async (t) => assertPlain(await runBundle(t, args(), { cwd }), ...parts));
  }
  await t.test('a wrong environment variable', async (t) => {
    const run = await runBundle(t, [], { cwd, env: { HERAKLES_INTERVAL: 'soon' } });
    assertPlain(run, /HERAKLES_INTERVAL/, /soon/);
  });
});

test('scrapes at the same time cause one collection', async (t) => {
  if (!need(t, 'cc')) return;
  await startChildren(t, 'fleet', 600, 100, 800, 'hk-f'); // so that a collection takes its time
  const exporter = await startExporter(t, { args: ['--smaps', 'exact', '--cache-ttl', '0s', '--interval', '10m'] });
  const together = () => Promise.all(Array.from({ length: 6 }, () => exporter.scrape()));
  await together(); // opens the connections
  const counter = 'herakles_exporter_smaps_reads_total';
  const first = (await exporter.scrape()).sum(counter);
  const second = await exporter.scrape();
  const one = second.sum(counter) - first;
  assert.ok(one > 600, `one collection reads ${one} smaps_rollup`);
  await together();
  const last = await exporter.scrape();
  const collections = (last.sum(counter) - second.sum(counter)) / one;
  const took = last.value('herakles_exporter_cache_update_duration_seconds');
  const made = `six scrapes, then one, made ${collections} collections of ${took} s`;
  assert.ok(collections > 1.8 && collections < 4, made); // on a busy machine the six may not come together
});

test('an answer comes within the time-out of the scraper, with the age of its data', async (t) => {
  const exporter = await startExporter(t, { args: ['--interval', '1s', '--cache-ttl', '0s'] });
  const began = performance.now();
  const response = await fetch(`${exporter.url}/metrics`, {
    headers: { 'x-prometheus-scrape-timeout-seconds': '0.5' },
  });
  assert.equal(response.status, 200);
  assert.match(await response.text(), /^herakles_exporter_collection_age_seconds \d/m);
  assert.ok(performance.now() - began < 5000);
});

test('the routes answer', async (t) => {
  const exporter = await startExporter(t);
  for (const [path, type] of [
    ['/', 'text/html'],
    ['/metrics', 'text/plain'],
    ['/health', ''],
    ['/-/healthy', ''],
    ['/-/ready', ''],
    ['/config', ''],
    ['/subgroups', ''],
    ['/runbooks', 'text/html'],
  ] as const) {
    const response = await fetch(exporter.url + path);
    assert.equal(response.status, 200, path);
    assert.ok((response.headers.get('content-type') ?? '').startsWith(type), path);
    assert.ok((await response.text()).length > 0, path);
  }
  const reload = await fetch(`${exporter.url}/-/reload`, { method: 'POST' });
  assert.ok(reload.status === 403 || reload.status === 404, `reloading by HTTP is opt-in, not ${reload.status}`);
});

/** A value other than the default for each flag that takes one; a new flag needs one here. */
/** Spellings of other programs that are not the key with dots. */
const OTHER_NAMES = new Map([['--web.max-requests', 'max_requests_in_flight']]);

const samples = (file: (text: string) => string): Record<string, string> => ({
  '--port': '9300',
  '--bind': '127.0.0.2',
  '--web-listen-address': '127.0.0.2:9301,unix:/run/x.sock',
  '--web-telemetry-path': '/m',
  '--web-allowed-hosts': 'metrics.example',
  '--web-config-file': '/x',
  '--tls-cert-path': '/x',
  '--tls-key-path': '/x',
  '--tls-client-ca-path': '/x',
  '--max-requests-in-flight': '7',
  '--max-request-rate': '7',
  '--max-connections': '7',
  '--max-header-size': '4096',
  '--max-url-length': '100',
  '--read-timeout': '7s',
  '--send-timeout': '7s',
  '--idle-timeout': '7s',
  '--interval': '3s',
  '--cache-ttl': '1s',
  '--scrape-timeout': '2s',
  '--smaps': 'exact',
  '--smaps-budget': '5%',
  '--smaps-max-age': '1m',
  '--smaps-max-read': '100ms',
  '--path-procfs': '/proc/self/root/proc',
  '--source': 'procfs',
  '--bpf-file': '/run/x/tasks',
  '--history': '2h',
  '--capture': file(''),
  '--declared-groups': 'db/oracle,db/postgres',
  '--per-process': 'top',
  '--top-n-subgroup': '5',
  '--top-n-others': '5',
  '--max-series': '5000',
  '--max-services': '3',
  '--max-processes': '50',
  '--min-uss-kb': '10',
  '--include-names': 'x,y',
  '--exclude-names': 'z',
  '--search-mode': 'include --search-groups db', // one without the other is refused
  '--search-groups': 'db',
  '--search-subgroups': 'redis',
  '--subgroups': file('[[rule]]\ngroup = "a"\nsubgroup = "b"\ncomm = "c"\n'),
  '--log-level': 'debug',
  '--log-format': 'json',
});

type Shown = Record<string, { value: unknown; origin: string }>;

test('every flag of --help is accepted, and named as the origin of its value', async (t) => {
  const cwd = scratch();
  let files = 0;
  const sample = samples((text) => {
    writeFileSync(`${cwd}/${++files}.toml`, text);
    return `${cwd}/${files}.toml`;
  });
  const { stdout: help, code } = await runBundle(t, ['--help']);
  assert.equal(code, 0);
  const flags = [...help.matchAll(/^ {2}(?:-\w, )?(--[^\s,<]+)(?: <[^ ]+>)?/gm)].map((match) => match[1]!);
  assert.ok(flags.length > 40, help);
  const show = async (...args: string[]): Promise<Shown> => {
    const { code, stdout, stderr } = await runBundle(t, ['config', 'show', '--json', ...args], { cwd });
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    return JSON.parse(stdout);
  };
  const usual = await show();
  const differing = (shown: Shown) =>
    Object.keys(usual).filter((key) => `${shown[key]?.value}` !== `${usual[key]?.value}`);
  const spellings = [...help.matchAll(/also (--\S+?)[;)]/g)].map((match) => match[1]!);
  assert.ok(spellings.includes('--path.procfs') && spellings.includes('--log.level'), spellings.join(' '));
  for (const listed of [...flags, ...spellings]) {
    if (/^--(help|version)$/.test(listed)) {
      assert.equal((await runBundle(t, [listed])).code, 0, listed);
      continue;
    }
    await t.test(listed, async () => {
      const key = OTHER_NAMES.get(listed) ?? listed.replace(/^--(\[no-\])?/, '').replaceAll(/[.-]/g, '_');
      if (/^--config(\.file)?$/.test(listed)) {
        writeFileSync(`${cwd}/given.yaml`, 'interval: 3s\n');
        const shown = await show(listed, `${cwd}/given.yaml`);
        assert.deepEqual(differing(shown), ['interval']);
        assert.match(shown.interval!.origin, /given\.yaml/);
        return;
      }
      const no = listed.startsWith('--[no-]') || typeof usual[key]?.value === 'boolean';
      const flag = no ? listed.replace('[no-]', usual[key]?.value ? 'no-' : '') : listed;
      const value = sample[`--${key.replaceAll('_', '-')}`] ?? sample[listed];
      assert.ok(no || value !== undefined, `${listed} needs a sample value in this test`);
      const shown = await show(flag, ...(no ? [] : value!.split(' ')));
      const changed = differing(shown).filter((one) => shown[one]?.origin.includes(flag));
      assert.deepEqual(changed, [key]);
      for (const one of changed)
        assert.ok(shown[one]!.origin.includes(flag), `${one} comes from ${shown[one]!.origin}`);
    });
  }
});

for (const version of ['node22', 'node24'] as const) {
  test(`it serves on ${version}`, async (t) => {
    const node = need(t, version)?.[version];
    if (!node) return;
    const exporter = await startExporter(t, { node, args: ['--smaps', 'exact'] });
    const seen = await exporter.scrape();
    const nodejs = seen.all('herakles_exporter_build_info')[0]?.labels.nodejs;
    assert.match(nodejs ?? '', new RegExp(`^v?${version.slice(4)}\\.`));
    assert.ok(seen.value('herakles_mem_process_uss_bytes', { pid: exporter.pid }) > 0);
  });
}

test('the bundle runs as a program of its own', async (t) => {
  const run = new Started(t, [bundle, '--version'], { cwd: scratch() });
  assert.equal((await run.ended).code, 0);
  assert.match(run.stdout, /^herakles-node-exporter \d+\.\d+\.\d+ \(revision ([\da-f]{12}|unknown)\)\n/);
  assert.match(run.stdout, /^ {2}build date: (20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ|unknown)$/m);
});
