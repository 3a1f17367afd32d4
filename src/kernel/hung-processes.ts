// Which processes hung: their files did not answer. Each is left out and tried again later, after twice the time whenever it
// hangs again.
//
// A process that hung can hang again at any time, so that from then on it is read last: all others have been read when it
// hangs. One of them may hang in a collection, the rest of them then waits for the next. So any number of processes that
// hang again and again costs a collection one reader and a quarter of a second.
//
// A reader may stay for ever: SIGKILL does not end a process in an uninterruptible wait (proc(5), stat, state D). While the
// reader is there, its read still hangs, and the process is not tried again: that would only cost another reader.
import { CODE_OF } from './reader-frames.ts';

/** Seconds after which a process that hung is tried again; doubled each time, up to the longest. */
const RETRY_AFTER = { first: 5, longest: 300 };
/** A process that has answered for so long, seconds, is one like all others. */
const FORGIVEN_AFTER = 300;

/** Files whose read waits for the memory map of the process; when one hangs, the others are still read. */
const MEMORY_MAP_FILES: readonly number[] = [CODE_OF.smaps_rollup, CODE_OF.cmdline];
export const waitsForMemoryMap = (code: number): boolean => MEMORY_MAP_FILES.includes(code);

/** Whether the process that a read hung in has ended. */
export interface HungReader {
  readonly exited: boolean;
}

interface Hung {
  readonly reader: HungReader;
  /** When it is tried again, and how long it waits if it hangs then; seconds. */
  readonly retryAt: number;
  readonly waits: number;
  /** Only files that wait for its memory map hang. */
  readonly memoryMapOnly: boolean;
  /** It is asked again. */
  onTrial: boolean;
  /** When it was first asked again, seconds; NaN: not yet. */
  triedAt: number;
}

export class HungProcesses {
  readonly #hung = new Map<number, Hung>();
  /** One of those that are tried again hung in this collection: the others of them wait for the next. */
  #trialsOver = false;
  #now = 0;

  /**
   * Begins a collection: processes whose time has come are asked again.
   * @param now seconds that never go back
   * @param exists whether there is a process with this pid: a process that was never read has no other identity
   */
  begin(now: number, exists: (pid: number) => boolean): void {
    this.#now = now;
    this.#trialsOver = false;
    for (const [pid, hung] of this.#hung) {
      if (!exists(pid) || now - hung.triedAt >= FORGIVEN_AFTER) this.#hung.delete(pid);
      else if (now >= hung.retryAt && hung.reader.exited) hung.onTrial = true;
    }
  }

  /** Processes that do not answer. */
  get pids(): number[] {
    return [...this.#hung].filter(([, { triedAt }]) => Number.isNaN(triedAt)).map(([pid]) => pid);
  }

  /** Whether the process hung before and is asked again: it is read behind all others. */
  isReadLast(pid: number): boolean {
    return this.#hung.get(pid)?.onTrial === true;
  }

  /** Whether a file of this process is not to be read, because it would hang. */
  isLeftOut(pid: number, code: number): boolean {
    const hung = this.#hung.get(pid);
    if (!hung || (hung.onTrial && !this.#trialsOver)) return false;
    return !hung.memoryMapOnly || waitsForMemoryMap(code);
  }

  /** A process that is tried again is about to be read. */
  tries(pid: number): void {
    const hung = this.#hung.get(pid);
    if (hung?.onTrial && Number.isNaN(hung.triedAt)) hung.triedAt = this.#now;
  }

  /**
   * A read of a file hung.
   * @param now seconds, on the clock of `begin`
   * @param reader what hung in it
   */
  note(pid: number, code: number, now: number, reader: HungReader): void {
    const known = this.#hung.get(pid);
    const { waits = RETRY_AFTER.first, memoryMapOnly = true } = known ?? {};
    if (known?.onTrial) this.#trialsOver = true;
    this.#hung.set(pid, {
      reader,
      retryAt: now + waits,
      waits: Math.min(2 * waits, RETRY_AFTER.longest),
      memoryMapOnly: memoryMapOnly && waitsForMemoryMap(code),
      onTrial: false,
      triedAt: Number.NaN,
    });
  }
}
