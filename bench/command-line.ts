// The arguments of npm run bench. Whatever is wrong is refused before anything starts: all benchmarks together run for hours.
import { statSync } from 'node:fs';
import { parseArgs } from 'node:util';

const PARTS = ['as-used', 'cost', 'accuracy', 'classify', 'start', 'soak', 'page'] as const;
type Part = (typeof PARTS)[number];

export const BENCH_USAGE = `Usage: npm run bench -- [PART ...] [--quick] [--only=TITLE] [--against=BUNDLE] [--rounds=N] [--minutes=N] [--source=bpf]

as-used   the exporter with default settings, and real pauses between scrapes
cost      the exporter beside its peers, scraped without a pause
accuracy  PSS and USS of a group, beside an exact reading at the same moment
classify  how long it takes to find the groups of ten thousand new processes
start     start and memory of the single executable, beside Node.js with the bundle
soak      memory over an hour, while processes come and go
page      the live page, open for an hour
Without a part all of them run, which takes hours. bench/results/ gets the results.

--quick           as-used, cost: without the largest fleet. Nothing is written to bench/results/
--only=TITLE      as-used, cost, accuracy: only fleets or groups whose title begins so. Nothing is written either
--against=BUNDLE  cost, which it implies: this build beside an older bundle, or several with commas between, instead of its peers;
                  as-used: beside its other subjects. Nothing is written either
--rounds=N        cost --against: turns of each bundle (200); start: starts of each program (40)
--minutes=N       as-used: for each fleet (10); soak, page: in all (60)
--source=bpf      soak: with the BPF program
`;

/** What the command line asks for. */
export interface BenchOrder {
  readonly parts: readonly Part[];
  readonly quick: boolean;
  /** How the titles begin; '' is all of them. */
  readonly only: string;
  /** Paths of older bundles. */
  readonly against: readonly string[] | undefined;
  readonly rounds: number | undefined;
  readonly minutes: number | undefined;
  readonly source: 'bpf' | 'procfs';
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

/** @throws Error that says which argument is wrong, and why; @returns 'help' where that is asked for */
export function benchOrder(args: readonly string[]): BenchOrder | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      ...{ quick: { type: 'boolean' }, only: { type: 'string' }, against: { type: 'string' } },
      ...{ rounds: { type: 'string' }, minutes: { type: 'string' }, source: { type: 'string' } },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return 'help';
  const unknown = positionals.find((word) => !PARTS.includes(word as Part));
  if (unknown !== undefined) throw new Error(`${unknown} is no part: give ${PARTS.join(', ')}`);
  const against = values.against?.split(',');
  const missing = against?.find((path) => !isFile(path));
  if (missing !== undefined) throw new Error(`--against: ${missing === '' ? 'an empty name' : missing} is no file`);
  const { source = 'procfs' } = values;
  if (source !== 'bpf' && source !== 'procfs') throw new Error(`--source=${source}: give bpf or procfs`);
  const number = (name: 'rounds' | 'minutes', pattern: RegExp): number | undefined => {
    const text = values[name];
    if (text === undefined) return undefined;
    if (!pattern.test(text) || Number(text) === 0) throw new Error(`--${name}=${text}: give a number above 0`);
    return Number(text);
  };
  return {
    ...{ parts: positionals as Part[], quick: values.quick === true, only: values.only ?? '', against, source },
    ...{ rounds: number('rounds', /^\d{1,9}$/), minutes: number('minutes', /^\d{1,9}(?:\.\d+)?$/) },
  };
}
