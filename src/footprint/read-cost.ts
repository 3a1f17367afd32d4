// Predicts what a read of smaps_rollup will take, and learns from what reads took.
//
// The kernel walks all mappings of the process for it, so that the time grows with resident memory: from 60 µs to
// seconds. A process that was read before is predicted from its last read, scaled with its RSS; another one from a line
// over RSS, whose slope and base are multiplied by one factor for this host. A single read may be held up by a lock or a
// busy host, so none counts for more than four times its prediction, and the factor follows slowly.

import type { Process } from '../process/process.ts';

/** First guess, seconds: open and close, and each resident byte. */
const SECONDS_PER_READ = 60e-6;
const SECONDS_PER_BYTE = 15e-6 / (1 << 20);
/** Share of a deviation by which the factor is corrected. */
const LEARNING_RATE = 0.02;
/** No single read is believed to cost more than so many times its prediction. */
const MEASURED_OVER_PREDICTED_MAX = 4;

const guess = (rss: number): number => SECONDS_PER_READ + SECONDS_PER_BYTE * rss;

export class ReadCost {
  /** Measured cost over first guess, on this host. */
  #factor = 1;

  /** What a read will take, seconds. */
  predict({ measurement, memory: { rss } }: Process): number {
    if (measurement.at >= 0 && measurement.rss > 0) return measurement.cost * Math.max(0.5, rss / measurement.rss);
    return guess(rss) * this.#factor;
  }

  /**
   * Learns from a read.
   * @param rss resident bytes that it found
   * @param took seconds
   * @returns what the read is believed to have cost, seconds: the process's next prediction
   */
  learn(proc: Process, rss: number, took: number): number {
    const believed = atMostOver(this.predict(proc), took);
    this.#factor += LEARNING_RATE * (Math.min(MEASURED_OVER_PREDICTED_MAX, took / guess(rss)) - this.#factor);
    return believed;
  }
}

/** What a read that was predicted to take so long is believed to have cost, seconds. */
export const atMostOver = (predicted: number, took: number): number =>
  Math.min(took, MEASURED_OVER_PREDICTED_MAX * predicted);
