// Real servers, a real exporter and every real Prometheus at hand: each of the 38 expressions of the integration guide,
// asked over the HTTP API, must say what an independent reading of /proc says.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { checks, type Host, youth } from './expression-checks.ts';
import { expressions } from './expressions.ts';
import {
  childProgram,
  eventually,
  freePort,
  need,
  needRoot,
  type Scope,
  Started,
  scratch,
  startExporter,
} from './harness.ts';
import type { Truth } from './proc-truth.ts';
import { type Prometheus, startPrometheus } from './prometheus-server.ts';
import { type Namespace, startNamespace, startServers } from './real-servers.ts';

/** Shorter ranges, for a test that does not last a day: with a scrape each second they hold as many samples. */
const shorter: [string, string][] = [
  ['[5m]', '[10s]'], // ten samples at one a second, as in five minutes at one in 30 s
  ['[6h]', '[10s]'],
  ['[24h:5m]', '[10s:1s]'],
  ['offset 1h', 'offset 10s'],
  ['time() - 3600', `time() - ${youth}`], // only the child that is started late is new
];
const shorten = (text: string) => shorter.reduce((form, [from, to]) => form.replaceAll(from, to), text);

const rules = [
  ...['private', 'shared', 'leak', 'burn'].map((kind) => [kind, `hk-${kind}`]),
  ...[
    ['worker', 'hk-worker-*'],
    ['late', 'hk-late'],
  ],
].map(([subgroup, comm]) => `[[rule]]\ngroup = "test"\nsubgroup = "${subgroup}"\ncomm = "${comm}"\n`);

/** Starts one mode of child.c in the namespace. */
async function startInside(t: Scope, namespace: Namespace, ...mode: (string | number)[]): Promise<void> {
  await new Started(t, [...namespace.enter, childProgram(), ...mode.map(String)]).line('ready');
}

/** Records the namespace's processes twice a second until the test ends. */
function record(t: Scope, namespace: Namespace): { time: number; truths: Truth[] }[] {
  const history: { time: number; truths: Truth[] }[] = [];
  const timer = setInterval(() => {
    try {
      history.push({ time: Date.now() / 1000, truths: namespace.truths() });
    } catch {
      clearInterval(timer); // the namespace has ended before the test
    }
  }, 500);
  t.after(() => clearInterval(timer));
  return history;
}

/** The instance without its port, as the guide shows it, so that exporters of one host can be joined. */
const job = (name: string, port: number) => ({
  job_name: name,
  static_configs: [{ targets: [`127.0.0.1:${port}`] }],
  relabel_configs: [
    { source_labels: ['__address__'], target_label: 'instance', regex: '(.+):.*', replacement: '$' + '{1}' },
  ],
});

async function startNodeExporter(t: Scope, binary: string): Promise<number> {
  const port = await freePort();
  const collectors = ['--collector.disable-defaults', '--collector.meminfo'];
  new Started(t, [binary, `--web.listen-address=127.0.0.1:${port}`, ...collectors]);
  return port;
}

/** Starts everything, and waits until every range has its samples. */
async function setUp(t: TestContext): Promise<{ host: Host; servers: [string, Prometheus][] } | undefined> {
  if (!needRoot(t)) return undefined;
  const paths = need(t, ...(['postgres', 'redis', 'nginx', 'memcached', 'node-exporter', 'prometheus'] as const));
  const tools = need(t, 'cc', 'unshare', 'setpriv');
  const newer = need(t, 'prometheus-trixie', 'prometheus-forky');
  if (!paths || !tools || !newer) return undefined;

  const namespace = await startNamespace(t);
  await startServers(t, namespace, paths);
  await startInside(t, namespace, 'private', 64);
  await startInside(t, namespace, 'shared', 64, 4);
  await startInside(t, namespace, 'fleet', 3, 4, 4096, 'hk-worker-');
  await startInside(t, namespace, 'burn', 75);
  await startInside(t, namespace, 'leak', 8);
  const history = record(t, namespace);

  const subgroups = `${scratch()}/subgroups.toml`;
  writeFileSync(subgroups, rules.join('\n'));
  const pace = ['--interval', '1s', '--cache-ttl', '2s', '--smaps', 'exact', '--process-start-time'];
  const exporter = await startExporter(t, { args: [...pace, '--subgroups', subgroups], wrap: namespace.enter });
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    scrape_configs: [
      job('herakles-proc-mem', exporter.port),
      job('node', await startNodeExporter(t, paths['node-exporter'])),
    ],
  };
  const servers = await Promise.all(
    Object.entries({ prometheus: paths.prometheus, ...newer }).map(
      async ([name, path]): Promise<[string, Prometheus]> => [name, await startPrometheus(t, path, config)],
    ),
  );
  const full = 'min(count_over_time(herakles_cpu_process_time_seconds[14s])) >= 13';
  for (const [, server] of servers) {
    await eventually(async () => assert.equal((await server.query(full)).result.length, 1, 'samples'), 120_000, 500);
  }
  return { host: { namespace, history }, servers };
}

test('the 38 expressions', async (t) => {
  assert.equal(expressions.length, 38);
  assert.deepEqual(Object.keys(checks).sort(), expressions.map(({ title }) => title).sort(), 'each has a check');
  const running = await setUp(t);
  if (!running) return;
  const { host, servers } = running;
  let failures = 0;
  for (const [name, server] of servers) {
    const { version } = (await server.api<{ version: string }>('status/buildinfo')).data;
    t.diagnostic(`${name} is Prometheus ${version}`);
    await t.test(`the four servers land in their subgroups, says Prometheus ${version}`, async () => {
      for (const [group, subgroup, program] of [
        ['db', 'postgres', 'postgres'],
        ['cache', 'redis', 'redis-check-rdb'], // the file that Debian's redis-server is a link to
        ['web', 'nginx', 'nginx'],
        ['cache', 'memcached', 'memcached'],
      ] as const) {
        await eventually(async () => {
          const { result } = await server.query(
            `herakles_mem_process_uss_bytes{group="${group}",subgroup="${subgroup}"}`,
          );
          const pids = result.map(({ metric }) => Number(metric.pid)).sort((a, b) => a - b);
          const truth = host.namespace.truths().map(({ pid }) => pid);
          assert.deepEqual(
            pids,
            truth.filter((pid) => host.namespace.program(pid) === program).sort((a, b) => a - b),
          );
          assert.ok(pids.length > 0);
        });
      }
    });
    for (const { title, document, corrected = document, outcome } of expressions) {
      const late = title === 'Discovery: new processes';
      if (late) await startInside(t, host.namespace, 'name', Buffer.from('hk-late').toString('hex'), 8);
      await t.test(`${version} ${title}`, async () => {
        const asWritten = server.query(shorten(document));
        if (outcome === 'refused') await assert.rejects(asWritten, /parse error/);
        else if (outcome === 'empty') assert.deepEqual((await asWritten).result, []);
        else await asWritten; // Prometheus accepts it; the correction says what is wrong with it
        await eventually(
          async () => {
            const { result } = await server.query(shorten(corrected));
            checks[title]!(result, host);
            failures--;
          },
          failures++ < 5 ? 45_000 : 0, // after five failures the others do not wait
          300,
        );
      });
    }
  }
});
