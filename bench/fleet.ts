// Measures the figures of docs/fleet.md: one process replays N hosts, a real Prometheus and VictoriaMetrics scrape them.
//   node --import tsx --import ./scripts/toml-loader.mjs bench/fleet.ts [--hosts 20] [--frames 130] [--every 3]
// The first run records a host of real servers into .cache/fleet.capture; later runs replay it, or another --capture FILE.
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { catalogue } from '../catalogue/index.ts';
import { ensure } from '../scripts/test-servers.mjs';
import { Agent } from '../src/agent/agent.ts';
import { recordHost } from '../src/cli/capture/record-host.ts';
import { defaults } from '../src/config/options.ts';
import { CONTENT_TYPES } from '../src/exposition/encode.ts';
import { type Frame, formatCapture, framedFiles, parseCapture } from '../src/kernel/capture.ts';
import { liveFiles } from '../src/kernel/live-host.ts';
import { parseCatalogue } from '../src/rules/rule-parser.ts';
import { acceptsGzip, chooseFormat } from '../src/server/negotiation.ts';
import { Exposition } from '../test/exposition-text.ts';
import { eventually, freePort, root, type Scope, Started, scratch, startChildren } from '../test/harness.ts';
import { startNamespace, startServers } from '../test/real-servers.ts';

const { values: flags } = parseArgs({
  options: {
    hosts: { type: 'string', default: '20' },
    frames: { type: 'string', default: '130' },
    every: { type: 'string', default: '3' },
    capture: { type: 'string', default: `${root}.cache/fleet.capture` },
  },
});
const hosts = Number(flags.hosts);
const MODES = ['all', 'top', 'none'] as const;
type Mode = (typeof MODES)[number];

const DAEMONS = [
  ...['cron', 'chronyd', 'rsyslogd', 'dbus-daemon', 'sshd', 'systemd-journal', 'systemd-udevd', 'systemd-logind'],
  ...['containerd', 'dockerd', 'haproxy', 'php-fpm', 'keepalived', 'node_exporter', 'fluent-bit', 'named'],
];

/** Records a usual host: servers, daemons, a prefork server, a hundred workers, and processes that come and go. */
async function record(t: Scope): Promise<readonly Frame[]> {
  const namespace = await startNamespace(t);
  await startServers(t, namespace, ensure('postgres', 'redis', 'nginx', 'memcached'));
  const inside = [...namespace.enter, 'sh', '-c'];
  new Started(t, [...inside, 'while :; do sleep 2; find /usr/share -name "*.conf" >/dev/null; done']);
  new Started(t, [...inside, 'while :; do sleep 11; sort /usr/share/dict/* /etc/services >/dev/null 2>&1; done']);
  const child = `${root}.cache/child`;
  await startChildren(t, 'private', 1); // compiles the child program
  for (const [count, maps, kib, name] of [
    [60, 40, 6000, 'worker'],
    [40, 20, 2500, 'app'],
  ] as const)
    new Started(t, [...namespace.enter, child, 'fleet', ...[count, maps, kib, name].map(String)]);
  // Not real daemons, only processes with their names: they make the usual number of subgroups.
  for (const name of DAEMONS)
    new Started(t, [...namespace.enter, child, 'name', Buffer.from(name).toString('hex'), '6']);
  for (const mode of [
    ['leak', '0.05'],
    ['burn', '3'],
    ['shared', '64', '12'],
  ])
    new Started(t, [...namespace.enter, child, ...mode]);
  await pause(3000);
  const files = liveFiles(namespace.proc);
  const frames: Frame[] = [];
  for (let frame = 0; frame < Number(flags.frames); frame++) {
    if (frame > 0) await pause(Number(flags.every) * 1000);
    frames.push(await recordHost(files));
  }
  return frames;
}

/** Replayed hosts behind one port. Each starts at another frame of the recording. */
class Fleet {
  readonly agents: readonly Agent[];
  readonly #server: Server;

