// What a collection and a scrape cost, compared with process-exporter and a bare loop of reads, on the same processes in one
// run. The programs take turns, so that other work on the machine slows all of them equally.
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { ensure } from '../scripts/test-servers.mjs';
import { freePort, type Scope, scratch } from '../test/harness.ts';
import { type Namespace, startNamespace } from '../test/real-servers.ts';
import {
  answers,
  bundle,
  childProgram,
  cpuSeconds,
  median,
  memoryOf,
  Program,
  quantile,
  root,
  scrape,
  text,
} from './machine.ts';

export interface Fleet {
  readonly title: string;
  readonly processes: number;
  readonly mappings: number;
  readonly kib: number;
  /** Number of further processes of 2 GiB each. */
  readonly large: number;
  /** Threads of each process; one where it is not said. */
  readonly threads?: number;
}

export const FLEETS: readonly Fleet[] = [
  { title: '500 processes', processes: 500, mappings: 40, kib: 2048, large: 0 },
  { title: '2,000 processes', processes: 2000, mappings: 40, kib: 2048, large: 0 },
  { title: '2,000 small processes', processes: 2000, mappings: 1, kib: 64, large: 0 },
  { title: '2,000 processes and three of 2 GiB', processes: 2000, mappings: 40, kib: 2048, large: 3 },
  { title: '10,000 processes', processes: 10000, mappings: 4, kib: 256, large: 0 },
];

/** One line of the table, in seconds and bytes. NaN where a value does not apply. */
export interface Cost {
  readonly fleet: string;
  readonly subject: string;
  /** CPU of one collection with its scrape: median, and the 10th and 90th percentile. */
  readonly cpu: number;
  readonly cpuLow: number;
  readonly cpuHigh: number;
  /** Mean CPU for each turn, including the work between turns. */
  readonly cpuWhole: number;
  /** Wall time of a scrape that needs a collection: median and 99th percentile; and the 99th of scrapes that need none. */
  readonly wall: number;
  readonly wall99: number;
  readonly fresh99: number;
  readonly rss: number;
  readonly anonymous: number;
  /** Longest time for which the event loop was blocked: after the warm-up, and during it. */
  readonly stall: number;
  readonly stallStart: number;
  readonly bytes: number;
  readonly series: number;
}

export const ONE_GROUP = 'process_names:\n  - name: "all"\n    cmdline: [".+"]\n';

/** One way to run our exporter. */
export interface Variant {
  readonly subject: string;
  readonly flags: readonly string[];
  /** Path of the program. */
  readonly bundle: string;
}

const OURS: readonly Variant[] = [
  { subject: 'herakles, bounded', flags: ['--smaps', 'bounded'], bundle },
  { subject: 'herakles, bounded, groups only', flags: ['--smaps', 'bounded', '--per-process', 'none'], bundle },
  { subject: 'herakles, exact', flags: ['--smaps', 'exact'], bundle },
  { subject: 'herakles, exact, groups only', flags: ['--smaps', 'exact', '--per-process', 'none'], bundle },
];
const PEERS: readonly (readonly [subject: string, flags: readonly string[]])[] = [
  ['process-exporter, one group', []],
  ['process-exporter, no smaps, no threads', ['-gather-smaps=false', '-threads=false']],
];
const BARE_LOOPS = [
  ['bare loop, with smaps_rollup', 'exact'],
  ['bare loop, cheap counters', 'cheap'],
] as const;
const IDLE = 'a Node server of one fixed page';
/** About the size of a page of 2,000 processes. */
const IDLE_BYTES = 90_000;

/** Turns that count, for Node programs; the slower ones have a turn in every fourth round only. */
const ROUNDS = 60;
const SLOW_EVERY = 4;
/** The warm-up does not count: this many turns, and for Node programs at least this many seconds, until V8 has compiled. */
const WARM_UP_TURNS = 10;
const WARM_UP_SECONDS = 12;
/** Scrapes of a snapshot that stays fresh. */
const FRESH_SCRAPES = 300;
/** Scrapes, one a second, before memory is read. */
const CALM_SCRAPES = 10;

/** A program that takes turns with the others. */
export class Contestant {
  readonly subject: string;
  readonly program: Program;
  /** Whether probe.cjs reports its stalls. Such programs are fast, so they have a turn in every round. */
  readonly probed: boolean;
  readonly url: string | undefined;
  readonly cpu: number[] = [];
  readonly walls: number[] = [];
  bytes = 0;

  constructor(subject: string, program: Program, url: string | undefined, probed = false) {
    this.subject = subject;
    this.program = program;
    this.url = url;
    this.probed = probed;
  }

  /** The work of a turn: one scrape. */
  async act(): Promise<void> {
    const { seconds, bytes } = await scrape(this.url!);
    this.walls.push(seconds);
    this.bytes = bytes;
  }

  /** One turn, with the CPU time that it took. */
  async turn(): Promise<void> {
    const before = cpuSeconds(this.program.pid);
    await this.act();
    await pause(30);
    this.cpu.push(cpuSeconds(this.program.pid) - before);
  }

