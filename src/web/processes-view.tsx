// A subgroup by process. The exporter sorts and sends the first of them; all of ten thousand are sent only when asked for.

import { useMemo, useRef, useState } from 'preact/hooks';
import type { GroupEntry, HostDocument, ProcessEntry, ProcessesDocument } from '../server/api-v1/schema.ts';
import { formatDuration, formatPercent } from '../text/units.ts';
import { Areas } from './areas.tsx';
import { DataTable, type TableColumn } from './data-table.tsx';
import { type Latest, NOTHING, useDocument } from './feed.ts';
import { keyOfProcess, REST, withRest } from './history.ts';
import { useHour } from './hour.tsx';
import { Palette } from './palette.ts';
import { onward, type Place } from './place.ts';
import { Bytes, Glossary, Name, PlaceLink } from './shown.tsx';
import type { Tile } from './treemap.tsx';

const FIRST_PROCESSES = 200;
const ALL_PROCESSES = 10_000;
/** The largest processes have a tile each, whatever the order of the table. */
const TILES = 100;
/** Orders that the exporter knows: it sends the first processes of them. */
const SORTS = ['footprint', 'pss', 'uss', 'rss', 'swap', 'cpu', 'pid', 'name', 'age'];

interface ProcessesProps {
  readonly place: Place;
  /** Undefined where no process is in it. */
  readonly entry: GroupEntry | undefined;
  readonly host: Latest<HostDocument>;
}

/**
 * What is asked for. The exporter does not know a filter or another order: which rows those show first is only known of all.
 * @param limit of an order that the exporter knows
 */
export function queryOf({ group = '', subgroup = '', sort = 'footprint', filter = '' }: Place, limit: number) {
  if (limit < ALL_PROCESSES && SORTS.includes(sort) && filter === '')
    return { group, subgroup, sort, limit: String(limit) };
  return { group, subgroup, limit: String(ALL_PROCESSES) };
}

export function ProcessesView({ place, entry, host }: ProcessesProps) {
  const { group = '', subgroup = '' } = place;
  const [palette] = useState(() => new Palette());
  const [limit, setLimit] = useState(FIRST_PROCESSES);
  const query = new URLSearchParams(queryOf(place, limit));
  const { value: newest, fault } = useDocument<ProcessesDocument>(`processes?${query}`);
  const kept = useRef(newest);
  kept.current = newest ?? kept.current; // another order shows the rows of the last one until its own are there
  const value = kept.current;
  const largestQuery = new URLSearchParams(queryOf({ page: 'group', group, subgroup }, FIRST_PROCESSES));
  const hasLargest = String(query) === String(largestQuery) || query.get('limit') === String(ALL_PROCESSES);
  const { value: first } = useDocument<ProcessesDocument>(hasLargest ? NOTHING : `processes?${largestQuery}`);
  const keptLargest = useRef(value);
  keptLargest.current = (hasLargest ? newest : first) ?? keptLargest.current ?? value;
  const bySizeFirst = keptLargest.current;
  const seconds = host.value?.history.seconds;
  const parts = useHour(`processes:${group}/${subgroup}`, seconds);
  const whole = useHour(`subgroup:${group}/${subgroup}`, seconds);
  const [largest, alive] = useMemo(() => {
    const processes = bySizeFirst?.processes ?? [];
    const bySize = [...processes].sort((a, b) => bytesOf(b) - bytesOf(a)).slice(0, TILES);
    const known = [...processes, ...(value?.processes ?? [])];
    return [bySize, new Map(known.map((process) => [keyOf(process), process]))] as const;
  }, [value, bySizeFirst]);
  palette.assign(largest.map(keyOf));
  const hour = useMemo(
    () => parts.value && whole.value && withRest(parts.value, whole.value),
    [parts.value, whole.value],
  );
  const to = (key: string) => {
    const process = alive.get(key);
    if (!process) return undefined;
    const { pid, start_time_seconds: start } = process;
    return onward(place, { page: 'process', pid: String(pid), start: String(start), group, subgroup });
  };
  const tiles = useMemo(
    () => tilesOf(largest, entry, palette, to),
    [largest, entry, alive, place.span, place.from, place.to],
  );
  return (
    <>
      <Areas
        head="Footprint by process"
        label="Processes by footprint"
        tiles={tiles}
        place={place}
        hour={hour}
        fault={parts.fault}
        kept={seconds}
        palette={palette}
        areaOf={(key) => key}
        placeOf={to}
      />
      <section class="panel">
        <h2>Processes</h2>
        {fault && <p class="bad">{fault}</p>}
        {value && (
          <ProcessTable place={place} value={value} palette={palette} to={to} showAll={() => setLimit(ALL_PROCESSES)} />
        )}
        <Glossary of={['Footprint', 'PSS', 'USS', 'RSS', 'Swap', 'CPU']} />
      </section>
    </>
  );
}

