// The discovery configurations of deploy/prometheus with real servers: a target comes, is scraped, and goes.
// Of each file only addresses, paths and the interval are replaced; what it relabels is what is tested.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { parse } from 'yaml';
import {
  type Exporter,
  eventually,
  freePort,
  need,
  replace,
  root,
  type Scope,
  Started,
  scratch,
  startExporter,
} from './harness.ts';
import { KubernetesApi, type Pod } from './kubernetes-api.ts';
import { type Prometheus, startPrometheus } from './prometheus-server.ts';

type Job = Record<string, unknown> & { job_name: string };
type Target = { labels: Record<string, string>; scrapeUrl: string; health: string; lastError: string };

/** One scrape configuration of deploy/, scraping every second, with texts replaced. */
function scrapeConfig(
  file: string,
  replaced: [from: string, to: string],
  extra: object = {},
): { scrape_configs: Job[] } {
  const text = readFileSync(`${root}deploy/prometheus/scrape/${file}`, 'utf8');
  assert.ok(text.includes(replaced[0]), `${file} names ${replaced[0]}`);
  const { scrape_configs } = parse(text.replace(...replaced)) as { scrape_configs: [Job] };
  const [job] = scrape_configs;
  return { scrape_configs: [{ ...job, ...extra, scrape_interval: '1s', scrape_timeout: '1s' }] };
}

/** The targets that are scraped, each by its distinctive labels; all of them must be up. */
async function targetsOf(url: string, label = 'instance'): Promise<Map<string, Target>> {
  const response = await fetch(`${url}/api/v1/targets`);
  const { data } = (await response.json()) as { data: { activeTargets: Target[] } };
  return new Map(data.activeTargets.map((target) => [target.labels[label]!, target]));
}

/** Waits until exactly these targets are there and answer. */
async function settle(url: string, expected: string[], label?: string): Promise<Map<string, Target>> {
  return eventually(async () => {
    const targets = await targetsOf(url, label);
    assert.deepEqual([...targets.keys()].sort(), expected.toSorted());
    for (const { scrapeUrl, health, lastError } of targets.values())
      assert.equal(health, 'up', `${scrapeUrl} ${lastError}`);
    return targets;
  }, 40_000);
}

/** What an exporter says has arrived under this instance. */
async function arrived(server: Prometheus, instance: string): Promise<Record<string, string>> {
  return eventually(async () => {
    const { result } = await server.query(`herakles_exporter_build_info{instance="${instance}"}`);
    assert.equal(result.length, 1);
    return result[0]!.metric;
  });
}

const pair = (t: Scope): Promise<[Exporter, Exporter]> => Promise.all([startExporter(t), startExporter(t)]);

test('discovery by file', async (t) => {
  const servers = need(t, 'prometheus', 'prometheus-trixie', 'prometheus-forky');
  if (!servers) return;
  const [one, two] = await pair(t);
  const dir = scratch();
  const production = readFileSync(`${root}deploy/prometheus/targets/herakles-production.json`, 'utf8');
  const write = (...exporters: Exporter[]) => {
    const [group] = JSON.parse(production) as { targets: string[] }[];
    group!.targets = exporters.map(({ port }) => `127.0.0.1:${port}`);
    replace(`${dir}/herakles-production.json`, JSON.stringify([group]));
  };
  write(one);
  const config = scrapeConfig('file-sd.yml', ['/etc/prometheus/targets', dir]);
  const started = await Promise.all(Object.values(servers).map((path) => startPrometheus(t, path, config)));
  const scraped = async (...exporters: Exporter[]) => {
    const addresses = exporters.map(({ port }) => `127.0.0.1:${port}`);
    await Promise.all(started.map(({ url }) => settle(url, addresses)));
  };
  await scraped(one);
  write(one, two);
  await scraped(one, two);
  for (const server of started) {
    const { environment, team } = await arrived(server, `127.0.0.1:${two.port}`);
    assert.deepEqual({ environment, team }, { environment: 'production', team: 'platform' });
  }
  write(two);
  await scraped(two);
});

const annotations = (port: number, more: Record<string, string> = {}) => ({
  'prometheus.io/scrape': 'true',
  'prometheus.io/port': String(port),
  ...more,
});
const labels = { 'app.kubernetes.io/name': 'herakles-node-exporter' };
const running = { ip: '127.0.0.1', phase: 'Running', labels } as const;
const pod = (name: string, port: number, more: Partial<Pod> = {}): Pod => ({
  ...{ name, node: `${name}-node`, annotations: annotations(port) },
  ...running,
  ...more,
});

