// The files of one process as the guarded host (guarded-files.ts) gives them: nothing is read here, answers are handed out.
import type { ProcessFile, ProcessFiles } from './files.ts';
import { CODE_OF, OF_THREAD, type Requested, SKIPPED, SLOT_FILES, UNCHANGED } from './reader-frames.ts';

/** Where the answers are. */
interface Answers {
  buffer: Uint8Array;
  lengthOf(proc: GuardedProcess, code: number): number;
  takeSlot(proc: GuardedProcess, code: number): number;
  failure(proc: GuardedProcess, file: Requested, code: number): Error;
  readLater(proc: GuardedProcess, file: ProcessFile, seconds: number): Promise<Uint8Array>;
  close(proc: GuardedProcess): void;
}

export class GuardedProcess implements ProcessFiles {
  readonly pid: number;
  /** Its number in the host's tables; -1 while it has none: before the first prefetch and after `close`. */
  handle = -1;
  readonly #host: Answers;
  /** Answers of files that have no slot: bytes, or the number of a reason. */
  others: Map<Requested, Buffer | number> | undefined = undefined;
  readSeconds: number | undefined = undefined;
  /** Added to the number of each file that is requested: OF_THREAD where the first thread has ended. */
  marks = 0;
  /** It hung before, so that the prefetch under way reads it behind all others. */
  readLast = false;
  /** Whether a file of it has ever been answered. */
  answered = false;

  constructor(host: Answers, pid: number) {
    this.#host = host;
    this.pid = pid;
  }

  unchanged(file: 'stat' | 'statm' | 'io'): boolean {
    return this.#host.lengthOf(this, CODE_OF[file]) === UNCHANGED;
  }

  read(file: ProcessFile): number {
    const code = CODE_OF[file];
    if (code < SLOT_FILES) return this.#host.takeSlot(this, code);
    const bytes = this.#answer(file);
    this.#host.buffer = bytes;
    return bytes.length;
  }

  readLater(file: ProcessFile, seconds = 0): Promise<Uint8Array> {
    return this.#host.readLater(this, file, seconds);
  }

  exe(): string {
    return this.#answer('exe').toString('utf8');
  }

  leaderEnded(ended: boolean): void {
    this.marks = ended ? OF_THREAD : 0;
  }

  close(): void {
    this.#host.close(this);
  }

  #answer(file: Requested): Buffer {
    const answer = this.others?.get(file) ?? SKIPPED;
    if (typeof answer === 'number') throw this.#host.failure(this, file, answer);
    return answer;
  }
}
