// The rules and scrape configurations of deploy/prometheus, run by every real promtool and Prometheus that is installed;
// and that their results do not depend on how many processes have series of their own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { collectors } from '../src/collectors/index.ts';
import { selfSigned } from './certificates.ts';
import type { Exposition } from './exposition-text.ts';
import { expressions } from './expressions.ts';
import {
  childProgram,
  type Exporter,
  eventually,
  near,
  need,
  needRoot,
  root,
  runBundle,
  Started,
  scratch,
  startExporter,
} from './harness.ts';
import { type Prometheus, startPrometheus } from './prometheus-server.ts';
import { startNamespace } from './real-servers.ts';
import { allRules, copyRules, recorded, ruleFiles, rulesFolder, ruleTests } from './rule-files.ts';

const folder = `${root}deploy/prometheus`;
const scrapes = readdirSync(`${folder}/scrape`).sort();

/** Debian builds Prometheus without the discovery of Consul, and 2.42 also without that of Kubernetes. discovery.e2e.ts runs both. */
const unknownTo = (name: string, file: string) =>
  file === 'consul-sd.yml' || (file === 'kubernetes-sd.yml' && name === 'promtool');

/** A copy of a scrape configuration whose certificates exist, and whose discovery this promtool knows. */
function checkable(dir: string, name: string, file: string): string {
  const text = readFileSync(`${folder}/scrape/${file}`, 'utf8').replaceAll('/etc/prometheus/certs', dir);
  const known = unknownTo(name, file)
    ? text.replace(/^ {4}\w+_sd_configs:\n(?: {6}.*\n)+/m, '    static_configs: []\n')
    : text;
  assert.equal(known === text, !unknownTo(name, file), file);
  writeFileSync(`${dir}/${file}`, known);
  return `${dir}/${file}`;
}

