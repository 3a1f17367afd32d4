// Predicts what a read of smaps_rollup will take, and learns from what reads took.
//
// The kernel walks every entry of the page tables of the process for it, so the time grows with resident memory, and also
// with memory that is not resident but has entries: a program that only reads fresh memory fills its page tables with the
// page of zeros, and has no RSS (100 GiB: 0.6 s); entries of swapped pages stay, too. From 60 µs to seconds.
//
// A process that was read before is predicted from its last read, scaled with what is known of its memory; another one
// from a line over that, multiplied by one factor for this host. A single read may be held up by a lock or a busy host, so
// none counts for more than four times its prediction, but always for so much that the next one is no short read; and the
// factor follows slowly.

import type { Process } from '../process/process.ts';

/** First guess, seconds: open and close, each resident byte, each byte of page tables, and each swapped byte. */
const SECONDS_PER_READ = 60e-6;
const SECONDS_PER_BYTE = 15e-6 / (1 << 20);
/** An entry has 8 bytes and takes about 25 ns where it is the page of zeros or empty; one that is swapped 70 ns more. */
const SECONDS_PER_PAGE_TABLE_BYTE = 25e-9 / 8;
const SECONDS_PER_SWAPPED_PAGE = 70e-9;
/** Bytes of an entry of a page table: it maps one page. */
export const ENTRY_BYTES = 8;
/** Share of a deviation by which the factor is corrected. */
const LEARNING_RATE = 0.02;
/** What a single read is believed to cost at most, as a multiple of its prediction. */
const MEASURED_OVER_PREDICTED_MAX = 4;

/** A read that is predicted to take less than this, seconds, is short: it may be read together with others. */
export const SHORT_READ_MAX = 4e-3;

/**
 * What a read of a process takes that nobody has read before, on a host of which nothing is known; seconds.
 * @param memory bytes that are resident, of page tables and swapped out; NaN where the swapped ones are not known
 * @param pageSize bytes of a page of this kernel
 */
export function firstGuess(memory: { rss: number; pageTables: number; swap: number }, pageSize: number): number {
  const { rss, pageTables, swap } = memory;
  // The entries of resident pages are in the time for each resident byte.
  const beside = Math.max(0, pageTables - (rss / pageSize) * ENTRY_BYTES);
  return (
    SECONDS_PER_READ +
    SECONDS_PER_BYTE * rss +
    SECONDS_PER_PAGE_TABLE_BYTE * beside +
    SECONDS_PER_SWAPPED_PAGE * ((swap || 0) / pageSize)
  );
}

const guess = ({ pageTables, footprint }: Process, rss: number, pageSize: number): number =>
  firstGuess({ rss, pageTables: pageTables.bytes, swap: footprint.swap }, pageSize);

export class ReadCost {
  /** Bytes of a page of this kernel. */
  pageSize = 4096;
  /** Measured cost over first guess, on this host. */
  #factor = 1;

  /** What a read will take, seconds. */
  predict(proc: Process): number {
    const { measurement, memory } = proc;
    const guessed = guess(proc, memory.rss, this.pageSize);
    if (measurement.at >= 0 && measurement.guess > 0)
      return measurement.cost * Math.max(0.5, guessed / measurement.guess);
    return guessed * this.#factor;
  }

  /**
   * Learns from a read.
   * @param rss resident bytes that it found
   * @param took seconds
   * @returns what the read is believed to have cost, and what was guessed for it, seconds: for the next prediction
   */
  learn(proc: Process, rss: number, took: number): { readonly cost: number; readonly guess: number } {
    const cost = Math.min(took, Math.max(SHORT_READ_MAX, MEASURED_OVER_PREDICTED_MAX * this.predict(proc)));
    const guessed = guess(proc, rss, this.pageSize);
    this.#factor += LEARNING_RATE * (Math.min(MEASURED_OVER_PREDICTED_MAX, took / guessed) - this.#factor);
    return { cost, guess: guessed };
  }
}

/** What a read is believed to have cost, by its prediction; seconds. */
export const atMostOver = (predicted: number, took: number): number =>
  Math.min(took, MEASURED_OVER_PREDICTED_MAX * predicted);
