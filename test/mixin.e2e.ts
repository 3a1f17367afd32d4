// The mixin, evaluated by the real jsonnet, is what ships; and what a user changes in _config changes every rule that it
// concerns, and leaves rules that the real promtool accepts and that pass the unit tests of the shipped ones.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { boards } from '../deploy/grafana/index.ts';
import { need, root, scratch } from './harness.ts';
import { allRules, type Rule, type RuleGroup, readGroups, rulesFolder, ruleTests } from './rule-files.ts';

type Changeable = { threshold?: number; for: string; severity: string };
type Config = {
  alerts: Record<string, Record<string, Changeable>>;
  records: Record<string, { threshold: number }>;
};
type Mixin = {
  config: Config;
  alerts: { groups: RuleGroup[] };
  rules: { groups: RuleGroup[] };
  dashboards: Record<string, { refresh: string; tags: string[] }>;
};

const folder = `${root}deploy/mixin`;

/** The program of a user who imports the mixin and changes some of its _config. */
const program = (config: string): string => `
  local mixin = (import 'mixin.libsonnet') + { _config+:: { herakles+: ${config} } };
  {
    config: mixin._config.herakles,
    alerts: mixin.prometheusAlerts,
    rules: mixin.prometheusRules,
    dashboards: mixin.grafanaDashboards,
  }`;

const evaluate = (jsonnet: string, config = '{}') =>
  spawnSync(jsonnet, ['-J', folder, '-e', program(config)], { encoding: 'utf8', maxBuffer: 2 ** 24 });

function mixinOf(jsonnet: string, config = '{}'): Mixin {
  const { status, stdout, stderr } = evaluate(jsonnet, config);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Mixin;
}

const rulesOf = ({ alerts, rules }: Mixin): Rule[] =>
  [...rules.groups, ...alerts.groups].flatMap((group) => group.rules);

/** What promtool says of the rules, and whether they pass the unit tests of the shipped ones. */
function check(promtool: string, { alerts, rules }: Mixin, tests: readonly string[]): void {
  const dir = scratch();
  mkdirSync(`${dir}/tests`);
  writeFileSync(`${dir}/herakles-alerts.yml`, JSON.stringify(alerts)); // JSON is YAML
  writeFileSync(`${dir}/herakles-recording.yml`, JSON.stringify(rules));
  const run = (...args: string[]) => execFileSync(promtool, args, { cwd: dir, stdio: 'pipe' });
  for (const file of readdirSync(dir).filter((name) => name.endsWith('.yml')))
    run('check', 'rules', '--lint-fatal', file);
  for (const file of tests) {
    cpSync(`${rulesFolder}/tests/${file}`, `${dir}/tests/${file}`);
    run('test', 'rules', `tests/${file}`);
  }
}

test('with its own _config the mixin is what ships', (t) => {
  const tools = need(t, 'jsonnet', 'jsonnetfmt');
  if (!tools) return;
  const mixin = mixinOf(tools.jsonnet);
  assert.deepEqual(mixin.alerts.groups, readGroups('herakles-alerts.yml'));
  assert.deepEqual(mixin.rules.groups, readGroups('herakles-recording.yml'));
  const shipped = boards.map(({ path }) => [path.split('/').at(-1), JSON.parse(readFileSync(root + path, 'utf8'))]);
  assert.deepEqual(mixin.dashboards, Object.fromEntries(shipped));
  const files = readdirSync(folder).filter((name) => name.endsWith('.libsonnet'));
  assert.ok(files.length > 3);
  execFileSync(tools.jsonnetfmt, ['--test', ...files], { cwd: folder, stdio: 'pipe' });
});

test('every threshold, duration and severity can be changed', (t) => {
  const tools = need(t, 'jsonnet', 'promtool');
  if (!tools) return;
  const { alerts, records } = mixinOf(tools.jsonnet).config;
  let thresholds = 0;
  for (const one of [
    ...Object.values(alerts).flatMap((bySeverity) => Object.values(bySeverity)),
    ...Object.values(records),
  ])
    if (one.threshold !== undefined) one.threshold = 0.5 + ++thresholds;
  for (const one of Object.values(alerts).flatMap((bySeverity) => Object.values(bySeverity)))
    Object.assign(one, { for: '77m', severity: `our-${one.severity}` });
  const changed = mixinOf(tools.jsonnet, JSON.stringify({ alerts, records }));
  check(tools.promtool, changed, []);
  const text = JSON.stringify(rulesOf(changed).map(({ expr }) => expr));
  for (let one = 1; one <= thresholds; one++) assert.ok(text.includes(String(0.5 + one)), `threshold ${0.5 + one}`);
  const alerting = rulesOf(changed).filter(({ alert }) => alert);
  assert.equal(alerting.length, allRules().filter(({ alert }) => alert).length);
  for (const { alert, for: pending, labels } of alerting) {
    assert.equal(pending, '77m', alert);
    assert.match(labels!.severity!, /^our-/, alert);
  }
});

