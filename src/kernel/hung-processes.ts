// Which processes hung: their files did not answer. Each is left out, and the file that hung is tried again later, beside the
// collections; after twice the time whenever it hangs again.
//
// A process that answers again may hang again at any time, so that from then on it is read last: all others have been read
// when it hangs. One of them may hang in a collection, the rest of them then waits for the next. So any number of processes
// that hang again and again costs a collection one reader and a quarter of a second.
//
// A reader may stay for ever: SIGKILL does not end a process in an uninterruptible wait (proc(5), stat, state D). While the
// reader is there, its read still hangs, and the process is not tried again: that would only cost another reader.
import { CODE_OF } from './reader-frames.ts';

/** Seconds after which a process that hung is tried again; doubled each time, up to the longest. */
const RETRY_AFTER = { first: 5, longest: 300 };
/** Seconds for which a process must have answered until it is treated like all others. */
const FORGIVEN_AFTER = 300;
/**
 * Processes that may hang in one collection. After that many, the collection reads no process that has never answered; it is
 * read in the next collection. Otherwise a collection would not end while a user starts hanging processes faster than they
 * are found.
 */
const HANGS_MAX = 32;

/** Files whose read waits for the memory map of the process; when one hangs, the others are still read. */
const MEMORY_MAP_FILES: readonly number[] = [CODE_OF.smaps_rollup, CODE_OF.smaps, CODE_OF.cmdline];
export const waitsForMemoryMap = (code: number): boolean => MEMORY_MAP_FILES.includes(code);

/** Whether the process that a read hung in has ended. */
export interface HungReader {
  readonly exited: boolean;
}

interface Hung {
  readonly reader: HungReader;
  /** The file that hung. */
  readonly code: number;
  /** When it is tried again, and how long it waits if it hangs then; seconds. */
  readonly retryAt: number;
  readonly waits: number;
  /** Only files that wait for its memory map hang. */
  readonly memoryMapOnly: boolean;
  /** Since when it answers again, seconds; NaN: it does not. */
  answersSince: number;
}

export class HungProcesses {
  readonly #hung = new Map<number, Hung>();
  /** A process that had answered again hung in this collection: the others like it wait for the next. */
  #relapsed = false;
  /** How many hung in this collection. */
  #hangs = 0;

  /**
   * Begins a collection.
   * @param now seconds that never go back
   * @param exists whether there is a process with this pid: a process that was never read has no other identity
   */
  begin(now: number, exists: (pid: number) => boolean): void {
    this.#relapsed = false;
    this.#hangs = 0;
    for (const [pid, { answersSince }] of this.#hung) {
      if (!exists(pid) || now - answersSince >= FORGIVEN_AFTER) this.#hung.delete(pid);
    }
  }

  /** Processes that do not answer. */
  get pids(): number[] {
    return [...this.#hung].filter(([, hung]) => hangs(hung)).map(([pid]) => pid);
  }

  /** The process whose time to be tried again came first, and its file that hung. */
  due(now: number): { readonly pid: number; readonly code: number } | undefined {
    let due: { readonly pid: number; readonly code: number } | undefined;
    let earliest = now;
    for (const [pid, hung] of this.#hung) {
      if (hung.retryAt > earliest || !hangs(hung) || !hung.reader.exited) continue;
      earliest = hung.retryAt;
      due = { pid, code: hung.code };
    }
    return due;
  }

  /** A process was tried again, and its file did not hang. */
  answered(pid: number, now: number): void {
    const hung = this.#hung.get(pid);
    if (hung) hung.answersSince = now;
  }

  /** Whether processes that have never answered wait for the next collection. */
  get postponesNew(): boolean {
    return this.#hangs >= HANGS_MAX;
  }

  /** Whether the process hung before and answers again: it is read behind all others. */
  isReadLast(pid: number): boolean {
    const hung = this.#hung.get(pid);
    return hung !== undefined && !hangs(hung);
  }

  /** Whether a file of this process is not to be read, because it would hang. */
  isLeftOut(pid: number, code: number): boolean {
    const hung = this.#hung.get(pid);
    if (!hung || !(hangs(hung) || this.#relapsed)) return false;
    return !hung.memoryMapOnly || waitsForMemoryMap(code);
  }

  /**
   * A read of a file hung.
   * @param now seconds, on the clock of `begin`
   * @param reader what hung in it
   */
  note(pid: number, code: number, now: number, reader: HungReader): void {
    const known = this.#hung.get(pid);
    const { waits = RETRY_AFTER.first, memoryMapOnly = true } = known ?? {};
    this.#hangs++;
    if (known && !hangs(known)) this.#relapsed = true;
    this.#hung.set(pid, {
      reader,
      code,
      retryAt: now + waits,
      waits: Math.min(2 * waits, RETRY_AFTER.longest),
      memoryMapOnly: memoryMapOnly && waitsForMemoryMap(code),
      answersSince: Number.NaN,
    });
  }
}

const hangs = ({ answersSince }: Hung): boolean => Number.isNaN(answersSince);
