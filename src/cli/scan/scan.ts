// scan: one collection, printed as tables for people, or as JSON for programs.

import { escapedJson } from '../../text/hostile.ts';
import { formatBytes } from '../../text/units.ts';
import type { ProcessRows } from '../../view/process-rows.ts';
import type { GroupRow } from '../../view/view.ts';
import { collectOnce } from '../collect-once.ts';
import { countedProcesses } from '../counted.ts';
import { hungLines } from '../hung-lines.ts';
import { loadSetup, openHost, sourcesOf } from '../load-host.ts';
import { type Column, textTable } from '../table.ts';
import type { GivenSettings } from '../verb.ts';

/** The most processes in the table; JSON has all. */
const LISTED_MAX = 20;

export async function scan(settings: GivenSettings, json: boolean): Promise<string> {
  const setup = await loadSetup(sourcesOf(settings));
  const { view } = await collectOnce(setup, await openHost(setup.config), { footprints: 'settings' });
  if (json) return escapedJson(documentOf(view.groups, view.rows), 2);
  const { total, available } = view.host.memory;
  const groups = view.groups.filter((row) => row.processes > 0).sort((a, b) => b.footprint - a.footprint);
  const shown = rowsWithSeries(view.rows).sort((a, b) => memoryOf(view.rows, b) - memoryOf(view.rows, a));
  return [
    `${countedProcesses(view.seen)}; ${formatBytes(total)} of memory, of which ${formatBytes(available)} are available`,
    ...hungLines(view.hung),
    '',
    textTable(GROUP_COLUMNS, groups),
    '',
    textTable(processColumns(view.rows), shown.slice(0, LISTED_MAX)),
    ...(shown.length > LISTED_MAX ? [`… and ${shown.length - LISTED_MAX} more; --json has all of them`] : []),
    '',
  ].join('\n');
}

const thousandths = (value: number): number => Math.round(value * 1000) / 1000;
const percent = (value: number): string => (Number.isNaN(value) ? '–' : value.toFixed(1));

const GROUP_COLUMNS: readonly Column<GroupRow>[] = [
  { head: 'GROUP', text: (row) => row.counters.group },
  { head: 'SUBGROUP', text: (row) => row.counters.subgroup },
  { head: 'PROCESSES', text: (row) => String(row.processes), right: true },
  { head: 'FOOTPRINT', text: (row) => formatBytes(row.footprint), right: true },
  { head: 'RSS', text: (row) => formatBytes(row.rss), right: true },
  { head: 'PSS', text: (row) => formatBytes(row.pss), right: true },
  { head: 'USS', text: (row) => formatBytes(row.uss), right: true },
  { head: 'SWAP', text: (row) => formatBytes(row.swap), right: true },
  { head: 'CPU %', text: (row) => percent(row.usage), right: true },
];

const processColumns = (rows: ProcessRows): readonly Column<number>[] => [
  { head: 'PID', text: (row) => String(rows.description[row]!.pid), right: true },
  { head: 'NAME', text: (row) => rows.description[row]!.identity.name },
  { head: 'GROUP', text: (row) => `${rows.description[row]!.group}/${rows.description[row]!.subgroup}` },
  { head: 'RSS', text: (row) => formatBytes(rows.rss[row]!), right: true },
  { head: 'PSS', text: (row) => formatBytes(rows.pss[row]!), right: true },
  { head: 'USS', text: (row) => formatBytes(rows.uss[row]!), right: true },
  { head: 'SWAP', text: (row) => formatBytes(rows.swap[row]!), right: true },
  { head: 'CPU %', text: (row) => percent(rows.usage[row]!), right: true },
];

/** The rows of processes that the settings give series of their own. */
const rowsWithSeries = (rows: ProcessRows): number[] =>
  [...rows.shown.subarray(0, rows.length).keys()].filter((row) => rows.shown[row]);
/** Bytes: PSS, or RSS where PSS cannot be read. */
const memoryOf = (rows: ProcessRows, row: number): number =>
  rows.pss[row]! >= 0 ? rows.pss[row]! : rows.rss[row]! || 0;

/** Bytes, seconds and percent. A value that is not known is left out. */
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
    processes: rowsWithSeries(rows).map((row) => {
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
