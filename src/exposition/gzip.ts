// One gzip stream out of a part that is compressed once, piece by piece, and a small part that is new at every response.
import { promisify } from 'node:util';
import { constants, crc32, createDeflateRaw, deflateRaw } from 'node:zlib';

const deflate = promisify(deflateRaw);

const LEVEL = 1;
/** For a tail of some kilobytes: 32 KiB of state instead of 256. */
const TAIL = { level: LEVEL, windowBits: 12, memLevel: 5 };

/** RFC 1952: magic, deflate, no flags, no time, no hint, unknown system. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);

/** The beginning of a gzip stream, compressed: `finishGzip` may be called on it any number of times. */
export interface GzipHead {
  readonly compressed: Buffer;
  readonly crc: number;
  readonly length: number;
}

/** Compresses heads off the main thread, one after the other in the same memory. */
export class GzipWriter {
  readonly #stream = createDeflateRaw({ level: LEVEL });
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
    const compressed = Buffer.concat(this.#compressed);
    this.#compressed = [];
    return { compressed, crc: this.#crc, length: this.#length };
  }
}

/** A whole gzip body: header, head, tail, checksum and length. */
export async function finishGzip(head: GzipHead, tail: Buffer): Promise<Buffer> {
  const compressed = await deflate(tail, TAIL);
  const trailer = Buffer.alloc(8);
  // Node's crc32 of nothing is 0, whatever it is to go on from.
  trailer.writeUInt32LE(tail.length === 0 ? head.crc : crc32(tail, head.crc), 0);
  trailer.writeUInt32LE((head.length + tail.length) >>> 0, 4);
  return Buffer.concat([HEADER, head.compressed, compressed, trailer]);
}
