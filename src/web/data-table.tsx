// A table that can be sorted by its heads and filtered by words. Of many rows only those in the window are elements: ten
// thousand processes scroll as a hundred do. All rows are of one height for that (--row in page.css), and the widths of the
// columns do not depend on the rows: else the columns would move while one scrolls, and the browser would measure every cell.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { go, type Place } from './place.ts';
import { visible, WORDS } from './shown.tsx';

export interface TableColumn<Row> {
  /** Name of the column in the address. */
  readonly key: string;
  readonly head: string;
  /** A number, a text, or undefined where it is not known: such rows come last. Without it the column is not sorted. */
  readonly value?: (row: Row) => number | string | undefined;
  readonly cell: (row: Row) => ComponentChildren;
  /** Numbers stand to the right. */
  readonly numeric?: boolean;
  /** Rem; a column of numbers, and one of texts, have a usual width. */
  readonly width?: number;
  /** Whether the smallest comes first: as with texts, and unlike other numbers. */
  readonly upward?: boolean;
}

const startsUpward = <Row,>({ numeric, upward }: TableColumn<Row>): boolean => upward ?? !numeric;

interface DataTableProps<Row> {
  readonly caption: string;
  readonly place: Place;
  readonly columns: readonly TableColumn<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** What the filter looks in. */
  readonly textOf: (row: Row) => string;
  /** Key of the column that sorts where the address names none. */
  readonly sort: string;
  /** What stands beside the filter. */
  readonly children?: ComponentChildren;
}

const ROW_PIXELS = 29;
/** Rows above and below the window that are elements too, so that scrolling shows no gap. */
const MARGIN_ROWS = 10;
/** The rows that are elements change by so many at once. */
const STEP_ROWS = 5;
/** Widths of columns, rem: "1023.9 MiB" fits, and the process names of the kernel. */
const NUMBER_WIDTH = 5.6;
const TEXT_WIDTH = 9.5;

