// The host's memory as one bar that is all of MemTotal: first what processes occupy, by group; then what the kernel and
// its caches hold; then what is free. The kinds sum to the whole, because what no kind explains is a kind itself.

import type { HostDocument } from '../server/api-v1/schema.ts';
import { formatBytes, formatPercent } from '../text/units.ts';
import type { Palette } from './palette.ts';
import { onward, type Place } from './place.ts';
import { Bytes, Name, PlaceLink, visible } from './shown.tsx';

/** Kinds that the footprints of groups are made of. */
const OF_PROCESSES = [
  'process_anonymous',
  'process_file',
  'shared_memory',
  'hugetlb_used',
  'page_tables',
  'kernel_stacks',
];

/** The other kinds in the order of the bar: name, class of its colour, and what it is. */
const OTHER_KINDS: Readonly<Record<string, readonly [name: string, colour: string, meaning: string]>> = {
  tmpfs: ['tmpfs', 'k-cache', 'Files in memory and shared memory that no process has mapped.'],
  page_cache: [
    'Page cache',
    'k-cache',
    'Contents of files that no process has mapped; given back when memory is needed.',
  ],
  swap_cache: ['Swap cache', 'k-cache', 'Pages that are in swap space and in memory.'],
  zswap: ['zswap', 'k-kernel', 'Compressed pages that were swapped out.'],
  slab_reclaimable: ['Slab, reclaimable', 'k-kernel', "The kernel's caches of files and folders."],
  slab_unreclaimable: ['Slab', 'k-kernel', "The kernel's own objects."],
  per_cpu: ['Per CPU', 'k-kernel', "The kernel's memory for each CPU."],
  vmalloc: ['Vmalloc', 'k-kernel', "The kernel's modules and large tables."],
  hugetlb_free: ['Huge pages, free', 'k-free', 'Huge pages that are reserved and that no process uses.'],
  unexplained: ['Unexplained', 'k-unexplained', 'What no kind explains: drivers, the GPU, a hypervisor.'],
  free: ['Free', 'k-free', 'Memory that nothing uses.'],
};

export interface Part {
  readonly key: string;
  readonly name: string;
  readonly bytes: number;
  /** Its share of the bar. All shares sum to 1. */
  readonly share: number;
  readonly colour: string;
  readonly meaning: string;
  readonly to?: Place;
}

interface HostBarProps {
  readonly host: HostDocument;
  /** Footprint of each group, largest first. */
  readonly groups: readonly (readonly [group: string, bytes: number])[];
  readonly palette: Palette;
  readonly place: Place;
}

export function HostBar({ host: { memory, attributed_ratio, coverage_ratio }, groups, palette, place }: HostBarProps) {
  const total = memory?.total_bytes;
  if (!total) return null;
  const parts = partsOf(total, memory.kinds ?? {}, groups, palette, place);
  const facts = [
    `${formatBytes(total)} of memory`,
    memory.available_bytes !== undefined && `${formatBytes(memory.available_bytes)} available`,
    memory.swap_total_bytes && `${formatBytes(memory.swap_total_bytes - (memory.swap_free_bytes ?? 0))} swapped out`,
    coverage_ratio !== undefined && `${formatPercent(coverage_ratio)} measured`,
    attributed_ratio !== undefined && `${formatPercent(attributed_ratio)} attributed`,
  ].filter((fact) => typeof fact === 'string');
  return (
    <section class="panel host">
      <header>
        <h2>Memory of the host</h2>
        <span class="dim">{facts.join(' · ')}</span>
      </header>
      <div class="bar">
        {parts.map(({ key, name, bytes, share, colour, to }) => {
          const title = `${visible(name)}: ${formatBytes(bytes)}, ${formatPercent(bytes / total, 1)}`;
          const style = { width: `${share * 100}%` };
          const shared = { class: `part ${colour}`, title, style };
          return to ? (
            <PlaceLink key={key} {...shared} to={to} label={title} bytes={bytes} />
          ) : (
            <span key={key} {...shared} data-bytes={bytes} />
          );
        })}
      </div>
      <ul class="legend">
        {parts.map(({ key, name, bytes, colour, meaning, to }) => (
          <li key={key} title={meaning}>
            <i class={`swatch ${colour}`} />
            {to ? (
              <PlaceLink to={to}>
                <Name text={name} />
              </PlaceLink>
            ) : (
              <Name text={name} />
            )}{' '}
            <Bytes bytes={bytes} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The parts of the bar, which together are the whole. */
export function partsOf(
  total: number,
  kinds: Readonly<Record<string, number>>,
  groups: readonly (readonly [group: string, bytes: number])[],
  palette: Palette,
  place: Place,
): Part[] {
  const part = (key: string, name: string, bytes: number, colour: string, meaning: string, scale = 1): Part[] =>
    bytes >= 1 ? [{ key, name, bytes, share: (bytes * scale) / total, colour, meaning }] : [];
  const known = Object.keys(kinds).length > 0;
  const footprints = groups.reduce((sum, [, bytes]) => sum + bytes, 0);
  const ofProcesses = known ? OF_PROCESSES.reduce((sum, kind) => sum + (kinds[kind] ?? 0), 0) : footprints;
  // Estimates may exceed what the kernel counts: then the groups share the room that there is.
  const scale = footprints > ofProcesses ? ofProcesses / footprints : 1;
  const shown = groups.filter(([group]) => palette.has(group));
  const named = shown.reduce((sum, [, bytes]) => sum + bytes, 0);
  return [
    ...shown.flatMap(([group, bytes]) =>
      part(`group ${group}`, group, bytes, palette.classOf(group), 'Footprint of this group of processes.', scale).map(
        (one) => ({ ...one, to: onward(place, { page: 'group', group }) }),
      ),
    ),
    ...part('smaller', 'Smaller groups', footprints - named, 'cx', 'Footprints of all other groups.', scale),
    ...part('unattributed', 'In no footprint', ofProcesses - footprints, 'cx', NOT_ATTRIBUTED),
    ...part('unknown', 'Not told apart', known ? 0 : total - footprints, 'cx', 'The kernel does not say what this is.'),
    ...Object.entries(OTHER_KINDS).flatMap(([key, [name, colour, meaning]]) =>
      part(key, name, kinds[key] ?? 0, colour, meaning),
    ),
  ];
}

const NOT_ATTRIBUTED =
  'What the kernel counts as memory of processes, and no footprint has: it changed meanwhile, or could not be read.';
