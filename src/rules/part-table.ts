// A small table of names that is asked of parts of texts. Most parts are no such name: their first and last letter and
// their length say so, and a look-up makes no string and calls no function of a map or set.

const BITS = 10;

const placeOf = (text: string, start: number, end: number): number =>
  Math.imul(text.charCodeAt(start) | (text.charCodeAt(end - 1) << 8) | ((end - start) << 16), 0x9e3779b1) >>>
  (32 - BITS);

/** Names without values: get() says whether a part of a text is one of them. */
export const partSet = (names: readonly string[]): PartTable<true> => new PartTable(names.map((name) => [name, true]));

export class PartTable<Value> {
  private readonly names: string[] = [];
  private readonly values: Value[] = [];
  /** For each place the number of its last name, from 1; 0 where it has none. */
  private readonly last = new Uint16Array(1 << BITS);
  /** For each name the number of the one before it at the same place, or 0. */
  private readonly before: number[] = [];

  constructor(entries: Iterable<readonly [name: string, value: Value]>) {
    for (const [name, value] of entries) {
      const place = placeOf(name, 0, name.length);
      this.names.push(name);
      this.values.push(value);
      this.before.push(this.last[place]!);
      this.last[place] = this.names.length;
    }
  }

  /** The value of the name that a part of a text is; undefined where it is none of them. */
  get(text: string, start = 0, end = text.length): Value | undefined {
    if (start >= end) return undefined;
    for (let number = this.last[placeOf(text, start, end)]!; number !== 0; number = this.before[number - 1]!) {
      const name = this.names[number - 1]!;
      if (name.length === end - start && text.startsWith(name, start)) return this.values[number - 1];
    }
    return undefined;
  }
}
