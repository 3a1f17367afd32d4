// Token buckets: one for everybody, as rate_limit of a web file has it, or one for each client address. Time is given.

export class TokenBucket {
  #tokens: number;
  #at: number;

  /** Starts full. @param now seconds */
  constructor(burst: number, now: number) {
    this.#tokens = burst;
    this.#at = now;
  }

  /** Takes a token, if there is one. @param interval seconds until the next token @param burst most tokens kept */
  take(interval: number, burst: number, now: number): boolean {
    this.#tokens = Math.min(burst, this.#tokens + Math.max(0, now - this.#at) / interval);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

/** Addresses that are kept apart; beyond it, those seen first are forgotten. */
const ADDRESSES = 1024;

/** A bucket for each client address that holds one second's worth of requests. */
export class ClientTokenBuckets {
  readonly #buckets = new Map<string, TokenBucket>();

  /** @param perSecond 0 is no limit */
  take(address: string, perSecond: number, now: number): boolean {
    if (perSecond === 0) return true;
    let bucket = this.#buckets.get(address);
    if (!bucket) {
      for (const oldest of this.#buckets.keys()) {
        if (this.#buckets.size < ADDRESSES) break;
        this.#buckets.delete(oldest);
      }
      bucket = new TokenBucket(perSecond, now);
      this.#buckets.set(address, bucket);
    }
    return bucket.take(1 / perSecond, perSecond, now);
  }
}
