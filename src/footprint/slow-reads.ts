// Runs reads that may take long one at a time, beside the collections. The live host ends a read that hangs
// (kernel/guarded-files.ts); other kernel files may not, so a read that takes very long is no longer waited for.

/** A read that runs longer than this, seconds, no longer keeps the next one waiting. */
const WAIT_MAX = 10;
/** With more such reads than this no read starts: whatever holds them holds more of them. */
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
