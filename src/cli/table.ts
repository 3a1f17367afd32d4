// Tables for a terminal: aligned columns, control characters made visible. Where a table is wider than the terminal, the
// least important columns are left out first, then long names are cut.
import { escapeForTerminal } from '../text/hostile.ts';
import { padToWidth, widthOf } from '../text/width.ts';

export interface Column<Row> {
  readonly head: string;
  readonly text: (row: Row) => string;
  /** Numbers stand to the right. */
  readonly right?: boolean;
  /** Where the terminal is too narrow, the columns with the lowest rank are left out first; without one never. */
  readonly rank?: number;
  /** Cells to which its texts may be cut. */
  readonly least?: number;
  /** Cells that it has at least, so that it does not move while the rows change. */
  readonly steady?: number;
}

const GAP = 2;

/** @param width cells of the terminal; without it, a line may be as long as it is */
export function textTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width = Number.POSITIVE_INFINITY,
): string {
  return layOutTable(columns, rows, width).join('\n');
}

/** The lines of a table: its head, then one for each row. */
export function layOutTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): string[] {
  const lines = [
    columns.map(({ head }) => head),
    ...rows.map((row) => columns.map(({ text }) => escapeForTerminal(text(row)))),
  ];
  const natural = columns.map(({ steady = 0 }, column) =>
    lines.reduce((widest, line) => Math.max(widest, widthOf(line[column]!)), steady),
  );
  const { shown, widths } = fit(columns, natural, width);
  return lines.map((line) =>
    shown
      .map((column) => padToWidth(line[column]!, widths[column]!, columns[column]!.right))
      .join(' '.repeat(GAP))
      .trimEnd(),
  );
}

/** Which columns are shown, and how wide each of all columns is. */
function fit(
  columns: readonly Pick<Column<never>, 'rank' | 'least'>[],
  natural: readonly number[],
  available: number,
): { readonly shown: readonly number[]; readonly widths: readonly number[] } {
  const widths = [...natural];
  let shown = [...columns.keys()];
  const leastOf = (column: number) => Math.min(widths[column]!, columns[column]!.least ?? widths[column]!);
  const total = (of: (column: number) => number) => shown.reduce((sum, column) => sum + of(column) + GAP, -GAP);
  while (total(leastOf) > available) {
    const [first] = shown
      .filter((column) => columns[column]!.rank !== undefined)
      .sort((a, b) => columns[a]!.rank! - columns[b]!.rank!);
    if (first === undefined) break;
    shown = shown.filter((column) => column !== first);
  }
  for (let excess = total((column) => widths[column]!) - available; excess > 0; excess--) {
    const widest = shown.filter((column) => widths[column]! > leastOf(column)).sort((a, b) => widths[b]! - widths[a]!);
    if (widest[0] === undefined) break;
    widths[widest[0]]!--;
  }
  return { shown, widths };
}
