// Finds the segments of huge pages that a process shares, in /proc/<pid>/smaps (proc_pid_smaps(5), Linux 6.18). The file has a
// kilobyte for each mapping, so it can be very long. We keep only the mappings with shared huge pages, and of each only two
// lines of the kernel, without the path. Of a million bytes remain, for example:
//
//   7f2a40000000-7f2a50000000 rw-s 00000000 00:0f 81234
//   Shared_Hugetlb:   262144 kB
//
// Device and inode (00:0f 81234) name the segment, whoever maps it: a file of hugetlbfs, System V memory, a memfd or a
// shared anonymous mapping.
import { numberAt } from './text.ts';

const NEWLINE = 0x0a;
const KEY = Buffer.from('\nShared_Hugetlb:');
/** Bytes of the mappings that are kept at most; the others are of segments that stay unknown. */
export const HUGE_MAPPINGS_BYTES_MAX = 60 << 10;

/** The text arrives in pieces of a page of the kernel or more; a mapping has less than a kilobyte, and a path of 4 KiB at most. */
const piece = Buffer.alloc(64 << 10);

/**
 * Reads smaps to its end.
 * @param read puts the next bytes of smaps into the buffer, from there on; returns how many, 0 at the end
 * @param out the lines that are kept are written there
 * @returns their length, bytes @throws the error of `read`
 */
export function readHugeMappings(read: (into: Buffer, at: number) => number, out: Uint8Array, from: number): number {
  let length = 0;
  let kept = 0;
  for (;;) {
    const got = read(piece, kept);
    const end = kept + got;
    // The last mapping may go on in the next piece.
    const whole = got > 0 ? startOfLast(piece, end) : end;
    length += keepShared(piece, whole, out, from + length, HUGE_MAPPINGS_BYTES_MAX - length);
    if (got === 0 || (whole === 0 && end === piece.length)) return length;
    piece.copyWithin(0, whole, end);
    kept = end - whole;
  }
}

/** A mapping begins with its address in lower-case hexadecimal digits, all other lines begin with a capital letter. */
const beginsMapping = (byte: number | undefined): boolean =>
  byte !== undefined && ((byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66));

/** Where the mapping begins that the line before `at` belongs to; 0 where no line before it begins one. */
function startOfLast(text: Buffer, at: number): number {
  let line = at;
  while (line > 0) {
    line = line < 2 ? 0 : text.lastIndexOf(NEWLINE, line - 2) + 1; // a negative place would count from the end
    if (beginsMapping(text[line])) return line;
  }
  return 0;
}

/** @param room bytes that may be written @returns bytes that were written */
function keepShared(bytes: Buffer, end: number, out: Uint8Array, to: number, room: number): number {
  const text = bytes.subarray(0, end);
  let written = 0;
  for (let at = text.indexOf(KEY); at >= 0; at = text.indexOf(KEY, at + KEY.length)) {
    if (!(numberAt(text, at + KEY.length, end) > 0)) continue;
    const start = startOfLast(text, at + 1);
    const first = text.toString('latin1', start, text.indexOf(NEWLINE, start)).split(/ +/, 5).join(' ');
    const line = text.toString('latin1', at, text.indexOf(NEWLINE, at + 1) + 1);
    const mapping = Buffer.from(first + line, 'latin1');
    if (written + mapping.length > room) break;
    out.set(mapping, to + written);
    written += mapping.length;
  }
  return written;
}

/** A segment of huge pages, as one process maps it. */
export interface HugeSegment {
  /** Device and inode: `00:0f 81234`. */
  readonly key: string;
  /** Bytes in the page tables of the process that other processes have as well. */
  readonly bytes: number;
  /** Bytes of the segment up to the end of what the process maps of it. */
  readonly size: number;
}

const MAPPING = /^([0-9a-f]+)-([0-9a-f]+) \S+ ([0-9a-f]+) ([0-9a-f]+:[0-9a-f]+ \d+)$/;

/** @returns the segments, each once; undefined where the text is not as above */
export function parseHugeMappings(text: string): readonly HugeSegment[] | undefined {
  const segments = new Map<string, HugeSegment>();
  const lines = text.split('\n');
  if (lines.pop() !== '' || lines.length % 2 !== 0) return undefined;
  for (let at = 0; at < lines.length; at += 2) {
    const mapping = MAPPING.exec(lines[at]!);
    const shared = /^Shared_Hugetlb: +(\d+) kB$/.exec(lines[at + 1]!);
    if (!mapping || !shared) return undefined;
    const [start, end, offset] = mapping.slice(1, 4).map((digits) => Number.parseInt(digits, 16)) as [
      number,
      number,
      number,
    ];
    const key = mapping[4]!;
    const before = segments.get(key);
    const bytes = Number(shared[1]) * 1024 + (before?.bytes ?? 0);
    segments.set(key, { key, bytes, size: Math.max(offset + end - start, before?.size ?? 0) });
  }
  return [...segments.values()];
}
