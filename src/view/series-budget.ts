// Keeps a response within its budget of series. What does not fit is left out in a fixed order, so that the same host
// gives the same series: first series of processes (all, then the largest of each subgroup, then none), then cgroups,
// smallest first, and last whole groups, the last in the alphabet first.
// Example: with 10 series for a process and room for 250, 30 processes do not fit; the largest 3 of each of 4 subgroups
// and the 4 sums of the others take 160, so these are kept, and 140 series are counted as dropped.
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

export interface SeriesBudget {
  /** Most series of one response. */
  readonly max: number;
  readonly each: SeriesCounts;
}

/**
 * Marks in the view what has series (`shown`), and sums the other processes of each subgroup where only the largest have
 * series. Yields where it may be interrupted.
 * @returns series left out, by what was left out: "processes", "cgroups", "groups"
 */
export function* keepWithinBudget(
  view: ProcessView,
  selection: Selection,
  options: SelectionOptions,
  { max, each }: SeriesBudget,
): Generator<void, ReadonlyMap<string, number>, void> {
  const dropped = new Map<string, number>();
  const besideGroups = max - each.other - view.groups.length * each.group;
  const room = besideGroups - keepCgroups(view, Math.max(0, besideGroups), each.cgroup, dropped);
  const modes = ['all', 'top', 'none'] as const;
  let wanted = Number.NaN;
  for (const mode of modes.slice(modes.indexOf(options.perProcess))) {
    yield* selection.choose(view, options, mode);
    const series = countShown(view) * each.process;
    if (Number.isNaN(wanted)) wanted = series;
    if (series > Math.max(0, room)) continue;
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

/** @returns how many series the cgroups take for which there is room */
function keepCgroups({ cgroups }: ProcessView, room: number, each: number, dropped: Map<string, number>): number {
  if (!cgroups) return 0;
  const { rows, unreadCount } = cgroups;
  const kept = Math.min(rows.length, Math.floor(room / each));
  for (const row of rows.slice(kept)) row.shown = false;
  if (unreadCount > 0 || kept < rows.length) dropped.set('cgroups', (unreadCount + rows.length - kept) * each);
  return kept * each;
}

/** Processes with series of their own, and the sums of the others. */
function countShown({ rows, groups }: ProcessView): number {
  let count = 0;
  for (let row = 0; row < rows.length; row++) count += rows.shown[row]!;
  for (const group of groups) if (group.remainder) count++;
  return count;
}
