// What the exporter and its reader say to each other over a socket; reader.ts describes the frames.
import { PROCESS_FILES, type UnreadableReason } from './files.ts';

/** What a request may name, by its number in a frame. `close` gives back the descriptors that are kept of the process. */
export const REQUESTED = [...PROCESS_FILES, 'exe', 'close'] as const;
export type Requested = (typeof REQUESTED)[number];

export const CODE_OF = Object.fromEntries(REQUESTED.map((file, code) => [file, code])) as Record<Requested, number>;

/** An answer that is no file but a reason is -1 minus the reason's place in this list. */
export const REASONS: readonly UnreadableReason[] = ['gone', 'denied', 'unsupported', 'malformed', 'hung'];
export const codeOfReason = (reason: UnreadableReason): number => -1 - REASONS.indexOf(reason);

/** The file says what it said when it was last answered. */
export const UNCHANGED = -100;
/** Added to the number of stat, statm or io: the last answer was taken, so that UNCHANGED is enough where it still holds. */
export const TAKEN = 0x100;
/** Added to the number of a file that is read only if the answer of stat before it, of the same process, was not UNCHANGED. */
export const IF_STAT_CHANGED = 0x200;
/** Added to the number of any file of a process whose first thread has ended: it is read of a living thread (files.ts). */
export const OF_THREAD = 0x400;
/** The part of a request's number that names the file. */
export const FILE_CODE = 0xff;
const TIMED: readonly number[] = [CODE_OF.smaps_rollup, CODE_OF.smaps];
/** Whether a duration stands behind the answer to this request: both sides of the socket must say the same of each request. */
export const isTimed = (request: number): boolean => TIMED.includes(request & FILE_CODE);
/** The file was not read: stat had not changed, or the time for reads of smaps_rollup was over. */
export const SKIPPED = -101;
/** Files that every collection reads: stat, statm and io. PROCESS_FILES begins with them, so they have the first numbers. */
export const SLOT_FILES = 3;
/** None of these files is longer, as far as it is looked at. */
export const SLOT_BYTES = 512;

/** Bytes that the reader sends when it has started. */
export const HELLO_BYTES = 4;
/** Marks of a request frame: each answer is to leave at once; memory of processes that do not run may have moved. */
export const AT_ONCE = 1;
export const MEMORY_MOVES = 2;
/** count; marks; microseconds that reads of smaps_rollup may take together. */
export const REQUEST_HEAD_BYTES = 12;
export const NO_LIMIT = 0xffffffff;
/** handle, pid, file. */
export const REQUEST_BYTES = 12;
export const REQUESTS_MAX = 2048;
/** length, or the number of a reason. */
export const ANSWER_HEAD_BYTES = 4;
/** Behind an answer of smaps_rollup and smaps: the microseconds that the read took. */
export const DURATION_BYTES = 4;
/** A longer file is cut: a command line is looked at up to 64 KiB. */
export const ANSWER_BYTES_MAX = 66 << 10;
