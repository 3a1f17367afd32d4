// One picture of the screen: head, list or process, and the line of keys. Pure: data, state and size give lines.
import type {
  GroupEntry,
  GroupsDocument,
  ProcessDocument,
  ProcessEntry,
  ProcessesDocument,
} from '../../server/api-v1/schema.ts';
import { escapeForTerminal } from '../../text/hostile.ts';
import { padToWidth } from '../../text/width.ts';
import {
  groupColumns,
  groupWords,
  type ListColumn,
  matching,
  ordered,
  ordersOf,
  processColumns,
  processWords,
} from '../host-lists.ts';
import { layOutTable } from '../table.ts';
import { type Letters, sparkline } from './chart.ts';
import { type HeadData, headLines } from './head.ts';
import { type Line, spread } from './line.ts';
import { cursorIndex, type Navigation, rowKey, type Shown, scrolled } from './navigation.ts';
import { processLines } from './process-lines.ts';

/** What is known of the host. */
export interface ScreenData extends HeadData {
  readonly groups?: GroupsDocument | undefined;
  /** Footprints of subgroups by time, by "group/subgroup". */
  readonly hour: ReadonlyMap<string, readonly (number | null)[]>;
  readonly processes?: ProcessesDocument | undefined;
  /** Null: it has ended. */
  readonly process?: ProcessDocument | null | undefined;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface ScreenFrame extends Shown {
  /** As many as the screen has. */
  readonly lines: readonly Line[];
}

/** With fewer lines the head is short. */
const LOW = 18;
/** Cells of the chart of the hour in a list. */
const HOUR_CELLS = 12;

export function frameOf(data: ScreenData, state: Navigation, size: Size, letters: Letters): ScreenFrame {
  const { width, height } = size;
  const head = headLines(data, width, height < LOW, letters);
  const room = Math.max(1, height - head.length - 1);
  const body = bodyOf(data, state, { width, height: room }, letters);
  const lines = [...head, ...body.lines, ...Array<Line>(room).fill([])].slice(0, Math.max(0, height - 1));
  return { ...body, lines: [...lines, footer(data, state, width)] };
}

/** The host and its subgroups as plain text. @param width of the bar, cells */
export function plainOf(data: ScreenData, state: Navigation, width: number, letters: Letters): readonly Line[] {
  const columns = groupColumns(hourOf(data, letters));
  const rows = ordered(data.groups?.groups ?? NOTHING, columns, state.orders.groups);
  const table = layOutTable(columns, rows, Number.POSITIVE_INFINITY).map((line) => [line]);
  return [...headLines(data, width, false, letters), [], ...table];
}

/** A list as the user wants it: ordered, filtered. The same for the same document, order and filter. */
class Lists {
  #made: { readonly key: readonly unknown[]; readonly rows: readonly unknown[] } = { key: [], rows: [] };