async function discoverPods(t: TestContext, path: string, [one, two]: [Exporter, Exporter]): Promise<void> {
  const api = await new KubernetesApi().start(t);
  api.put(pod('one', one.port));
  // What must not be scraped.
  api.put(pod('pending', 9, { phase: 'Pending' }));
  api.put(pod('done', 9, { phase: 'Succeeded' }));
  api.put(pod('silent', 9, { annotations: { 'prometheus.io/port': '9' } }));
  api.put(pod('stranger', 9, { labels: { 'app.kubernetes.io/name': 'another' } }));
  const config = scrapeConfig('kubernetes-sd.yml', ['- role: pod', `- role: pod\n        api_server: ${api.url}`]);
  const server = await startPrometheus(t, path, config);
  const [first] = (await settle(server.url, ['one-node'])).values();
  assert.equal(first?.scrapeUrl, `http://127.0.0.1:${one.port}/metrics`);

  api.put(pod('two', two.port));
  await settle(server.url, ['one-node', 'two-node']);
  const { kubernetes_namespace, kubernetes_pod_name } = await arrived(server, 'two-node');
  assert.deepEqual([kubernetes_namespace, kubernetes_pod_name], ['monitoring', 'two']);

  api.delete('one');
  api.put(pod('two', two.port, { phase: 'Failed' }));
  const elsewhere = { 'prometheus.io/path': '/exporter', 'prometheus.io/scheme': 'https' };
  api.put(pod('six', 9, { ip: 'fd00::6', annotations: annotations(9215, elsewhere) }));
  await eventually(async () => {
    const targets = await targetsOf(server.url);
    assert.deepEqual([...targets.keys()], ['six-node'], api.requests.join('\n'));
    assert.equal(targets.get('six-node')?.scrapeUrl, 'https://[fd00::6]:9215/exporter');
  }, 40_000);
}

test('discovery of Kubernetes pods', async (t) => {
  const servers = need(t, 'prometheus-trixie', 'prometheus-forky');
  if (!servers) return;
  const exporters = await pair(t);
  await Promise.all(Object.values(servers).map((path) => discoverPods(t, path, exporters)));
});

/** A Consul of one node that reads service definitions from a folder. */
async function startConsul(t: Scope, binary: string, folder: string) {
  const [http, server, lan, wan] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const ports = { http, dns: -1, grpc: -1, server, serf_lan: lan, serf_wan: wan };
  writeFileSync(`${folder}/agent.json`, JSON.stringify({ ports }));
  const flags = ['agent', '-dev', '-node=alpha', '-bind=127.0.0.1', '-client=127.0.0.1', `-config-dir=${folder}`];
  const started = new Started(t, [binary, ...flags]);
  const url = `http://127.0.0.1:${http}`;
  await eventually(async () => {
    const leader = await fetch(`${url}/v1/status/leader`).catch((error) => {
      throw new Error(`${error} ${started.stdout}`);
    });
    assert.match(await leader.text(), /\d/);
  }, 30_000);
  /** Makes it read its folder again. */
  const reload = async () => {
    const { code } = await new Started(t, [binary, 'reload', `-http-addr=${url}`]).ended;
    assert.equal(code, 0);
  };
  return { url, reload };
}

test('discovery by Consul', async (t) => {
  const servers = need(t, 'consul-bullseye', 'vmagent-forky', 'victoria-metrics-forky');
  if (!servers?.['consul-bullseye'] || !servers['vmagent-forky'] || !servers['victoria-metrics-forky']) return;
  const exporter = await startExporter(t);
  const folder = `${scratch()}/consul.d`;
  mkdirSync(folder);
  const consul = await startConsul(t, servers['consul-bullseye'], folder);

  const [storage, agent] = await Promise.all([freePort(), freePort()]);
  const dir = scratch();
  const server = 'consul.service.consul:8500';
  const config = scrapeConfig('consul-sd.yml', [server, new URL(consul.url).host]);
  writeFileSync(`${dir}/scrape.yml`, JSON.stringify(config));
  const memory = '-memory.allowedBytes=64MB';
  const store = [`-httpListenAddr=127.0.0.1:${storage}`, `-storageDataPath=${dir}/storage`, '-search.latencyOffset=0s'];
  new Started(t, [servers['victoria-metrics-forky'], memory, ...store]);
  const vmagent = new Started(t, [
    ...[servers['vmagent-forky'], memory, `-httpListenAddr=127.0.0.1:${agent}`],
    ...[
      `-promscrape.config=${dir}/scrape.yml`,
      '-promscrape.config.strictParse',
      '-promscrape.consulSDCheckInterval=1s',
    ],
    ...[`-remoteWrite.url=http://127.0.0.1:${storage}/api/v1/write`, `-remoteWrite.tmpDataPath=${dir}/queue`],
  ]);
  const url = `http://127.0.0.1:${agent}`;
  await eventually(async () => assert.equal((await targetsOf(url)).size, 0), 20_000);

  const definition = readFileSync(`${root}deploy/consul/herakles-node-exporter.json`, 'utf8');
  writeFileSync(`${folder}/herakles-node-exporter.json`, definition.replaceAll('9215', String(exporter.port)));
  await consul.reload();
  const targets = await settle(url, ['alpha']).catch((error) =>
    Promise.reject(new Error(`${error} ${vmagent.stderr}`)),
  );
  assert.equal(targets.get('alpha')?.scrapeUrl, `http://127.0.0.1:${exporter.port}/metrics`);
  await eventually(async () => {
    const health = await fetch(`${consul.url}/v1/health/checks/herakles-node-exporter`);
    const [check] = (await health.json()) as { Status: string; Output: string }[];
    assert.equal(check?.Status, 'passing', check?.Output);
  }, 40_000);
  await eventually(async () => {
    const query = new URLSearchParams({ query: 'herakles_mem_system_total_bytes' });
    const response = await fetch(`http://127.0.0.1:${storage}/api/v1/query?${query}`);
    const { data } = (await response.json()) as { data: { result: { metric: Record<string, string> }[] } };
    const names = data.result.map(({ metric: { job, instance } }) => [job, instance]);
    assert.deepEqual(names, [['herakles-proc-mem', 'alpha']]);
  }, 20_000);

  rmSync(`${folder}/herakles-node-exporter.json`);
  await consul.reload();
  await settle(url, []);
});
