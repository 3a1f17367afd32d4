// How exact the bounded mode is. For each scenario: PSS and USS of a group of real processes in the exporter, compared with
// an exact reading of all these processes at the same moment.

import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { Sampler, type SamplerOptions } from '../src/agent/sampler.ts';
import { samplerOptionsOf } from '../src/agent/settings.ts';
import { type Config, defaults } from '../src/config/options.ts';
import { liveFiles } from '../src/kernel/live-host.ts';
import type { Identity } from '../src/rules/identity.ts';
import type { ProcessView } from '../src/view/view.ts';
import { readTruth } from '../test/proc-truth.ts';
import { childProgram, median, Program } from './machine.ts';

interface Scenario {
  readonly title: string;
  /** Arguments of the child program. */
  readonly child: readonly string[];
  /** Called after each collection. */
  readonly after?: (program: Program, round: number) => void | Promise<void>;
  readonly settings?: Partial<Config>;
  /** Whether all processes are ended and started again after the third collection. */
  readonly restart?: boolean;
  /** Collections, where the usual number is too small. */
  readonly rounds?: number;
}

/** A file that processes map, and another program that maps it too: a copy, so that it is another executable. */
const folder = mkdtempSync(`${tmpdir()}/herakles-accuracy-`);
const file = `${folder}/pages`;
let visitor: Program | undefined;

async function startVisitor(): Promise<Program> {
  const program = new Program(`${folder}/visitor`, ['file', '64', '10', file]);
  await program.printed('ready');
  return program;
}

const SCENARIOS: readonly Scenario[] = [
  { title: 'idle fleet of 300', child: ['fleet', '300', '20', '1024', 'acc'] },
  {
    title: 'prefork server, parent writes after the fork',
    child: ['prefork', '64', '8'],
    after: (p) => p.say('write'),
  },
  { title: 'snapshotting store that forks and writes', child: ['prefork', '256', '1'], after: (p) => p.say('write') },
  { title: 'leak of 4 MiB/s', child: ['leak', '4'] },
  { title: 'growing shared mapping', child: ['growshared', '64', '4'] },
  { title: 'churn of 200 processes a second', child: ['storm', '5000', '10', '2'], after: (p) => p.say('storm') },
  {
    title: 'idle sharers of a file; another program maps it, and ends (smaps_max_age 6 s)',
    child: ['file', '64', '20', file],
    settings: { smaps_max_age: 6, smaps_budget: 1 }, // the budget is measured by the other scenarios
    after: async (_, round) => {
      if (round === 3) visitor = await startVisitor();
      if (round === 8) await visitor?.end();
    },
    rounds: 14,
  },
  { title: 'restart of everything', child: ['fleet', '300', '20', '1024', 'acc'], restart: true },
];

export interface Accuracy {
  readonly scenario: string;
  /** Error as a share of the exact PSS, in all collections after the second. */
  readonly 'PSS median': string;
  readonly 'PSS worst': string;
  readonly 'USS median': string;
  readonly 'USS worst': string;
  /** The largest number of processes that waited for budget at one collection. */
  readonly deferred: number;
}

/** Seconds between two collections: shorter than the default, so the budget of each collection is smaller too. */
const INTERVAL_SECONDS = 3;
const COLLECTIONS = 8;

/** Runs every scenario whose title begins with `only`. @param log gets a line for each of them */
export async function accuracy(only: string, log: (line: string) => void): Promise<Accuracy[]> {
  const results: Accuracy[] = [];
  writeFileSync(file, Buffer.alloc(64 << 20));
  copyFileSync(childProgram(), `${folder}/visitor`);
  try {
    for (const scenario of SCENARIOS.filter(({ title }) => title.startsWith(only))) {
      log(scenario.title);
      results.push(await run(scenario));
    }
  } finally {
    await visitor?.end();
    rmSync(folder, { recursive: true });
  }
  return results;
}

async function run(scenario: Scenario): Promise<Accuracy> {
  const options: SamplerOptions = samplerOptionsOf({ ...defaults, interval: INTERVAL_SECONDS, ...scenario.settings });
  const start = async () => {
    const program = new Program(childProgram(), scenario.child);
    await program.printed('ready');
    return program;
  };
  let program = await start();
  const classify = (identity: Identity) => ({
    group: 'bench',
    subgroup: /^(hk-|acc)/.test(identity.name) ? 'scenario' : 'others',
    rule: 'bench',
  });
  const sampler = new Sampler(liveFiles(), classify, options);
  const errors = { pss: [] as number[], uss: [] as number[] };
  let deferred = 0;
  try {
    for (let round = 0; round < (scenario.rounds ?? COLLECTIONS); round++) {
      process.kill(-program.pid, 'SIGSTOP'); // so that nothing changes between the two readings
      await sampler.collect();
      const { view } = sampler.snapshot!;
      const { ours, exact } = compare(view);
      process.kill(-program.pid, 'SIGCONT');
      if (round >= 2 && exact.pss > 0) {
        errors.pss.push(Math.abs(ours.pss - exact.pss) / exact.pss);
        if (exact.uss > 0) errors.uss.push(Math.abs(ours.uss - exact.uss) / exact.pss);
        deferred = Math.max(deferred, view.footprints.deferred);
      }
      await scenario.after?.(program, round);
      if (scenario.restart && round === 2) {
        await program.end();
        program = await start();
      }
      await pause(INTERVAL_SECONDS * 1000);
    }
  } finally {
    sampler.stop();
    await program.end();
  }
  const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
  return {
    scenario: scenario.title,
    'PSS median': percent(median(errors.pss)),
    'PSS worst': percent(Math.max(...errors.pss)),
    'USS median': percent(median(errors.uss)),
    'USS worst': percent(Math.max(...errors.uss)),
    deferred,
  };
}

/** PSS and USS of the scenario's group, bytes: as the exporter has them (ours), and read here (exact). */
function compare({ rows }: ProcessView) {
  const ours = { pss: 0, uss: 0 };
  const exact = { pss: 0, uss: 0 };
  for (let row = 0; row < rows.length; row++) {
    const { pid, subgroup } = rows.description[row]!;
    const truth = subgroup === 'scenario' ? readTruth(pid) : undefined;
    if (!truth) continue;
    exact.pss += truth.pss;
    exact.uss += truth.uss;
    ours.pss += rows.pss[row]! || 0;
    ours.uss += rows.uss[row]! || 0;
  }
  return { ours, exact };
}
