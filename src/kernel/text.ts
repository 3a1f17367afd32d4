// Parses decimal numbers in kernel text, from its bytes, so that no string and no garbage is made. The parsers of this
// folder share it.

const SPACE = 0x20;
const TAB = 0x09;
const NEWLINE = 0x0a;
const COLON = 0x3a;
const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;

/** Parses the fields of a line, which are separated by spaces, one after the other. One object serves for all lines. */
export class Fields {
  /** Whether a field was missing or was not a number. A negative number counts as none: no field that is read has one. */
  failed = false;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;

  start(bytes: Uint8Array, from: number, to: number): this {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
    this.failed = false;
    return this;
  }

  /** The next field as a number; above 2^53 it is rounded to a double. */
  next(): number {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = this.#at;
    while (at < end && (bytes[at] === SPACE || bytes[at] === NEWLINE)) at++;
    if (at >= end || !isDigit(bytes[at])) {
      this.failed = true;
      return 0;
    }
    let value = 0;
    while (at < end) {
      const digit = bytes[at]! - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      at++;
    }
    if (at < end && bytes[at] !== SPACE && bytes[at] !== NEWLINE) this.failed = true;
    this.#at = at;
    return value;
  }

  skip(count: number): void {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = this.#at;
    for (let left = count; left > 0; left--) {
      while (at < end && bytes[at] === SPACE) at++;
      while (at < end && bytes[at] !== SPACE) at++;
    }
    this.#at = at;
  }
}

/** Names of lines such as `Pss:   123 kB`, as bytes. */
export type LineKeys = readonly Uint8Array[];
export const lineKeys = (...names: string[]): LineKeys => names.map((name) => Buffer.from(name));

/**
 * Finds lines `Name: 123` and writes the numbers to `out` in the order of the names; NaN where a line is missing. Of two
 * lines with one name the first counts.
 * @returns how many were found
 */
export function keyed(bytes: Uint8Array, length: number, names: LineKeys, out: Float64Array): number {
  out.fill(Number.NaN);
  let found = 0;
  let at = 0;
  while (at < length) {
    for (let index = 0; index < names.length; index++) {
      const name = names[index]!;
      if (bytes[at] !== name[0] || bytes[at + name.length] !== COLON || !startsWith(bytes, at, name)) continue;
      const value = numberAt(bytes, at + name.length + 1, length);
      if (value >= 0 && Number.isNaN(out[index])) {
        out[index] = value;
        found++;
      }
      break;
    }
    while (at < length && bytes[at] !== NEWLINE) at++;
    at++;
  }
  return found;
}

function startsWith(bytes: Uint8Array, at: number, name: Uint8Array): boolean {
  for (let i = 1; i < name.length; i++) if (bytes[at + i] !== name[i]) return false;
  return true;
}

/** The decimal number at `from`, or behind the blanks there; -1 where there is none. */
export function numberAt(bytes: Uint8Array, from: number, length: number): number {
  let at = from;
  while (at < length && (bytes[at] === SPACE || bytes[at] === TAB)) at++;
  if (at >= length || !isDigit(bytes[at])) return -1;
  let value = 0;
  while (at < length) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
    at++;
  }
  return value;
}

/** Finds one number in a kernel file. NaN where the text does not hold it. */
export type NumberParser = (bytes: Uint8Array, length: number) => number;

/** A file that is one number: `666\n`. */
export function wholeNumber(bytes: Uint8Array, length: number): number {
  const value = numberAt(bytes, 0, length);
  return value < 0 ? Number.NaN : value;
}

/** The number in a line `name: 123` or `name    123`: of status, `voluntary_ctxt_switches:\t150`. */
export function lineNumber(name: string): NumberParser {
  const key = Buffer.from(name);
  return (bytes, length) => {
    for (let at = 0; at < length; at++) {
      const behind = at + key.length;
      const found = bytes[at] === key[0] && behind < length && startsWith(bytes, at, key);
      if (found && (bytes[behind] === COLON || bytes[behind] === SPACE)) {
        const value = numberAt(bytes, behind + 1, length);
        return value < 0 ? Number.NaN : value;
      }
      while (at < length && bytes[at] !== NEWLINE) at++;
    }
    return Number.NaN;
  };
}

/** The numbers behind a key, such as `count:`, of all lines that begin with it or with spaces and it; 0 where there is none. */
export function sumOfLines(bytes: Uint8Array, length: number, key: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < length; at++) {
    while (bytes[at] === SPACE) at++;
    if (bytes[at] === key[0] && at + key.length < length && startsWith(bytes, at, key))
      sum += Math.max(0, numberAt(bytes, at + key.length, length));
    while (at < length && bytes[at] !== NEWLINE) at++;
  }
  return sum;
}

/** Bytes as text, each byte as the character of the same code. */
export const latin1 = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');