test('promtool accepts everything', async (t) => {
  const tools = need(t, 'promtool', 'promtool-trixie', 'promtool-forky');
  if (!tools) return;
  for (const [name, path] of Object.entries(tools)) {
    const run = (...args: string[]) => execFileSync(path, args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
    const version = /version (\S+)/.exec(run('--version'))?.[1];
    await t.test(`${version}: the whole configuration, with its rules`, () => {
      const said = run('check', 'config', 'prometheus.yml');
      assert.equal(said.match(/SUCCESS: \d+ rules found/g)?.length, ruleFiles.length, said);
      for (const file of ruleFiles) run('check', 'rules', '--lint-fatal', `rules/${file}`);
    });
    await t.test(`${version}: every way to scrape`, () => {
      const dir = scratch();
      const { cert } = selfSigned(dir, 'client'); // client.crt and client.key
      for (const ca of ['ca.crt', 'herakles-ca.crt']) copyFileSync(cert, `${dir}/${ca}`);
      for (const file of scrapes) run('check', 'config', checkable(dir, name, file));
    });
    await t.test(`${version}: the rules do what their unit tests say`, () => {
      for (const file of ruleTests) run('test', 'rules', `rules/tests/${file}`);
    });
  }
});

test('amtool accepts the configuration of the Alertmanager', (t) => {
  const tools = need(t, 'amtool');
  if (tools) execFileSync(tools.amtool, ['check-config', `${folder}/alertmanager.yml`], { stdio: 'pipe' });
});

type AlertCase = { alertname: string; eval_time: string; exp_alerts?: { exp_labels: Record<string, string> }[] };

test('every alert is complete, and tested for firing, not firing and resolving', () => {
  const cases = ruleTests.flatMap((file) => {
    const { tests } = parse(readFileSync(`${rulesFolder}/tests/${file}`, 'utf8')) as {
      tests: { alert_rule_test?: AlertCase[] }[];
    };
    return tests.flatMap(({ alert_rule_test = [] }) => alert_rule_test);
  });
  const alerts = allRules().filter(({ alert }) => alert !== undefined);
  assert.ok(alerts.length >= 13);
  for (const { alert, labels, annotations, for: pending } of alerts) {
    assert.match(labels?.severity ?? '', /^(critical|warning|info)$/, alert);
    assert.ok(annotations?.summary && annotations.description && pending, alert);

    const own = cases.filter(({ alertname }) => alertname === alert);
    const fires = ({ exp_alerts = [] }: AlertCase) =>
      exp_alerts.some(({ exp_labels }) => exp_labels.severity === labels?.severity);
    const first = own.findIndex(fires);
    assert.ok(first >= 0, `${alert} (${labels?.severity}) never fires in its unit tests`);
    assert.ok(
      own.some((one, index) => index > first && !fires(one)),
      `${alert} never resolves`,
    );
    assert.ok(
      own.some(({ exp_alerts = [] }) => exp_alerts.length === 0),
      `${alert} is never silent`,
    );
  }
});

type FiringAlerts = { alerts: { labels: Record<string, string>; annotations: Record<string, string> }[] };

test('runbook_url of every alert, as Prometheus fills it in, leads to the text about it', async (t) => {
  const servers = need(t, 'prometheus');
  if (!servers) return;
  const exporter = await startExporter(t, { args: ['--interval', '1s'] });
  const dir = scratch();
  // Every alert fires at once; its labels and annotations are as shipped.
  const firing = ({ alert, ...rule }: (typeof shipped)[number]) => ({
    ...{ ...rule, alert, for: '0s' },
    expr: alert === 'HeraklesTargetAbsent' ? 'absent(nothing)' : 'up{job="herakles-proc-mem"} == 1',
  });
  const shipped = allRules().filter(({ alert }) => alert !== undefined);
  writeFileSync(
    `${dir}/rules.yml`,
    stringify({ groups: [{ name: 'all', interval: '1s', rules: shipped.map(firing) }] }),
  );
  const server = await startPrometheus(t, servers.prometheus, {
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    rule_files: [`${dir}/rules.yml`],
    scrape_configs: [{ job_name: 'herakles-proc-mem', static_configs: [{ targets: [`127.0.0.1:${exporter.port}`] }] }],
  });
  const names = new Set(shipped.map(({ alert }) => alert!));
  const links = await eventually(async () => {
    const { alerts } = (await server.api<FiringAlerts>('alerts')).data;
    const found = new Map(alerts.map(({ labels, annotations }) => [labels.alertname!, annotations.runbook_url!]));
    assert.deepEqual([...found.keys()].sort(), [...names].sort());
    return found;
  }, 30_000);
  for (const [alert, link] of links) {
    const { origin, pathname, hash } = new URL(link);
    assert.deepEqual([origin, pathname, hash], [exporter.url, '/runbooks', `#${alert.toLowerCase()}`]);
    const response = await fetch(link);
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'none'/);
    const page = await response.text();
    assert.doesNotMatch(page, /<script/i);
    const [, section = ''] = page.split(`<section id="${hash.slice(1)}">`);
    assert.match(section, new RegExp(`^<h2>${alert}</h2>\\s*<p><strong>Means</strong> that `));
  }
  await server.process.kill();
});

test('the rules use only metrics that the exporter exports', () => {
  const known = new Set(collectors.flatMap(({ families }) => families.map(({ name }) => name)));
  for (const { record } of allRules()) if (record) known.add(record);
  for (const { alert, record, expr, annotations } of allRules()) {
    const text = [expr, ...Object.values(annotations ?? {})].join('\n');
    for (const [name] of text.matchAll(/\bherakles[_:][\w:]+/g))
      assert.ok(known.has(name), `${alert ?? record}: ${name}`);
  }
});

test('every name of the requirement document is recorded', () => {
  const document = [
    ...['proc_mem_rss_bytes_by_group:sum', 'proc_mem_rss_bytes_by_subgroup:sum', 'proc_count_by_group:count'],
    ...['proc_mem_rss_bytes_by_subgroup:avg', 'proc_cpu_percent_by_group:sum', 'proc_mem_rss_bytes:rate5m'],
    ...['proc_mem_top10_rss:bytes', 'proc_high_memory:count', 'proc_high_cpu:count', 'memory_by_group:sum'],
  ];
  for (const name of document) assert.ok(recorded(`herakles:${name}`));
});

type RulesAnswer = { groups: { rules: { name: string; type: string; health: string; lastError?: string }[] }[] };

