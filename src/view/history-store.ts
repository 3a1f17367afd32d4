// The packed numbers of the history: a ring of POINTS values for each column of each series. A series has columns of bytes, and
// one of CPU usage. Memory is taken for a few series together, when they are needed, and stays for later series.
//
// Bytes are Float32: exact to 16 GiB for whole KiB, and to one part in 16 million above. CPU usage is the square root of the
// percent, in hundredths, in 16 bits: exact to 0.02 at 1 %, to 0.2 at 100 %, and up to 4,294 cores.
// NaN: the value is not known, or there was none.

/** Points that are kept of each series. */
export const POINTS = 240;

/** Series whose memory is taken together. */
const CHUNK = 4;
const UNKNOWN = 0xffff;

interface Chunk {
  readonly bytes: Float32Array;
  readonly cpu: Uint16Array;
}

export class HistoryStore {
  /** Columns of bytes of each series. */
  readonly columns: number;
  readonly #seriesMax: number;
  readonly #chunks: Chunk[] = [];
  readonly #free: number[] = [];
  #taken = 0;

  constructor(columns: number, seriesMax: number) {
    this.columns = columns;
    this.#seriesMax = seriesMax;
  }

  /** Memory of the numbers, bytes. */
  get byteLength(): number {
    return this.#chunks.reduce((sum, { bytes, cpu }) => sum + bytes.byteLength + cpu.byteLength, 0);
  }

  /** How many places there are, taken or free. */
  get places(): number {
    return this.#taken;
  }

  /** A place for a series with this value everywhere: 0 or NaN; -1 where there are as many as may be. */
  take(value: number): number {
    const series = this.#free.pop() ?? (this.#taken < this.#seriesMax ? this.#taken++ : -1);
    if (series < 0) return series;
    if (series >= this.#chunks.length * CHUNK)
      this.#chunks.push({
        bytes: new Float32Array(CHUNK * this.columns * POINTS),
        cpu: new Uint16Array(CHUNK * POINTS),
      });
    this.fill(series, value);
    return series;
  }

  fill(series: number, value: number): void {
    const { bytes, cpu } = this.#chunkOf(series);
    const place = series % CHUNK;
    const length = this.columns * POINTS;
    bytes.fill(value, place * length, (place + 1) * length);
    cpu.fill(packed(value), place * POINTS, (place + 1) * POINTS);
  }

  /** Gives the place back. */
  release(series: number): void {
    this.#free.push(series);
  }

  setBytes(series: number, column: number, point: number, value: number): void {
    this.#chunkOf(series).bytes[((series % CHUNK) * this.columns + column) * POINTS + point] = value;
  }

  bytes(series: number, column: number, point: number): number {
    return this.#chunkOf(series).bytes[((series % CHUNK) * this.columns + column) * POINTS + point]!;
  }

  /** @param percent of one core */
  setCpu(series: number, point: number, percent: number): void {
    this.#chunkOf(series).cpu[(series % CHUNK) * POINTS + point] = packed(percent);
  }

  cpu(series: number, point: number): number {
    const value = this.#chunkOf(series).cpu[(series % CHUNK) * POINTS + point]!;
    return value === UNKNOWN ? Number.NaN : (value / 100) ** 2;
  }

  #chunkOf(series: number): Chunk {
    return this.#chunks[Math.floor(series / CHUNK)]!;
  }
}

const packed = (percent: number): number =>
  percent >= 0 ? Math.min(UNKNOWN - 1, Math.round(Math.sqrt(percent) * 100)) : UNKNOWN;
