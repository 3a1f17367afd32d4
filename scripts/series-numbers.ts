// How many series there are, in the documents: counted from the declarations of the collectors, and written into the pages
// that name the numbers. The pages are written by hand; only the numbers in these sentences and in one table are replaced,
// so that no two pages can disagree.
import { readFileSync } from 'node:fs';
import { enabledOf } from '../src/agent/settings.ts';
import { groupCollector } from '../src/collectors/group.ts';
import { processCollector } from '../src/collectors/process.ts';
import { defaults } from '../src/config/options.ts';

const root = new URL('..', import.meta.url).pathname;
const enabled = enabledOf(defaults);

/** Series of a process; of a subgroup, with one more where it is declared; and of the host and the exporter, roughly. */
export const seriesOf = {
  process: processCollector.series(enabled).process!,
  subgroup: groupCollector.series(enabled).group! - 1, // herakles_group_declared
  rest: 75,
};

/** Series of one response, to the nearest 50, as in "1,950". */
function total(processes: number, subgroups: number, mode: 'all' | 'top' | 'none'): string {
  const { process, subgroup, rest } = seriesOf;
  const info = 1; // the sum of the rest has none
  const shown = {
    all: processes * process,
    top: subgroups * ((defaults.top_n_subgroup + 1) * process - info),
    none: 0,
  };
  const sum = shown[mode] + subgroups * subgroup + rest;
  return (Math.round(sum / 50) * 50).toLocaleString('en');
}

const WORDS = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
  'eleven',
  'twelve',
];

type Replacement = readonly [pattern: RegExp, text: (...found: string[]) => string];

const SENTENCE: Replacement = [
  /\d+ series for each process and \d+ for each subgroup/g,
  () => `${seriesOf.process} series for each process and ${seriesOf.subgroup} for each subgroup`,
];

/** What is replaced in each page; each pattern has to be found there. */
const PAGES: Readonly<Record<string, readonly Replacement[]>> = {
  'docs/fleet.md': [
    [
      /series = \d+ × processes \+ \d+ × subgroups \+ declared groups \+ about \d+/g,
      () =>
        `series = ${seriesOf.process} × processes + ${seriesOf.subgroup} × subgroups + declared groups + about ${seriesOf.rest}`,
    ],
    [/leaves \w+ series\nbehind/g, () => `leaves ${WORDS[seriesOf.process]} series\nbehind`],
  ],
  'docs/performance-tuning.md': [
    SENTENCE,
    [
      /^\| ([\d,]+) \| (\d+) \| about [\d,]+ \| about [\d,]+ \| about [\d,]+ \|$/gm,
      (_, processes, subgroups) => {
        const [all, top, none] = (['all', 'top', 'none'] as const).map((mode) =>
          total(Number(processes!.replace(',', '')), Number(subgroups), mode),
        );
        return `| ${processes} | ${subgroups} | about ${all} | about ${top} | about ${none} |`;
      },
    ],
  ],
  'docs/prometheus-integration.md': [
    SENTENCE,
    [
      /A host with 200 processes in 20 subgroups has about [\d,]+ series with `per_process: all` and about [\d,]+ with `top`/g,
      () =>
        `A host with 200 processes in 20 subgroups has about ${total(200, 20, 'all')} series with \`per_process: all\` and about ${total(200, 20, 'top')} with \`top\``,
    ],
  ],
};

/** For generate.ts: each of these pages, with the numbers that the code has. */
export const pagesWithSeriesNumbers = Object.entries(PAGES).map(([path, replacements]) => ({
  path,
  make: () =>
    replacements.reduce(
      (page, [pattern, text]) => {
        if (page.search(pattern) < 0)
          throw new Error(`${path}: nothing matches ${pattern}, so its number would grow old`);
        return page.replace(pattern, text);
      },
      readFileSync(root + path, 'utf8'),
    ),
}));
