// The history of subgroups: footprint by kind, CPU, births and exits. Every subgroup that has processes gets a place; one that
// had none at all points gives it back. Where there are more than GROUPS_MAX, the smallest have no history, and are counted.
import type { EventNames, HistoryEvents } from './history-events.ts';
import { HistoryStore, POINTS } from './history-store.ts';
import { type GroupRow, KINDS } from './view.ts';

/** Subgroups with a history, at most. */
const GROUPS_MAX = 256;
/** The kinds of pages of a measured PSS, the first of KINDS: the kernel may not tell them apart. */
const PAGE_KINDS = 3;
/** A subgroup must be larger than one with a place by this factor to take it: the other loses its history. */
const MARGIN = 2;

/** One subgroup, from the first point at which it was there. */
export interface GroupSeries extends EventNames {
  /** Its place in the store; -1: it has none. */
  place: number;
  /** It had a place and lost it, so that its earlier values are not known. */
  lost: boolean;
  /** Points in a row at which it had no process. */
  empty: number;
  /** As at the last point. */
  processes: number;
  footprint: number;
  started: number;
  exited: number;
  oomKills: number;
}

export class GroupHistory {
  readonly store = new HistoryStore(KINDS.length, GROUPS_MAX);
  /** Subgroups with processes that have no place, at the last point. */
  leftOut = 0;
  readonly #byName = new Map<string, Map<string, GroupSeries>>();
  readonly #withPlace: GroupSeries[] = [];

  /** Subgroups that have a history. */
  get series(): readonly GroupSeries[] {
    return this.#withPlace;
  }

  find(group: string, subgroup: string): GroupSeries | undefined {
    return this.#byName.get(group)?.get(subgroup);
  }

  /** @param first whether this is the first point at all @param at Unix time */
  record(rows: readonly GroupRow[], point: number, first: boolean, at: number, events: HistoryEvents): void {
    const complete = this.leftOut === 0;
    this.leftOut = 0;
    for (const row of rows) {
      const series = this.#seriesOf(row, first);
      if (!first) noteChanges(series, row, at, events);
      const { started, exited, oomKills } = row.counters;
      series.processes = row.processes;
      series.footprint = row.footprint;
      series.started = started;
      series.exited = exited;
      series.oomKills = oomKills;
      series.empty = series.processes > 0 ? 0 : series.empty + 1;
      if (series.place < 0 && series.processes > 0) this.#give(series, complete);
      if (series.place >= 0) this.#write(series, row, point);
      else if (series.processes > 0) this.leftOut++;
    }
    for (let index = this.#withPlace.length - 1; index >= 0; index--)
      if (this.#withPlace[index]!.empty >= POINTS) this.#take(index);
  }

  /** Sum of the kinds at a point, bytes. */
  footprint({ place }: GroupSeries, point: number): number {
    let sum = 0;
    for (let kind = 0; kind < KINDS.length; kind++) sum += Math.abs(this.store.bytes(place, kind, point));
    return sum;
  }

  /** Bytes of one kind at a point; NaN where the kernel does not tell the kinds of pages apart. */
  kind({ place }: GroupSeries, kind: number, point: number): number {
    const untold = kind < PAGE_KINDS && this.store.bytes(place, 0, point) < 0;
    return untold ? Number.NaN : this.store.bytes(place, kind, point);
  }

  #seriesOf({ counters: { group, subgroup, started, exited, oomKills } }: GroupRow, first: boolean): GroupSeries {
    let subgroups = this.#byName.get(group);
    if (!subgroups) {
      subgroups = new Map();
      this.#byName.set(group, subgroups);
    }
    let series = subgroups.get(subgroup);
    if (!series) {
      const before = first ? { started, exited, oomKills } : { started: 0, exited: 0, oomKills: 0 };
      series = { group, subgroup, place: -1, lost: false, empty: 0, processes: 0, footprint: 0, ...before };
      subgroups.set(subgroup, series);
    }
    return series;
  }

  /** Where every subgroup had a place before, a new one was not there: it occupied nothing. */
  #give(series: GroupSeries, complete: boolean): void {
    const before = complete && !series.lost ? 0 : Number.NaN;
    series.place = this.store.take(before);
    if (series.place < 0) {
      const index = this.#leastWorth();
      const { empty, footprint } = this.#withPlace[index]!;
      if (empty === 0 && !(footprint * MARGIN < series.footprint)) return;
      this.#withPlace[index]!.lost = true;
      this.#take(index);
      series.place = this.store.take(before);
    }
    this.#withPlace.push(series);
  }

  #take(index: number): void {
    const [series] = this.#withPlace.splice(index, 1);
    this.store.release(series!.place);
    series!.place = -1;
  }

  /** The one that has been empty for longest, else the smallest. */
  #leastWorth(): number {
    let least = 0;
    for (let index = 1; index < this.#withPlace.length; index++) {
      const [one, other] = [this.#withPlace[index]!, this.#withPlace[least]!];
      const less = one.empty === other.empty ? one.footprint < other.footprint : one.empty > other.empty;
      if (less) least = index;
    }
    return least;
  }

  /** Where kinds of pages are not known, the first has all of them together, as a negative number. */
  #write({ place }: GroupSeries, { kinds, footprint, usage }: GroupRow, point: number): void {
    const untold = Number.isNaN(kinds[0]! + kinds[1]! + kinds[2]!);
    let pages = footprint;
    for (let kind = KINDS.length - 1; kind >= 0; kind--) {
      const ofPages = kind < PAGE_KINDS;
      if (!ofPages) pages -= kinds[kind]! || 0;
      const value = untold && ofPages ? (kind === 0 ? -pages : 0) : kinds[kind]! || 0;
      this.store.setBytes(place, kind, point, value);
    }
    this.store.setCpu(place, point, usage);
  }
}

/** Births, exits and OOM kills since the last point. Where as many ended as there were, and all that live were born, it was restarted. */
function noteChanges(series: GroupSeries, { counters, processes }: GroupRow, at: number, events: HistoryEvents): void {
  const oomKills = counters.oomKills - series.oomKills;
  if (oomKills > 0) events.add('oom_kill', at, oomKills, series);
  const started = counters.started - series.started;
  const exited = counters.exited - series.exited;
  if (series.processes > 0 && processes > 0 && exited >= series.processes && started >= processes) {
    events.add('restart', at, processes, series);
    return;
  }
  if (started > 0) events.add('start', at, started, series);
  if (exited > 0) events.add('exit', at, exited, series);
}
