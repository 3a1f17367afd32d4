// Decides which processes have series of their own: filters leave some out, `top` keeps the largest of each subgroup.
// The sums of the groups never change by it. With `top` the processes without series are shown as one, the remainder, so
// that the parts still add up to the group: of processes with 30, 20 and 10 bytes, top 2 shows 30, 20 and a remainder of 10.
import type { ProcessRows, RowDescription } from './process-rows.ts';
import { ADDITIVE, type GroupRow, type ProcessView } from './view.ts';

export interface SelectionOptions {
  readonly perProcess: 'all' | 'top' | 'none';
  /** With `top`: how many of the largest processes of a subgroup have series of their own. */
  readonly topOfSubgroup: number;
  /** The same for the subgroups of group "other". */
  readonly topOfOthers: number;
  /** How many processes have series at most, largest first; 0 is no limit. */
  readonly maxProcesses: number;
  /** Bytes; a process whose USS is known and below it has no series. */
  readonly minUss: number;
  readonly includeNames: readonly string[];
  readonly excludeNames: readonly string[];
  readonly searchMode: 'none' | 'include' | 'exclude';
  readonly searchGroups: readonly string[];
  readonly searchSubgroups: readonly string[];
  readonly disableOthers: boolean;
}

/** Hysteresis: a process must be larger than one with series by this factor to take its place. */
const MARGIN = 1.1;

interface Shown {
  readonly description: RowDescription;
  /** CPU seconds, as exported. */
  readonly time: number;
}

interface Counted {
  /** CPU seconds of the remainder, as exported. */
  readonly remainder: number;
  /** CPU seconds of the whole subgroup. */
  readonly time: number;
}

/** Remembers which processes had series, so that the choice changes little from one collection to the next. */
export class Selection {
  /** The processes that had series at the last collection, by pid; empty where all had. */
  #shown: ReadonlyMap<number, Shown> = new Map();
  /** CPU time of each subgroup and of its remainder, as last exported. */
  readonly #counted = new Map<string, Counted>();

  /**
   * Marks the rows that have series, and fills `GroupRow.remainder` with `top`. Processes of equal size are ordered by
   * pid, so that the choice is deterministic. May be called with several modes; `keep` ends the collection with the last.
   * Both yield where they may be interrupted.
   */
  *choose(view: ProcessView, options: SelectionOptions, perProcess = options.perProcess): Generator<void, void, void> {
    const { rows, groups } = view;
    for (const group of groups) group.remainder = undefined;
    if (perProcess === 'none') {
      rows.shown.fill(0, 0, rows.length);
    } else {
      this.#filter(rows, options);
      yield;
      if (perProcess === 'top') yield* this.#keepTop(rows, options);
      if (options.maxProcesses > 0) this.#keepLargest(rows, options.maxProcesses);
      yield;
      if (perProcess === 'top') this.#sumRemainders(rows, groups);
    }
  }

