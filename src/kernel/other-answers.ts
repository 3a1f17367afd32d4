// What the reader answered for files of one process that have no slot (guarded-files.ts): smaps_rollup, status and others.
// Thousands of such answers may come in a collection, so their memory is used again. Each object belongs to one process, from
// the answer until the next prefetch, or waits in the pool: so no answer can stand under another process.
import { REQUESTED, SKIPPED } from './reader-frames.ts';

/** Longer answers, such as some command lines, are not kept for reuse; and so many objects wait: together 1 MiB. */
const REUSED_MAX_BYTES = 2048;
const WAITING_MAX = 256;
/** Bytes by which the memory of an answer is rounded up, because the same file is a little longer next time. */
const STEP = 256;

const NOTHING = new Uint8Array(0);

export class OtherAnswers {
  /** By the number of the file (CODE_OF): the length of the answer, or the number of a reason. */
  readonly #lengths = new Int32Array(REQUESTED.length).fill(SKIPPED);
  readonly #bytes: Uint8Array[] = REQUESTED.map(() => NOTHING);

  /** @param length of the answer, which stands in `bytes` from `from` on; or the number of a reason */
  set(code: number, length: number, bytes: Uint8Array | undefined, from: number): void {
    this.#lengths[code] = length;
    if (length <= 0) return;
    if (this.#bytes[code]!.length < length) this.#bytes[code] = new Uint8Array(Math.ceil(length / STEP) * STEP);
    const own = this.#bytes[code]!;
    // Buffer.copy would make an object each time.
    for (let byte = 0; byte < length; byte++) own[byte] = bytes![from + byte]!;
  }

  lengthOf(code: number): number {
    return this.#lengths[code]!;
  }

  /** The memory of the answer, which may be longer; valid until the next prefetch. */
  bytesOf(code: number): Uint8Array {
    return this.#bytes[code]!;
  }

  /** A copy of the answer, or the number of a reason. */
  copyOf(code: number): Uint8Array | number {
    const length = this.#lengths[code]!;
    return length < 0 ? length : this.#bytes[code]!.slice(0, length);
  }

  clear(): void {
    this.#lengths.fill(SKIPPED);
    for (let code = 0; code < this.#bytes.length; code++) {
      if (this.#bytes[code]!.length > REUSED_MAX_BYTES) this.#bytes[code] = NOTHING;
    }
  }
}

export class OtherAnswersPool {
  readonly #waiting: OtherAnswers[] = [];

  take(): OtherAnswers {
    return this.#waiting.pop() ?? new OtherAnswers();
  }

  /** The process has no answers any more, and must not refer to them. */
  release(answers: OtherAnswers): void {
    if (this.#waiting.length >= WAITING_MAX) return;
    answers.clear();
    this.#waiting.push(answers);
  }
}