const bytesOf = ({ footprint_bytes }: ProcessEntry): number => footprint_bytes ?? 0;
const keyOf = ({ pid, start_time_seconds }: ProcessEntry): string => keyOfProcess(pid, start_time_seconds);

function tilesOf(
  processes: readonly ProcessEntry[],
  entry: GroupEntry | undefined,
  palette: Palette,
  to: (key: string) => Place | undefined,
): Tile[] {
  const tiles = processes.map((process): Tile => {
    const key = keyOf(process);
    const place = to(key);
    const name = `${process.name} ${process.pid}`;
    const shown = { name, bytes: bytesOf(process), estimated: Boolean(process.estimated) };
    return { key, ...shown, colour: palette.classOf(key), ...(place && { to: place }) };
  });
  const rest = (entry?.footprint_bytes ?? 0) - tiles.reduce((sum, { bytes }) => sum + bytes, 0);
  // Less than a page for each process is the error of rounding.
  if (rest < 4096 * tiles.length) return tiles;
  return [
    ...tiles,
    {
      key: REST,
      name: 'shared, or in other processes',
      bytes: rest,
      estimated: entry?.estimated === true,
      colour: 'cx',
    },
  ];
}

interface ProcessTableProps {
  readonly place: Place;
  readonly value: ProcessesDocument;
  readonly palette: Palette;
  readonly to: (key: string) => Place | undefined;
  readonly showAll: () => void;
}

function ProcessTable({ place, value, palette, to, showAll }: ProcessTableProps) {
  const { at, total, hidden, unlisted, processes } = value;
  const columns = useMemo(() => columnsOf(at, palette, to), [value]);
  return (
    <DataTable
      caption="Processes"
      place={place}
      columns={columns}
      rows={processes}
      keyOf={keyOf}
      textOf={({ pid, name, user, unit, container_id, rule }) =>
        [pid, name, user, unit, container_id, rule].filter((part) => part !== undefined).join(' ')
      }
      sort="footprint"
    >
      {processes.length < total && (
        <button type="button" onClick={showAll}>
          of {total.toLocaleString('en')}: show all
        </button>
      )}
      {hidden > 0 && <span class="dim">{hidden} more are hidden by the settings</span>}
      {unlisted > 0 && <span class="dim">{unlisted} more are kernel threads or zombies</span>}
    </DataTable>
  );
}

function columnsOf(at: number, palette: Palette, to: (key: string) => Place | undefined): TableColumn<ProcessEntry>[] {
  const bytes = (key: string, head: string, value: (row: ProcessEntry) => number | undefined, estimate = false) => ({
    ...{ key, head, value, numeric: true },
    cell: (row: ProcessEntry) => <Bytes bytes={value(row)} estimated={estimate && row.estimated === true} />,
  });
  const text = (key: string, head: string, width: number, value: (row: ProcessEntry) => string | undefined) => ({
    ...{ key, head, width, value },
    cell: (row: ProcessEntry) => <Name text={value(row) ?? '–'} />,
  });
  const age = ({ start_time_seconds }: ProcessEntry) =>
    start_time_seconds === undefined ? undefined : Math.max(0, at - start_time_seconds);
  return [
    {
      key: 'pid',
      head: 'PID',
      value: (row) => row.pid,
      numeric: true,
      width: 4.5,
      upward: true,
      cell: (row) => row.pid,
    },
    {
      ...{ key: 'name', head: 'Name', value: (row: ProcessEntry) => row.name },
      cell: (row) => {
        const place = to(keyOf(row));
        return (
          <>
            <i class={`swatch ${palette.classOf(keyOf(row))}`} />
            {place ? (
              <PlaceLink to={place}>
                <Name text={row.name} />
              </PlaceLink>
            ) : (
              <Name text={row.name} />
            )}
          </>
        );
      },
    },
    { ...bytes('footprint', 'Footprint', (row) => row.footprint_bytes, true), width: 6.4 },
    bytes('pss', 'PSS', (row) => row.pss_bytes, true),
    bytes('uss', 'USS', (row) => row.uss_bytes, true),
    bytes('rss', 'RSS', (row) => row.rss_bytes),
    bytes('swap', 'Swap', (row) => row.swap_bytes),
    {
      ...{ key: 'cpu', head: 'CPU', value: (row) => row.cpu_percent, numeric: true, width: 4.5 },
      cell: ({ cpu_percent }) => (cpu_percent === undefined ? '–' : formatPercent(cpu_percent / 100, 1)),
    },
    {
      key: 'age',
      head: 'Age',
      value: age,
      upward: true,
      numeric: true,
      width: 4.8,
      cell: (row) => formatDuration(age(row) ?? Number.NaN),
    },
    text('user', 'User', 5.5, (row) => row.user),
    text('unit', 'Unit or container', 10.4, (row) => row.unit ?? row.container_id?.slice(0, 12)),
    text('rule', 'Rule', 8.5, (row) => row.rule),
  ];
}