  constructor(frames: readonly Frame[], mode: Mode) {
    const config = { ...defaults, per_process: mode, cache_ttl: 3600, smaps: 'exact', log_level: 'error' } as const;
    const setup = { config, origins: {}, rules: [], catalogue: parseCatalogue(catalogue) };
    const program = { version: 'fleet', revision: '' };
    const ahead = Math.max(1, Math.floor(frames.length / 4 / hosts));
    this.agents = Array.from({ length: hosts }, (_, host) => {
      return new Agent(framedFiles(frames.slice((host * ahead) % frames.length)), program, setup, async () => setup);
    });
    this.#server = createServer(async (request, response) => {
      const agent = this.agents[Number(/^\/host\/(\d+)\/metrics$/.exec(request.url ?? '')?.[1])];
      if (!agent) return void response.writeHead(404).end();
      const format = chooseFormat(request.headers.accept);
      const gzip = acceptsGzip(String(request.headers['accept-encoding']));
      const headers = { 'content-type': CONTENT_TYPES[format], ...(gzip && { 'content-encoding': 'gzip' }) };
      response.writeHead(200, headers).end(Buffer.concat((await agent.metrics(format, gzip, 10)).pieces));
    });
  }

  /** @returns the scrape configuration with which Prometheus finds every host */
  async listen(): Promise<object> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const target = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    const targets = this.agents.map((_, host) => ({
      targets: [target],
      labels: { instance: `host-${host}:9215`, __metrics_path__: `/host/${host}/metrics` },
    }));
    return { job_name: 'herakles-proc-mem', scrape_interval: '1s', scrape_timeout: '1s', static_configs: targets };
  }

  async collect(): Promise<void> {
    for (const agent of this.agents) await agent.collect();
  }

  close(): void {
    for (const agent of this.agents) agent.stop();
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** Reads metrics of a server. VictoriaMetrics puts a space between labels, which is removed here. */
const metricsOf = async (url: string): Promise<Exposition> =>
  new Exposition((await (await fetch(url)).text()).replaceAll('", ', '",'));
const total = (seen: Exposition, name: string, labels: Record<string, string> = {}): number =>
  seen.all(name, labels).reduce((sum, { value }) => sum + value, 0);
const cpuOf = async (url: string): Promise<number> =>
  total(await metricsOf(`${url}/metrics`), 'process_cpu_seconds_total');

/** Bytes of all files in a folder and its subfolders whose path matches `ending`. */
const sizeOf = (folder: string, ending: RegExp): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && ending.test(`${entry.parentPath}/${entry.name}`))
    .reduce((sum, entry) => sum + statSync(`${entry.parentPath}/${entry.name}`).size, 0);

/** Costs of a server since it was ready: samples, CPU seconds, bytes of samples and index on disk; and bytes resident. */
interface Cost {
  readonly samples: number;
  readonly cpu: number;
  readonly disk: number;
  readonly index: number;
  readonly resident: number;
}

interface Store {
  cost(): Promise<Cost>;
  stop(): Promise<void>;
}

async function startPrometheus(t: Scope, scrape: object, sendTo?: string): Promise<Store> {
  const [dir, port] = [scratch(), await freePort()];
  const write = sendTo ? { remote_write: [{ url: `${sendTo}/api/v1/write` }] } : {};
  writeFileSync(`${dir}/prometheus.yml`, JSON.stringify({ scrape_configs: [scrape], ...write }));
  const mode = sendTo
    ? ['--agent', `--storage.agent.path=${dir}/data`]
    : [`--storage.tsdb.path=${dir}/data`, '--web.enable-admin-api'];
  const flags = [`--config.file=${dir}/prometheus.yml`, `--web.listen-address=127.0.0.1:${port}`, '--log.level=error'];
  const binary = ensure('prometheus-forky')['prometheus-forky'];
  const server = new Started(t, [binary, ...flags, ...mode], { cwd: dir });
  const url = `http://127.0.0.1:${port}`;
  const appended = sendTo ? 'prometheus_agent_samples_appended_total' : 'prometheus_tsdb_head_samples_appended_total';
  await eventually(async () => {
    if (!(total(await metricsOf(`${url}/metrics`), appended) > 0)) throw new Error(`nothing scraped: ${server.stderr}`);
  }, 30_000);
  const began = await cpuOf(url);
  return {
    stop: () => server.kill(),
    async cost() {
      const seen = await metricsOf(`${url}/metrics`);
      const common = {
        cpu: total(seen, 'process_cpu_seconds_total') - began,
        resident: total(seen, 'process_resident_memory_bytes'),
      };
      if (sendTo) {
        const sent = total(seen, 'prometheus_remote_storage_bytes_total');
        return { ...common, samples: total(seen, 'prometheus_remote_storage_samples_total'), disk: sent, index: 0 };
      }
      const samples = total(seen, 'prometheus_tsdb_head_samples_appended_total', { type: 'float' });
      await fetch(`${url}/api/v1/admin/tsdb/snapshot`, { method: 'POST' });
      const snapshots = `${dir}/data/snapshots`;
      return { ...common, samples, disk: sizeOf(snapshots, /\/chunks\/\d+$/), index: sizeOf(snapshots, /\/index$/) };
    },
  };
}

