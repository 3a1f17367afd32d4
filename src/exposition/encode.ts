// Families become bytes: Prometheus text 0.0.4 and OpenMetrics 1.0, written straight into chunks that are used again.
// Numbers are written digit by digit, so that a page of a hundred thousand series makes no garbage.
import type { Family } from './metric.ts';

export type Format = 'text' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** Units that OpenMetrics lets a family name in a line of its own, when its name ends in them. */
const UNITS = ['bytes', 'seconds', 'ratio', 'percent'];

const SPACE = 0x20;
const NEWLINE = 0x0a;
const ZERO = 0x30;
const POINT = 0x2e;
const MINUS = 0x2d;
/** Chunks that are kept while nothing is written: what a page takes that is compressed while it is written. */
const MOST_FREE = 6;
/** Longest number: 17 digits, sign, point, exponent. */
const LONGEST_NUMBER = 32;

/** Writes one response, which can be taken away piece by piece. Reusable: `begin` starts anew in the same memory. */
export class Encoder {
  readonly format: Format;
  /** Series written since `begin`. */
  series = 0;
  readonly #chunk: number;
  /** The chunk that is being filled, and how far it is. */
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;
  /** What was written before that, and not taken yet. */
  #written: Buffer[] = [];
  readonly #free: Buffer[] = [];
  #name = '';

  /** @param chunk bytes of one piece of memory; a longer sample gets one for itself */
  constructor(format: Format, chunk = 64 << 10) {
    this.format = format;
    this.#chunk = chunk;
  }

  begin(): void {
    this.giveBack(this.take());
    this.series = 0;
  }

  /** Begins a family; its samples follow. */
  family(family: Family): void {
    const { name } = family;
    const open = this.format === 'openmetrics';
    const type = open ? family.type : family.textType;
    const base =
      open && type === 'counter'
        ? name.slice(0, -'_total'.length)
        : open && type === 'info'
          ? name.slice(0, -'_info'.length)
          : name;
    const help = family.help
      .replace(/\\/g, '\\\\')
      .replace(/\n/g, '\\n')
      .replace(/"/g, open ? '\\"' : '"');
    const unit = open && UNITS.find((each) => base.endsWith(`_${each}`));
    this.#write(`# HELP ${base} ${help}\n# TYPE ${base} ${type}\n${unit ? `# UNIT ${base} ${unit}\n` : ''}`);
    this.#name = name;
  }

  /**
   * Writes a sample of the family begun last. A value that is NaN is not known, and its series is left out.
   * @param labels what labelText gave, or ''
   */
  sample(labels: string, value: number): void {
    if (Number.isNaN(value)) return;
    const name = this.#name;
    const needed = name.length + labels.length + LONGEST_NUMBER + 2;
    if (this.#length + needed > this.#bytes.length) this.#turn(needed);
    const bytes = this.#bytes;
    let at = this.#length;
    at += bytes.write(name, at, 'latin1');
    if (labels !== '') at += bytes.write(labels, at, 'latin1');
    bytes[at++] = SPACE;
    at = writeNumber(bytes, at, value);
    bytes[at++] = NEWLINE;
    this.#length = at;
    this.series++;
  }

  /** Ends an OpenMetrics response; nothing may follow. */
  end(): void {
    if (this.format === 'openmetrics') this.#write('# EOF\n');
  }

  /** Chunks that are full and not taken yet. */
  get full(): number {
    return this.#written.length;
  }

  /** What was written since `begin` and not taken yet, in order; none of it is empty. The caller's until given back. */
  take(): Buffer[] {
    if (this.#length > 0) this.#turn(0);
    const written = this.#written;
    this.#written = [];
    return written;
  }

  /** Lets the memory of what was taken be written again. */
  giveBack(taken: readonly Buffer[]): void {
    for (const { buffer } of taken) {
      if (this.#free.length < MOST_FREE && buffer.byteLength === this.#chunk) this.#free.push(Buffer.from(buffer));
    }
  }

  /** What was written since `begin` and not taken yet, as a copy. */
  bytes(): Buffer {
    const taken = this.take();
    const copy = Buffer.concat(taken);
    this.giveBack(taken);
    return copy;
  }

  #write(text: string): void {
    const needed = text.length * 3;
    if (this.#length + needed > this.#bytes.length) this.#turn(needed);
    this.#length += this.#bytes.write(text, this.#length, 'utf8');
  }

  /** Goes on in another chunk. @param needed bytes it must hold */
  #turn(needed: number): void {
    if (this.#length > 0) this.#written.push(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    this.#bytes =
      needed <= this.#chunk
        ? (this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#chunk))
        : Buffer.allocUnsafeSlow(needed);
  }
}

/** Writes the shortest decimal text that reads back as the same double, and returns where it ends. */
export function writeNumber(bytes: Buffer, from: number, value: number): number {
  let at = from;
  let rest = value;
  if (rest < 0) {
    bytes[at++] = MINUS;
    rest = -rest;
  }
  if (rest < 1e15) {
    const thousandths = Math.round(rest * 1000);
    const whole = Math.floor(rest);
    if (rest === whole) return writeInteger(bytes, at, rest);
    if (rest < 1e12 && thousandths / 1000 === rest) {
      at = writeInteger(bytes, at, whole);
      bytes[at++] = POINT;
      let digits = thousandths - whole * 1000;
      for (let unit = 100; digits > 0; unit /= 10) {
        const digit = Math.floor(digits / unit);
        bytes[at++] = ZERO + digit;
        digits -= digit * unit;
      }
      return at;
    }
  }
  const text =
    value === Number.POSITIVE_INFINITY ? '+Inf' : value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
  return from + bytes.write(text, from, 'latin1');
}

function writeInteger(bytes: Buffer, from: number, value: number): number {
  let length = 1;
  for (let limit = 10; value >= limit; limit *= 10) length++;
  let rest = value;
  for (let at = from + length - 1; at >= from; at--) {
    const tenth = Math.floor(rest / 10);
    bytes[at] = ZERO + (rest - tenth * 10);
    rest = tenth;
  }
  return from + length;
}