  #filter(rows: ProcessRows, options: SelectionOptions): void {
    const filters = hasFilters(options);
    for (let row = 0; row < rows.length; row++) rows.shown[row] = !filters || passes(rows, row, options) ? 1 : 0;
  }

  *#keepTop(rows: ProcessRows, options: SelectionOptions): Generator<void, void, void> {
    const bySubgroup = new Map<string, number[]>();
    for (let row = 0; row < rows.length; row++) {
      if (!rows.shown[row]) continue;
      const key = keyOf(rows.description[row]!);
      const list = bySubgroup.get(key);
      if (list) list.push(row);
      else bySubgroup.set(key, [row]);
    }
    for (const [key, list] of bySubgroup) {
      yield;
      this.#hideBeyond(rows, list, key.startsWith('other\0') ? options.topOfOthers : options.topOfSubgroup);
    }
  }

  #keepLargest(rows: ProcessRows, most: number): void {
    const list: number[] = [];
    for (let row = 0; row < rows.length; row++) if (rows.shown[row]) list.push(row);
    this.#hideBeyond(rows, list, most);
  }

  #hideBeyond(rows: ProcessRows, list: number[], most: number): void {
    if (list.length <= most) return;
    const size = (row: number): number => {
      const bytes = rows.pss[row]! >= 0 ? rows.pss[row]! : rows.rss[row]! || 0;
      return this.#shown.has(rows.description[row]!.pid) ? bytes * MARGIN : bytes;
    };
    list.sort((a, b) => size(b) - size(a) || rows.description[a]!.pid - rows.description[b]!.pid);
    for (const row of list.slice(most)) rows.shown[row] = 0;
  }

  /** Ends a collection with the last choice: the next collection is compared with it. */
  *keep({ rows, groups }: ProcessView): Generator<void, void, void> {
    const shown = new Map<number, Shown>();
    const limited = groups.some(({ remainder }) => remainder) || rows.shown.subarray(0, rows.length).includes(0);
    for (let row = 0; limited && row < rows.length; row++) {
      if (rows.shown[row])
        shown.set(rows.description[row]!.pid, { description: rows.description[row]!, time: rows.time[row]! });
    }
    yield;
    this.#countRemainders(shown, groups);
    this.#shown = shown;
  }

  #sumRemainders(rows: ProcessRows, groups: readonly GroupRow[]): void {
    const bySubgroup = new Map<string, GroupRow>();
    for (const group of groups) {
      if (group.processes === 0 && group.time === 0) continue;
      group.remainder = { rss: 0, pss: 0, uss: 0, swap: 0, usage: 0, time: 0 };
      for (const column of ADDITIVE) group.remainder[column] = group[column];
      bySubgroup.set(keyOf(group.counters), group);
    }
    for (let row = 0; row < rows.length; row++) {
      const remainder = rows.shown[row] && bySubgroup.get(keyOf(rows.description[row]!))?.remainder;
      if (!remainder) continue;
      for (const column of ADDITIVE) {
        remainder[column] = Math.max(0, remainder[column] - (rows[column][row]! || 0));
      }
    }
  }

  /**
   * CPU time is a counter, so that of the remainder must never fall either, though processes join and leave it. It grows
   * by what the group gained less what the processes gained that had series before and have them now.
   */
  #countRemainders(shown: ReadonlyMap<number, Shown>, groups: readonly GroupRow[]): void {
    const gained = new Map<string, number>();
    for (const [pid, { description, time }] of shown) {
      const before = this.#shown.get(pid);
      if (before && sameSeries(before.description, description)) add(gained, keyOf(description), time - before.time);
    }
    for (const { remainder, counters, time } of groups) {
      if (!remainder) continue;
      const key = keyOf(counters);
      const before = this.#counted.get(key);
      const more = before ? time - before.time - (gained.get(key) ?? 0) : 0;
      remainder.time = Math.round(((before?.remainder ?? remainder.time) + Math.max(0, more)) * 1e6) / 1e6;
      this.#counted.set(key, { remainder: remainder.time, time });
    }
  }
}

const keyOf = ({ group, subgroup }: { readonly group: string; readonly subgroup: string }): string =>
  `${group}\0${subgroup}`;

const sameSeries = (a: RowDescription, b: RowDescription): boolean =>
  a.startTime === b.startTime && a.identity.name === b.identity.name && keyOf(a) === keyOf(b);

const add = (sums: Map<string, number>, key: string, more: number): void => {
  sums.set(key, (sums.get(key) ?? 0) + more);
};

const hasFilters = (options: SelectionOptions): boolean =>
  options.disableOthers ||
  options.minUss > 0 ||
  options.excludeNames.length > 0 ||
  options.includeNames.length > 0 ||
  options.searchMode !== 'none';

const passes = (rows: ProcessRows, row: number, options: SelectionOptions): boolean => {
  const { identity, group, subgroup } = rows.description[row]!;
  return !(rows.uss[row]! < options.minUss) && isWanted(identity.name, group, subgroup, options);
};

/** Whether the operator wants to see a process, by its names. Whether it is large enough for series is another question. */
export function isWanted(name: string, group: string, subgroup: string, options: SelectionOptions): boolean {
  if (options.disableOthers && group === 'other') return false;
  if (options.excludeNames.some((part) => name.includes(part))) return false;
  if (options.includeNames.length > 0 && !options.includeNames.some((part) => name.includes(part))) return false;
  if (options.searchMode === 'none') return true;
  const found = options.searchGroups.includes(group) || options.searchSubgroups.includes(subgroup);
  return found === (options.searchMode === 'include');
}
