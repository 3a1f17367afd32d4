// Tables for a terminal: aligned columns, control characters made harmless.

export interface Column<Row> {
  readonly head: string;
  readonly text: (row: Row) => string;
  /** Numbers stand to the right. */
  readonly right?: boolean;
}

export function textTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const lines = [columns.map(({ head }) => head), ...rows.map((row) => columns.map(({ text }) => harmless(text(row))))];
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => [...line[column]!].length)));
  const pad = (text: string, column: number) => {
    const fill = ' '.repeat(widths[column]! - [...text].length);
    return columns[column]!.right ? fill + text : text + fill;
  };
  return lines.map((line) => line.map(pad).join('  ').trimEnd()).join('\n');
}

/** Names are hostile: no control character, no direction override reaches the terminal. */
export const harmless = (text: string): string =>
  escaped(text, (character) =>
    character === '\n' ? '\\n' : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );

/** The same, with another way to write what does harm. */
export const escaped = (text: string, write: (character: string) => string): string =>
  text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/g, write);

/** 1.5G as df(1) writes it; a dash for what is not known. */
export function shortBytes(value: number): string {
  if (Number.isNaN(value)) return '–';
  const units = ['B', 'K', 'M', 'G', 'T'];
  let rest = value;
  let unit = 0;
  while (rest >= 1023.5 && unit < units.length - 1) {
    rest /= 1024;
    unit++;
  }
  return `${unit === 0 || rest >= 100 ? Math.round(rest) : rest.toFixed(1)}${units[unit]}`;
}
