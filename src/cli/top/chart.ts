// Charts of one line: the hour as a row of small columns, and a whole as a bar of its parts.
import type { Style } from '../terminal.ts';
import type { Span } from './line.ts';

/** The letters of charts: for a terminal that shows Unicode, and for one that does not. */
export interface Letters {
  /** From low to high. */
  readonly columns: string;
  /** For a moment of which nothing is known. */
  readonly unknown: string;
  /** For the parts of a bar, so that they differ also without colours. */
  readonly parts: string;
}

export const UNICODE: Letters = { columns: '▁▂▃▄▅▆▇█', unknown: ' ', parts: '█▓▒▚▞▗░·' };
export const ASCII_ONLY: Letters = { columns: '_.-=+*%#', unknown: ' ', parts: '#%=+*?-.' };

/**
 * Values by time as columns. The lowest column is the least value and the highest the largest one, unless they differ by less
 * than a hundredth of the largest: then nothing moved, and all columns are low.
 * @param width cells; the values of each cell are those of an equal share of the time, of which the largest is shown
 */
export function sparkline(values: readonly (number | null)[], width: number, { columns, unknown }: Letters): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0 || width <= 0) return '';
  const [least, largest] = [known.reduce((a, b) => Math.min(a, b)), known.reduce((a, b) => Math.max(a, b))];
  const range = Math.max(largest - least, largest / 100, Number.MIN_VALUE);
  const cells = Math.min(width, values.length);
  return Array.from({ length: cells }, (_, cell) => {
    const from = Math.floor((cell * values.length) / cells);
    const to = Math.max(from + 1, Math.floor(((cell + 1) * values.length) / cells));
    const inside = values.slice(from, to).filter((value) => value !== null);
    if (inside.length === 0) return unknown;
    const height = (inside.reduce((a, b) => Math.max(a, b)) - least) / range;
    return [...columns][Math.min(columns.length - 1, Math.floor(height * columns.length))]!;
  }).join('');
}

export interface BarPart {
  readonly name: string;
  readonly value: number;
  readonly letter: string;
  readonly style: Style;
}

/** A bar of this many cells that is the whole. Cells are rounded so that they are as many as the bar has. */
export function bar(parts: readonly BarPart[], whole: number, width: number): Span[] {
  let sum = 0;
  let drawn = 0;
  return parts.flatMap(({ value, letter, style }) => {
    sum += Math.max(0, value);
    const end = Math.min(width, Math.round((sum / whole) * width));
    const cells = Math.max(0, end - drawn);
    drawn = Math.max(drawn, end);
    return cells > 0 ? [{ text: letter.repeat(cells), style }] : [];
  });
}
