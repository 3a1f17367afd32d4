// One gzip stream out of a part that is compressed once, piece by piece, and a small part that is new at every response.
import { constants, crc32, createDeflateRaw } from 'node:zlib';

const LEVEL = 1;
/** Bytes of one piece of what is compressed. */
const PIECE = 64 << 10;
/** RFC 1952: magic, deflate, no flags, no time, no hint, unknown system. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
/** RFC 1951, 3.2.4: most bytes of a block that is not compressed. */
const LONGEST_STORED = 0xffff;

/** The beginning of a gzip stream, compressed: `finishGzip` may be called on it any number of times. */
export interface GzipHead {
  readonly compressed: readonly Buffer[];
  readonly crc: number;
  readonly length: number;
}

/** Compresses heads off the main thread, one after the other in the same memory. */
export class GzipWriter {
  readonly #stream = createDeflateRaw({ level: LEVEL, chunkSize: PIECE });
  #compressed: Buffer[] = [];
  #crc = 0;
  #length = 0;

  constructor() {
    this.#stream.on('data', (bytes: Buffer) => this.#compressed.push(bytes));
    this.#stream.on('error', () => {}); // whoever writes is told
  }

  begin(): void {
    this.#stream.reset();
    this.#compressed = [];
    this.#crc = 0;
    this.#length = 0;
  }

  /** Compresses pieces that are not empty; resolves when they are no longer needed. */
  async write(pieces: readonly Buffer[]): Promise<void> {
    for (const piece of pieces) {
      this.#crc = crc32(piece, this.#crc);
      this.#length += piece.length;
      await new Promise<void>((resolve, reject) => {
        this.#stream.write(piece, (error) => (error ? reject(error) : resolve()));
      });
    }
  }

  /** The stream is flushed, not ended, so that more can follow. */
  async finish(): Promise<GzipHead> {
    await new Promise<void>((resolve) => this.#stream.flush(constants.Z_SYNC_FLUSH, resolve));
    return { compressed: this.#compressed, crc: this.#crc, length: this.#length };
  }
}

/**
 * A whole gzip body, piece by piece: header, head, tail, checksum and length. The tail is stored as it is (RFC 1951,
 * 3.2.4): some kilobytes are not worth a turn on another thread.
 */
export function finishGzip(head: GzipHead, tail: Buffer): Buffer[] {
  const pieces = [HEADER, ...head.compressed];
  let from = 0;
  do {
    const block = tail.subarray(from, from + LONGEST_STORED);
    from += block.length;
    const start = Buffer.alloc(5);
    start[0] = Number(from === tail.length); // the last one
    start.writeUInt16LE(block.length, 1);
    start.writeUInt16LE(~block.length & 0xffff, 3);
    pieces.push(start, block);
  } while (from < tail.length);
  const trailer = Buffer.alloc(8);
  // Node's crc32 of nothing is 0, whatever it is to go on from.
  trailer.writeUInt32LE(tail.length === 0 ? head.crc : crc32(tail, head.crc), 0);
  trailer.writeUInt32LE((head.length + tail.length) >>> 0, 4);
  return [...pieces, trailer];
}
