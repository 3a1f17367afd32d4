// npm run bench: builds the bundle, runs the benchmarks and writes their results: a table on standard output,
// bench/results/*.json, and the chart in docs/performance.md. `npm run bench -- --help` says what can be chosen.
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { run } from '../scripts/install.mjs';
import { ensure } from '../scripts/test-servers.mjs';
import { accuracy } from './accuracy.ts';
import { measureUsualCost, USUAL_FLEETS, usualCostTable } from './as-used.ts';
import { classificationTables, measureClassification } from './classify.ts';
import { BENCH_USAGE, type BenchOrder, benchOrder } from './command-line.ts';
import { compare, comparisonTable } from './compare.ts';
import { type Cost, FLEETS, measureCost } from './cost.ts';
import { draw } from './drawing.ts';
import { root } from './machine.ts';
import { growthTable, openPage } from './open-page.ts';
import { soak } from './soak.ts';
import { measureStart, startTable } from './start.ts';

/** What is asked for, or the end of the program. */
function order(): BenchOrder {
  try {
    const asked = benchOrder(process.argv.slice(2));
    if (asked !== 'help') return asked;
    process.stdout.write(BENCH_USAGE);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${BENCH_USAGE}`);
    process.exit(2);
  }
}

const { parts, quick, only, against, rounds, minutes, source } = order();
const wants = (part: (typeof parts)[number]): boolean => parts.length === 0 || parts.includes(part);
const log = (line: string): void => console.error(line);

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

run('building dist/herakles.cjs', process.execPath, ['scripts/build.mjs']);
if (wants('as-used')) {
  const fleets = USUAL_FLEETS.filter(({ title, processes }) => title.startsWith(only) && (!quick || processes <= 2000));
  const whole = fleets.length === USUAL_FLEETS.length && !against;
  const found = (costs: readonly unknown[]) => whole && save('as-used', costs);
  console.log(usualCostTable(await measureUsualCost(fleets, minutes ?? 10, against ?? [], log, found)));
}
if (against && !parts.includes('as-used')) {
  const title = only === '' ? '2,000 processes' : only;
  const fleet = FLEETS.find((each) => each.title.startsWith(title));
  if (!fleet) throw new Error(`no fleet has a title that begins with "${title}"`);
  log(fleet.title);
  console.log(comparisonTable(await compare(fleet, against, rounds ?? 200, log)));
} else if (wants('cost')) {
  const fleets = FLEETS.filter(({ title, processes }) => title.startsWith(only) && (!quick || processes <= 2000));
  const whole = fleets.length === FLEETS.length; // results are saved only if all fleets were measured
  const costs = await measureCost(fleets, log, (costs) => whole && save('cost', costs));
  console.log(costTable(costs));
  if (whole) writeFileSync(`${root}docs/performance-cost.svg`, draw(costs));
}
if (!against && wants('accuracy')) {
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
  const results = await measureStart(rounds ?? 40, log);
  save('start', results);
  console.log(startTable(results));
}
if (!against && wants('soak')) {
  const result = await soak(minutes ?? 60, source, log);
  save(source === 'bpf' ? 'soak-bpf' : 'soak', result);
  console.table([result]);
}
if (!against && wants('page')) {
  const result = await openPage(minutes ?? 60, ensure('chromium').chromium, log);
  save('page', result);
  console.log(growthTable(result));
}
