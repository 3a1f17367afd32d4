// Runs the exporter for a long time while processes come and go all the time. Does its memory stay the same? Is the number
// of its descriptors bounded? Has every series of a dead process gone after one collection?
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually, freePort } from '../test/harness.ts';
import { pinProgram } from '../test/pinned-program.ts';
import { answers, bundle, childProgram, memoryOf, Program, text } from './machine.ts';

export interface Soak {
  readonly source: Source;
  /** The share of the pages that were made from this source: after a disagreement the exporter reads /proc for ten minutes. */
  readonly used: number;
  readonly minutes: number;
  /** Resident memory in MiB: after the warm-up, at the end, and the largest value after the warm-up. */
  readonly warm: number;
  readonly last: number;
  readonly most: number;
  /** The largest number of open descriptors, and how many processes the exporter saw at that time. */
  readonly descriptors: number;
  readonly processesSeen: number;
  /** Number of series whose process had ended before the collection began. */
  readonly ghosts: number;
}

/** Where the cheap counters come from. */
export type Source = 'procfs' | 'bpf';

const INTERVAL_SECONDS = 1;
/** The warm-up, as a share of the rounds. */
const WARM_UP_SHARE = 0.4;
/** Rounds that run even if the time is over. */
const ROUNDS_MIN = 10;

export async function soak(minutes: number, source: Source, log: (line: string) => void): Promise<Soak> {
  const port = await freePort();
  const flags = ['--port', `${port}`, '--bind', '127.0.0.1', '--interval', `${INTERVAL_SECONDS}s`, '--cache-ttl', '0s'];
  flags.push('--source', source);
  if (source === 'bpf') flags.push('--bpf-file', pinProgram('root'));
  const exporter = new Program(process.execPath, [bundle, ...flags]);
  const churn = new Program(childProgram(), ['storm', '1000000', '10', '2']);
  const url = `http://127.0.0.1:${port}/metrics`;
  let fleet: Program | undefined;
  const memory: number[] = [];
  let descriptors = 0;
  let ghosts = 0;
  let seen = 0;
  let used = 0;
  try {
    await answers(url);
    await churn.printed('ready');
    churn.say('storm');
    const began = performance.now();
    const elapsed = () => (performance.now() - began) / 60_000;
    for (let round = 0; elapsed() < minutes || round < ROUNDS_MIN; round++) {
      const gone = fleet ? pidsOf(fleet) : [];
      await fleet?.end();
      fleet = new Program(childProgram(), ['fleet', '200', '8', '256', `soak${round % 7}`]);
      await fleet.printed('ready');
      const left = () => gone.filter((pid) => existsSync(`/proc/${pid}`));
      await eventually(() => assert.deepEqual(left(), [], 'processes of the last round still run'), 30_000, 20);
      await text(url); // may have joined a collection that began before the processes had ended
      const page = await text(url);
      ghosts += gone.filter((pid) => page.includes(`{pid="${pid}",`)).length;
      if (page.includes(`source_info{source="${source}"}`)) used++;
      memory.push(memoryOf(exporter.pid).rss / 2 ** 20);
      const open = readdirSync(`/proc/${exporter.pid}/fd`).length;
      if (open > descriptors) {
        descriptors = open;
        seen = Number(/^herakles_exporter_processes_total (\d+)/m.exec(page)?.[1]);
      }
      if (round % 12 === 0) log(`${Math.round(elapsed())} min: ${memory.at(-1)!.toFixed(1)} MiB`);
      await pause(4000);
    }
  } finally {
    for (const program of [fleet, churn, exporter]) await program?.end();
  }
  const settled = memory.slice(Math.floor(memory.length * WARM_UP_SHARE));
  const round = (value: number): number => Math.round(value * 10) / 10;
  return {
    source,
    used: Math.round((100 * used) / memory.length) / 100,
    minutes,
    warm: round(settled[0]!),
    last: round(settled.at(-1)!),
    most: round(Math.max(...settled)),
    descriptors,
    processesSeen: seen,
    ghosts,
  };
}

/** Pids of the fleet: its launcher and the launcher's children. */
function pidsOf(fleet: Program): number[] {
  return (/ready ([\d ]+)/.exec(fleet.stdout)?.[1] ?? '').trim().split(' ').filter(Boolean).map(Number);
}
