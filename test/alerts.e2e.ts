// Real children, the real rules, a real Prometheus and a real Alertmanager: what leaks is told, and nothing else is.
// The rules are shortened 180-fold (two hours become 40 seconds); thresholds in bytes stay as they are.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import {
  childProgram,
  eventually,
  freePort,
  need,
  needRoot,
  root,
  type Scope,
  Started,
  scratch,
  startExporter,
} from './harness.ts';
import { type Prometheus, startPrometheus } from './prometheus-server.ts';
import { type Namespace, startNamespace } from './real-servers.ts';
import { copyRules } from './rule-files.ts';

const factor = 180;
/** Window, pending time and, for a busy machine, half a window more: seconds within which a leak is told. */
const patience = 40 + 4 + 20;

type Told = { labels: Record<string, string>; annotations: Record<string, string> };

/** Those that the Alertmanager holds as active. */
async function told(alertmanager: string): Promise<Told[]> {
  const response = await fetch(`${alertmanager}/api/v2/alerts?active=true`);
  if (response.status !== 200) throw new Error(`Alertmanager: ${response.status} ${await response.text()}`);
  return (await response.json()) as Told[];
}

async function startAlertmanager(t: Scope, binary: string): Promise<string> {
  const port = await freePort();
  const flags = [
    `--config.file=${root}deploy/prometheus/alertmanager.yml`,
    `--storage.path=${scratch()}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--cluster.listen-address=', // alone
  ];
  const started = new Started(t, [binary, ...flags]);
  const url = `http://127.0.0.1:${port}`;
  await eventually(() => told(url).catch((error) => Promise.reject(new Error(`${error} ${started.stderr}`))), 20_000);
  return url;
}

type Children = { leak: Started; stops: Started };

/** What leaks, what allocates and will stop, and servers whose workers share much and touch more of it all the time. */
async function startChildren(t: Scope, namespace: Namespace): Promise<Children> {
  const start = async (...mode: (string | number)[]) => {
    const child = new Started(t, [...namespace.enter, childProgram(), ...mode.map(String)]);
    await child.line('ready');
    return child;
  };
  await start('shared', 256, 6);
  await start('growshared', 512, 4);
  const prefork = await start('prefork', 64, 4);
  prefork.say('write');
  return { leak: await start('leak', 1), stops: await start('leak', 2) };
}

async function setUp(t: TestContext) {
  const paths = need(t, 'prometheus', 'alertmanager', 'cc', 'unshare');
  if (!paths || !needRoot(t)) return undefined;
  const namespace = await startNamespace(t);
  const children = await startChildren(t, namespace);
  const subgroups = `${scratch()}/subgroups.toml`;
  writeFileSync(subgroups, '[[rule]]\ngroup = "test"\nsubgroup = "children"\ncomm = "hk-*"\n');
  const declared = ['--declared-groups', 'test/children,test/gone'];
  const args = ['--interval', '1s', '--cache-ttl', '2s', '--subgroups', subgroups, ...declared];
  const exporter = await startExporter(t, { args, wrap: namespace.enter });
  const alertmanager = await startAlertmanager(t, paths.alertmanager);
  const server = await startPrometheus(t, paths.prometheus, {
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    rule_files: copyRules(factor),
    alerting: { alertmanagers: [{ static_configs: [{ targets: [new URL(alertmanager).host] }] }] },
    scrape_configs: [{ job_name: 'herakles-proc-mem', static_configs: [{ targets: [`127.0.0.1:${exporter.port}`] }] }],
  });
  return { children, began: Date.now(), exporter, alertmanager, server }; // the first scrape has just been
}

/** Everything that has fired at any time, but for what other programs on this machine can cause. */
async function everFired(server: Prometheus): Promise<string[]> {
  const { result } = await server.query('last_over_time(ALERTS{alertstate="firing"}[10m])');
  const names = result.map(({ metric }) => [metric.alertname, metric.subgroup, metric.name].filter(Boolean).join(' '));
  return names.filter((name) => !name.startsWith('HeraklesMemory')).sort();
}

test('a leak is told, and nothing else is', async (t) => {
  const running = await setUp(t);
  if (!running) return;
  const { children, began, exporter, alertmanager, server } = running;
  const stop = async (child: Started) => child.signal('SIGSTOP');
  const stopped = pause(15_000).then(() => stop(children.stops));

  await t.test('a declared group that does not run', async () => {
    await eventually(async () => {
      const gone = (await told(alertmanager)).find(({ labels }) => labels.alertname === 'HeraklesDeclaredGroupGone');
      assert.equal(gone?.labels.subgroup, 'gone');
      assert.equal(gone?.labels.severity, 'critical');
    }, 30_000);
  });

  const leaks = async () =>
    (await told(alertmanager)).filter(({ labels }) => labels.alertname === 'HeraklesProcessLeaks');
  await t.test('1 MiB/s in a process, within the window', async (t) => {
    await stopped;
    const [leak] = await eventually(
      async () => {
        const found = await leaks();
        assert.equal(found.length, 1, JSON.stringify(await everFired(server)));
        return found;
      },
      began + patience * 1000 - Date.now(),
      300,
    );
    t.diagnostic(`told after ${Math.round((Date.now() - began) / 1000)} s: ${leak?.annotations.summary}`);
    const page = await exporter.scrape();
    const largest = page.all('herakles_mem_process_uss_bytes', { name: 'hk-leak', pid: leak!.labels.pid! });
    assert.equal(largest.length, 1, 'its pid is that of a process that leaks');
    const speed = Number(/leaks ([\d.]+)MiB\/s/.exec(leak!.annotations.summary!)?.[1]);
    assert.ok(speed > 0.8 && speed < 1.2, leak!.annotations.summary);
  });

  await t.test('what stops is told no longer', async () => {
    await stop(children.leak);
    await eventually(async () => assert.deepEqual(await leaks(), []), 30_000);
  });

  await t.test('neither an allocation that stopped nor memory that is shared', async () => {
    const held = 'min_over_time(herakles_mem_process_rss_bytes{name="hk-growshared"}[1m]) > 0';
    assert.ok((await server.query(held)).result.length > 0, 'the servers that share were there all the time');
    const touched = 'deriv(herakles_mem_process_rss_bytes{name="hk-growshared"}[40s]) > 0.5 * 2 ^ 20';
    assert.equal((await server.query(touched)).result.length, 4, 'and their resident memory grew as the leak did');
    assert.deepEqual(await everFired(server), [
      'HeraklesDeclaredGroupGone gone',
      'HeraklesProcessLeaks children hk-leak',
    ]);
  });
});