test('an alert without a threshold compares with no number but 0', (t) => {
  const jsonnet = need(t, 'jsonnet')?.jsonnet;
  if (!jsonnet) return;
  const { alerts } = mixinOf(jsonnet).config;
  for (const { alert, expr, labels } of allRules()) {
    if (!alert || alerts[alert]![labels!.severity!]!.threshold !== undefined) continue;
    assert.doesNotMatch(expr, /[<>]=?\s*(?!0(?![\d.]))\d/, alert);
  }
});

test('the text of an alert repeats no threshold and no duration: they can be changed', (t) => {
  const jsonnet = need(t, 'jsonnet')?.jsonnet;
  if (!jsonnet) return;
  const words: Record<string, string> = { 1: 'one', 2: 'two', 5: 'five', 10: 'ten' };
  const { alerts } = mixinOf(jsonnet).config;
  for (const { alert, expr, labels, annotations } of allRules()) {
    if (!alert) continue;
    const { threshold = 0, for: pending } = alerts[alert]![labels!.severity!]!;
    const minutes = Number.parseInt(pending, 10);
    const told = Object.values(annotations!)
      .join('\n')
      .replaceAll(/\{\{.*?\}\}/g, '');
    const number =
      threshold > 0 && threshold < 1 ? `${Math.round(threshold * 100)} ?%` : threshold.toLocaleString('en');
    if (threshold > 0) assert.doesNotMatch(told, new RegExp(`\\b(${number}|${threshold})(?!\\w)`), alert);
    if (!expr.includes(`[${pending}]`))
      assert.doesNotMatch(told, new RegExp(`\\b(${minutes}|${words[minutes]}) minutes`), alert);
  }
});

test('selector, cluster, job and addresses are everywhere, and the rules still do what their unit tests say', (t) => {
  const tools = need(t, 'jsonnet', 'promtool');
  if (!tools) return;
  const selected = mixinOf(tools.jsonnet, `{ selector: 'instance!=""', clusterLabel: 'cluster' }`);
  for (const { expr, alert, record } of rulesOf(selected)) {
    for (const [series] of expr.matchAll(/\b(herakles_\w+|up)\b(?!\{instance!="")/g))
      assert.fail(`${alert ?? record}: ${series} is not selected: ${expr}`);
    for (const [labels] of expr.matchAll(/\b(by|on) \((?!cluster, )\w.*?\)/g)) assert.fail(`${alert}: ${labels}`);
  }
  check(tools.promtool, selected, ruleTests);

  const config = `{ job: 'memory', scheme: 'https', dashboards+: { refresh: '5m', tags: ['ours'] } }`;
  const moved = mixinOf(tools.jsonnet, config);
  check(tools.promtool, moved, []);
  const text = JSON.stringify([moved.alerts, moved.dashboards]);
  assert.match(text, /up\{job=\\"memory\\"\} == 0/);
  assert.doesNotMatch(JSON.stringify(moved.alerts.groups.map(({ rules }) => rules)), /herakles-proc-mem/);
  assert.match(text, /https:\/\/\$\{/);
  assert.doesNotMatch(text, /http:\/\/(\{\{|\$)/);
  for (const { refresh, tags } of Object.values(moved.dashboards)) {
    assert.equal(refresh, '5m');
    assert.ok(tags.includes('ours') && tags.includes('herakles'), 'the links between dashboards need the tag herakles');
  }

  const wiki = mixinOf(tools.jsonnet, `{ runbookUrl: 'https://wiki.example.com/alerting.md' }`);
  for (const { alert, annotations } of rulesOf(wiki).filter(({ alert }) => alert))
    assert.equal(annotations!.runbook_url, `https://wiki.example.com/alerting.md#${alert!.toLowerCase()}`);
});

test('a misspelt name in _config is an error that names it', (t) => {
  const jsonnet = need(t, 'jsonnet')?.jsonnet;
  if (!jsonnet) return;
  for (const [config, name] of [
    [`{ selektor: 'x' }`, 'selektor'],
    ['{ alerts+: { HeraklesMemoryLo+: { warning+: { threshold: 0.1 } } } }', 'alerts.HeraklesMemoryLo'],
    [
      '{ alerts+: { HeraklesMemoryLow+: { warning+: { treshold: 0.1 } } } }',
      'alerts.HeraklesMemoryLow.warning.treshold',
    ],
  ] as const) {
    const { status, stderr } = evaluate(jsonnet, config);
    assert.notEqual(status, 0, config);
    assert.ok(stderr.includes(`no such setting in the Herakles mixin: _config.herakles.${name};`), stderr);
  }
});
