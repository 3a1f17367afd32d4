// What an exporter costs as it is used: default settings, scraped every 15 or 60 seconds, with counters from /proc and from the
// BPF program, beside process-exporter on the same processes. In a loop without pauses caches are warm and code is compiled; between two real scrapes lie many seconds in which
// neither stays so. All programs of a fleet run at the same time and each has a client of its own that scrapes at its own
// moment, so that other work on the machine slows all of them equally. The BPF program lists the processes of its reader's pid
// namespace, so that an exporter which uses it runs inside the namespace of a fleet, and sees itself. It would see another one
// too: each has a fleet of its own, and those with another period follow when the first have ended.
import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ensure } from '../scripts/test-servers.mjs';
import { freePort, type Scope, scratch } from '../test/harness.ts';
import { pinProgram, whyNotPinned } from '../test/pinned-program.ts';
import type { Namespace } from '../test/real-servers.ts';
import { begin, endingAll, type Fleet, idleServer, ONE_GROUP, startFleetInside } from './cost.ts';
import { answers, bundle, childrenOf, cpuSeconds, type Memory, memoryOf, quantile, scrape, text } from './machine.ts';

export const USUAL_FLEETS: readonly Fleet[] = [
  { title: '200 processes', processes: 200, mappings: 40, kib: 2048, large: 0 },
  { title: '2,000 processes', processes: 2000, mappings: 40, kib: 2048, large: 0 },
  { title: '2,000 with 50 threads each', processes: 2000, mappings: 4, kib: 64, large: 0, threads: 50 },
  { title: '10,000 processes', processes: 10000, mappings: 4, kib: 256, large: 0 },
];
/** Seconds between two scrapes. */
const PERIODS = [15, 60];
/** The shortest that anybody uses. */
const EVERY_SECOND = 1;
/** Scrapes by which the rhythm is learned; they do not count. */
const WARM_UP_SCRAPES = 3;
/** Kernel memory behind an open file of /proc, bytes: the buffer of seq_file, the file, its inode and entry. 16 KiB for three. */
const DESCRIPTOR_BYTES = 5.3 * 1024;
const NEVER = Number.NaN;

/** One line of the table; seconds and bytes. */
export interface UsualCost extends Memory {
  readonly fleet: string;
  readonly subject: string;
  /** Seconds between two scrapes; NaN: never scraped. */
  readonly period: number;
  /** CPU time of all threads and child processes in a minute, seconds. */
  readonly cpuPerMinute: number;
  /** Wall time of a scrape: median and 99th percentile; NaN where there was none. */
  readonly wall: number;
  readonly wall99: number;
  /** Kernel memory behind the open files of /proc. */
  readonly descriptors: number;
}

interface Started {
  readonly pid: number;
  readonly url: string;
}

interface Subject {
  readonly name: string;
  readonly period: number;
  /** Which of the fleets it measures. */
  readonly fleet: number;
  start(scope: Scope, fleet: Namespace): Promise<Started>;
}

const NODE = process.execPath;

const ours = (name: string, program: string, flags: readonly string[], period: number): Subject => ({
  ...{ name, period, fleet: 0 },
  async start(scope, fleet) {
    const port = String(await freePort());
    const listen = ['--bind', '127.0.0.1', '--port', port, '--path-procfs', fleet.proc];
    const { pid } = begin(scope, NODE, [program, ...listen, ...flags]);
    await answers(`http://127.0.0.1:${port}/-/ready`);
    return { pid, url: `http://127.0.0.1:${port}/metrics` };
  },
});

/** @param file where the program is pinned */
const oursByBpf = (file: string, fleet: number, flags: readonly string[], period: number): Subject => ({
  ...{ name: `BPF, ${flags.length === 0 ? 'all series' : 'per_process: none'}`, period, fleet },
  async start(scope, { enter: [nsenter, ...inside] }) {
    const port = String(await freePort());
    const listen = ['--bind', '127.0.0.1', '--port', port, '--source', 'bpf', '--bpf-file', file];
    const { pid } = begin(scope, nsenter!, [...inside, NODE, bundle, ...listen, ...flags]);
    const url = `http://127.0.0.1:${port}/metrics`;
    await answers(`http://127.0.0.1:${port}/-/ready`);
    if (!(await text(url)).includes('source_info{source="bpf"}')) throw new Error(`an exporter does not use ${file}`);
    return { pid: childrenOf(pid)[0]!, url };
  },
});

const peer = (program: string, period: number): Subject => ({
  ...{ name: 'process-exporter, one group', period, fleet: 0 },
  async start(scope, fleet) {
    const port = await freePort();
    const config = `${scratch()}/process-exporter.yml`;
    writeFileSync(config, ONE_GROUP);
    const listen = `-web.listen-address=127.0.0.1:${port}`;
    const { pid } = begin(scope, program, [`-config.path=${config}`, `-procfs=${fleet.proc}`, listen]);
    await answers(`http://127.0.0.1:${port}/`);
    return { pid, url: `http://127.0.0.1:${port}/metrics` };
  },
});

/** A program that only answers: no program of Node.js can cost less. */
const smallest = (period: number): Subject => ({
  ...{ name: 'the smallest Node server', period, fleet: 0 },
  async start(scope) {
    const port = await freePort();
    const { pid } = begin(scope, NODE, idleServer(port));
    const url = `http://127.0.0.1:${port}/metrics`;
    await answers(url);
    return { pid, url };
  },
});

const GROUPS_ONLY = ['--per-process', 'none'];

/**
 * What is measured at the same time, and what after it.
 * @param others paths of older bundles of this program, which are measured as well
 * @param pinned where the BPF program is; undefined where nothing can be pinned
 */
