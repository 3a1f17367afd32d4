// Tables for a terminal: aligned columns, control characters made visible.
import { escapeForTerminal } from '../text/hostile.ts';

export interface Column<Row> {
  readonly head: string;
  readonly text: (row: Row) => string;
  /** Numbers stand to the right. */
  readonly right?: boolean;
}

export function textTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const lines = [
    columns.map(({ head }) => head),
    ...rows.map((row) => columns.map(({ text }) => escapeForTerminal(text(row)))),
  ];
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => [...line[column]!].length)));
  const pad = (text: string, column: number) => {
    const fill = ' '.repeat(widths[column]! - [...text].length);
    return columns[column]!.right ? fill + text : text + fill;
  };
  return lines.map((line) => line.map(pad).join('  ').trimEnd()).join('\n');
}
