// The slow lane: reads that may take long or hang run here, off the main thread and one at a time.
// A read that hangs is left behind and keeps its thread; it delays nothing but itself.

/** A read still running after this long, seconds, no longer keeps the next one waiting. */
const PATIENCE = 10;
/** Hung reads that are left behind before the lane closes: Node's thread pool has four threads, and gzip needs one. */
const MOST_HUNG = 2;

export class Lane {
  readonly #now: () => number;
  #since = Number.NaN;
  #running = 0;

  /** @param now a clock in seconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether a read could start at once. */
  get free(): boolean {
    if (this.#running === 0) return true;
    return this.#running <= MOST_HUNG && this.#now() - this.#since > PATIENCE;
  }

  /** Starts a read. Call only while `free`. */
  async run<T>(read: () => Promise<T>): Promise<T> {
    this.#running++;
    this.#since = this.#now();
    try {
      return await read();
    } finally {
      this.#running--;
    }
  }
}