export function DataTable<Row>(props: DataTableProps<Row>) {
  const { caption, place, columns, rows, keyOf, textOf, children } = props;
  const body = useRef<HTMLTableSectionElement>(null);
  const sort = place.sort ?? props.sort;
  const words = (place.filter ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  const filters = words.length > 0;
  const inOrder = useMemo(() => sorted(rows, columns, sort), [rows, sort]);
  const texts = useMemo(() => (filters ? inOrder.map((row) => textOf(row).toLowerCase()) : []), [inOrder, filters]);
  const shown = useMemo(
    () => (filters ? inOrder.filter((_, index) => words.every((word) => texts[index]!.includes(word))) : inOrder),
    [inOrder, texts, place.filter],
  );
  const [from, to] = useWindow(body, shown.length);
  return (
    <>
      <div class="tools">
        <Filter place={place} />
        <span class="dim" role="status">
          {shown.length === rows.length ? `${rows.length}` : `${shown.length} of ${rows.length}`}
        </span>
        {children}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <section class="wide" tabIndex={0} aria-label={caption}>
        <table class="rows">
          <caption class="hidden">{caption}</caption>
          <colgroup>
            {columns.map(({ key, numeric, width = numeric ? NUMBER_WIDTH : TEXT_WIDTH }) => (
              <col key={key} style={{ width: `${width}rem` }} />
            ))}
          </colgroup>
          <thead>
            <tr>
              {columns.map((column) => (
                <Head key={column.key} column={column} sort={sort} place={place} />
              ))}
            </tr>
          </thead>
          <tbody ref={body}>
            <Gap rows={from} columns={columns.length} />
            {shown.slice(from, to).map((row) => (
              <tr key={keyOf(row)}>
                {columns.map(({ key, cell, numeric }) => (
                  <td key={key} class={numeric ? 'n' : undefined}>
                    {cell(row)}
                  </td>
                ))}
              </tr>
            ))}
            <Gap rows={shown.length - to} columns={columns.length} />
          </tbody>
        </table>
      </section>
      {shown.length === 0 && <p class="dim">{rows.length === 0 ? 'Nothing here.' : 'Nothing matches the filter.'}</p>}
    </>
  );
}

/** Stands for rows that are not elements, and has their height. */
const Gap = ({ rows, columns }: { rows: number; columns: number }) =>
  rows > 0 ? (
    <tr>
      <td colSpan={columns} class="gap" style={{ height: `${rows * ROW_PIXELS}px` }} />
    </tr>
  ) : null;

interface HeadProps<Row> {
  readonly column: TableColumn<Row>;
  readonly sort: string;
  readonly place: Place;
}

function Head<Row>({ column, sort, place }: HeadProps<Row>) {
  const { key, head, value, numeric } = column;
  const sorts = sort === key || sort === `-${key}`;
  const title = WORDS[head as keyof typeof WORDS];
  const className = numeric ? 'n' : undefined;
  if (!value)
    return (
      <th scope="col" class={className} title={title}>
        {head}
      </th>
    );
  const downward = (sort === key) !== startsUpward(column);
  const order = sorts ? (downward ? 'descending' : 'ascending') : 'none';
  return (
    <th scope="col" class={className} title={title} aria-sort={order}>
      <button type="button" onClick={() => go({ ...place, sort: sort === key ? `-${key}` : key })}>
        {head}
        <span aria-hidden="true" class="order">
          {sorts ? (downward ? '▾' : '▴') : ''}
        </span>
      </button>
    </th>
  );
}

function Filter({ place }: { place: Place }) {
  return (
    <input
      type="search"
      class="filter"
      placeholder="Filter (press /)"
      aria-label="Filter"
      value={visible(place.filter ?? '')}
      onInput={({ currentTarget }) => go({ ...place, filter: currentTarget.value }, 'replace')}
    />
  );
}

/** Rows in the order of a column; equal ones keep theirs, and what is not known comes last in both directions. */
export function sorted<Row>(rows: readonly Row[], columns: readonly TableColumn<Row>[], sort: string): Row[] {
  const column = columns.find(({ key }) => sort === key || sort === `-${key}`);
  if (!column?.value) return [...rows];
  const direction = sort.startsWith('-') === startsUpward(column) ? -1 : 1;
  const { value } = column;
  const keyed = rows.map((row) => ({ row, by: value(row) }));
  keyed.sort((a, b) => {
    if (a.by === undefined || b.by === undefined) return Number(a.by === undefined) - Number(b.by === undefined);
    return a.by === b.by ? 0 : a.by < b.by ? -direction : direction;
  });
  return keyed.map(({ row }) => row);
}

/** Which rows are in the window: from, and up to. */
function useWindow(body: { readonly current: HTMLTableSectionElement | null }, rows: number): [number, number] {
  const [range, setRange] = useState<[number, number]>([0, 2 * MARGIN_ROWS]);
  useLayoutEffect(() => {
    let frame = 0;
    let [from, to] = range;
    const measure = () => {
      frame = 0;
      if (!body.current) return;
      const above = -body.current.getBoundingClientRect().top / ROW_PIXELS;
      const top = Math.max(0, Math.floor(above / STEP_ROWS) * STEP_ROWS);
      const end = Math.max(0, Math.ceil((above + innerHeight / ROW_PIXELS) / STEP_ROWS) * STEP_ROWS);
      // After a jump none of the rows are there: those in the window come first, and those around it in the next frame.
      const jumped = top > to || end < from;
      if (jumped) later();
      const margin = jumped ? 0 : MARGIN_ROWS;
      const [first, last] = [Math.max(0, top - margin), end + margin];
      if (first === from && last === to) return;
      [from, to] = [first, last];
      setRange([from, to]);
    };
    const later = () => {
      frame ||= requestAnimationFrame(measure);
    };
    measure();
    addEventListener('scroll', later, { passive: true });
    addEventListener('resize', later);
    const watch = new ResizeObserver(later); // what stands above the table may become larger or smaller
    watch.observe(document.body);
    return () => {
      cancelAnimationFrame(frame);
      watch.disconnect();
      removeEventListener('scroll', later);
      removeEventListener('resize', later);
    };
  }, []);
  const from = Math.min(range[0], Math.max(0, rows - 2 * MARGIN_ROWS));
  return [from, Math.min(rows, Math.max(range[1], from + 2 * MARGIN_ROWS))];
}
