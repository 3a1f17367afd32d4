// The history, as the exporter keeps it: one column of times, and a column of bytes for each series. The whole is asked for
// once and then only what is new, so an open page costs little; the page keeps no more than the exporter does.
import type { HistoryDocument } from '../server/api-v1/schema.ts';
import type { Source } from './feed.ts';

export interface Hour {
  /** Unix times, seconds. */
  readonly at: readonly number[];
  /** Bytes by key; null where they are not known, or the thing has ended. Each has as many values as `at`. */
  readonly series: ReadonlyMap<string, readonly (number | null)[]>;
  /** What to call a process: its name and pid. Keys are those of keyOfProcess. */
  readonly names: ReadonlyMap<string, string>;
}

/** A process is its pid and its start: the kernel gives a pid again. @param start Unix time, seconds */
export const keyOfProcess = (pid: string | number, start: number): string => `${pid} ${start}`;

type Series = HistoryDocument['series'][number];

const keyOfSeries = ({ key, start_time_seconds }: Series): string =>
  start_time_seconds === undefined ? key : keyOfProcess(key, start_time_seconds);

const POINT_EVERY_SECONDS = 15;

/**
 * @param of what the history is of, as the API has it: "groups", "host", "subgroup:db/postgres"
 * @param span how far back the exporter keeps it, seconds
 */
export function hourOf(of: string, span: number): Source<Hour> {
  let hour: Hour = { at: [], series: new Map(), names: new Map() };
  return {
    every: POINT_EVERY_SECONDS / 2,
    address: () => {
      const last = hour.at.at(-1);
      const base = `history?of=${encodeURIComponent(of)}`;
      return last === undefined ? base : `${base}&from=${last}`;
    },
    merge: (answer) => {
      hour = appended(hour, answer as HistoryDocument, span);
      return hour;
    },
  };
}

/**
 * The hour with points that are newer than its last one, and without those that the exporter has no longer.
 * @param span how far back the exporter keeps them, seconds
 */
export function appended(hour: Hour, { at, series }: HistoryDocument, span: number): Hour {
  const last = hour.at.at(-1) ?? Number.NEGATIVE_INFINITY;
  const first = at.findIndex((time) => time > last);
  if (first < 0) return hour;
  const times = [...hour.at, ...at.slice(first)];
  const keep = times.findIndex((time) => time >= times.at(-1)! - span);
  const joined = new Map<string, readonly (number | null)[]>();
  const nothing = (count: number) => new Array<null>(count).fill(null);
  const fresh = new Map(series.map((each) => [keyOfSeries(each), each.footprint_bytes.slice(first)]));
  const startOf = new Map(series.map((each) => [keyOfSeries(each), each.start_time_seconds ?? 0]));
  for (const key of new Set([...hour.series.keys(), ...fresh.keys()])) {
    const before = hour.series.get(key) ?? nothing(hour.at.length);
    const values = [...before, ...(fresh.get(key) ?? nothing(times.length - hour.at.length))].slice(keep);
    if (values.every((value) => value === null)) continue;
    const start = startOf.get(key) ?? 0; // before it started, a process occupied nothing
    joined.set(
      key,
      values.map((value, index) => value ?? (times[keep + index]! < start ? 0 : null)),
    );
  }
  const names = new Map(hour.names);
  for (const each of series) if (each.name !== undefined) names.set(keyOfSeries(each), `${each.name} ${each.key}`);
  for (const key of names.keys()) if (!joined.has(key)) names.delete(key);
  return { at: times.slice(keep), series: joined, names };
}

/** The same hour with series added up. @param keyOf the key of the sum that a series belongs to; undefined: to none */
export function summed({ at, series, names }: Hour, keyOf: (key: string) => string | undefined): Hour {
  const sums = new Map<string, (number | null)[]>();
  for (const [key, values] of series) {
    const to = keyOf(key);
    if (to === undefined) continue;
    const sum = sums.get(to);
    if (!sum) sums.set(to, [...values]);
    else for (const [index, value] of values.entries()) if (value !== null) sum[index] = (sum[index] ?? 0) + value;
  }
  return { at, series: sums, names };
}

/** Key of what the parts do not explain. */
export const REST = '(rest)';

/** The parts of a whole over time, and what they leave of it. */
export function withRest(parts: Hour, whole: Hour): Hour {
  const sums = summed(whole, () => REST).series.get(REST) ?? [];
  const totals = new Map(whole.at.map((time, index) => [time, sums[index] ?? null]));
  const rest = parts.at.map((time, index) => {
    let left = totals.get(time) ?? null;
    for (const values of parts.series.values()) left = left === null ? null : left - (values[index] ?? 0);
    return left === null ? null : Math.max(0, left);
  });
  return { ...parts, series: new Map([...parts.series, [REST, rest]]) };
}

export interface TimeSpan {
  readonly from: number;
  readonly to: number;
}

export interface Growth {
  readonly key: string;
  readonly before: number;
  readonly after: number;
}

/**
 * What changed within a span, largest growth first. What began in it grew from 0; what the exporter did not know at first,
 * because it was too small to have a history, grew from what was known first.
 */
export function growthIn({ at, series }: Hour, { from, to }: TimeSpan): Growth[] {
  const first = at.findIndex((time) => time >= from);
  const last = at.findLastIndex((time) => time <= to);
  if (first < 0 || last < first) return [];
  return [...series]
    .map(([key, values]) => {
      const before = values.slice(first, last + 1).find((value) => value !== null) ?? 0;
      return { key, before, after: values[last] ?? 0 };
    })
    .filter(({ before, after }) => before !== after)
    .sort((a, b) => b.after - b.before - (a.after - a.before));
}

/** Columns for stacked areas: of each key the sum of its values and of all keys before it. */
export function stacked({ at, series }: Hour, keys: readonly string[]): number[][] {
  const below = new Array<number>(at.length).fill(0);
  return keys.map((key) => {
    const values = series.get(key);
    for (let index = 0; index < at.length; index++) below[index]! += values?.[index] ?? 0;
    return [...below];
  });
}
