// scan: one collection, printed as tables a person likes to read, or as JSON for programs.
import { setTimeout } from 'node:timers/promises';
import type { Setup } from '../agent/agent.ts';
import { Sampler, type Snapshot } from '../agent/sampler.ts';
import { samplerOptionsOf } from '../agent/settings.ts';
import type { KernelFiles } from '../kernel/files.ts';
import { Classifier } from '../rules/classifier.ts';
import type { ProcessRows } from '../view/process-rows.ts';
import type { GroupRow } from '../view/view.ts';
import type { Invocation } from './arguments.ts';
import { loadSetup, NotFound, openHost, sourcesOf } from './load-host.ts';
import { type Column, shortBytes, textTable } from './table.ts';

/** CPU percentages need two looks, so far apart, milliseconds. */
const APART = 500;
/** Processes in the table; JSON has all. */
const TOP = 20;

export async function scan(asked: Invocation & { readonly json: boolean }): Promise<string> {
  const setup = await loadSetup(sourcesOf(asked));
  const { view } = await collectOnce(setup, openHost(setup.config));
  if (asked.json) return `${JSON.stringify(documentOf(view.groups, view.rows), undefined, 2)}\n`;
  const { total, available } = view.host.memory;
  const groups = view.groups.filter((row) => row.processes > 0).sort((a, b) => b.footprint - a.footprint);
  const shown = shownRows(view.rows).sort((a, b) => memoryOf(view.rows, b) - memoryOf(view.rows, a));
  return [
    `${view.seen} processes; ${shortBytes(total)} of memory, ${shortBytes(available)} available`,
    '',
    textTable(GROUP_COLUMNS, groups),
    '',
    textTable(processColumns(view.rows), shown.slice(0, TOP)),
    ...(shown.length > TOP ? [`… and ${shown.length - TOP} more; --json lists all`] : []),
    '',
  ].join('\n');
}

/** Two collections of everything, exactly, so that every value is there that can be had. @throws NotFound */
export async function collectOnce(setup: Setup, files: KernelFiles): Promise<Snapshot> {
  const classifier = new Classifier(setup.rules, setup.catalogue);
  const options = samplerOptionsOf(setup.config);
  const mode = options.footprints.mode === 'off' ? 'off' : 'exact';
  const sampler = new Sampler(files, (identity) => classifier.classify(identity), {
    ...options,
    footprints: { ...options.footprints, mode },
  });
  await sampler.collect();
  await setTimeout(APART);
  await sampler.collect();
  sampler.stop();
  if (!sampler.snapshot) throw new NotFound(`nothing could be collected: ${sampler.failure?.message}`);
  return sampler.snapshot;
}

const thousandths = (value: number): number => Math.round(value * 1000) / 1000;
const percent = (value: number): string => (Number.isNaN(value) ? '–' : value.toFixed(1));

const GROUP_COLUMNS: readonly Column<GroupRow>[] = [
  { head: 'GROUP', text: (row) => row.counters.group },
  { head: 'SUBGROUP', text: (row) => row.counters.subgroup },
  { head: 'PROCESSES', text: (row) => String(row.processes), right: true },
  { head: 'FOOTPRINT', text: (row) => shortBytes(row.footprint), right: true },
  { head: 'RSS', text: (row) => shortBytes(row.rss), right: true },
  { head: 'PSS', text: (row) => shortBytes(row.pss), right: true },
  { head: 'USS', text: (row) => shortBytes(row.uss), right: true },
  { head: 'SWAP', text: (row) => shortBytes(row.swap), right: true },
  { head: 'CPU %', text: (row) => percent(row.usage), right: true },
];

const processColumns = (rows: ProcessRows): readonly Column<number>[] => [
  { head: 'PID', text: (row) => String(rows.description[row]!.pid), right: true },
  { head: 'NAME', text: (row) => rows.description[row]!.identity.name },
  { head: 'GROUP', text: (row) => `${rows.description[row]!.group}/${rows.description[row]!.subgroup}` },
  { head: 'RSS', text: (row) => shortBytes(rows.rss[row]!), right: true },
  { head: 'PSS', text: (row) => shortBytes(rows.pss[row]!), right: true },
  { head: 'USS', text: (row) => shortBytes(rows.uss[row]!), right: true },
  { head: 'SWAP', text: (row) => shortBytes(rows.swap[row]!), right: true },
  { head: 'CPU %', text: (row) => percent(rows.usage[row]!), right: true },
];

const shownRows = (rows: ProcessRows): number[] =>
  [...rows.shown.subarray(0, rows.length).keys()].filter((row) => rows.shown[row]);
const memoryOf = (rows: ProcessRows, row: number): number =>
  rows.pss[row]! >= 0 ? rows.pss[row]! : rows.rss[row]! || 0;

/** Bytes, seconds and percent under the names of the families; a value that is not known is left out. */
function documentOf(groups: readonly GroupRow[], rows: ProcessRows) {
  const known = (values: Record<string, number>) =>
    Object.fromEntries(Object.entries(values).filter(([, value]) => !Number.isNaN(value)));
  return {
    groups: groups.map((row) => ({
      group: row.counters.group,
      subgroup: row.counters.subgroup,
      processes: row.processes,
      ...known({
        footprint_bytes: row.footprint,
        rss_bytes: row.rss,
        pss_bytes: row.pss,
        uss_bytes: row.uss,
        swap_bytes: row.swap,
        cpu_percent: thousandths(row.usage),
      }),
    })),
    processes: shownRows(rows).map((row) => {
      const { pid, identity, group, subgroup, rule } = rows.description[row]!;
      const { name, user, exe, unit, container } = identity;
      const values = {
        rss_bytes: rows.rss[row]!,
        pss_bytes: rows.pss[row]!,
        uss_bytes: rows.uss[row]!,
        swap_bytes: rows.swap[row]!,
        cpu_percent: thousandths(rows.usage[row]!),
        cpu_seconds: rows.time[row]!,
      };
      return { pid, name, group, subgroup, rule, user, exe, unit, container, ...known(values) };
    }),
  };
}
