// A token bucket of reading time: what reads of smaps_rollup may take, as a share of one core. One token is one second.
// It fills with time, holds no more than the share of the longest time between two collections, and may be overdrawn by the one read that empties it;
// the next collections pay for that. A host that was idle cannot save up for a long burst of reads.
//
// The bucket has a part for each kind of read, by how long it is predicted to take, and each part pays its own debts: a
// user can make processes whose reads take seconds, and the others are read all the same, with half of the budget at least.
// What a part does not need is lent to the shorter reads. Example: with 0.3 s for a collection, a read of 2 s is paid from
// the part for huge reads alone, for 27 collections; meanwhile the other parts have 0.225 s of every collection.
import { atMostOver, SHORT_READ_MAX } from './read-cost.ts';

/** Kinds of reads by what they take. */
export type ReadLength = 'short' | 'long' | 'huge';

/** The part of the budget that is kept for each kind of longer reads; short ones have the rest. */
const KEPT = { long: 0.25, huge: 0.25 };
const LONGER = ['long', 'huge'] as const;

export class ReadBudget {
  /** Seconds of reading that may be spent now. */
  readonly #tokens = {
    short: Number.POSITIVE_INFINITY,
    long: Number.POSITIVE_INFINITY,
    huge: Number.POSITIVE_INFINITY,
  };
  /** Kernel time of the last refill, seconds since boot; NaN before the first. */
  #refilledAt = Number.NaN;

  tokens(length: ReadLength): number {
    return this.#tokens[length];
  }

  isExhausted(length: ReadLength): boolean {
    return this.#tokens[length] <= 0;
  }

  /** Seconds that may be spent on reads of all kinds together. */
  get all(): number {
    const { short, long, huge } = this.#tokens;
    return Math.max(0, short) + Math.max(0, long) + Math.max(0, huge);
  }

  /**
   * Adds the tokens of the time since the last refill.
   * @param share of one core; infinity: no limit
   * @param interval longest time between two collections, seconds
   * @param at kernel time now, seconds since boot
   */
  refill(share: number, interval: number, at: number): void {
    const tokens = this.#tokens;
    const capacity = share * interval;
    const earned = Number.isNaN(this.#refilledAt) ? capacity : share * (at - this.#refilledAt);
    this.#refilledAt = at;
    if (share === Number.POSITIVE_INFINITY) {
      tokens.short = share;
      tokens.long = share;
      tokens.huge = share;
      return;
    }
    let rest = earned;
    let room = capacity;
    for (const length of LONGER) {
      const held = Math.min(tokens[length], KEPT[length] * capacity);
      const added = Math.max(0, Math.min(KEPT[length] * earned, KEPT[length] * capacity - held));
      tokens[length] = held + added;
      rest -= added;
      room -= Math.max(0, tokens[length]);
    }
    tokens.short = Math.min(room, tokens.short + rest);
  }

  /** The reads of this kind are chosen: what they leave of their part is for shorter ones. */
  lend(from: 'long' | 'huge'): void {
    const tokens = this.#tokens;
    if (!(tokens[from] > 0) || tokens[from] === Number.POSITIVE_INFINITY) return;
    tokens[from === 'huge' ? 'long' : 'short'] += tokens[from];
    tokens[from] = 0;
  }

  take(length: ReadLength, seconds: number): void {
    this.#tokens[length] -= seconds;
  }

  /**
   * Pays for a read that has ended. A read that was held up did not burden the host for all of that time; a short one that took
   * longer than a short one is paid for by the long ones, so that other short ones have their share.
   * @param took seconds
   * @param predicted seconds
   */
  pay(length: ReadLength, took: number, predicted: number): void {
    const believed = atMostOver(predicted, took);
    const own = length === 'short' ? Math.min(took, SHORT_READ_MAX) : believed;
    this.take(length, own);
    if (believed > own) this.take('long', believed - own);
  }

  giveBack(length: ReadLength, seconds: number): void {
    this.#tokens[length] += seconds;
  }
}
