// Keeps what was made of a snapshot: everybody who asks for the same gets it, as long as the snapshot lives. What fails is made
// again for the next one who asks.
import type { Snapshot } from '../agent/sampler.ts';

export class SnapshotCache<T> {
  readonly #kept = new WeakMap<Snapshot, Map<string, Promise<T>>>();
  readonly #max: number;
  readonly #mayStay: (made: T) => boolean;

  /**
   * @param max how many are kept of a snapshot; the oldest gives way
   * @param mayStay whether one is kept now that it is made
   */
  constructor(max: number, mayStay: (made: T) => boolean = () => true) {
    this.#max = max;
    this.#mayStay = mayStay;
  }

  /** @param key names all on which the result depends besides the snapshot */
  get(snapshot: Snapshot, key: string, make: () => Promise<T>): Promise<T> {
    const kept = this.#kept.get(snapshot) ?? new Map<string, Promise<T>>();
    this.#kept.set(snapshot, kept);
    const known = kept.get(key);
    if (known) return known;
    const made = make();
    kept.set(key, made);
    if (kept.size > this.#max) kept.delete(kept.keys().next().value!);
    made.then(
      (value) => this.#mayStay(value) || kept.delete(key),
      () => kept.delete(key),
    );
    return made;
  }
}