  rows<Row>(
    all: readonly Row[],
    columns: readonly ListColumn<Row>[],
    words: (row: Row) => string,
    state: Navigation,
  ): readonly Row[] {
    const order = state.orders[state.place.view === 'groups' ? 'groups' : 'processes'];
    const key = [all, order.by, order.reversed, state.filter];
    if (!key.every((part, index) => part === this.#made.key[index]))
      this.#made = { key, rows: ordered(matching(all, words, state.filter), columns, order) };
    return this.#made.rows as readonly Row[];
  }
}

const lists = new Lists();
const NOTHING: readonly never[] = [];

function bodyOf(data: ScreenData, state: Navigation, size: Size, letters: Letters): ScreenFrame {
  const { place } = state;
  const now = (data.host?.at ?? 0) + data.sinceAnswer;
  if (place.view === 'help')
    return pageOf(
      HELP.map((text) => [text]),
      place.first,
      size,
    );
  if (place.view === 'process') {
    if (data.process === null) return pageOf([[{ text: `process ${place.pid} has ended`, style: 'yellow' }]], 0, size);
    return pageOf(data.process ? processLines(data.process, now, size.width, letters) : [['…']], place.first, size);
  }
  if (place.view === 'groups') {
    const columns = groupColumns(hourOf(data, letters));
    const all = data.groups?.groups ?? NOTHING;
    const rows = lists.rows(all, columns, groupWords, state);
    return listOf(rows, columns, rowKey, `${rows.length} of ${all.length} subgroups`, state, size);
  }
  const columns = processColumns(now, place.of !== undefined);
  const all = data.processes?.processes ?? NOTHING;
  const rows = lists.rows(all, columns, processWords, state);
  const of = place.of ? `${place.of.group}/${place.of.subgroup}: ` : '';
  const { total = '…', unlisted = 0 } = data.processes ?? {};
  const more = unlisted > 0 ? ` and ${unlisted} kernel threads or zombies` : '';
  const what = `${of}${rows.length} of ${total} processes${more}`;
  return listOf(rows, columns, ({ pid }: ProcessEntry) => String(pid), what, state, size);
}

/** The chart of a subgroup's hour; undefined where there is no history. */
const hourOf = ({ hour }: ScreenData, letters: Letters) =>
  hour.size === 0 ? undefined : (row: GroupEntry) => sparkline(hour.get(groupWords(row)) ?? [], HOUR_CELLS, letters);

/** The rows around the cursor, below a line that says what they are. */
function listOf<Row>(
  rows: readonly Row[],
  columns: readonly ListColumn<Row>[],
  keyOf: (row: Row) => string,
  what: string,
  { place, orders, filter }: Navigation,
  { width, height }: Size,
): ScreenFrame {
  const page = Math.max(1, height - 2);
  const keys = rows.map(keyOf);
  const cursor = cursorIndex(place, keys);
  const first = scrolled(place.first, cursor, rows.length, page);
  const { by, reversed } = orders[place.view === 'groups' ? 'groups' : 'processes'];
  const [head = '', ...lines] = layOutTable(columns, rows.slice(first, first + page), width - 2);
  const order = `by ${by}${reversed ? ', reversed' : ''}`;
  const title = `${what}, ${order}${filter ? `, with "${filter}"` : ''}`;
  return {
    ...{ rows: keys, page, orders: ordersOf(columns) },
    lines: [
      [{ text: escapeForTerminal(title), style: 'dim' }],
      [{ text: padToWidth(`  ${head}`, width), style: 'bold' }],
      ...lines.map((line, index): Line => {
        const selected = first + index === cursor;
        return selected ? [{ text: padToWidth(`> ${line}`, width), style: 'inverse' }] : [`  ${line}`];
      }),
    ],
  };
}

function pageOf(lines: readonly Line[], first: number, { height }: Size): ScreenFrame {
  const from = Math.max(0, Math.min(first, lines.length - height));
  return {
    rows: lines.map((_, index) => String(index)),
    page: height,
    orders: {},
    lines: lines.slice(from, from + height),
  };
}

function footer({ source }: ScreenData, { typing, filter, place }: Navigation, width: number): Line {
  if (typing) return [{ text: `/${escapeForTerminal(filter)}_`, style: 'bold' }];
  const keys =
    place.view === 'process' || place.view === 'help'
      ? 'Esc back  q quit'
      : `q quit  ? help  / filter  Enter opens  Tab ${place.view === 'groups' ? 'processes' : 'groups'}`;
  return spread([{ text: keys, style: 'dim' }], [{ text: escapeForTerminal(source), style: 'dim' }], width);
}

/** What each key does. The letters of orders follow from the columns. */
const HELP: readonly string[] = [
  'Enter, Right    the processes of a subgroup; one process',
  'Esc, Left       back',
  'Tab             subgroups, or all processes',
  '/               filter: what the rows hold; Esc ends it',
  'Up Down j k, PgUp PgDn, Home End',
  '',
  'Order; the same letter again reverses it:',
  ...ordersHelp(),
  '',
  'FOOTPRINT  what it really occupies; a page that several share counts once',
  '~          an estimate: its PSS was not read lately',
  'CHANGE     of the footprint, in the time of which there is history',
  'HOUR       its footprint over that time, from its least to its largest',
  '–          not known',
];

function ordersHelp(): string[] {
  const letters = { ...ordersOf(groupColumns()), ...ordersOf(processColumns(0)) };
  const texts = Object.entries(letters).map(([letter, name]) => `${letter} ${name}`.padEnd(14));
  return [0, 5, 10].map((from) =>
    texts
      .slice(from, from + 5)
      .join('')
      .trimEnd(),
  );
}
