// Every file of deploy/prometheus/scrape, all in one Prometheus, against real exporters: plain, and with TLS in its three
// forms. Only names of hosts, ports, paths and intervals are replaced.
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { parse } from 'yaml';
import { Authority, type Pair, selfSigned } from './certificates.ts';
import { bundle, Exporter, eventually, freePort, need, root, scratch } from './harness.ts';
import { startPrometheus } from './prometheus-server.ts';

/** Three names of this host; the certificate holds all of them. */
const hosts = ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]'];

/** Starts an exporter that serves HTTPS, or HTTP without a certificate; gives its port. */
async function start(t: TestContext, pair?: Pair, clients?: Pair): Promise<number> {
  const port = await freePort();
  const tls = pair ? ['--enable-tls', '--tls-cert-path', pair.cert, '--tls-key-path', pair.key] : [];
  const mutual = clients ? ['--tls-client-ca-path', clients.cert] : [];
  const listen = ['--bind', '127.0.0.1', '--port', String(port), '--interval', '1s'];
  new Exporter(t, port, [process.execPath, bundle, ...listen, ...tls, ...mutual], { cwd: scratch() });
  return port;
}

/** The jobs of a file, under the file's name; behind the name of a second one stands its number. */
function jobsOf(file: string, port: number, certificates: string) {
  const text = readFileSync(`${root}deploy/prometheus/scrape/${file}`, 'utf8')
    .replaceAll('/etc/prometheus/certs', certificates)
    .replaceAll(/server(\d)(?=:9215)/g, (_, nth) => hosts[Number(nth) - 1]!)
    .replaceAll('host1.example.com', 'localhost')
    .replaceAll(':9215', `:${port}`);
  const { scrape_configs } = parse(text) as { scrape_configs: { job_name: string; scheme?: string }[] };
  return scrape_configs.map((config, i) => ({
    ...config,
    job_name: i === 0 ? file : `${file} ${i + 1}`,
    scrape_interval: '1s',
    scrape_timeout: '1s',
  }));
}

/** Prometheus on a host that trusts this authority as hosts trust the public ones. */
function trusting(authority: Pair, binary: string): string {
  const script = `${scratch()}/prometheus`;
  writeFileSync(script, `#!/bin/sh\nSSL_CERT_FILE=${authority.cert} exec ${binary} "$@"\n`);
  chmodSync(script, 0o755);
  return script;
}

test('every way to scrape', async (t) => {
  const servers = need(t, 'prometheus', 'prometheus-trixie', 'prometheus-forky');
  if (!servers || !need(t, 'openssl')) return;
  const [ours, known] = [new Authority('ours'), new Authority('public')];
  const certificates = `${scratch()}/certs`;
  mkdirSync(certificates);
  for (const name of ['ca.crt', 'herakles-ca.crt']) copyFileSync(ours.cert, `${certificates}/${name}`);
  const client = ours.issue('prometheus', { san: '' });
  copyFileSync(client.cert, `${certificates}/client.crt`);
  copyFileSync(client.key, `${certificates}/client.key`);

  const plain = await start(t);
  const secure = await start(t, ours.issue('server'));
  const jobs = [
    ...['basic.yml', 'targets.yml', 'relabel.yml', 'collectors.yml'].flatMap((file) =>
      jobsOf(file, plain, certificates),
    ),
    ...jobsOf('tls.yml', await start(t, ours.issue('server'), ours), certificates),
    ...jobsOf('tls-targets.yml', secure, certificates),
    ...jobsOf('tls-public.yml', await start(t, known.issue('server')), certificates),
    ...jobsOf('tls-self-signed.yml', await start(t, selfSigned(scratch(), 'server')), certificates),
  ];
  for (const { job_name, scheme } of jobs) assert.equal(scheme === 'https', job_name.startsWith('tls'), job_name);

  for (const [name, path] of Object.entries(servers)) {
    await t.test(name, async (t) => {
      const server = await startPrometheus(t, trusting(known, path), { scrape_configs: jobs }); // all are up
      const [several, own] = ['targets.yml', 'relabel.yml'].map((file) => `{job="${file}"}`);
      await eventually(async () => {
        const { result } = await server.query(`herakles_mem_system_total_bytes${several}`);
        const instances = result.map(({ metric }) => metric.instance).sort();
        assert.deepEqual(instances, hosts.toSorted());
        const [{ metric } = { metric: {} }] = (await server.query(`herakles_exporter_series${own}`)).result;
        const { hostname, environment, datacenter } = metric as Record<string, string>;
        assert.deepEqual([hostname, environment, datacenter], ['localhost', 'production', 'dc1']);
      });
      const families = async (file: string) => {
        const { result } = await server.query(`count by (__name__) ({job="${file}", __name__=~"herakles_.*"})`);
        return new Set(result.map(({ metric }) => metric.__name__!));
      };
      await eventually(async () => {
        const [all, kept] = [await families('basic.yml'), await families('relabel.yml')];
        const dropped = [...all].filter((family) => !kept.has(family));
        assert.ok(
          dropped.length >= 7 && dropped.every((family) => /^herakles_(\w+_)?process_/.test(family)),
          `${dropped}`,
        );
        assert.ok(kept.has('herakles_exporter_processes_total') && kept.has('herakles_mem_group_footprint_bytes'));
      });
      await eventually(async () => {
        const all = await families('basic.yml');
        const [sums, processes] = [await families('collectors.yml'), await families('collectors.yml 2')];
        assert.ok(processes.has('herakles_mem_process_rss_bytes') && sums.has('herakles_exporter_series'));
        assert.deepEqual([...sums, ...processes].sort(), [...all].sort(), 'each family once');
      });
      await server.process.kill();
    });
  }
});
