// The terminal of this program: whether there is one, how large it is, whether colours are wanted there (no-color.org), and
// the keys that are pressed.
import { styleText } from 'node:util';

/** Cells of a line of the terminal on standard output; infinite where that is no terminal: a pipe takes every length. */
export const outputWidth = (): number =>
  process.stdout.isTTY ? process.stdout.columns || 80 : Number.POSITIVE_INFINITY;

/** Whether standard output is a terminal that shows colours, and nobody forbids them. */
export const outputHasColours = (): boolean =>
  process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';

/** Whether the locale says that the terminal shows more characters than ASCII (locale(7)). */
export function outputIsUnicode(): boolean {
  const { LC_ALL, LC_CTYPE, LANG } = process.env;
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '');
}

/** Whether a person reads the output and has a keyboard. */
export const isInteractive = (): boolean =>
  process.stdout.isTTY === true && process.stdin.isTTY === true && process.env.TERM !== 'dumb';

export const outputSize = (): { readonly width: number; readonly height: number } => ({
  width: process.stdout.columns || 80,
  height: process.stdout.rows || 24,
});

/** Calls `resized` whenever the window has another size, and when the program goes on after it was stopped. @returns what ends that */
export function onResize(resized: () => void): () => void {
  process.stdout.on('resize', resized);
  process.on('SIGCONT', resized);
  return () => {
    process.stdout.off('resize', resized);
    process.off('SIGCONT', resized);
  };
}

/** Gives each key as it is pressed; without that, the terminal gives lines. @returns what ends that */
export function inputKeys(pressed: (text: string) => void, gone: () => void): () => void {
  const { stdin } = process;
  stdin.setRawMode(true);
  stdin.setEncoding('utf8').on('data', pressed).on('end', gone).on('error', gone);
  return () => {
    stdin.off('data', pressed).pause();
    try {
      stdin.setRawMode(false);
    } catch {} // the terminal is gone
  };
}

export type Style = Parameters<typeof styleText>[0];
/** Gives a text its style, or leaves it as it is. */
export type Paint = (style: Style | undefined, text: string) => string;

export const painter = (colours: boolean): Paint =>
  colours ? (style, text) => (style && text ? styleText(style, text) : text) : (_, text) => text;
