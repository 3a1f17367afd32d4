// Counts what the reads of smaps_rollup and smaps cost and how they ended, for the exporter's metrics about itself.

import type { UnreadableReason } from '../kernel/files.ts';

export type ReadOutcome = 'ok' | UnreadableReason;

/** Counted since the exporter began, but for `deferred`. */
export interface FootprintStatistics {
  readonly reads: Readonly<Record<ReadOutcome, number>>;
  /** Time spent in reads, seconds. */
  readonly seconds: number;
  /** Processes whose read waits for budget, at the last collection. */
  readonly deferred: number;
}

export class ReadStatistics {
  readonly #reads: Record<ReadOutcome, number> = { ok: 0, gone: 0, denied: 0, unsupported: 0, malformed: 0, hung: 0 };
  #seconds = 0;
  deferred = 0;

  /** @param took seconds */
  add(outcome: ReadOutcome, took: number): void {
    this.#reads[outcome]++;
    this.#seconds += took;
  }

  copy(): FootprintStatistics {
    return { reads: { ...this.#reads }, seconds: this.#seconds, deferred: this.deferred };
  }
}
