// The two lists of `top` and `scan`: subgroups, and processes. Each column says how it is shown, by which letter the list is
// ordered by it, and which column goes first where the terminal is too narrow.
import type { GroupEntry, ProcessEntry } from '../server/api-v1/schema.ts';
import { formatBytes, formatDuration } from '../text/units.ts';
import type { Column } from './table.ts';

export type ListName = 'groups' | 'processes';

/** An order, and whether it is the other way round. */
export interface Order {
  readonly by: string;
  readonly reversed: boolean;
}

export interface ListColumn<Row> extends Column<Row> {
  /** The letter that orders the list by this column, and the name of the order. */
  readonly order?: { readonly letter: string; readonly name: string };
  /** What rows are ordered by: numbers largest first, texts by the alphabet; what is not known comes last. */
  readonly value?: (row: Row) => number | string | undefined;
}

const bytes = (value: number | undefined): string => formatBytes(value ?? Number.NaN);
/** An estimate is marked. */
const about = (value: number | undefined, estimated: boolean | undefined): string =>
  `${estimated && value !== undefined ? '~' : ''}${bytes(value)}`;
const percent = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(1));
const signed = (value: number | undefined): string => {
  if (value === undefined) return '–';
  return Math.abs(value) < 512 ? '0' : `${value > 0 ? '+' : '-'}${formatBytes(Math.abs(value))}`;
};

/** What both lists show of memory and CPU. */
interface Usage {
  readonly estimated?: boolean | undefined;
  readonly footprint_bytes?: number | undefined;
  readonly pss_bytes?: number | undefined;
  readonly rss_bytes?: number | undefined;
  readonly swap_bytes?: number | undefined;
  readonly cpu_percent?: number | undefined;
}

const FOOTPRINT: ListColumn<Usage> = {
  head: 'FOOTPRINT',
  ...{ text: ({ footprint_bytes, estimated }) => about(footprint_bytes, estimated), right: true },
  ...{ order: { letter: 'f', name: 'footprint' }, value: ({ footprint_bytes }) => footprint_bytes },
};
const PSS: ListColumn<Usage> = {
  head: 'PSS',
  ...{ text: ({ pss_bytes, estimated }) => about(pss_bytes, estimated), right: true },
  ...{ order: { letter: 'p', name: 'pss' }, value: ({ pss_bytes }) => pss_bytes },
};
const RSS: ListColumn<Usage> = {
  head: 'RSS',
  ...{ text: ({ rss_bytes }) => bytes(rss_bytes), right: true },
  ...{ order: { letter: 'r', name: 'rss' }, value: ({ rss_bytes }) => rss_bytes },
};
const SWAP: ListColumn<Usage> = {
  head: 'SWAP',
  ...{ text: ({ swap_bytes }) => bytes(swap_bytes), right: true },
  ...{ order: { letter: 's', name: 'swap' }, value: ({ swap_bytes }) => swap_bytes },
};
const CPU: ListColumn<Usage> = {
  head: 'CPU %',
  ...{ text: ({ cpu_percent }) => percent(cpu_percent), right: true, rank: 9, steady: 5 },
  ...{ order: { letter: 'c', name: 'cpu' }, value: ({ cpu_percent }) => cpu_percent },
};

/** @param hour the last hour of a subgroup, as a small chart; undefined where there is no history */
export const groupColumns = (hour?: (row: GroupEntry) => string): readonly ListColumn<GroupEntry>[] => [
  {
    head: 'GROUP',
    ...{ text: ({ group, subgroup }) => `${group}/${subgroup}`, least: 18, steady: 14 },
    ...{ order: { letter: 'n', name: 'name' }, value: ({ group, subgroup }) => `${group}/${subgroup}` },
  },
  {
    head: 'PROCS',
    ...{ text: ({ processes }) => String(processes), right: true, rank: 6 },
    ...{ order: { letter: 't', name: 'processes' }, value: ({ processes }) => processes },
  },
  FOOTPRINT,
  {
    head: '% HOST',
    ...{
      text: ({ host_ratio }) => percent(host_ratio === undefined ? undefined : host_ratio * 100),
      right: true,
      rank: 5,
    },
  },
  ...(hour ? [{ head: 'HOUR', text: hour, rank: 8, steady: 12 }] : []),
  {
    head: 'CHANGE',
    ...{ text: ({ change_bytes }) => signed(change_bytes), right: true, rank: 7, steady: 9 },
    ...{ order: { letter: 'g', name: 'growth' }, value: ({ change_bytes }) => change_bytes },
  },
  { ...PSS, rank: 3 },
  { ...RSS, rank: 2 },
  { ...SWAP, rank: 4 },
  CPU,
  {
    head: 'OOM',
    ...{ text: ({ oom_kills }) => String(oom_kills ?? '–'), right: true, rank: 1 },
    ...{ order: { letter: 'o', name: 'oom' }, value: ({ oom_kills }) => oom_kills },
  },
];

