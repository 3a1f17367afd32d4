// A line of the screen: texts, some with a style. It is cut to the width of the terminal before styles become escape
// sequences, which have no width.
import { cutToWidth, widthOf } from '../../text/width.ts';
import type { Paint, Style } from '../terminal.ts';

export interface Span {
  readonly text: string;
  readonly style?: Style;
}
/** The texts of a line; a text alone has no style. */
export type Line = readonly (Span | string)[];

export const spanOf = (part: Span | string): Span => (typeof part === 'string' ? { text: part } : part);

export const lineWidth = (line: Line): number => line.reduce((sum, part) => sum + widthOf(spanOf(part).text), 0);

/** Two parts of a line, with the second at the right end; where both do not fit, the first one is cut. */
export function spread(left: Line, right: Line, width: number): Line {
  const room = width - lineWidth(right);
  if (room < 12) return left;
  const cut = cutLine(left, room - 1);
  return [...cut, ' '.repeat(room - lineWidth(cut)), ...right];
}

export function cutLine(line: Line, width: number): Line {
  const cut: Span[] = [];
  let left = width;
  for (const part of line) {
    const { text, ...style } = spanOf(part);
    const fitting = cutToWidth(text, left);
    cut.push({ text: fitting, ...style });
    left -= widthOf(fitting);
    if (fitting !== text) break;
  }
  return cut;
}

/** The text for a terminal that shows ASCII only; as wide as it was. */
export const asciiOf = (text: string): string =>
  text
    .replaceAll('…', '.')
    .replaceAll('–', '-')
    .replace(/[^\x20-\x7e]/gu, (character) => '?'.repeat(widthOf(character)));

/** The line as it is written. @param width cells of the terminal */
export const paintLine = (line: Line, width: number, paint: Paint): string =>
  cutLine(line, width)
    .map((part) => {
      const { text, style } = spanOf(part);
      return paint(style, text);
    })
    .join('');
