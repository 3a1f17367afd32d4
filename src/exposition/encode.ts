// Families become bytes: Prometheus text format 0.0.4 and OpenMetrics 1.0, written into chunks of memory that are used
// again. Numbers are written digit by digit, so that a response of a hundred thousand series makes no garbage.
import type { Family } from './metric.ts';

export type Format = 'text' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** Units that get a line `# UNIT` in OpenMetrics, where the name of the family ends in one. */
const UNITS = ['bytes', 'seconds', 'ratio', 'percent'];

const SPACE = 0x20;
const NEWLINE = 0x0a;
const ZERO = 0x30;
const POINT = 0x2e;
const MINUS = 0x2d;
/** Free chunks that are kept: as many as a response needs that is compressed while it is written. */
const FREE_MAX = 6;
/** Bytes of the longest number: 17 digits, sign, point, exponent. */
const NUMBER_MAX_BYTES = 32;

/** Writes one response. Its full chunks can be taken while the rest is written. `begin` starts the next response. */
export class Encoder {
  readonly format: Format;
  /** Series written since `begin`. */
  series = 0;
  readonly #chunk: number;
  /** The chunk that is being filled. */
  #bytes: Buffer = Buffer.alloc(0);
  /** Bytes of it that are written. */
  #length = 0;
  /** Full chunks that were not taken yet. */
  #written: Buffer[] = [];
  readonly #free: Buffer[] = [];
  #name = '';

  /** @param chunk bytes of a chunk; a longer sample gets a chunk of its own */
  constructor(format: Format, chunk = 64 << 10) {
    this.format = format;
    this.#chunk = chunk;
  }

  /** Starts the next response, in the same memory. */
  begin(): void {
    this.recycle(this.take());
    this.series = 0;
  }

  /** Writes the header of a family; its samples follow. */
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
   * Writes a sample of the last family. NaN stands for a value that is not known: the sample is left out.
   * @param labels the result of labelText, or ''
   */
  sample(labels: string, value: number): void {
    if (Number.isNaN(value)) return;
    const name = this.#name;
    const needed = name.length + labels.length + NUMBER_MAX_BYTES + 2;
    if (this.#length + needed > this.#bytes.length) this.#nextChunk(needed);
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

  /** Ends the response; nothing may follow. */
  end(): void {
    if (this.format === 'openmetrics') this.#write('# EOF\n');
  }

  /** Number of full chunks that were not taken yet. */
  get fullChunks(): number {
    return this.#written.length;
  }

  /** All chunks written since `begin` and not taken yet, in order, none empty. They stay as they are until recycled. */
  take(): Buffer[] {
    if (this.#length > 0) this.#nextChunk(0);
    const written = this.#written;
    this.#written = [];
    return written;
  }

  /** Returns taken chunks, so that their memory is used again. */
  recycle(taken: readonly Buffer[]): void {
    for (const { buffer } of taken) {
      if (this.#free.length < FREE_MAX && buffer.byteLength === this.#chunk) this.#free.push(Buffer.from(buffer));
    }
  }

  /** A copy of everything written since `begin` and not taken yet. */
  bytes(): Buffer {
    const taken = this.take();
    const copy = Buffer.concat(taken);
    this.recycle(taken);
    return copy;
  }

  #write(text: string): void {
    const needed = text.length * 3;
    if (this.#length + needed > this.#bytes.length) this.#nextChunk(needed);
    this.#length += this.#bytes.write(text, this.#length, 'utf8');
  }

  /** Continues in another chunk. @param needed bytes that it must have room for */
  #nextChunk(needed: number): void {
    if (this.#length > 0) this.#written.push(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    this.#bytes =
      needed <= this.#chunk
        ? (this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#chunk))
        : Buffer.allocUnsafeSlow(needed);
  }
}

/** Writes the shortest decimal text that reads back as the same double. @returns the index behind it */
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
