// What the user of `top` looks at, and what each key changes of that. Pure: a state and a key give the next state.
import type { ListName, Order } from '../host-lists.ts';
import type { PressedKey, SpecialKey } from './keys.ts';

export interface SubgroupNames {
  readonly group: string;
  readonly subgroup: string;
}

export interface ListPlace {
  readonly view: ListName | 'process' | 'help';
  /** The processes of this subgroup; undefined: all. */
  readonly of?: SubgroupNames | undefined;
  readonly pid?: number | undefined;
  /** The row with the cursor, by its key; '' is the first row, whatever that is. */
  readonly cursor: string;
  /** The first row that is shown. */
  readonly first: number;
}

export interface Navigation {
  readonly place: ListPlace;
  /** Where "back" leads, the last one first. */
  readonly before: readonly ListPlace[];
  readonly orders: Readonly<Record<ListName, Order>>;
  readonly filter: string;
  /** Whether keys are letters of the filter. */
  readonly typing: boolean;
  readonly ended: boolean;
}

/** What is on the screen: keys mean rows of it. */
export interface Shown {
  /** Keys of the rows of the list, in order; of a page without a list, one for each of its lines. */
  readonly rows: readonly string[];
  /** Rows that fit on the screen. */
  readonly page: number;
  /** Letters that choose an order of the list that is shown. */
  readonly orders: Readonly<Record<string, string>>;
}

const GROUPS: ListPlace = { view: 'groups', cursor: '', first: 0 };

/** @param by the order of both lists at the beginning */
export const begin = (by: string): Navigation => ({
  place: GROUPS,
  before: [],
  orders: { groups: { by, reversed: false }, processes: { by, reversed: false } },
  filter: '',
  typing: false,
  ended: false,
});

/** The key of a row of processes has their pid, that of a group has both names. */
export const rowKey = ({ group, subgroup }: SubgroupNames): string => JSON.stringify([group, subgroup]);

export function press(state: Navigation, key: PressedKey, shown: Shown): Navigation {
  if ('special' in key && key.special === 'interrupt') return { ...state, ended: true };
  if (state.typing) return typed(state, key);
  return 'special' in key ? special(state, key.special, shown) : letter(state, key.character, shown);
}

/** A key while the filter is typed: the list follows every letter. */
function typed(state: Navigation, key: PressedKey): Navigation {
  if ('character' in key) return filtered(state, state.filter + key.character);
  if (key.special === 'backspace') return filtered(state, [...state.filter].slice(0, -1).join(''));
  if (key.special === 'enter') return { ...state, typing: false };
  return key.special === 'escape' ? { ...filtered(state, ''), typing: false } : state;
}

const filtered = (state: Navigation, filter: string): Navigation => ({
  ...state,
  filter,
  place: { ...state.place, cursor: '', first: 0 },
});

function special(state: Navigation, key: SpecialKey, shown: Shown): Navigation {
  const { place } = state;
  if (key === 'tab') return otherList(state);
  if (key === 'enter' || key === 'right') return open(state, shown);
  if (key === 'left' || key === 'backspace' || key === 'escape') {
    const [last, ...before] = state.before;
    if (last) return { ...state, place: last, before, filter: '' };
    return key === 'escape' && state.filter !== '' ? filtered(state, '') : state;
  }
  const steps: Partial<Record<SpecialKey, number>> = {
    ...{ up: -1, down: 1, pageup: -shown.page, pagedown: shown.page },
    ...{ home: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY },
  };
  const step = steps[key];
  return step === undefined ? state : { ...state, place: moved(place, step, shown) };
}

function letter(state: Navigation, character: string, shown: Shown): Navigation {
  const { place, orders } = state;
  if (character === 'q') return { ...state, ended: true };
  if (character === 'j' || character === 'k') return special(state, character === 'j' ? 'down' : 'up', shown);
  if (character === '?' || character === 'h')
    return place.view === 'help' ? special(state, 'left', shown) : into(state, { ...place, view: 'help' });
  if (place.view !== 'groups' && place.view !== 'processes') return state;
  if (character === '/') return { ...state, typing: true };
  const by = shown.orders[character];
  if (by === undefined) return state;
  const reversed = orders[place.view].by === by && !orders[place.view].reversed;
  return { ...state, orders: { ...orders, [place.view]: { by, reversed } }, place: { ...place, cursor: '', first: 0 } };
}

const into = (state: Navigation, place: ListPlace): Navigation => ({
  ...state,
  place,
  before: [state.place, ...state.before],
});

const otherList = (state: Navigation): Navigation => ({
  ...state,
  place: { ...GROUPS, view: state.place.view === 'groups' ? 'processes' : 'groups' },
  before: [],
  filter: '',
});

/** Opens the row with the cursor: the processes of a subgroup, or one process. */
function open(state: Navigation, shown: Shown): Navigation {
  const key = shown.rows[cursorIndex(state.place, shown.rows)];
  if (key === undefined) return state;
  const here = { ...state.place, cursor: key };
  const at = { ...state, place: here, filter: '' };
  if (here.view === 'processes') return into(at, { view: 'process', pid: Number(key), cursor: '', first: 0 });
  if (here.view !== 'groups') return state;
  const [group, subgroup] = JSON.parse(key) as [string, string];
  return into(at, { view: 'processes', of: { group, subgroup }, cursor: '', first: 0 });
}

/** Where the cursor is among the rows; a row that is gone leaves it at the first one. */
export const cursorIndex = ({ cursor }: ListPlace, rows: readonly string[]): number =>
  cursor === '' ? 0 : Math.max(0, rows.indexOf(cursor));

/** The place with its cursor moved, and with that row on the screen. */
function moved(place: ListPlace, step: number, { rows, page }: Shown): ListPlace {
  if (place.view === 'process' || place.view === 'help') {
    return { ...place, first: Math.max(0, Math.min(rows.length - page, place.first + step)) };
  }
  const index = Math.max(0, Math.min(rows.length - 1, cursorIndex(place, rows) + step));
  return { ...place, cursor: rows[index] ?? '', first: scrolled(place.first, index, rows.length, page) };
}

/** The first row of the screen, so that the row with the cursor is on it and the screen is full. */
export function scrolled(first: number, index: number, rows: number, page: number): number {
  const within = Math.min(Math.max(first, index - page + 1), index);
  return Math.max(0, Math.min(within, rows - page));
}
