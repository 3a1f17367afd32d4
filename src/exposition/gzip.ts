// One gzip stream (RFC 1952) of two parts: the head, which is compressed once for each snapshot, and the tail, which is
// small and new in every response. The head ends with a flush, not with the end of the stream, so that the tail can
// follow as stored blocks; the checksum of the whole continues from that of the head.
import { constants, crc32, createDeflateRaw } from 'node:zlib';

const LEVEL = 1;
/** Bytes of one piece of compressed data. */
const PIECE = 64 << 10;
/** RFC 1952: magic, deflate, no flags, no time, no hint, unknown system. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
/** RFC 1951, 3.2.4: bytes of the longest block that is not compressed. */
const STORED_MAX_BYTES = 0xffff;

/** The compressed head of a gzip stream; `finishGzip` does not change it. */
export interface GzipHead {
  readonly compressed: readonly Buffer[];
  /** CRC-32 and number of bytes before compression. */
  readonly crc: number;
  readonly length: number;
}

/** Compresses one head after the other in the same memory, off the main thread. */
export class GzipWriter {
  readonly #stream = createDeflateRaw({ level: LEVEL, chunkSize: PIECE });
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

  /** Flushes the stream, and does not end it: a tail follows. */
  async finish(): Promise<GzipHead> {
    await new Promise<void>((resolve) => this.#stream.flush(constants.Z_SYNC_FLUSH, resolve));
    return { compressed: this.#compressed, crc: this.#crc, length: this.#length };
  }
}

/**
 * A whole gzip body in pieces: header, head, tail, checksum and length. The tail is stored without compression (RFC 1951,
 * 3.2.4): for some kilobytes another turn on the thread pool would cost more than it saves.
 */
export function finishGzip(head: GzipHead, tail: Buffer): Buffer[] {
  const pieces = [HEADER, ...head.compressed];
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
  trailer.writeUInt32LE(tail.length === 0 ? head.crc : crc32(tail, head.crc), 0);
  trailer.writeUInt32LE((head.length + tail.length) >>> 0, 4);
  return [...pieces, trailer];
}
