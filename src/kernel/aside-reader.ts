// A reader for one file at a time, beside the collections: for reads that take long, and for files that hung before. It is
// started when there is something to read, and ends when there was nothing for a while.
import { CODE_OF, codeOfReason } from './reader-frames.ts';
import { type ReaderProcess, Requests } from './reader-process.ts';

/**
 * Milliseconds without a read after which the reader ends. Where processes wait for disks at every collection (state D), it is
 * used at each: to start it takes a tenth of a second of CPU, more than the collection. Few scrapes are further apart.
 */
const IDLE_MS = 75_000;

/** Runs one piece of work after the other: a reader answers one frame at a time. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}

/** What one read gave. */
export interface AsideAnswer {
  /** The bytes of the file, or the number of a reason. */
  readonly answer: Buffer | number;
  /** What the read took. */
  readonly seconds: number;
  /** The reader that hung in it, and was killed. */
  readonly hungReader: ReaderProcess | undefined;
}

export class AsideReader {
  readonly #start: () => ReaderProcess;
  readonly #turns = new Turns();
  #reader: ReaderProcess | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(start: () => ReaderProcess) {
    this.#start = start;
  }

  /**
   * Reads a file when all reads before it have ended.
   * @param request the number of the file, with the marks of the process
   * @param isLeftOut asked when its turn has come: whether it would hang
   */
  read(pid: number, request: number, isLeftOut: () => boolean): Promise<AsideAnswer> {
    return this.#turns.run(async () =>
      isLeftOut()
        ? { answer: codeOfReason('hung'), seconds: 0, hungReader: undefined }
        : await this.#read(pid, request),
    );
  }

  async #read(pid: number, request: number): Promise<AsideAnswer> {
    clearTimeout(this.#idle);
    if (!this.#reader?.alive) this.#reader = this.#start();
    const reader = this.#reader;
    const requests = new Requests();
    requests.add(0, pid, request);
    requests.add(0, 0, CODE_OF.close);
    let answer: Buffer | number = codeOfReason('hung');
    let seconds = 0;
    await reader.ask(requests, 0, true, (index, length, micros, bytes, from) => {
      if (index > 0) return;
      answer = length >= 0 ? Buffer.from(bytes.subarray(from, from + length)) : length;
      seconds = micros / 1e6;
    });
    this.#idle = setTimeout(() => reader.kill(), IDLE_MS).unref();
    return { answer, seconds, hungReader: reader.hung ? reader : undefined };
  }

  kill(): void {
    this.#reader?.kill();
  }
}