async function startVictoria(t: Scope, scrape?: object): Promise<Store & { url: string }> {
  const [dir, port] = [scratch(), await freePort()];
  writeFileSync(`${dir}/scrape.yml`, JSON.stringify({ scrape_configs: scrape ? [scrape] : [] }));
  const flags = [`-storageDataPath=${dir}/data`, `-httpListenAddr=127.0.0.1:${port}`, '-loggerLevel=ERROR'];
  const binary = ensure('victoria-metrics-forky')['victoria-metrics-forky'];
  const server = new Started(t, [binary, ...flags, `-promscrape.config=${dir}/scrape.yml`], { cwd: dir });
  const url = `http://127.0.0.1:${port}`;
  await eventually(() => metricsOf(`${url}/metrics`), 30_000);
  const began = await cpuOf(url);
  return {
    url,
    stop: () => server.kill(),
    async cost() {
      const before = await metricsOf(`${url}/metrics`);
      await fetch(`${url}/internal/force_flush`);
      await fetch(`${url}/internal/force_merge`);
      await pause(3000);
      const seen = await metricsOf(`${url}/metrics`);
      const sizes = seen.all('vm_data_size_bytes');
      return {
        samples: total(seen, 'vm_rows_added_to_storage_total'),
        cpu: total(before, 'process_cpu_seconds_total') - began,
        disk: sizes
          .filter(({ labels }) => labels.type?.startsWith('storage/'))
          .reduce((sum, { value }) => sum + value, 0),
        index: total(seen, 'vm_data_size_bytes', { type: 'indexdb/file' }),
        resident: total(before, 'process_resident_memory_bytes'),
      };
    },
  };
}

/** Replays the recording once, one frame a second. */
async function play(fleet: Fleet, frames: number): Promise<void> {
  for (let frame = 0; frame < frames; frame++) {
    const next = Date.now() + 1000;
    await fleet.collect();
    await pause(Math.max(0, next - Date.now()));
  }
}

const STORES = ['Prometheus', 'VictoriaMetrics'];
const perSample = (bytes: number, { samples }: Cost): string => (bytes / samples).toFixed(2);
const microseconds = ({ cpu, samples }: Cost): string => ((cpu / samples) * 1e6).toFixed(2);

async function measure(t: Scope, frames: readonly Frame[], mode: Mode): Promise<string[]> {
  const fleet = new Fleet(frames, mode);
  const scrape = await fleet.listen();
  await fleet.collect();
  const stores = [await startPrometheus(t, scrape), await startVictoria(t, scrape)];
  const before = process.cpuUsage();
  await play(fleet, frames.length);
  const { user, system } = process.cpuUsage(before);
  const costs = await Promise.all(stores.map((store) => store.cost()));
  const body = Buffer.concat((await fleet.agents[0]!.metrics('text', false, 10)).pieces);
  const series = new Exposition(body.toString()).samples.length;
  fleet.close();
  for (const store of stores) await store.stop();
  const own = (user + system) / 1e3 / frames.length / hosts;
  const cells = [mode, series, `${(body.length / 1024).toFixed(0)} / ${(gzipSync(body).length / 1024).toFixed(0)}`];
  const stored = costs.flatMap((cost) => [perSample(cost.disk, cost), microseconds(cost)]);
  for (const [index, { samples, resident, index: bytes }] of costs.entries())
    console.error(
      `# ${mode}, ${STORES[index]}: ${samples} samples, ${Math.round(resident / 1e6)} MB resident, ${bytes} bytes of index`,
    );
  return [...cells.map(String), own.toFixed(1), ...stored];
}

async function measureAgentMode(t: Scope, frames: readonly Frame[]): Promise<string> {
  const fleet = new Fleet(frames, 'top');
  const scrape = await fleet.listen();
  await fleet.collect();
  const victoria = await startVictoria(t);
  const agent = await startPrometheus(t, scrape, victoria.url);
  await play(fleet, Math.ceil(frames.length / 2));
  fleet.close();
  await pause(6000); // the queue is sent within five seconds
  const sent = await agent.cost();
  const received = await victoria.cost();
  await Promise.all([agent.stop(), victoria.stop()]);
  const arrived = ((received.samples / sent.samples) * 100).toFixed(0);
  return `agent mode: ${perSample(sent.disk, sent)} bytes a sample on the wire, ${microseconds(sent)} µs CPU a sample, ${(sent.resident / 1e6).toFixed(0)} MB resident; ${arrived} % arrived`;
}

const ends: (() => void | Promise<void>)[] = [];
const scope: Scope = { after: (end) => void ends.push(end) };
try {
  if (!existsSync(flags.capture)) writeFileSync(flags.capture, formatCapture(await record(scope)));
  for (const end of ends.splice(0)) await end();
  const frames = parseCapture(readFileSync(flags.capture, 'utf8'));
  const processes = [...frames[0]!.keys()].filter((path) => path.endsWith('/stat') && path !== 'proc/stat').length;
  console.log(`${hosts} hosts of ${processes} processes, ${frames.length} frames`);
  const head = [
    'per_process',
    'series',
    'KB plain / gzip',
    'exporter ms',
    'Prometheus B',
    'µs',
    'VictoriaMetrics B',
    'µs',
  ];
  const rows = [head];
  for (const mode of MODES) rows.push(await measure(scope, frames, mode));
  for (const row of rows) console.log(`| ${row.join(' | ')} |`);
  console.log(await measureAgentMode(scope, frames));
} finally {
  for (const end of ends) await end();
}
