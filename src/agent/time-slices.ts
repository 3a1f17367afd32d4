// Runs long work in short slices, so that HTTP stays responsive whatever the host holds.
import { setImmediate } from 'node:timers/promises';

/** Longest time the event loop is held at once, seconds. One step of the work may add to it. */
const SLICE = 0.004;

/** Monotonic seconds. The clock of this program: everything below agent/ is told the time. */
export const clock = (): number => performance.now() / 1000;

/** When work last began after a turn of the event loop: pieces of work that follow each other share one slice. */
let turn = Number.NEGATIVE_INFINITY;

/**
 * Runs a generator to its end, giving way to other work whenever a slice is used up.
 * @param between is awaited there as well
 * @param due gives way at once
 */
export async function inSlices<T>(
  work: Generator<void, T, void>,
  between?: () => Promise<void>,
  due?: () => boolean,
): Promise<T> {
  for (;;) {
    if (clock() - turn > SLICE || due?.()) {
      await between?.();
      await setImmediate();
      turn = clock();
    }
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** Waits for work, but not longer than so many seconds; the work goes on. */
export async function within(seconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, seconds * 1000);
  });
  try {
    await Promise.race([work, patience]);
  } finally {
    clearTimeout(timer);
  }
}
