// The demo: the real docker-compose accepts the file, and the real Prometheus and Alertmanager run with the commands and the
// configuration in it, beside this exporter, in a network namespace, where its ports are free. Grafana is not in Debian:
// that its files fit together is all that can be checked of it here.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { parse } from 'yaml';
import { boards } from '../deploy/grafana/index.ts';
import { bundle, eventually, need, needRoot, root, type Scope, Started, scratch } from './harness.ts';
import { family } from './proc-truth.ts';

type Service = {
  command: string[];
  volumes: string[];
  network_mode: string;
  environment?: Record<string, string>;
  build?: { context: string; dockerfile: string };
};
type Services = Record<'exporter' | 'prometheus' | 'alertmanager' | 'grafana', Service>;

const file = `${root}deploy/demo/compose.yaml`;
const provisioning = `${root}deploy/grafana/provisioning`;
const read = (path: string) => parse(readFileSync(path, 'utf8'));

/** The services as docker-compose understands them: every path is absolute. */
function servicesOf(compose: string): Services {
  const text = execFileSync(compose, ['-f', file, 'config'], { encoding: 'utf8', stdio: 'pipe' });
  return parse(text).services as Services;
}

/** What a service mounts, by the path in its container. */
const mounts = ({ volumes }: Service): Map<string, string> =>
  new Map(volumes.map((volume) => volume.split(':') as [string, string]).map(([source, target]) => [target, source]));

/** The command of a service for a process outside of a container: mounted paths are replaced by what is mounted. */
const commandOf = (service: Service, paths: Record<string, string>): string[] =>
  service.command.map((argument) => {
    for (const [target, source] of [...Object.entries(paths), ...mounts(service)])
      if (argument.includes(`=${target}`)) return argument.replace(target, source);
    return argument;
  });

test('what the demo mounts and builds is there, and Grafana finds dashboards and Prometheus', (t) => {
  const compose = need(t, 'docker-compose')?.['docker-compose'];
  if (!compose) return;
  const services = servicesOf(compose);
  for (const service of Object.values(services)) {
    assert.equal(service.network_mode, 'host', 'addresses of the configuration that ships are those of the host');
    for (const source of mounts(service).values()) assert.ok(existsSync(source), source);
  }
  const { context, dockerfile } = services.exporter.build!;
  assert.ok(existsSync(`${context}/${dockerfile}`));

  const grafana = mounts(services.grafana);
  const [provider] = read(`${provisioning}/dashboards/herakles.yml`).providers;
  const folder = grafana.get(provider.options.path);
  assert.deepEqual(
    readdirSync(folder!).sort(),
    boards.map(({ path }) => path.split('/').at(-1)).sort(),
    'the provider reads the folder of the dashboards',
  );
  assert.equal(grafana.get('/etc/grafana/provisioning'), provisioning);
  const home = services.grafana.environment!.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH!;
  assert.ok(home.startsWith(`${provider.options.path}/`) && existsSync(home.replace(provider.options.path, folder!)));

  const [source] = read(`${provisioning}/datasources/prometheus.yml`).datasources;
  const variable = JSON.parse(boards[0]!.make()).templating.list.find(
    ({ type }: { type: string }) => type === 'datasource',
  );
  assert.equal(source.type, variable.query);
  const { scrape_interval } = read(`${root}deploy/prometheus/prometheus.yml`).global;
  assert.equal(source.jsonData.timeInterval, scrape_interval);
  assert.ok(services.prometheus.command.includes(`--web.listen-address=127.0.0.1:${new URL(source.url).port}`));
});

/** A network namespace with a loopback interface of its own; gives the command that runs its arguments inside. */
async function startNetwork(t: Scope, ip: string): Promise<string[]> {
  const script = `${ip} link set lo up && echo ready 1; while read -r line; do :; done`;
  const started = new Started(t, ['unshare', '--net', '--fork', '--kill-child', 'sh', '-c', script]);
  await started.line('ready');
  return ['nsenter', '--target', String(family(started.pid)[1]!), '--net'];
}

/** The shipped configuration of Prometheus with shorter intervals, and alerts that wait for a second; nothing else changes. */
function hastened(): string {
  const dir = scratch();
  cpSync(`${root}deploy/prometheus`, dir, { recursive: true });
  for (const name of ['prometheus.yml', ...readdirSync(`${dir}/rules`).map((name) => `rules/${name}`)]) {
    if (!name.endsWith('.yml')) continue;
    const text = readFileSync(`${dir}/${name}`, 'utf8');
    writeFileSync(
      `${dir}/${name}`,
      text.replaceAll(/\b((?:scrape_|evaluation_)?(?:interval|timeout)|for): \d+[sm]/g, '$1: 1s'),
    );
  }
  return dir;
}

type RuleHealth = { groups: { rules: { name: string; health: string; lastError?: string }[] }[] };
type Targets = { activeTargets: { scrapeUrl: string; health: string; lastError: string }[] };

test('in the demo Prometheus scrapes the exporter, and its alerts reach the Alertmanager', async (t: TestContext) => {
  const paths = needRoot(t) ? need(t, 'prometheus', 'alertmanager', 'docker-compose', 'ip', 'unshare') : undefined;
  if (!paths) return;
  const services = servicesOf(paths['docker-compose']);
  const enter = await startNetwork(t, paths.ip);
  const own: Record<string, string> = { '/etc/prometheus': hastened() };
  for (const target of ['/prometheus', '/alertmanager']) own[target] = scratch();
  const programs = {
    exporter: [process.execPath, bundle],
    alertmanager: [paths.alertmanager],
    prometheus: [paths.prometheus],
  };
  const started = Object.entries(programs).map(
    ([name, program]) =>
      new Started(t, [...enter, ...program, ...commandOf(services[name as keyof typeof programs], own)], {
        cwd: scratch(),
      }),
  );
  const get = <T>(url: string): T => {
    const script = `fetch('http://127.0.0.1:${url}').then((r) => r.text()).then((t) => console.log(t))`;
    for (const { running, stderr } of started) assert.ok(running, stderr);
    const [file, ...args] = [...enter, process.execPath, '-e', script];
    return JSON.parse(execFileSync(file!, args, { encoding: 'utf8', stdio: 'pipe' })) as T;
  };
  const ask = <T>(path: string): T => get<{ data: T }>(`9090/api/v1/${path}`).data;
  await eventually(() => {
    const { activeTargets } = ask<Targets>('targets');
    assert.deepEqual(
      activeTargets.map(({ scrapeUrl, health, lastError }) => [scrapeUrl, health, lastError]),
      [['http://localhost:9215/metrics', 'up', '']],
    );
  }, 60_000);
  await eventually(() => {
    const rules = ask<RuleHealth>('rules').groups.flatMap(({ rules }) => rules);
    assert.ok(rules.length > 30);
    for (const { name, health, lastError } of rules)
      assert.equal(health, 'ok', `${name}: ${health} ${lastError ?? ''}`);
  }, 60_000);
  const { result } = ask<{ result: unknown[] }>(`query?query=${encodeURIComponent('herakles_mem_group_pss_bytes')}`);
  assert.ok(result.length > 0);

  started[0]!.signal('SIGSTOP');
  await eventually(() => {
    const alerts = get<{ labels: Record<string, string> }[]>('9093/api/v2/alerts');
    assert.ok(
      alerts.some(({ labels }) => labels.alertname === 'HeraklesExporterDown'),
      JSON.stringify(alerts),
    );
  }, 60_000);
});
