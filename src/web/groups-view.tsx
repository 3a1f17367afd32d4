// The host by group, and a group by subgroup: treemap, hour and table of the same things in the same colours.

import { useMemo } from 'preact/hooks';
import type { GroupEntry, HostDocument } from '../server/api-v1/schema.ts';
import { formatPercent } from '../text/units.ts';
import { Areas } from './areas.tsx';
import { DataTable, type TableColumn } from './data-table.tsx';
import { EventList } from './events.tsx';
import type { Latest } from './feed.ts';
import { HostBar } from './host-bar.tsx';
import { useHour } from './hour.tsx';
import { Palette } from './palette.ts';
import { onward, type Place } from './place.ts';
import { Bytes, changeText, Glossary, Name, PlaceLink } from './shown.tsx';
import type { Tile } from './treemap.tsx';

export const keyOfGroup = ({ group, subgroup }: GroupEntry): string => `${group}/${subgroup}`;

/** Colours of all groups, and of the subgroups of the group that is looked at. */
const groupPalette = new Palette();
const subgroupPalettes = new Map<string, Palette>();

function paletteOf(group: string): Palette {
  const known = subgroupPalettes.get(group) ?? new Palette();
  subgroupPalettes.clear();
  subgroupPalettes.set(group, known);
  return known;
}

interface ViewProps {
  readonly place: Place;
  readonly groups: readonly GroupEntry[];
  readonly host: Latest<HostDocument>;
}

export function Overview({ place, groups, host }: ViewProps) {
  const kept = host.value?.history.seconds;
  const { value: hour, fault } = useHour('groups', kept);
  const sums = sumsOf(groups);
  groupPalette.assign(sums.map(([group]) => group));
  const byKey = new Map(groups.map((entry) => [keyOfGroup(entry), entry]));
  const groupOf = (key: string) => byKey.get(key)?.group ?? key.split('/')[0]!;
  const tiles = sums.map(([group, bytes]): Tile => {
    const estimated = groups.some((entry) => entry.group === group && entry.estimated);
    const to = onward(place, { page: 'group', group });
    return { key: group, name: group, bytes, estimated, colour: groupPalette.classOf(group), to };
  });
  return (
    <>
      {host.value && <HostBar host={host.value} groups={sums} palette={groupPalette} place={place} />}
      <Areas
        head="Footprint by group"
        label="Groups by footprint"
        tiles={tiles}
        place={place}
        hour={hour}
        fault={fault}
        kept={kept}
        palette={groupPalette}
        areaOf={groupOf}
        placeOf={(key) => placeOfKey(place, byKey, key)}
      />
      <GroupsTable place={place} groups={groups} palette={groupPalette} areaOf={({ group }) => group} />
      <EventList />
    </>
  );
}

/** A group with more than one subgroup. */
export function GroupView({ place, groups, host }: ViewProps) {
  const { group = '' } = place;
  const kept = host.value?.history.seconds;
  const { value: hour, fault } = useHour(`group:${group}`, kept);
  const own = groups.filter((entry) => entry.group === group).sort((a, b) => bytesOf(b) - bytesOf(a));
  const palette = paletteOf(group);
  palette.assign(own.map(keyOfGroup));
  const byKey = new Map(own.map((entry) => [keyOfGroup(entry), entry]));
  const tiles = own.map((entry): Tile => {
    const { subgroup } = entry;
    const key = keyOfGroup(entry);
    const to = onward(place, { page: 'group', group, subgroup });
    const shown = { name: subgroup, bytes: bytesOf(entry), estimated: entry.estimated === true };
    return { key, ...shown, colour: palette.classOf(key), to };
  });
  return (
    <>
      <Areas
        head="Footprint by subgroup"
        label="Subgroups by footprint"
        tiles={tiles}
        place={place}
        hour={hour}
        fault={fault}
        kept={kept}
        palette={palette}
        areaOf={(key) => key}
        placeOf={(key) => placeOfKey(place, byKey, key)}
      />
      <GroupsTable place={place} groups={own} palette={palette} areaOf={keyOfGroup} />
    </>
  );
}

const bytesOf = ({ footprint_bytes }: GroupEntry): number => footprint_bytes ?? 0;

