// Runs the exporter for a long time on a host where processes come and go all the time: does its memory stay flat, do
// its descriptors stay bounded, and does every series of a dead process go within one collection?
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually, freePort } from '../test/harness.ts';
import { answers, bundle, childProgram, memoryOf, Program, text } from './machine.ts';

export interface Soak {
  readonly minutes: number;
  /** Resident memory when warm, at the end, and at most in between; MiB. */
  readonly warm: number;
  readonly last: number;
  readonly most: number;
  /** Most descriptors that were open at once, and the processes that were seen then. */
  readonly descriptors: number;
  readonly processesSeen: number;
  /** Series of processes that had ended before the collection that exported them began. */
  readonly ghosts: number;
}

const INTERVAL = 1;
/** Share of the time after which memory counts as warm. */
const WARM = 0.4;
/** Rounds there are at least, however short it is. */
const FEWEST = 10;

export async function soak(minutes: number, log: (line: string) => void): Promise<Soak> {
  const port = await freePort();
  const flags = ['--port', String(port), '--bind', '127.0.0.1', '--interval', `${INTERVAL}s`, '--cache-ttl', '0s'];
  const exporter = new Program(process.execPath, [bundle, ...flags]);
  const churn = new Program(childProgram(), ['storm', '1000000', '10', '2']);
  const url = `http://127.0.0.1:${port}/metrics`;
  let fleet: Program | undefined;
  const memory: number[] = [];
  let descriptors = 0;
  let ghosts = 0;
  let seen = 0;
  try {
    await answers(url);
    await churn.printed('ready');
    churn.say('storm');
    const began = performance.now();
    const elapsed = () => (performance.now() - began) / 60_000;
    for (let round = 0; elapsed() < minutes || round < FEWEST; round++) {
      const gone = fleet ? pidsOf(fleet) : [];
      await fleet?.end();
      fleet = new Program(childProgram(), ['fleet', '200', '8', '256', `soak${round % 7}`]);
      await fleet.printed('ready');
      const left = () => gone.filter((pid) => existsSync(`/proc/${pid}`));
      await eventually(() => assert.deepEqual(left(), [], 'they do not end'), 30_000, 20);
      await text(url); // may have joined a collection that began before they had ended
      const page = await text(url);
      ghosts += gone.filter((pid) => page.includes(`{pid="${pid}",`)).length;
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
  const settled = memory.slice(Math.floor(memory.length * WARM));
  const round = (value: number): number => Math.round(value * 10) / 10;
  return {
    minutes,
    warm: round(settled[0]!),
    last: round(settled.at(-1)!),
    most: round(Math.max(...settled)),
    descriptors,
    processesSeen: seen,
    ghosts,
  };
}

/** The fleet's processes: its launcher and the children of that. */
function pidsOf(fleet: Program): number[] {
  return (/ready ([\d ]+)/.exec(fleet.stdout)?.[1] ?? '').trim().split(' ').filter(Boolean).map(Number);
}
