// A token bucket of reading time: what reads of smaps_rollup may take, as a share of one core. One token is one second.
// It fills with time, holds no more than one collection's share, and may be overdrawn by the one read that empties it;
// the next collections pay for that. A host that was idle cannot save up for a long burst of reads.

export class ReadBudget {
  /** Seconds of reading that may be spent now. */
  #tokens = Number.POSITIVE_INFINITY;
  /** Kernel time of the last refill, seconds since boot; NaN before the first. */
  #refilledAt = Number.NaN;

  get tokens(): number {
    return this.#tokens;
  }

  get exhausted(): boolean {
    return this.#tokens <= 0;
  }

  /** Whether reads that take so long together, seconds, fit. */
  covers(seconds: number): boolean {
    return seconds <= this.#tokens;
  }

  /**
   * Adds the tokens of the time since the last refill.
   * @param share of one core; infinity: no limit
   * @param interval time between two collections, seconds
   * @param at kernel time now, seconds since boot
   */
  refill(share: number, interval: number, at: number): void {
    const capacity = share * interval;
    const earned = Number.isNaN(this.#refilledAt) ? capacity : share * (at - this.#refilledAt);
    this.#tokens = share === Number.POSITIVE_INFINITY ? share : Math.min(capacity, this.#tokens + earned);
    this.#refilledAt = at;
  }

  take(seconds: number): void {
    this.#tokens -= seconds;
  }

  giveBack(seconds: number): void {
    this.#tokens += seconds;
  }
}