/** Footprints added up by group, largest first. */
function sumsOf(groups: readonly GroupEntry[]): [group: string, bytes: number][] {
  const sums = new Map<string, number>();
  for (const entry of groups) sums.set(entry.group, (sums.get(entry.group) ?? 0) + bytesOf(entry));
  return [...sums].sort((a, b) => b[1] - a[1]);
}

function placeOfKey(place: Place, byKey: ReadonlyMap<string, GroupEntry>, key: string): Place | undefined {
  const entry = byKey.get(key);
  return entry && onward(place, { page: 'group', group: entry.group, subgroup: entry.subgroup });
}

interface GroupsTableProps {
  readonly place: Place;
  readonly groups: readonly GroupEntry[];
  readonly palette: Palette;
  readonly areaOf: (entry: GroupEntry) => string;
}

function GroupsTable({ place, groups, palette, areaOf }: GroupsTableProps) {
  const columns = useMemo(() => columnsOf(place, palette, areaOf), [place, palette]);
  return (
    <section class="panel">
      <h2>{place.page === 'overview' ? 'Groups' : 'Subgroups'}</h2>
      <DataTable
        caption="Groups of processes"
        place={place}
        columns={columns}
        rows={groups}
        keyOf={keyOfGroup}
        textOf={keyOfGroup}
        sort="footprint"
      />
      <Glossary of={['Footprint', 'PSS', 'RSS', 'Swap', 'Measured', 'CPU', 'Host', 'Change', 'OOM kills']} />
    </section>
  );
}

const percentOf = (percent: number | undefined) => (percent === undefined ? '–' : formatPercent(percent / 100, 1));
const shareOf = (ratio: number | undefined, decimals = 0) =>
  ratio === undefined ? '–' : formatPercent(ratio, decimals);

function columnsOf(place: Place, palette: Palette, areaOf: (entry: GroupEntry) => string): TableColumn<GroupEntry>[] {
  const bytes = (key: string, head: string, value: (row: GroupEntry) => number | undefined, estimate = false) => ({
    ...{ key, head, value, numeric: true },
    cell: (row: GroupEntry) => <Bytes bytes={value(row)} estimated={estimate && row.estimated === true} />,
  });
  return [
    {
      key: 'group',
      head: 'Group',
      width: 14,
      value: keyOfGroup,
      cell: (row) => (
        <>
          <i class={`swatch ${palette.classOf(areaOf(row))}`} />
          <PlaceLink to={onward(place, { page: 'group', group: row.group, subgroup: row.subgroup })}>
            <Name text={row.group} />/<Name text={row.subgroup} />
          </PlaceLink>
        </>
      ),
    },
    bytes('footprint', 'Footprint', (row) => row.footprint_bytes, true),
    {
      ...{ key: 'processes', head: 'Processes', value: (row) => row.processes, numeric: true },
      cell: (row) =>
        row.declared && row.processes === 0 ? <strong class="bad">down</strong> : row.processes.toLocaleString('en'),
    },
    {
      key: 'host',
      head: 'Host',
      value: (row) => row.host_ratio,
      numeric: true,
      cell: (row) => shareOf(row.host_ratio, 1),
    },
    {
      ...{ key: 'change', head: 'Change', value: (row) => row.change_bytes, numeric: true },
      cell: ({ change_bytes, change_seconds }) => (
        <span title={change_seconds === undefined ? undefined : `within ${Math.round(change_seconds / 60)} minutes`}>
          {changeText(change_bytes)}
        </span>
      ),
    },
    bytes('pss', 'PSS', (row) => row.pss_bytes, true),
    bytes('rss', 'RSS', (row) => row.rss_bytes),
    bytes('swap', 'Swap', (row) => row.swap_bytes),
    {
      key: 'cpu',
      head: 'CPU',
      value: (row) => row.cpu_percent,
      numeric: true,
      cell: (row) => percentOf(row.cpu_percent),
    },
    {
      ...{ key: 'oom', head: 'OOM kills', value: (row) => row.oom_kills, numeric: true },
      cell: ({ oom_kills }) => (oom_kills ? <strong class="bad">{oom_kills}</strong> : (oom_kills ?? '–')),
    },
    {
      ...{ key: 'measured', head: 'Measured', value: (row) => row.coverage_ratio, numeric: true },
      cell: (row) => shareOf(row.coverage_ratio),
    },
  ];
}