test('Prometheus loads all rules at once, and none evaluates to an error', async (t) => {
  const servers = need(t, 'prometheus', 'prometheus-trixie', 'prometheus-forky');
  if (!servers) return;
  const exporter = await startExporter(t, { args: ['--interval', '1s', '--declared-groups', 'db/oracle'] });
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    rule_files: copyRules(), // evaluated every second, otherwise unchanged
    scrape_configs: [{ job_name: 'herakles-proc-mem', static_configs: [{ targets: [`127.0.0.1:${exporter.port}`] }] }],
  };
  for (const [name, path] of Object.entries(servers)) {
    await t.test(name, async (t) => {
      const server = await startPrometheus(t, path, config);
      await eventually(async () => {
        const rules = (await server.api<RulesAnswer>('rules')).data.groups.flatMap(({ rules }) => rules);
        assert.equal(rules.length, allRules().length);
        for (const { name, health, lastError } of rules) assert.equal(health, 'ok', `${name}: ${lastError}`);
      }, 30_000);
      for (const record of ['herakles:proc_mem_rss_bytes_by_group:sum', 'herakles:memory_by_group:sum']) {
        await eventually(async () => assert.ok((await server.query(record)).result.length > 0, record));
      }
      await server.process.kill();
    });
  }
});

const modes = ['all', 'top', 'none'] as const;
type Mode = (typeof modes)[number];

/** A capture of a pid namespace in which every process can be read: a fleet, a prefork server, and their parents. */
async function capture(t: TestContext): Promise<string> {
  const namespace = await startNamespace(t);
  for (const mode of [
    ['fleet', '6', '4', '4096', 'hk-worker-'],
    ['shared', '64', '5'],
    ['prefork', '32', '3'],
    ['burn', '20'],
  ]) {
    await new Started(t, [...namespace.enter, childProgram(), ...mode]).line('ready');
  }
  const dir = scratch();
  const file = `${dir}/capture`;
  const subgroups = ['hk-worker-*', 'hk-shared', 'hk-prefork', 'hk-burn'].map((comm) => {
    return `[[rule]]\ngroup = "test"\nsubgroup = "${comm.replaceAll(/hk-|-\*/g, '')}"\ncomm = "${comm}"\n`;
  });
  writeFileSync(`${dir}/subgroups.toml`, subgroups.join('\n'));
  const args = ['capture', '--frames', '3', '--every', '500ms', '--output', file];
  const { code, stderr } = await runBundle(t, args, { wrap: namespace.enter });
  assert.equal(code, 0, stderr);
  return dir;
}

/** An exporter of each mode on the same capture. */
async function startModes(t: TestContext): Promise<Record<Mode, Exporter>> {
  const dir = await capture(t);
  const common = ['--capture', `${dir}/capture`, '--subgroups', `${dir}/subgroups.toml`, '--interval', '300ms'];
  const start = async (mode: Mode): Promise<[Mode, Exporter]> => {
    const args = [...common, '--smaps', 'exact', '--per-process', mode, '--top-n-subgroup', '2', '--top-n-others', '2'];
    return [mode, await startExporter(t, { args })];
  };
  return Object.fromEntries(await Promise.all(modes.map(start))) as Record<Mode, Exporter>;
}

const groupFamilies = collectors.find(({ name }) => name === 'group')!.families.map(({ name }) => name);
/** Every group series as its line of text. */
const groupLines = (exposition: Exposition): string[] =>
  groupFamilies.flatMap((name) => exposition.all(name).map(({ line }) => line)).sort();

/** A family of processes, and the family that must be its sum. */
const parts: [process: string, group: string][] = [
  ['herakles_mem_process_rss_bytes', 'herakles_mem_group_rss_bytes'],
  ['herakles_mem_process_pss_bytes', 'herakles_mem_group_pss_bytes'],
  ['herakles_mem_process_uss_bytes', 'herakles_mem_group_uss_bytes'],
  ['herakles_mem_process_swap_bytes', 'herakles_mem_group_swap_bytes'],
  ['herakles_cpu_process_time_seconds', 'herakles_cpu_group_time_seconds_sum'],
];

