// What a collection and a scrape cost, beside process-exporter and the bare reads, on the same processes in one run.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ensure } from '../scripts/test-servers.mjs';
import { freePort } from '../test/harness.ts';
import {
  answers,
  bundle,
  childProgram,
  cpuSeconds,
  type Memory,
  median,
  memoryOf,
  Program,
  quantile,
  root,
  scrape,
} from './machine.ts';

export interface Fleet {
  readonly title: string;
  readonly processes: number;
  readonly mappings: number;
  readonly kib: number;
  /** Further processes of 2 GiB each. */
  readonly large: number;
}

export const FLEETS: readonly Fleet[] = [
  { title: '500 processes', processes: 500, mappings: 40, kib: 2048, large: 0 },
  { title: '2,000 processes', processes: 2000, mappings: 40, kib: 2048, large: 0 },
  { title: '2,000 small processes', processes: 2000, mappings: 1, kib: 64, large: 0 },
  { title: '2,000 processes and three of 2 GiB', processes: 2000, mappings: 40, kib: 2048, large: 3 },
  { title: '10,000 processes', processes: 10000, mappings: 4, kib: 256, large: 0 },
];

/** One line of the table. Seconds and bytes; NaN where it does not apply. */
export interface Cost {
  readonly fleet: string;
  readonly subject: string;
  /** CPU of one collection with its scrape: median, and the tenth and ninetieth of a hundred. */
  readonly cpu: number;
  readonly cpuLow: number;
  readonly cpuHigh: number;
  /** Wall time of a scrape that needs a collection: median and 99th; and the 99th of those that need none. */
  readonly wall: number;
  readonly wall99: number;
  readonly fresh99: number;
  readonly rss: number;
  readonly anonymous: number;
  /** Longest time the event loop was held in the rounds that count, and from the start until then. */
  readonly stall: number;
  readonly stallStart: number;
  readonly bytes: number;
  readonly series: number;
}

interface Subject {
  readonly name: string;
  /** Arguments of our exporter; undefined for another program. */
  readonly ours?: readonly string[];
  readonly peer?: readonly string[];
}

const ONE_GROUP = 'process_names:\n  - name: "all"\n    cmdline: [".+"]\n';

const SUBJECTS: readonly Subject[] = [
  { name: 'herakles, bounded', ours: ['--smaps', 'bounded'] },
  { name: 'herakles, bounded, groups only', ours: ['--smaps', 'bounded', '--per-process', 'none'] },
  { name: 'herakles, exact', ours: ['--smaps', 'exact'] },
  { name: 'herakles, exact, groups only', ours: ['--smaps', 'exact', '--per-process', 'none'] },
  { name: 'process-exporter, one group', peer: [] },
  { name: 'process-exporter, no smaps, no threads', peer: ['-gather-smaps=false', '-threads=false'] },
];

/** Scrapes that count; the first ones, cold, do not. */
const ROUNDS = 15;
const WARM = 10;
/** Of ours there are more, for the 99th of them to mean something; cold it is until what V8 compiles is compiled. */
const OUR_ROUNDS = 60;
const OUR_WARM_SECONDS = 12;
/** Scrapes of a snapshot that stays fresh; and a second apart, before memory is looked at. */
const FRESH = 300;
const CALM = 10;

/** @param found called after each fleet with all that is known so far */
export async function measureCost(
  fleets: readonly Fleet[],
  log: (line: string) => void,
  found: (costs: readonly Cost[]) => void,
): Promise<Cost[]> {
  const { 'process-exporter': processExporter } = ensure('process-exporter');
  const costs: Cost[] = [];
  for (const fleet of fleets) {
    const programs = await raise(fleet);
    log(fleet.title);
    try {
      for (const subject of SUBJECTS) {
        const cost = subject.ours
          ? await measureOurs(fleet.title, subject.name, subject.ours)
          : await measurePeer(fleet.title, subject.name, processExporter, subject.peer!);
        costs.push(cost);
        log(`  ${subject.name}: ${(cost.cpu * 1000).toFixed(1)} ms CPU`);
      }
      for (const kind of ['exact', 'cheap'] as const) costs.push(await measureFloor(fleet.title, kind));
      costs.push(await measureIdle(fleet.title, costs.find((cost) => cost.fleet === fleet.title)!.bytes));
    } finally {
      for (const program of programs) await program.end();
    }
    found(costs);
  }
  return costs;
}

async function raise(fleet: Fleet): Promise<Program[]> {
  const child = childProgram();
  const { processes, mappings, kib, large } = fleet;
  const programs = [new Program(child, ['fleet', String(processes), String(mappings), String(kib), 'fleet'])];
  for (let i = 0; i < large; i++) programs.push(new Program(child, ['private', '2048']));
  for (const program of programs) await program.printed('ready', 120);
  return programs;
}

/** Our exporter, collecting only when it is asked and its snapshot is older than `cacheTtl`; `node`: flags of Node. */
function startOurs(port: number, cacheTtl: string, flags: readonly string[], node: readonly string[] = []) {
  const limits = ['--interval', '1h', '--cache-ttl', cacheTtl, '--max-series', '1000000'];
  const listen = ['--port', String(port), '--bind', '127.0.0.1'];
  const program = new Program(process.execPath, [...node, bundle, ...listen, ...limits, ...flags]);
  return { program, url: `http://127.0.0.1:${port}` };
}

