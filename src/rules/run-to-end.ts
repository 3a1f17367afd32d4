/**
 * Runs work that pauses (a generator) to its end without a pause: for programs that do nothing else meanwhile. A
 * program that serves gives the same work to inSlices() of agent/time-slices.ts instead.
 */
export function runToEnd<T>(work: Generator<unknown, T, void>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}
