// What the single executable costs beside the same Node.js with the same bundle: time and CPU from the start to the first
// whole answer to a scrape, and memory after some more scrapes. The two take turns, so that other work on the machine slows both
// of them equally; as root they run before that work (setpriority(2)). Each sees 200 processes that do nothing.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { makeBlob, writeExecutable } from '../scripts/release/executable.ts';
import { here, NODE_VERSION, nodeFolder } from '../scripts/release/node-binaries.ts';
import { freePort, scratch } from '../test/harness.ts';
import { endingAll, type Fleet, startFleet } from './cost.ts';
import { bundle, cpuSeconds, type Memory, median, memoryOf, Program, scrape } from './machine.ts';

/** Scrapes before memory is read: with each, more of the program has run. */
const SCRAPES = 5;
const PRIORITY = -15;
const IDLE: Fleet = { title: '200 idle processes', processes: 200, mappings: 4, kib: 256, large: 0 };
const MIB = 2 ** 20;

/** One start, in seconds and bytes. */
interface Start extends Memory {
  readonly wall: number;
  readonly cpu: number;
}

/** The same, for one kind of program: the medians of all starts. */
export interface StartCost extends Start {
  readonly subject: string;
  readonly starts: number;
}

async function start(command: string, args: readonly string[], procfs: string): Promise<Start> {
  const port = String(await freePort());
  const began = performance.now();
  const flags = ['--bind', '127.0.0.1', '--port', port, '--path-procfs', procfs, '--cache-ttl=0s'];
  const program = new Program(command, [...args, ...flags]);
  try {
    const url = `http://127.0.0.1:${port}/metrics`;
    await firstAnswer(url);
    const [wall, cpu] = [(performance.now() - began) / 1000, cpuSeconds(program.pid)];
    for (let left = SCRAPES; left > 0; left--) await scrape(url);
    return { wall, cpu, ...memoryOf(program.pid) };
  } finally {
    await program.end();
  }
}

/**
 * Lets the kernel read a file again. Of a file that was just written it keeps pieces of up to 2 MiB, if it finds such memory, and
 * maps them as a whole: of one program 62 MiB of text and constants were resident, of the other 75 MiB; of both 44 MiB when
 * they were read.
 */
function dropFromCache(path: string): void {
  execFileSync('dd', [`of=${path}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none']);
}

async function firstAnswer(url: string): Promise<void> {
  const until = performance.now() + 300_000;
  for (;;) {
    try {
      if ((await scrape(url)).status === 200) return;
    } catch (error) {
      if (performance.now() > until) throw error;
    }
    await pause(3);
  }
}

/** Starts each of the two as often. @param log gets a line from time to time */
export async function measureStart(starts: number, log: (line: string) => void): Promise<StartCost[]> {
  const folder = scratch();
  const [executable, node] = [`${folder}/herakles-node-exporter`, `${folder}/node`];
  await writeExecutable(here, await makeBlob(bundle, 'no notice'), executable);
  writeFileSync(node, readFileSync(`${nodeFolder(here)}/bin/node`), { mode: 0o755 });
  for (const file of [executable, node]) dropFromCache(file);
  const subjects = [
    { subject: 'single executable', command: executable, args: [] },
    { subject: `Node.js ${NODE_VERSION} and bundle`, command: node, args: [bundle] },
  ].map((each) => ({ ...each, seen: [] as Start[] }));
  await endingAll(async (scope) => {
    const procfs = await startFleet(scope, IDLE);
    if (process.getuid?.() === 0) setPriority(PRIORITY);
    for (let round = -1; round < starts; round++) {
      for (const { command, args, seen } of round % 2 === 0 ? subjects : subjects.toReversed()) {
        const one = await start(command, args, procfs);
        if (round >= 0) seen.push(one); // the first fills the page cache
      }
      if (round % 10 === 9) log(`  start ${round + 1} of ${starts}`);
    }
  });
  return subjects.map(({ subject, seen }) => {
    const of = (key: keyof Start) => median(seen.map((each) => each[key]));
    const memory = { rss: of('rss'), anonymous: of('anonymous'), pss: of('pss'), peak: of('peak') };
    return { subject, starts, wall: of('wall'), cpu: of('cpu'), ...memory };
  });
}

/** The table that `npm run bench -- start` prints. */
export function startTable([executable, node]: readonly StartCost[]): string {
  const cells = ({ subject, wall, cpu, anonymous, rss, pss }: StartCost) =>
    [subject, (wall * 1000).toFixed(0), (cpu * 1000).toFixed(0), ...[anonymous, rss, pss].map(mebibytes)].join(' | ');
  const percent = (key: 'wall' | 'cpu') => `${((executable![key] / node![key] - 1) * 100).toFixed(1)} %`;
  const more = (key: keyof Memory) => mebibytes(executable![key] - node![key]);
  const difference = ['difference', percent('wall'), percent('cpu'), more('anonymous'), more('rss'), more('pss')];
  return [
    `| Medians of ${executable!.starts} starts | wall ms to the first answer | CPU ms | anonymous MiB | RSS MiB | PSS MiB |`,
    '|---|---|---|---|---|---|',
    ...[cells(executable!), cells(node!), difference.join(' | ')].map((line) => `| ${line} |`),
  ].join('\n');
}

const mebibytes = (bytes: number): string => (bytes / MIB).toFixed(1);
