// Keeps the memory of this program small. Imported before everything else, it keeps V8's young generation at its initial
// size, because collections make little garbage, and lets V8 optimise nothing of the start. Afterwards it collects garbage
// that the start, a reload or many clients have left.
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const keepYoungGenerationSmall = () => setFlagsFromString('--semi-space-growth-factor=1');
keepYoungGenerationSmall();
// Whenever a thread begins, V8 sets the factor of all threads to 2 again.
process.on('worker', (worker) => worker.once('online', keepYoungGenerationSmall));
// Bytes of bytecode that a function executes until V8 considers to optimise it; the default is 66 KiB. With this value
// the functions of the start are not optimised: 25 % less CPU until the first collections have ended, and 1 MB less machine
// code. V8 12 (Node.js 22) has no such flag, and would print that it has not.
const hasInterruptBudget = Number.parseInt(process.versions.v8, 10) < 12;
if (hasInterruptBudget) setFlagsFromString('--interrupt-budget=600000');
/** Afterwards what runs again and again is optimised after fewer collections: docs/decisions/0033-optimise-after-the-start.md. */
const optimiseSooner = () => hasInterruptBudget && setFlagsFromString('--interrupt-budget=100000');
// After a collection of all garbage V8 makes up to three more, two minutes apart, to give memory back: an eighth of the CPU of
// an exporter on a host of 200 processes in its first minutes. `keepHeapSmall` gives it back at once.
setFlagsFromString('--no-memory-reducer');
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
setFlagsFromString('--no-expose-gc');

const CHECK_INTERVAL_MS = 30_000;
/**
 * The heap is collected when it is larger than `factor` times the baseline plus `bytes`. Garbage that outlives the
 * young generation reaches that also in steady collections, but seldom.
 */
const SLACK = { factor: 1.25, bytes: 3 << 20 };

/** Bytes of V8's heap, and of the buffers outside that belong to its objects. */
function heapBytes(): number {
  const { total_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}

/**
 * After the start: collects all garbage now, and later whenever a burst of work has left some. V8 itself would collect it only when
 * its heap is full, which on a quiet host is hours later. One such collection blocks the event loop for about 20 ms.
 */
export function keepHeapSmall(): void {
  optimiseSooner();
  // V8 returns pages to the system only in the collection after the one that emptied them.
  collectGarbage();
  collectGarbage();
  let baseline = heapBytes();
  let secondTime = false;
  setInterval(() => {
    const now = heapBytes();
    if (now <= baseline * SLACK.factor + SLACK.bytes) {
      baseline = Math.min(baseline, now);
      secondTime = false;
      return;
    }
    collectGarbage();
    // Its pages go back to the system in the next collection. What is still held after the second is in use.
    if (secondTime) baseline = heapBytes();
    secondTime = !secondTime;
  }, CHECK_INTERVAL_MS).unref();
}
