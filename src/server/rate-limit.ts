// Token buckets: one that all clients share (rate_limit of a web configuration file), and one for each client
// (max_request_rate; client-network.ts says which clients count as one). A request takes a token; where none is left, it is refused. Time is an argument, in seconds.

export class TokenBucket {
  #tokens: number;
  #at: number;

  /** Starts full. @param now seconds */
  constructor(burst: number, now: number) {
    this.#tokens = burst;
    this.#at = now;
  }

  /** Takes a token; false where none is left. @param interval seconds between two tokens @param burst tokens of a full bucket */
  take(interval: number, burst: number, now: number): boolean {
    this.#tokens = Math.min(burst, this.#tokens + Math.max(0, now - this.#at) / interval);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

/** Clients that have a bucket; of more, the clients that came first lose theirs. */
const CLIENTS_MAX = 1024;

/** A bucket for each client; it holds the requests of one second. */
export class ClientTokenBuckets {
  readonly #buckets = new Map<string, TokenBucket>();

  /** Takes a token of this client. @param client its network @param perSecond tokens; 0 is no limit */
  take(client: string, perSecond: number, now: number): boolean {
    if (perSecond === 0) return true;
    let bucket = this.#buckets.get(client);
    if (!bucket) {
      for (const oldest of this.#buckets.keys()) {
        if (this.#buckets.size < CLIENTS_MAX) break;
        this.#buckets.delete(oldest);
      }
      bucket = new TokenBucket(perSecond, now);
      this.#buckets.set(client, bucket);
    }
    return bucket.take(1 / perSecond, perSecond, now);
  }
}
