// The history of the largest processes of each subgroup. Which processes have one changes little: a process keeps its place
// until a clearly larger one needs it, and a process that ended keeps it for as long as it has values. The first of each
// subgroup come before all others; the rest of the places go to the largest.
import { HistoryStore, POINTS } from './history-store.ts';
import type { ProcessRows } from './process-rows.ts';

/** Processes with a history, at most. */
const PROCESSES_MAX = 256;
/** Largest processes of a subgroup that may have a history, and those of them that come before all others. */
const TOP = 8;
const FIRST = 3;
/** More than any footprint: what puts a process before all others. */
const PREFERRED = 2 ** 52;
/** A process must be larger than one with a place by this factor to be preferred to it. */
const MARGIN = 1.1;
/** Processes that are looked at together. */
const STEP = 1024;

export interface ProcessSeries {
  readonly pid: number;
  /** Unix time, seconds. */
  readonly startTime: number;
  name: string;
  group: string;
  subgroup: string;
  readonly place: number;
  /** Its row at this point; -1: it has ended. */
  row: number;
  /** Points since it ended. */
  ended: number;
  /** The place goes to whichever process has more of it. */
  worth: number;
}

export class ProcessHistory {
  readonly store = new HistoryStore(1, PROCESSES_MAX);
  readonly #byPid = new Map<number, ProcessSeries>();
  readonly #all: ProcessSeries[] = [];
  /** For each group that has a place in the history: the rows of its largest processes, largest first, and their sizes. */
  #topRows = new Int32Array(0);
  #topSizes = new Float64Array(0);

  /** Processes that have a history, also ended ones. */
  get series(): readonly ProcessSeries[] {
    return this.#all;
  }

  /** The living process with this pid, or the last one. */
  find(pid: number): ProcessSeries | undefined {
    return this.#byPid.get(pid);
  }

  /**
   * Yields where it may be interrupted.
   * @param placeOf the place of a subgroup in the history; -1: it has none
   * @param groups how many places there are
   */
  *record(
    rows: ProcessRows,
    point: number,
    placeOf: (group: string, subgroup: string) => number,
    groups: number,
  ): Generator<void, void, void> {
    this.#makeRoom(groups);
    for (const series of this.#all) {
      series.row = -1;
      series.worth = 0;
    }
    for (let row = 0; row < rows.length; row++) {
      if (row % STEP === STEP - 1) yield;
      const { pid, startTime, identity, group, subgroup } = rows.description[row]!;
      const series = this.#byPid.get(pid);
      const own = series?.startTime === startTime;
      if (own) {
        series.row = row;
        series.name = identity.name;
        series.group = group;
        series.subgroup = subgroup;
      }
      const place = placeOf(group, subgroup);
      if (place >= 0) this.#rank(place, row, (rows.footprint[row]! || 0) * (own ? MARGIN : 1));
    }
    yield;
    this.#end();
    this.#choose(rows);
    for (const { place, row } of this.#all) {
      this.store.setBytes(place, 0, point, row < 0 ? Number.NaN : rows.footprint[row]!);
      this.store.setCpu(place, point, row < 0 ? Number.NaN : rows.usage[row]!);
    }
  }

  #makeRoom(groups: number): void {
    if (this.#topRows.length < groups * TOP) {
      this.#topRows = new Int32Array(groups * TOP);
      this.#topSizes = new Float64Array(groups * TOP);
    }
    this.#topRows.fill(-1);
    this.#topSizes.fill(-1);
  }

  /** Puts a row among the largest of its group, where it belongs there. */
  #rank(place: number, row: number, size: number): void {
    const first = place * TOP;
    let rank = first + TOP;
    while (rank > first && this.#topSizes[rank - 1]! < size) rank--;
    if (rank === first + TOP) return;
    this.#topRows.copyWithin(rank + 1, rank, first + TOP - 1);
    this.#topSizes.copyWithin(rank + 1, rank, first + TOP - 1);
    this.#topRows[rank] = row;
    this.#topSizes[rank] = size;
  }

  /** An ended process is worth less the longer ago it ended, and gives its place back when all its values are old. */
  #end(): void {
    for (let index = this.#all.length - 1; index >= 0; index--) {
      const series = this.#all[index]!;
      if (series.row >= 0) continue;
      series.ended++;
      series.worth = -series.ended;
      if (series.ended >= POINTS) this.store.release(this.#remove(index).place);
    }
  }

  #choose(rows: ProcessRows): void {
    const worthOf = (index: number): number => this.#topSizes[index]! + (index % TOP < FIRST ? PREFERRED : 0);
    for (let index = 0; index < this.#topRows.length; index++) {
      const row = this.#topRows[index]!;
      const series = row >= 0 ? this.#seriesOf(rows, row) : undefined;
      if (series) series.worth = worthOf(index);
    }
    for (let index = 0; index < this.#topRows.length; index++) {
      const row = this.#topRows[index]!;
      if (row >= 0 && !this.#seriesOf(rows, row)) this.#give(rows, row, worthOf(index));
    }
  }

  #seriesOf(rows: ProcessRows, row: number): ProcessSeries | undefined {
    const { pid, startTime } = rows.description[row]!;
    const series = this.#byPid.get(pid);
    return series?.startTime === startTime ? series : undefined;
  }

  #give(rows: ProcessRows, row: number, worth: number): void {
    let place = this.store.take(Number.NaN);
    if (place < 0) {
      const least = this.#leastWorth();
      if (!(this.#all[least]!.worth < worth)) return;
      place = this.#remove(least).place;
      this.store.fill(place, Number.NaN);
    }
    const { pid, startTime, identity, group, subgroup } = rows.description[row]!;
    const series = { pid, startTime, name: identity.name, group, subgroup, place, row, ended: 0, worth };
    this.#byPid.set(pid, series);
    this.#all.push(series);
  }

  #leastWorth(): number {
    let least = 0;
    for (let index = 1; index < this.#all.length; index++)
      if (this.#all[index]!.worth < this.#all[least]!.worth) least = index;
    return least;
  }

  #remove(index: number): ProcessSeries {
    const [series] = this.#all.splice(index, 1);
    if (this.#byPid.get(series!.pid) === series) this.#byPid.delete(series!.pid);
    return series!;
  }
}
