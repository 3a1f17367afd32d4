// How wide a text is on a terminal, in cells: Chinese characters and emoji take two, combining marks none. For text whose
// hostile characters are visible already (hostile.ts).
import stringWidth from 'string-width';

const ASCII = /^[\x20-\x7e]*$/;
const segmenter = new Intl.Segmenter();

export const widthOf = (text: string): number => (ASCII.test(text) ? text.length : stringWidth(text));

/** The text, its end replaced by … where it is wider. @param width cells */
export function cutToWidth(text: string, width: number): string {
  if (ASCII.test(text))
    return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}${width > 0 ? '…' : ''}`;
  if (widthOf(text) <= width) return text;
  let cut = '';
  let left = width - 1;
  for (const { segment } of segmenter.segment(text)) {
    left -= widthOf(segment);
    if (left < 0) break;
    cut += segment;
  }
  return width > 0 ? `${cut}…` : '';
}

/** The text with spaces at its end, or where it is a number before it; a wider one is cut. @param width cells */
export function padToWidth(text: string, width: number, right = false): string {
  const cut = cutToWidth(text, width);
  const fill = ' '.repeat(Math.max(0, width - widthOf(cut)));
  return right ? fill + cut : cut + fill;
}