  /** Turns that do not count. */
  async warmUp(): Promise<void> {
    const until = this.probed ? performance.now() + WARM_UP_SECONDS * 1000 : 0;
    for (let turn = 0; turn < WARM_UP_TURNS || performance.now() < until; turn++) await this.turn();
    this.cpu.length = 0;
    this.walls.length = 0;
  }

  /** @returns the longest stall since the last call, seconds, if stalls were measured. Starts or stops measuring them */
  async toggleProbe(): Promise<number> {
    if (!this.probed) return Number.NaN;
    const { program } = this;
    program.stderr = '';
    process.kill(program.pid, 'SIGUSR2');
    await program.printed('probe', 5);
    return Number(/probe (\S+)/.exec(program.stderr)![1]);
  }

  /** The longest stall in ROUNDS further turns, without turns of other programs in between; seconds. */
  async steadyStall(): Promise<number> {
    if (!this.probed) return Number.NaN;
    await this.toggleProbe();
    for (let turn = 0; turn < ROUNDS; turn++) await this.turn();
    return this.toggleProbe();
  }

  async series(): Promise<number> {
    if (!this.url) return 0;
    return (await text(this.url)).split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
  }
}

/** The bare loop: it has no HTTP, and reads when it gets a line. */
class BareLoop extends Contestant {
  readonly #kind: string;

  constructor(subject: string, program: Program, kind: string) {
    super(subject, program, undefined);
    this.#kind = kind;
  }

