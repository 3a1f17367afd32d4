// One gzip stream out of a part that is compressed once and a small part that is new at every response.

import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';

const deflate = promisify(deflateRaw);

/** RFC 1952: magic, deflate, no flags, no time, no hint, unknown system. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);

/** The beginning of a gzip stream, compressed: `finishGzip` may be called on it any number of times. */
export interface GzipHead {
  readonly compressed: Buffer;
  readonly crc: number;
  readonly length: number;
}

/** Compresses off the main thread. The deflate stream is flushed, not ended, so that more can follow. */
export async function gzipHead(bytes: Buffer): Promise<GzipHead> {
  const compressed = await deflate(bytes, { level: 1, finishFlush: constants.Z_SYNC_FLUSH });
  return { compressed, crc: crc32(bytes), length: bytes.length };
}

/** A whole gzip body: header, head, tail, checksum and length. */
export async function finishGzip(head: GzipHead, tail: Buffer): Promise<Buffer> {
  const compressed = await deflate(tail, { level: 1 });
  const trailer = Buffer.alloc(8);
  // Node's crc32 of nothing is 0, whatever it is to go on from.
  trailer.writeUInt32LE(tail.length === 0 ? head.crc : crc32(tail, head.crc), 0);
  trailer.writeUInt32LE((head.length + tail.length) >>> 0, 4);
  return Buffer.concat([HEADER, head.compressed, compressed, trailer]);
}
