// Runs reads that may take long, or hang, off the main thread and one at a time. A read that hangs is no longer waited
// for: it keeps its thread until it ends, and delays nothing else.

/** A read that runs longer than this, seconds, no longer keeps the next one waiting. */
const WAIT_MAX = 10;
/** With more hung reads than this no read starts: Node's thread pool has four threads, and gzip needs one. */
const HUNG_MAX = 2;

export class SlowReads {
  readonly #now: () => number;
  /** Start times of the reads that are running. */
  readonly #running = new Set<{ readonly since: number }>();

  /** @param now a clock in seconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether a read could start at once. */
  get free(): boolean {
    const hungSince = this.#now() - WAIT_MAX;
    for (const { since } of this.#running) if (since >= hungSince) return false;
    return this.#running.size <= HUNG_MAX;
  }

  /** Runs a read. Call only while `free`. */
  async run<T>(read: () => Promise<T>): Promise<T> {
    const running = { since: this.#now() };
    this.#running.add(running);
    try {
      return await read();
    } finally {
      this.#running.delete(running);
    }
  }
}
