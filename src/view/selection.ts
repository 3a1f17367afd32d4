// Decides which processes have series of their own: filters thin them, `top` keeps the largest of each subgroup.
// Cardinality is a contract: the sums of the groups never change by it, and with `top` the parts still sum to the group.
import type { ProcessDescription } from '../process/process.ts';
import type { GroupRow, ProcessRows, ProcessView, Rest } from './view.ts';

export interface SelectionOptions {
  readonly perProcess: 'all' | 'top' | 'none';
  /** Largest processes of a subgroup with series of their own under `top`; of group "other" the second. */
  readonly topOfSubgroup: number;
  readonly topOfOthers: number;
  /** Most processes with series, largest first; 0 is no limit. */
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

/** A challenger must be larger than one that is shown by this factor: the choice does not flutter. */
const MARGIN = 1.1;

interface Shown {
  readonly who: ProcessDescription;
  /** CPU seconds, as exported. */
  readonly time: number;
}

interface Counted {
  readonly rest: number;
  readonly time: number;
}

/** Remembers what was shown, so that the choice stays steady from one collection to the next. */
export class Selection {
  /** What was shown last, by pid; empty while everything is. */
  #shown: ReadonlyMap<number, Shown> = new Map();
  /** The rest of each subgroup's CPU time as last exported, and the subgroup's own. */
  readonly #counted = new Map<string, Counted>();

  /**
   * Marks the rows that have series, and fills `GroupRow.rest` under `top`. Deterministic: equals are ordered by pid.
   * May be tried in several modes; `keep` ends the collection. Both yield where they may be interrupted.
   */
  *choose(view: ProcessView, options: SelectionOptions, perProcess = options.perProcess): Generator<void, void, void> {
    const { rows, groups } = view;
    for (const group of groups) group.rest = undefined;
    if (perProcess === 'none') {
      rows.shown.fill(0, 0, rows.length);
    } else {
      this.#filter(rows, options);
      yield;
      if (perProcess === 'top') yield* this.#keepTop(rows, options);
      if (options.maxProcesses > 0) this.#keepLargest(rows, options.maxProcesses);
      yield;
      if (perProcess === 'top') this.#sumRest(rows, groups);
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

  /** Ends a collection with what was chosen last: the next one is compared with it. */
  *keep({ rows, groups }: ProcessView): Generator<void, void, void> {
    const shown = new Map<number, Shown>();
    const limited = groups.some(({ rest }) => rest) || rows.shown.subarray(0, rows.length).includes(0);
    for (let row = 0; limited && row < rows.length; row++) {
      if (rows.shown[row])
        shown.set(rows.description[row]!.pid, { who: rows.description[row]!, time: rows.time[row]! });
    }
    yield;
    this.#countRest(shown, groups);
    this.#shown = shown;
  }

  #sumRest(rows: ProcessRows, groups: readonly GroupRow[]): void {
    const bySubgroup = new Map<string, GroupRow>();
    for (const group of groups) {
      if (group.processes === 0 && group.time === 0) continue;
      group.rest = { rss: 0, pss: 0, uss: 0, swap: 0, usage: 0, time: 0 };
      for (const value of PARTS) group.rest[value] = group[value];
      bySubgroup.set(keyOf(group.counters), group);
    }
    for (let row = 0; row < rows.length; row++) {
      const rest = rows.shown[row] && bySubgroup.get(keyOf(rows.description[row]!))?.rest;
      if (!rest) continue;
      for (const value of PARTS) rest[value] = Math.max(0, rest[value] - (rows[value][row]! || 0));
    }
  }

  /** CPU time is a counter, so its rest must be one: it grows by what the group gained beside those that stay shown. */
  #countRest(shown: ReadonlyMap<number, Shown>, groups: readonly GroupRow[]): void {
    const gained = new Map<string, number>();
    for (const [pid, { who, time }] of shown) {
      const before = this.#shown.get(pid);
      if (before && sameSeries(before.who, who)) add(gained, keyOf(who), time - before.time);
    }
    for (const { rest, counters: ledger, time } of groups) {
      if (!rest) continue;
      const key = keyOf(ledger);
      const before = this.#counted.get(key);
      const more = before ? time - before.time - (gained.get(key) ?? 0) : 0;
      rest.time = Math.round(((before?.rest ?? rest.time) + Math.max(0, more)) * 1e6) / 1e6;
      this.#counted.set(key, { rest: rest.time, time });
    }
  }
}

const keyOf = ({ group, subgroup }: { readonly group: string; readonly subgroup: string }): string =>
  `${group}\0${subgroup}`;

const sameSeries = (a: ProcessDescription, b: ProcessDescription): boolean =>
  a.startTime === b.startTime && a.identity.name === b.identity.name && keyOf(a) === keyOf(b);

const add = (sums: Map<string, number>, key: string, more: number): void => {
  sums.set(key, (sums.get(key) ?? 0) + more);
};

const PARTS = ['rss', 'pss', 'uss', 'swap', 'usage', 'time'] as const satisfies (keyof Rest)[];

const hasFilters = (options: SelectionOptions): boolean =>
  options.disableOthers ||
  options.minUss > 0 ||
  options.excludeNames.length > 0 ||
  options.includeNames.length > 0 ||
  options.searchMode !== 'none';

function passes(rows: ProcessRows, row: number, options: SelectionOptions): boolean {
  const { identity, group, subgroup } = rows.description[row]!;
  const { name } = identity;
  if (options.disableOthers && group === 'other') return false;
  if (rows.uss[row]! < options.minUss) return false;
  if (options.excludeNames.some((part) => name.includes(part))) return false;
  if (options.includeNames.length > 0 && !options.includeNames.some((part) => name.includes(part))) return false;
  if (options.searchMode === 'none') return true;
  const found = options.searchGroups.includes(group) || options.searchSubgroups.includes(subgroup);
  return found === (options.searchMode === 'include');
}
