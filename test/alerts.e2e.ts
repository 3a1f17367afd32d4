// Real children, the real rules, a real Prometheus and a real Alertmanager: a leak raises its alert, and nothing else
// raises one, in each per_process mode that has the series for it. Durations in the rules are divided by 180 (two hours
// become 40 seconds); thresholds in bytes stay as they are.
import assert from 'node:assert/strict';
import { copyFileSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import {
  childProgram,
  eventually,
  freePort,
  need,
  needRoot,
  nobody,
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
const modes = ['all', 'top', 'none'];
/** Seconds within which a leak must raise its alert: window, pending time, and as much again for a busy machine. */
const patience = 40 + 4 + 76;

type Told = { labels: Record<string, string>; annotations: Record<string, string> };

/** The alerts that the Alertmanager holds as active. */
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

/** A child that leaks, one that allocates and stops, and servers whose workers touch more and more of what they share. */
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
  const rules = ['shared', 'growshared', 'prefork', 'leak', 'gone'].map((mode) => {
    return `[[rule]]\ngroup = "test"\nsubgroup = "${mode}"\ncomm = "hk-${mode}"\n`;
  });
  writeFileSync(subgroups, rules.join('\n'));
  const args = ['--interval', '1s', '--cache-ttl', '2s', '--subgroups', subgroups];
  const declared = ['--declared-groups', 'test/leak,test/gone'];
  const targets = await Promise.all(
    modes.map(async (instance) => {
      const own = [...args, ...declared, '--per-process', instance];
      const { port } = await startExporter(t, { args: own, wrap: namespace.enter });
      return { targets: [`127.0.0.1:${port}`], labels: { instance } };
    }),
  );
  const alertmanager = await startAlertmanager(t, paths.alertmanager);
  const server = await startPrometheus(t, paths.prometheus, {
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    rule_files: copyRules(factor),
    alerting: { alertmanagers: [{ static_configs: [{ targets: [new URL(alertmanager).host] }] }] },
    scrape_configs: [{ job_name: 'herakles-proc-mem', static_configs: targets }],
  });
  return { children, began: Date.now(), alertmanager, server }; // the first scrape is just over
}

/** Everything that has fired at any time. */
async function everFired(server: Prometheus): Promise<string[]> {
  const { result } = await server.query('last_over_time(ALERTS{alertstate="firing"}[10m])');
  return result
    .map(({ metric: { alertname, subgroup, name = '', instance } }) =>
      [instance, alertname, subgroup, name].join(' ').trim(),
    )
    .sort();
}

test('a leak raises its alert, and nothing else raises one', async (t) => {
  const running = await setUp(t);
  if (!running) return;
  const { children, began, alertmanager, server } = running;
  const stopped = pause(15_000).then(() => children.stops.signal('SIGSTOP'));
  const named = async (alertname: string) =>
    (await told(alertmanager)).filter(({ labels }) => labels.alertname === alertname);

  await t.test('a declared group that does not run, in every mode', async () => {
    await eventually(async () => {
      const gone = (await named('HeraklesDeclaredGroupGone')).map(({ labels }) => labels);
      assert.deepEqual(gone.map(({ instance }) => instance).sort(), modes.toSorted());
      for (const { subgroup, severity } of gone) assert.deepEqual([subgroup, severity], ['gone', 'critical']);
    }, 30_000);
  });

  await t.test('1 MiB/s in a process, within the window, where processes have series', async (t) => {
    await stopped;
    const leaks = await eventually(
      async () => {
        const found = await named('HeraklesProcessLeaks');
        assert.equal(found.length, 2, JSON.stringify(await everFired(server)));
        return found;
      },
      began + patience * 1000 - Date.now(),
      300,
    );
    assert.deepEqual(leaks.map(({ labels }) => labels.instance).sort(), ['all', 'top']);
    for (const { labels, annotations } of leaks) {
      t.diagnostic(
        `${labels.instance}: told after ${Math.round((Date.now() - began) / 1000)} s: ${annotations.summary}`,
      );
      assert.equal(labels.name, 'hk-leak');
      const [, speed, unit] = /leaks ([\d.]+)([kM])iB\/s/.exec(annotations.summary!) ?? [];
      const mebibytes = Number(speed) / (unit === 'k' ? 1024 : 1);
      assert.ok(mebibytes > 0.8 && mebibytes < 1.2, annotations.summary);
    }
  });

  await t.test('the alert ends with the leak', async () => {
    children.leak.signal('SIGSTOP');
    await eventually(async () => assert.deepEqual(await named('HeraklesProcessLeaks'), []), 30_000);
  });

  await t.test('neither an allocation that stopped nor memory that is shared', async () => {
    const grew = 'deriv(herakles_mem_process_rss_bytes{name="hk-growshared",instance="all"}[40s]) > 0.5 * 2 ^ 20';
    assert.equal(
      (await server.query(grew)).result.length,
      4,
      'resident memory of the sharing processes grew as the leak did',
    );
    const gone = modes.map((mode) => `${mode} HeraklesDeclaredGroupGone gone`);
    const leaks = ['all', 'top'].map((mode) => `${mode} HeraklesProcessLeaks leak hk-leak`);
    // Other programs on this machine can use up its memory, or keep the exporter from answering in a second. Prometheus
    // itself takes five seconds to learn its targets, longer than the shortened alert waits.
    // The exporters see one pid namespace only, so their processes are not all that the kernel counts. The exporters
    // themselves have just started: that their memory grows for 40 seconds says nothing; the hour of the soak does.
    const expected = /Herakles(Memory|OomKill|BooksDoNotBalance|ExporterDown|TargetAbsent)|ProcessLeaks herakles /;
    const fired = (await everFired(server)).filter((name) => !expected.test(name));
    assert.deepEqual(fired, [...gone, ...leaks].sort());
  });
});

/** A program that ends when its successor has just started: no two scrapes see the same process. */
async function restart(t: Scope, program: string, until: () => Promise<boolean>): Promise<void> {
  for (let old: Started | undefined; !(await until()); await pause(500)) {
    const child = new Started(t, [program, 'private', '1']);
    await child.line('ready');
    await old?.kill();
    old = child;
  }
}

test('a fault of an exporter or a service raises its alert', async (t) => {
  const paths = need(t, 'prometheus', 'cc');
  if (!paths || !needRoot(t)) return;
  const dir = scratch();
  writeFileSync(`${dir}/config.yaml`, 'declared_groups: [test/loop]\n');
  const program = `${dir}/loop`; // a program of its own: another test on this machine may run the same child for long
  copyFileSync(childProgram(), program);
  writeFileSync(`${dir}/subgroups.toml`, `[[rule]]\ngroup = "test"\nsubgroup = "loop"\nexe = "${program}"\n`);
  symlinkSync('/proc', `${dir}/proc`);
  const pace = ['--interval', '1s', '--cache-ttl', '500ms'];
  const exporters = {
    poor: await startExporter(t, { uid: nobody, args: pace }),
    wrong: await startExporter(t, {
      args: [...pace, '--config', `${dir}/config.yaml`, '--subgroups', `${dir}/subgroups.toml`],
    }),
    blind: await startExporter(t, { args: [...pace, '--path-procfs', `${dir}/proc`, '--max-series', '100'] }),
    stuck: await startExporter(t, { args: pace }),
  };
  const server = await startPrometheus(t, paths.prometheus, {
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    rule_files: copyRules(factor),
    scrape_configs: [
      {
        job_name: 'herakles-proc-mem',
        static_configs: Object.entries(exporters).map(([instance, { port }]) => {
          return { targets: [`127.0.0.1:${port}`], labels: { instance } };
        }),
      },
    ],
  });
  writeFileSync(`${dir}/config.yaml`, 'declared_groups: none\n');
  exporters.wrong.signal('SIGHUP');
  unlinkSync(`${dir}/proc`);
  exporters.stuck.signal('SIGSTOP');

  const expected = {
    'poor HeraklesExporterLacksPrivilege': 'smaps_rollup of others is denied to it',
    'blind HeraklesSeriesBudgetExceeded': 'a hundred series are not enough',
    'wrong HeraklesConfigReloadFailed': 'its configuration became invalid',
    'wrong HeraklesRestartLoop loop': 'its service keeps restarting',
    'blind HeraklesExporterStale': 'it has lost its procfs',
    'stuck HeraklesExporterDown': 'it does not answer',
  };
  const deadline = Date.now() + 150_000;
  let missing = Object.keys(expected);
  await restart(t, program, async () => {
    const fired = await everFired(server);
    missing = Object.keys(expected).filter((name) => !fired.includes(name));
    return missing.length === 0 || Date.now() > deadline;
  });
  assert.deepEqual(missing, [], 'have not been told');
});