/** @param now Unix time @param inGroup whether all rows are of one subgroup, whose name stands above them */
export const processColumns = (now: number, inGroup = false): readonly ListColumn<ProcessEntry>[] => [
  {
    head: 'PID',
    ...{ text: ({ pid }) => String(pid), right: true, steady: 6 },
    ...{ order: { letter: 'i', name: 'pid' }, value: ({ pid }) => -pid },
  },
  {
    head: 'NAME',
    ...{ text: ({ name }) => name, least: 8, steady: 15 },
    ...{ order: { letter: 'n', name: 'name' }, value: ({ name }) => name },
  },
  ...(inGroup ? [] : [{ head: 'GROUP', text: groupOf, least: 10, rank: 8 }]),
  { head: 'USER', text: ({ user }) => user ?? '–', least: 6, rank: 4 },
  { head: 'UNIT', text: ({ unit, container_id }) => unit ?? container_id?.slice(0, 12) ?? '–', least: 8, rank: 1 },
  {
    head: 'AGE',
    ...{
      text: ({ start_time_seconds }) => formatDuration(Math.max(0, now - start_time_seconds)),
      right: true,
      rank: 2,
    },
    ...{ order: { letter: 'a', name: 'age' }, value: ({ start_time_seconds }) => start_time_seconds },
  },
  FOOTPRINT,
  { ...PSS, rank: 6 },
  {
    head: 'USS',
    ...{ text: ({ uss_bytes, estimated }) => about(uss_bytes, estimated), right: true, rank: 3 },
    ...{ order: { letter: 'u', name: 'uss' }, value: ({ uss_bytes }) => uss_bytes },
  },
  { ...RSS, rank: 7 },
  { ...SWAP, rank: 5 },
  CPU,
];

const groupOf = ({ group, subgroup }: ProcessEntry): string => `${group}/${subgroup}`;

/** The letters that order a list, with the names of the orders. */
export const ordersOf = <Row>(columns: readonly ListColumn<Row>[]): Readonly<Record<string, string>> =>
  Object.fromEntries(columns.flatMap(({ order }) => (order ? [[order.letter, order.name]] : [])));

/** The rows in an order of a column; in the order that they have where no column has it. */
export function ordered<Row>(
  rows: readonly Row[],
  columns: readonly ListColumn<Row>[],
  { by, reversed }: Order,
): Row[] {
  const value = columns.find(({ order }) => order?.name === by)?.value;
  if (!value) return [...rows];
  const sign = reversed ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [one, other] = [value(a), value(b)];
    if (one === undefined || other === undefined) return Number(one === undefined) - Number(other === undefined);
    if (typeof one === 'string') return sign * (one < other ? -1 : Number(one > other));
    return sign * ((other as number) - one);
  });
}

/** The rows that hold the text in one of their words; upper and lower case are the same. */
export function matching<Row>(rows: readonly Row[], words: (row: Row) => string, filter: string): readonly Row[] {
  const wanted = filter.toLowerCase();
  return wanted === '' ? rows : rows.filter((row) => words(row).toLowerCase().includes(wanted));
}

export const groupWords = ({ group, subgroup }: GroupEntry): string => `${group}/${subgroup}`;
export const processWords = ({ pid, name, group, subgroup, user, unit, container_id }: ProcessEntry): string =>
  [pid, name, `${group}/${subgroup}`, user, unit, container_id].join(' ');
