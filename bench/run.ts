// Runs the benchmarks and writes their results: a table on standard output, bench/results/*.json, and the chart in
// docs/performance.md. Arguments: as-used, cost, accuracy, classify, start, soak, page. --quick leaves out the largest fleet; --only=TITLE runs
// only fleets whose title begins with TITLE. Both print the table of costs, but write no file of it.
// cost --against=BUNDLE measures this build beside an older bundle (or several, with commas between) instead of its peers,
// in --rounds=N rounds: before and after in one run. It prints a table, and writes no file. as-used takes --minutes=N for each
// fleet, and --against as well: it adds the older bundles to its subjects. soak takes --minutes=N and --source=bpf,
// start --rounds=N.
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { ensure } from '../scripts/test-servers.mjs';
import { accuracy } from './accuracy.ts';
import { measureUsualCost, USUAL_FLEETS, usualCostTable } from './as-used.ts';
import { classificationTables, measureClassification } from './classify.ts';
import { compare, comparisonTable } from './compare.ts';
import { type Cost, FLEETS, measureCost } from './cost.ts';
import { draw } from './drawing.ts';
import { root } from './machine.ts';
import { growthTable, openPage } from './open-page.ts';
import { soak } from './soak.ts';
import { measureStart, startTable } from './start.ts';

const parts = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const quick = process.argv.includes('--quick');
const wants = (part: string): boolean => parts.length === 0 || parts.includes(part);
const log = (line: string): void => console.error(line);
/** The value of an argument such as --only=VALUE. */
const argument = (name: string): string | undefined =>
  process.argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3);

/** The machine that was measured: on another one absolute figures differ, ratios are similar. */
const machine = {
  kernel: release(),
  cores: cpus().length,
  memory: totalmem(),
  node: process.version,
  date: new Date().toISOString().slice(0, 10),
};

function save(name: string, results: unknown): void {
  mkdirSync(`${root}bench/results`, { recursive: true });
  writeFileSync(`${root}bench/results/${name}.json`, `${JSON.stringify({ machine, results }, undefined, 2)}\n`);
}

const milliseconds = (seconds: number): string => (Number.isNaN(seconds) ? '–' : (seconds * 1000).toFixed(1));
const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);

function costTable(costs: readonly Cost[]): string {
  const lines = [
    '| Fleet | Subject | CPU ms (10–90 %) | against process-exporter | scrape ms, median / p99 | fresh p99 ms | RSS / anonymous MiB | stall ms, steady / start | KB | series |',
    '|---|---|---|---|---|---|---|---|---|---|',
  ];
  for (const cost of costs) {
    const peer = costs.find(({ fleet, subject }) => fleet === cost.fleet && subject.endsWith('one group'));
    const ratio = peer && peer.cpu / cost.cpu > 1.05 ? `1/${(peer.cpu / cost.cpu).toFixed(1)}` : '';
    const cells = [
      cost.fleet,
      cost.subject,
      `${milliseconds(cost.cpu)} (${milliseconds(cost.cpuLow)}–${milliseconds(cost.cpuHigh)})`,
      ratio,
      `${milliseconds(cost.wall)} / ${milliseconds(cost.wall99)}`,
      milliseconds(cost.fresh99),
      `${mebibytes(cost.rss)} / ${mebibytes(cost.anonymous)}`,
      `${milliseconds(cost.stall)} / ${milliseconds(cost.stallStart)}`,
      cost.bytes ? (cost.bytes / 1000).toFixed(0) : '–',
      cost.series ? String(cost.series) : '–',
    ];
    lines.push(`| ${cells.join(' | ')} |`);
  }
  return lines.join('\n');
}

const against = argument('against')?.split(',');
if (wants('as-used')) {
  const only = argument('only') ?? '';
  const fleets = USUAL_FLEETS.filter(({ title, processes }) => title.startsWith(only) && (!quick || processes <= 2000));
  const whole = fleets.length === USUAL_FLEETS.length && !against;
  const minutes = Number(argument('minutes') ?? 10);
  const costs = await measureUsualCost(fleets, minutes, against ?? [], log, (costs) => whole && save('as-used', costs));
  console.log(usualCostTable(costs));
}
if (against && !parts.includes('as-used')) {
  const title = argument('only') ?? '2,000 processes';
  const fleet = FLEETS.find((each) => each.title.startsWith(title));
  if (!fleet) throw new Error(`no fleet has a title that begins with "${title}"`);
  log(fleet.title);
  console.log(comparisonTable(await compare(fleet, against, Number(argument('rounds') ?? 200), log)));
} else if (wants('cost')) {
  const only = argument('only') ?? '';
  const fleets = FLEETS.filter(({ title, processes }) => title.startsWith(only) && (!quick || processes <= 2000));
  const whole = fleets.length === FLEETS.length; // results are saved only if all fleets were measured
  const costs = await measureCost(fleets, log, (costs) => whole && save('cost', costs));
  console.log(costTable(costs));
  if (whole) writeFileSync(`${root}docs/performance-cost.svg`, draw(costs));
}
if (!against && wants('accuracy')) {
  const only = argument('only') ?? '';
  const results = await accuracy(only, log);
  if (only === '') save('accuracy', results);
  console.table(results);
}
if (!against && wants('classify')) {
  const results = measureClassification(log);
  save('classify', results);
  console.log(classificationTables(results));
}
if (!against && wants('start')) {
  const results = await measureStart(Number(argument('rounds') ?? 40), log);
  save('start', results);
  console.log(startTable(results));
}
if (!against && wants('soak')) {
  const minutes = Number(argument('minutes') ?? 60);
  const source = argument('source') === 'bpf' ? 'bpf' : 'procfs';
  const result = await soak(minutes, source, log);
  save(source === 'bpf' ? 'soak-bpf' : 'soak', result);
  console.table([result]);
}
if (!against && wants('page')) {
  const result = await openPage(Number(argument('minutes') ?? 60), ensure('chromium').chromium, log);
  save('page', result);
  console.log(growthTable(result));
}