async function measureOurs(fleet: string, subject: string, flags: readonly string[]): Promise<Cost> {
  const { program, url } = startOurs(await freePort(), '0s', flags, ['--require', `${root}bench/probe.cjs`]);
  try {
    await answers(`${url}/-/ready`);
    await pause(1500); // the second collection
    let stallStart = Number.NaN;
    for (const until = performance.now() + OUR_WARM_SECONDS * 1000; performance.now() < until; await pause(30))
      await scrape(`${url}/metrics`);
    const costs = await rounds(program.pid, `${url}/metrics`, OUR_ROUNDS, async () => {
      stallStart = await stallOf(program);
    });
    const stall = await stallOf(program);
    const memory = await calmMemory(program.pid, url);
    const fresh99 = await measureFresh(flags);
    return { fleet, subject, ...costs, ...memory, fresh99, stall, stallStart };
  } finally {
    await program.end();
  }
}

/** Longest time its event loop was held since it was asked last, seconds. */
async function stallOf(program: Program): Promise<number> {
  program.stderr = '';
  process.kill(program.pid, 'SIGUSR2');
  await program.printed('probe', 5);
  return JSON.parse(/probe (.*)/.exec(program.stderr)![1]!).stallSeconds;
}

/** A second exporter whose snapshots stay fresh: what serving alone takes. */
async function measureFresh(flags: readonly string[]): Promise<number> {
  const { program, url } = startOurs(await freePort(), '1h', flags);
  try {
    await answers(`${url}/-/ready`);
    await pause(2500);
    return await fresh(url);
  } finally {
    await program.end();
  }
}

/** The 99th of some hundred scrapes that need no collection, seconds. */
async function fresh(url: string): Promise<number> {
  for (let i = 0; i < 50; i++) await scrape(`${url}/metrics`);
  const walls: number[] = [];
  for (let i = 0; i < FRESH; i++) walls.push((await scrape(`${url}/metrics`)).seconds);
  return quantile(walls, 0.99);
}

/** Memory when scrapes come a second apart, as often as a Prometheus in a hurry asks. */
async function calmMemory(pid: number, url: string): Promise<Memory> {
  for (let i = 0; i < CALM; i++) {
    await scrape(`${url}/metrics`);
    await pause(1000);
  }
  return memoryOf(pid);
}

/** A server that does nothing: the longest stall and the slowest answer that Node and the machine make by themselves. */
async function measureIdle(fleet: string, bytes: number): Promise<Cost> {
  const port = await freePort();
  const program = new Program(process.execPath, [
    ...['--require', `${root}bench/probe.cjs`],
    ...[`${root}bench/idle-server.cjs`, String(port), String(bytes)],
  ]);
  const url = `http://127.0.0.1:${port}`;
  try {
    await answers(url);
    const fresh99 = await fresh(url);
    const stallStart = await stallOf(program);
    const costs = await rounds(program.pid, url, OUR_ROUNDS);
    const stall = await stallOf(program);
    const subject = 'a Node server of one fixed page';
    return { fleet, subject, ...costs, ...(await calmMemory(program.pid, url)), fresh99, stall, stallStart, series: 0 };
  } finally {
    await program.end();
  }
}

async function measurePeer(fleet: string, subject: string, path: string, flags: readonly string[]): Promise<Cost> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const config = join(folder, 'process-exporter.yml');
  writeFileSync(config, ONE_GROUP);
  const listen = `-web.listen-address=127.0.0.1:${port}`;
  const program = new Program(path, [`-config.path=${config}`, listen, ...flags]);
  const url = `http://127.0.0.1:${port}/metrics`;
  try {
    await answers(url);
    const costs = await rounds(program.pid, url);
    return { fleet, subject, ...costs, ...memoryOf(program.pid), ...NOT_ASKED };
  } finally {
    await program.end();
  }
}

const NOT_ASKED = { fresh99: Number.NaN, stall: Number.NaN, stallStart: Number.NaN };

/** Scrapes one after the other, each of which makes the exporter collect. @param warmed called when the cold are over */
async function rounds(pid: number, url: string, count = ROUNDS, warmed: () => Promise<void> = async () => {}) {
  const cpu: number[] = [];
  const walls: number[] = [];
  let bytes = 0;
  for (let round = 0; round < WARM + count; round++) {
    if (round === WARM) await warmed();
    const before = cpuSeconds(pid);
    const scraped = await scrape(url);
    await pause(30);
    if (round < WARM) continue;
    cpu.push(cpuSeconds(pid) - before);
    walls.push(scraped.seconds);
    bytes = scraped.bytes;
  }
  const page = await (await fetch(url)).text();
  const series = page.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
  return {
    cpu: median(cpu),
    cpuLow: quantile(cpu, 0.1),
    cpuHigh: quantile(cpu, 0.9),
    wall: median(walls),
    wall99: quantile(walls, 0.99),
    bytes,
    series,
  };
}

async function measureFloor(fleet: string, kind: 'exact' | 'cheap'): Promise<Cost> {
  const program = new Program(process.execPath, ['--import', 'tsx', `${root}bench/floor.ts`]);
  try {
    await program.printed('ready');
    const cpu: number[] = [];
    for (let round = 0; round < WARM + ROUNDS; round++) {
      program.stdout = '';
      const before = cpuSeconds(program.pid);
      program.say(kind);
      await program.printed('read');
      if (round >= WARM) cpu.push(cpuSeconds(program.pid) - before);
    }
    const none = { wall: Number.NaN, wall99: Number.NaN, ...NOT_ASKED, bytes: 0, series: 0 };
    const subject = kind === 'exact' ? 'bare loop, with smaps_rollup' : 'bare loop, cheap counters';
    const spread = { cpu: median(cpu), cpuLow: quantile(cpu, 0.1), cpuHigh: quantile(cpu, 0.9) };
    return { fleet, subject, ...spread, ...none, ...memoryOf(program.pid) };
  } finally {
    await program.end();
  }
}