  override async act(): Promise<void> {
    this.program.stdout = '';
    this.program.say(this.#kind);
    await this.program.printed('read');
  }
}

/** Measures every fleet. @param found called after each fleet with all results so far */
export async function measureCost(
  fleets: readonly Fleet[],
  log: (line: string) => void,
  found: (costs: readonly Cost[]) => void,
): Promise<Cost[]> {
  const { 'process-exporter': processExporter } = ensure('process-exporter');
  const costs: Cost[] = [];
  for (const fleet of fleets) {
    log(fleet.title);
    await endingAll(async (scope) => {
      const procfs = await startFleet(scope, fleet);
      const fresh = await endingAll((within) => measureFresh(within, procfs));
      const contestants = await startContestants(scope, processExporter, procfs);
      costs.push(...(await takeTurns(fleet.title, contestants, fresh, log)));
    });
    found(costs);
  }
  return costs;
}

/** Runs `work`, then ends everything that it started, the last one first, even if it fails. */
export async function endingAll<T>(work: (scope: Scope) => Promise<T>): Promise<T> {
  const ends: (() => void | Promise<void>)[] = [];
  try {
    return await work({ after: (end) => void ends.unshift(end) });
  } finally {
    for (const end of ends) await end();
  }
}

/** A program that ends with its scope. */
export function begin(scope: Scope, command: string, args: readonly string[]): Program {
  const program = new Program(command, args);
  scope.after(() => program.end());
  return program;
}

/**
 * Starts a fleet in a pid namespace of its own, so that the programs under test do not see each other.
 * @returns the path of the procfs that shows the fleet
 */
export const startFleet = async (scope: Scope, fleet: Fleet): Promise<string> =>
  (await startFleetInside(scope, fleet)).proc;

/** As startFleet. @returns the namespace, for a program that has to run inside it */
export async function startFleetInside(scope: Scope, fleet: Fleet): Promise<Namespace> {
  const { processes, mappings, kib, large, threads = 1 } = fleet;
  makeRoomFor(scope, processes * threads);
  const namespace = await startNamespace(scope);
  const [nsenter, ...inside] = namespace.enter;
  const start = (...args: string[]) => begin(scope, nsenter!, [...inside, childProgram(), ...args]);
  const more = threads > 1 ? [String(threads)] : [];
  const programs = [start('fleet', ...[processes, mappings, kib].map(String), 'fleet', ...more)];
  for (let i = 0; i < large; i++) programs.push(start('private', '2048'));
  for (const program of programs) await program.printed('ready', 120);
  return namespace;
}

/** Raises the limits of process numbers and threads, because many machines allow only 32,768 of them; sets them back at the end. */
function makeRoomFor(scope: Scope, threads: number): void {
  for (const setting of ['/proc/sys/kernel/pid_max', '/proc/sys/kernel/threads-max']) {
    const before = readFileSync(setting, 'latin1').trim();
    if (3 * threads < Number(before)) continue;
    writeFileSync(setting, String(4 * threads));
    scope.after(() => writeFileSync(setting, before));
  }
}

const PROBE = ['--require', `${root}bench/probe.cjs`];

/** Starts all programs under test, one after the other. */
async function startContestants(scope: Scope, processExporter: string, procfs: string): Promise<Contestant[]> {
  const contestants = await startOurs(scope, procfs, '0s', PROBE, OURS);
  const config = `${scratch()}/process-exporter.yml`;
  writeFileSync(config, ONE_GROUP);
  for (const [subject, flags] of PEERS) {
    const port = await freePort();
    const listen = `-web.listen-address=127.0.0.1:${port}`;
    const program = begin(scope, processExporter, [`-config.path=${config}`, `-procfs=${procfs}`, listen, ...flags]);
    contestants.push(new Contestant(subject, program, `http://127.0.0.1:${port}/metrics`));
    await answers(contestants.at(-1)!.url!);
  }
  for (const [subject, kind] of BARE_LOOPS) {
    const program = begin(scope, process.execPath, ['--import', 'tsx', `${root}bench/bare-loop.ts`, procfs]);
    await program.printed('ready');
    contestants.push(new BareLoop(subject, program, kind));
  }
  return [...contestants, await startIdle(scope, PROBE)];
}

/** Our exporter in each of its variants. It collects only for a scrape, if its snapshot is older than `cacheTtl`. */
export async function startOurs(
  scope: Scope,
  procfs: string,
  cacheTtl: string,
  node: readonly string[],
  variants: readonly Variant[],
): Promise<Contestant[]> {
  const settings = ['--path-procfs', procfs, '--cache-ttl', cacheTtl, '--interval', '1h', '--max-series', '1000000'];
  const contestants: Contestant[] = [];
  for (const { subject, flags, bundle } of variants) {
    const port = await freePort();
    const listen = ['--port', String(port), '--bind', '127.0.0.1'];
    const program = begin(scope, process.execPath, [...node, bundle, ...listen, ...settings, ...flags]);
    contestants.push(new Contestant(subject, program, `http://127.0.0.1:${port}/metrics`, true));
    await answers(`http://127.0.0.1:${port}/-/ready`);
    await pause(1500); // for the second collection
  }
  return contestants;
}

/** The smallest Node program that can be scraped, as arguments of Node. */
export const idleServer = (port: number): string[] => [
  `${root}bench/idle-server.cjs`,
  String(port),
  String(IDLE_BYTES),
];

/** A server that does nothing: it shows how much Node and the machine need by themselves. */
async function startIdle(scope: Scope, node: readonly string[]): Promise<Contestant> {
  const port = await freePort();
  const program = begin(scope, process.execPath, [...node, ...idleServer(port)]);
  const contestant = new Contestant(IDLE, program, `http://127.0.0.1:${port}/`, true);
  await answers(contestant.url!);
  return contestant;
}

/** Lets the programs take turns. @returns a line of the table for each of them */
async function takeTurns(
  fleet: string,
  contestants: readonly Contestant[],
  fresh: ReadonlyMap<string, number>,
  log: (line: string) => void,
): Promise<Cost[]> {
  const stallStart: number[] = [];
  for (const contestant of contestants) {
    await contestant.warmUp();
    stallStart.push(await contestant.toggleProbe());
  }
  const began = contestants.map(({ program }) => cpuSeconds(program.pid));
  for (let round = 0; round < ROUNDS; round++) {
    const first = round % contestants.length; // each round starts with another program
    for (const contestant of [...contestants.slice(first), ...contestants.slice(0, first)])
      if (contestant.probed || round % SLOW_EVERY === 0) await contestant.turn();
  }
  const whole = contestants.map(({ program, cpu }, i) => (cpuSeconds(program.pid) - began[i]!) / cpu.length);
  const costs: Omit<Cost, 'rss' | 'anonymous'>[] = [];
  for (const [i, contestant] of contestants.entries()) {
    const { subject, cpu, walls, bytes } = contestant;
    costs.push({
      ...{ fleet, subject },
      ...{ cpu: median(cpu), cpuLow: quantile(cpu, 0.1), cpuHigh: quantile(cpu, 0.9), cpuWhole: whole[i]! },
      ...{ wall: quantile(walls, 0.5) ?? Number.NaN, wall99: quantile(walls, 0.99) ?? Number.NaN },
      fresh99: fresh.get(subject) ?? Number.NaN,
      ...{ bytes, series: await contestant.series() },
      ...{ stall: await contestant.steadyStall(), stallStart: stallStart[i]! }, // last, because its turns do not count above
    });
    log(`  ${subject}: ${(costs.at(-1)!.cpu * 1000).toFixed(1)} ms CPU`);
  }
  // Memory is read after scrapes that come one a second: the shortest interval of a usual Prometheus.
  for (let second = 0; second < CALM_SCRAPES; second++) {
    for (const { url } of contestants) if (url) await scrape(url);
    await pause(1000);
  }
  return costs.map((cost, i) => ({ ...cost, ...memoryOf(contestants[i]!.program.pid) }));
}

/** The 99th percentile of FRESH_SCRAPES scrapes that need no collection, by subject; seconds. */
async function measureFresh(scope: Scope, procfs: string): Promise<Map<string, number>> {
  const contestants = [...(await startOurs(scope, procfs, '1h', [], OURS)), await startIdle(scope, [])];
  for (let i = 0; i < 50; i++) for (const contestant of contestants) await contestant.act();
  for (const { walls } of contestants) walls.length = 0;
  for (let i = 0; i < FRESH_SCRAPES; i++) for (const contestant of contestants) await contestant.act();
  return new Map(contestants.map(({ subject, walls }) => [subject, quantile(walls, 0.99)]));
}
