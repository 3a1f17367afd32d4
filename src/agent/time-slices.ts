// Runs long work in slices of a few milliseconds, so that HTTP stays responsive however many processes a host has.
// Work is a generator that yields where it may be interrupted; between two slices the event loop handles other events.
import { setImmediate } from 'node:timers/promises';
import type { FileWork, KernelFiles } from '../kernel/files.ts';

/** Seconds after which work is interrupted at its next `yield`. */
const SLICE = 0.004;

/** Monotonic seconds: the clock of this program. Code below agent/ gets the time, or a clock, as an argument. */
export const clock = (): number => performance.now() / 1000;

/** Unix time, seconds. It can be set back. */
export const unixTime = (): number => Date.now() / 1000;

/** When the current slice began. Pieces of work that follow each other without a break share one slice. */
let sliceBegan = Number.NEGATIVE_INFINITY;

/**
 * Runs a generator to its end, with a break for other events at the end of every slice.
 * @param between awaited in every break
 * @param due whether a break is needed before the slice ends
 * @returns what the generator returns; rejects with what it throws
 */
export async function inSlices<T>(
  work: Generator<void, T, void>,
  between?: () => Promise<void>,
  due?: () => boolean,
): Promise<T> {
  for (;;) {
    if (clock() - sliceBegan > SLICE || due?.()) {
      await between?.();
      await setImmediate();
      sliceBegan = clock();
    }
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** Runs work that reads files of processes, in slices too: what it yields is prefetched before it goes on. */
export async function readInSlices<T>(files: KernelFiles, work: FileWork<T>): Promise<T> {
  try {
    for (;;) {
      const { done, value } = work.next();
      if (done) return value;
      if (value) {
        await files.prefetch(value);
        sliceBegan = clock();
      } else if (clock() - sliceBegan > SLICE) {
        await setImmediate();
        sliceBegan = clock();
      }
    }
  } finally {
    work.return(undefined as never);
  }
}

/** Waits for work, at most for the given seconds. After that time the caller goes on, and the work continues by itself. */
export async function within(seconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, seconds * 1000);
  });
  try {
    await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