function phases(others: readonly string[], pinned: string | undefined): Subject[][] {
  const { 'process-exporter': processExporter } = ensure('process-exporter');
  const byBpf = (fleet: number, flags: readonly string[], period: number): Subject[] =>
    pinned ? [oursByBpf(pinned, fleet, flags, period)] : [];
  const scraped = PERIODS.map((period) => [
    ours('all series', bundle, [], period),
    ours('per_process: none', bundle, GROUPS_ONLY, period),
    ...byBpf(0, [], period),
    ...byBpf(1, GROUPS_ONLY, period),
    ...others.map((other) => ours(basename(other), resolve(other), [], period)),
    peer(processExporter, period),
    smallest(period),
  ]);
  const rest = [
    ...[ours('all series', bundle, [], NEVER), ...byBpf(0, [], NEVER), ...byBpf(1, GROUPS_ONLY, EVERY_SECOND)],
    ...[smallest(NEVER), smallest(EVERY_SECOND)],
  ];
  return [...scraped, rest];
}

/** Measures each fleet for some minutes after the warm-up. @param found called after each fleet with all results so far */
export async function measureUsualCost(
  fleets: readonly Fleet[],
  minutes: number,
  others: readonly string[],
  log: (line: string) => void,
  found: (costs: readonly UsualCost[]) => void = () => {},
): Promise<UsualCost[]> {
  const costs: UsualCost[] = [];
  const unpinned = whyNotPinned();
  if (unpinned) log(`without BPF: ${unpinned}`);
  // Before the fleets start: they see the mounts that were there then.
  const all = phases(others, unpinned ? undefined : pinProgram('root'));
  for (const fleet of fleets) {
    log(`${fleet.title}, ${minutes} minutes for each period`);
    await endingAll(async (scope) => {
      const places = [await startFleetInside(scope, fleet)];
      if (!unpinned) places.push(await startFleetInside(scope, fleet));
      for (const subjects of all) {
        const began = performance.now();
        const running = (within: Scope) =>
          subjects.map((subject, index) => measure(fleet, subject, index / subjects.length, minutes, within, places));
        for (const cost of await endingAll((within) => Promise.all(running(within)))) costs.push(cost);
        const { period } = subjects[0]!;
        log(
          `  ${Number.isNaN(period) ? 'never scraped' : `every ${period} s`}: measured after ${Math.round((performance.now() - began) / 1000)} s`,
        );
      }
    });
    found(costs);
  }
  return costs;
}

/** Runs one program. @param phase part of the shortest period by which its scrapes come later than those of the first */
async function measure(
  { title }: Fleet,
  { name, period, fleet: place, start }: Subject,
  phase: number,
  minutes: number,
  scope: Scope,
  places: readonly Namespace[],
): Promise<UsualCost> {
  const warmUp = WARM_UP_SCRAPES * Math.max(period || 0, PERIODS[0]!) + PERIODS[0]! / 2;
  const from = performance.now() / 1000 + phase * PERIODS[0]!;
  const until = from + warmUp + minutes * 60;
  await pause(phase * PERIODS[0]! * 1000);
  const { pid, url } = await start(scope, places[place]!);
  let before = Number.NaN;
  const walls: number[] = [];
  const wait = (instant: number) => pause(Math.max(0, instant - performance.now() / 1000) * 1000);
  const counting = wait(from + warmUp).then(() => {
    before = cpuSeconds(pid);
  });
  for (let at = from + 1; at < until; at += period) {
    await wait(at);
    const { seconds } = await scrape(url);
    if (at > from + warmUp) walls.push(seconds);
  }
  await counting;
  await wait(until);
  const cpuPerMinute = (cpuSeconds(pid) - before) / minutes;
  return {
    ...{ fleet: title, subject: name, period, cpuPerMinute },
    ...{ wall: quantile(walls, 0.5) ?? Number.NaN, wall99: quantile(walls, 0.99) ?? Number.NaN },
    ...memoryOf(pid),
    descriptors: procDescriptors(pid) * DESCRIPTOR_BYTES,
  };
}

/** Open files of processes that a program and its children have. */
function procDescriptors(pid: number): number {
  const own = readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      return /\/\d+\/(?:stat|statm|io|schedstat)$/.test(readlinkSync(`/proc/${pid}/fd/${fd}`));
    } catch {
      return false; // closed meanwhile
    }
  });
  return childrenOf(pid).reduce((sum, child) => sum + procDescriptors(child), own.length);
}

export function usualCostTable(costs: readonly UsualCost[]): string {
  const lines = [
    '| Fleet | Scraped every | Subject | CPU ms a minute | against process-exporter | scrape ms, median / p99 | RSS / anonymous / kernel MiB |',
    '|---|---|---|---|---|---|---|',
  ];
  const fixed = (value: number, digits: number) => (Number.isNaN(value) ? '–' : value.toFixed(digits));
  const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
  for (const cost of costs) {
    const { fleet, period, subject, cpuPerMinute, wall, wall99, rss, anonymous, descriptors } = cost;
    const same = costs.find(
      (each) => each.fleet === fleet && each.period === period && each.subject.startsWith('process-exporter'),
    );
    const cells = [
      ...[fleet, Number.isNaN(period) ? 'never' : `${period} s`, subject, fixed(1000 * cpuPerMinute, 0)],
      same && same !== cost ? `1/${(same.cpuPerMinute / cpuPerMinute).toFixed(1)}` : '',
      `${fixed(1000 * wall, 1)} / ${fixed(1000 * wall99, 1)}`,
      [rss, anonymous, descriptors].map(mebibytes).join(' / '),
    ];
    lines.push(`| ${cells.join(' | ')} |`);
  }
  return lines.join('\n');
}
