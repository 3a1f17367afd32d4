// One gzip stream (RFC 1952) of several parts and a tail. A part is compressed once for each snapshot, by itself: it refers
// to no byte outside of it and ends with a flush, so that any other part can follow, or the tail, which is small and new in
// every response, as stored blocks. The checksum of the whole follows from those of the parts.
import { constants, crc32, createDeflateRaw } from 'node:zlib';

const LEVEL = 1;
/** Bytes of one piece of compressed data. */
const PIECE = 64 << 10;
/** RFC 1952: magic, deflate, no flags, no time, no hint, unknown system. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
/** RFC 1951, 3.2.4: bytes of the longest block that is not compressed. */
const STORED_MAX_BYTES = 0xffff;

/** A compressed part of a gzip stream; `gzipBody` does not change it. */
export interface GzipPart {
  readonly compressed: readonly Buffer[];
  /** CRC-32 and number of bytes before compression. */
  readonly crc: number;
  readonly length: number;
}

/** Compresses one part after the other in the same memory, off the main thread. */
export class GzipWriter {
  /** It flushes with every piece: to flush at the end of a part would be another turn on the thread pool. */
  readonly #stream = createDeflateRaw({ level: LEVEL, chunkSize: PIECE, flush: constants.Z_SYNC_FLUSH });
  #compressed: Buffer[] = [];
  #crc = 0;
  #length = 0;

  constructor() {
    this.#stream.on('data', (bytes: Buffer) => this.#compressed.push(bytes));
    this.#stream.on('error', () => {}); // `write` rejects with it
  }

  begin(): void {
    this.#stream.reset();
    this.#compressed = [];
    this.#crc = 0;
    this.#length = 0;
  }

  /** Compresses pieces, none of them empty. Resolves when their memory may change again. */
  async write(pieces: readonly Buffer[]): Promise<void> {
    for (const piece of pieces) {
      this.#crc = crc32(piece, this.#crc);
      this.#length += piece.length;
      await new Promise<void>((resolve, reject) => {
        this.#stream.write(piece, (error) => (error ? reject(error) : resolve()));
      });
    }
  }

  /** What was written since `begin`. It is flushed and has no end: more follows. */
  finish(): GzipPart {
    return { compressed: this.#compressed, crc: this.#crc, length: this.#length };
  }
}

/**
 * A whole gzip body in pieces: header, parts, tail, checksum and length. The tail is stored without compression (RFC 1951,
 * 3.2.4): for some kilobytes another turn on the thread pool would cost more than it saves.
 */
export function gzipBody(parts: readonly GzipPart[], tail: Buffer): Buffer[] {
  const pieces = [HEADER, ...parts.flatMap(({ compressed }) => compressed)];
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const crc = parts.reduce((before, part) => crcOfBoth(before, part.crc, part.length), 0);
  let from = 0;
  do {
    const block = tail.subarray(from, from + STORED_MAX_BYTES);
    from += block.length;
    const start = Buffer.alloc(5);
    start[0] = Number(from === tail.length); // BFINAL of the last block
    start.writeUInt16LE(block.length, 1);
    start.writeUInt16LE(~block.length & 0xffff, 3);
    pieces.push(start, block);
  } while (from < tail.length);
  const trailer = Buffer.alloc(8);
  // Node's crc32 of an empty buffer is 0, whatever value it should continue from.
  trailer.writeUInt32LE(tail.length === 0 ? crc : crc32(tail, crc), 0);
  trailer.writeUInt32LE((length + tail.length) >>> 0, 4);
  return [...pieces, trailer];
}

/**
 * The CRC-32 of two texts behind each other, from the CRC-32 of each and the length of the second. A CRC is a polynomial
 * over GF(2), the remainder of a division by POLYNOMIAL, so the first is multiplied by x to the power of the second's bits.
 */
function crcOfBoth(first: number, second: number, secondBytes: number): number {
  let shifted = first;
  let power = X_TO_8;
  for (let rest = secondBytes; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) shifted = product(shifted, power);
    power = product(power, power);
  }
  return (shifted ^ second) >>> 0;
}

/** RFC 1952, 8: the highest bit is the coefficient of x to the power of 0. */
const POLYNOMIAL = 0xedb88320;
const X_TO_8 = 1 << 23;

/** The product of two polynomials, modulo POLYNOMIAL. */
function product(a: number, b: number): number {
  let sum = 0;
  let shifted = b;
  for (let bit = 31; bit >= 0; bit--) {
    if ((a >>> bit) & 1) sum ^= shifted;
    shifted = shifted & 1 ? (shifted >>> 1) ^ POLYNOMIAL : shifted >>> 1;
  }
  return sum;
}
