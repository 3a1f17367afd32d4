// The slow lane: reads that may take long or hang run here, off the main thread and one at a time.
// A read that hangs is left behind and keeps its thread; it delays nothing but itself.

/** A read still running after this long, seconds, no longer keeps the next one waiting. */
const PATIENCE = 10;
/** Hung reads that are left behind before the lane closes: Node's thread pool has four threads, and gzip needs one. */
const MOST_HUNG = 2;

export class SlowReads {
  readonly #now: () => number;
  /** When each of the reads began that are under way. */
  readonly #running = new Set<{ readonly since: number }>();

  /** @param now a clock in seconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether a read could start at once. */
  get free(): boolean {
    const hungSince = this.#now() - PATIENCE;
    for (const { since } of this.#running) if (since >= hungSince) return false;
    return this.#running.size <= MOST_HUNG;
  }

  /** Starts a read. Call only while `free`. */
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
