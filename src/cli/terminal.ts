// Whether this program writes on a terminal, how wide that is, and whether colours are wanted there (no-color.org).
import { styleText } from 'node:util';

/** Cells of a line of the terminal on standard output; infinite where that is no terminal: a pipe takes every length. */
export const outputWidth = (): number =>
  process.stdout.isTTY ? process.stdout.columns || 80 : Number.POSITIVE_INFINITY;

/** Whether standard output is a terminal that shows colours, and nobody forbids them. */
export const outputHasColours = (): boolean =>
  process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';

/** Whether the terminal is said to show more letters than ASCII (locale(7)). */
export function outputIsUnicode(): boolean {
  const { LC_ALL, LC_CTYPE, LANG } = process.env;
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '');
}

export type Style = Parameters<typeof styleText>[0];
/** Gives a text its style, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string;

export const painter = (colours: boolean): Paint => (colours ? styleText : (_, text) => text);