/** Rules under names of the requirement document, and its own expression for them. */
const sameAsDocument = {
  'herakles:proc_mem_rss_bytes_by_group:sum': 'Aggregation rules: total memory by group',
  'herakles:proc_mem_rss_bytes_by_subgroup:sum': 'Aggregation rules: total memory by subgroup',
  'herakles:proc_count_by_group:count': 'Aggregation rules: process count by group',
  'herakles:proc_mem_rss_bytes_by_subgroup:avg': 'Aggregation rules: average memory per process by subgroup',
  'herakles:proc_cpu_percent_by_group:sum': 'Aggregation rules: total CPU by group',
};

/** Series without a name, by their labels; kernel threads have no series of their own. */
async function valuesOf(server: Prometheus, expression: string): Promise<Record<string, number>> {
  const { result } = await server.query(expression);
  const entries = result.map(({ metric: { group, subgroup = '' }, value }) => [`${group}/${subgroup}`, value] as const);
  return Object.fromEntries(entries.sort().filter(([key]) => !key.startsWith('system')));
}

/** The same labels and values; the percentages of processes are rounded to 0.001 each, and so is that of their group. */
function sameValues(actual: Record<string, number>, expected: Record<string, number>, name: string): void {
  assert.deepEqual(Object.keys(actual), Object.keys(expected), name);
  for (const [group, value] of Object.entries(expected)) near(actual[group]!, value, 0.02, `${name} ${group}`);
}

test('group sums and rules do not depend on per_process', async (t) => {
  const servers = need(t, 'prometheus', 'cc', 'unshare');
  if (!servers || !needRoot(t)) return;
  const exporters = await startModes(t);
  const pages = await eventually(async () => {
    const read = await Promise.all(modes.map(async (mode) => [mode, await exporters[mode].scrape()] as const));
    const lines = read.map(([, page]) => groupLines(page));
    assert.deepEqual(lines[1], lines[0], 'top');
    assert.deepEqual(lines[2], lines[0], 'none');
    return Object.fromEntries(read) as Record<Mode, Exposition>;
  });

  await t.test('the modes differ in the series of processes', () => {
    const shown = (mode: Mode) => pages[mode].all('herakles_mem_process_rss_bytes', { subgroup: 'worker' });
    assert.equal(shown('all').length, 6);
    assert.deepEqual(
      shown('top')
        .map(({ labels }) => labels.name)
        .filter((name) => name === '(rest)'),
      ['(rest)'],
    );
    assert.equal(shown('top').length, 3);
    assert.equal(shown('none').length, 0);
  });

  await t.test('the parts sum to the group', () => {
    for (const mode of ['all', 'top'] as const) {
      for (const [proc, group] of parts) {
        for (const { labels, value } of pages[mode].all(group)) {
          const sum = pages[mode].sum(proc, labels);
          if (labels.subgroup !== 'kernel') assert.ok(Math.abs(sum - value) < 1e-3, `${mode} ${proc} ${sum} ${value}`);
        }
      }
    }
  });

  await t.test(
    'rules under names of the requirement document give the values of its expressions, in every mode',
    async (t) => {
      const config = (mode: Mode) => ({
        global: { scrape_interval: '1s', scrape_timeout: '1s' },
        scrape_configs: [{ job_name: mode, static_configs: [{ targets: [`127.0.0.1:${exporters[mode].port}`] }] }],
      });
      const full: Record<string, Record<string, number>> = {};
      for (const mode of modes) {
        const server = await startPrometheus(t, servers.prometheus, config(mode));
        for (const [name, title] of Object.entries(sameAsDocument)) {
          const { document } = expressions.find((expression) => expression.title === title)!;
          await eventually(async () => {
            const rule = await valuesOf(server, recorded(name));
            assert.ok('test/' in rule || 'test/worker' in rule, `${mode} ${name}`);
            if (mode === 'all') sameValues(rule, await valuesOf(server, document), name);
            else assert.deepEqual(rule, full[name], `${mode} ${name}`);
            full[name] ??= rule;
          });
        }
        await server.process.kill();
      }
    },
  );
});
