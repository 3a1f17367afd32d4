// Keeps a response within its budget of series. What does not fit is left out in a fixed order, so that the same host
// gives the same series: first series of processes (all, then the largest of each subgroup, then none), then cgroups,
// smallest first, and last whole groups, the last in the alphabet first.
// Example: with 10 series for a process and room for 250, 30 processes do not fit; the largest 3 of each of 4 subgroups
// and the 4 sums of the others take 160, so these are kept, and 140 series are counted as dropped.
//
// The budget bounds the bytes of a response as well: a series has 256 bytes for its line, twice what is usual. Where the
// lines of a process or cgroup are longer, its bytes are divided by 256, and it counts as that many series. So nobody can make
// the response larger by long paths and names: 100,000 series are never more than 25 MB.
import type { CgroupRow } from './cgroup-usage.ts';
import type { RowDescription } from './process-rows.ts';
import type { Selection, SelectionOptions } from './selection.ts';
import type { ProcessView } from './view.ts';

/** The most series that one process, one subgroup and one cgroup can have, and all series that belong to none of them. */
export interface SeriesCounts {
  readonly process: number;
  readonly group: number;
  readonly cgroup: number;
  readonly other: number;
}

export const NO_SERIES: SeriesCounts = { process: 0, group: 0, cgroup: 0, other: 0 };

export const addSeries = (a: SeriesCounts, b: Partial<SeriesCounts>): SeriesCounts => ({
  process: a.process + (b.process ?? 0),
  group: a.group + (b.group ?? 0),
  cgroup: a.cgroup + (b.cgroup ?? 0),
  other: a.other + (b.other ?? 0),
});

/** Bytes of the lines of one process and of one cgroup, whose names others choose; 0 where it has no series. */
export interface LineBytes {
  process(description: RowDescription): number;
  cgroup(row: CgroupRow): number;
}

export interface SeriesBudget {
  /** Most series of one response. */
  readonly max: number;
  readonly each: SeriesCounts;
  readonly bytes: LineBytes;
}

/** Bytes of a line that a series is given. */
const LINE_BYTES = 256;

/** Processes that are weighed before other work may run. */
const STEP = 256;

/** The series of the budget that a process or cgroup takes, by its series and by the bytes of their lines together. */
const weigh = (series: number, bytes: number): number => Math.max(series, Math.ceil(bytes / LINE_BYTES));

/**
 * Marks in the view what has series (`shown`), and sums the other processes of each subgroup where only the largest have
 * series. Yields where it may be interrupted.
 * @returns series left out, by what was left out: "processes", "cgroups", "groups"
 */
export function* keepWithinBudget(
  view: ProcessView,
  selection: Selection,
  options: SelectionOptions,
  { max, each, bytes }: SeriesBudget,
): Generator<void, ReadonlyMap<string, number>, void> {
  const dropped = new Map<string, number>();
  const besideGroups = max - each.other - view.groups.length * each.group;
  const room = besideGroups - keepCgroups(view, Math.max(0, besideGroups), each.cgroup, bytes, dropped);
  const modes = ['all', 'top', 'none'] as const;
  let wanted = Number.NaN;
  for (const mode of modes.slice(modes.indexOf(options.perProcess))) {
    yield* selection.choose(view, options, mode);
    const series = countShown(view) * each.process;
    if (Number.isNaN(wanted)) wanted = series;
    if (series > Math.max(0, room)) continue;
    if ((yield* weighShown(view, each.process, bytes)) > Math.max(0, room)) continue;
    if (wanted > series) dropped.set('processes', wanted - series);
    break;
  }
  yield* selection.keep(view);
  if (besideGroups < 0 && each.group > 0) {
    const kept = Math.max(0, Math.floor((max - each.other) / each.group));
    for (const group of view.groups.slice(kept)) group.shown = false;
    dropped.set('groups', (view.groups.length - kept) * each.group);
  }
  return dropped;
}

/** @returns how much of the room the cgroups take */
function keepCgroups(
  { cgroups }: ProcessView,
  room: number,
  each: number,
  bytes: LineBytes,
  dropped: Map<string, number>,
): number {
  if (!cgroups) return 0;
  const { rows, unreadCount } = cgroups;
  let kept = 0;
  let taken = 0;
  for (; kept < rows.length; kept++) {
    const weight = weigh(each, bytes.cgroup(rows[kept]!));
    if (taken + weight > room) break;
    taken += weight;
  }
  for (const row of rows.slice(kept)) row.shown = false;
  if (unreadCount > 0 || kept < rows.length) dropped.set('cgroups', (unreadCount + rows.length - kept) * each);
  return taken;
}

/** Processes with series of their own, and the sums of the others. */
function countShown({ rows, groups }: ProcessView): number {
  let count = 0;
  for (let row = 0; row < rows.length; row++) count += rows.shown[row]!;
  for (const group of groups) if (group.remainder) count++;
  return count;
}

/** How much of the budget they take. */
function* weighShown({ rows, groups }: ProcessView, each: number, bytes: LineBytes): Generator<void, number, void> {
  let weight = 0;
  for (let from = 0; from < rows.length; from += STEP) {
    weight += weighRows(rows, from, Math.min(from + STEP, rows.length), each, bytes);
    yield;
  }
  for (const group of groups) if (group.remainder) weight += each;
  return weight;
}

/** Without `yield`, so that V8 keeps the numbers in registers: in a generator each of them may become an object. */
function weighRows(rows: ProcessView['rows'], from: number, to: number, each: number, bytes: LineBytes): number {
  let weight = 0;
  for (let row = from; row < to; row++) {
    if (rows.shown[row]) weight += weigh(each, bytes.process(rows.description[row]!));
  }
  return weight;
}
