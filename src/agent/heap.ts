// Keeps this program small: imported first, it holds V8's young generation at its initial size, for little here is
// short-lived, lets V8 optimise only what runs very often, and gives back what starting up, a reload or a crowd of
// clients has left behind.
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const holdYoungGeneration = () => setFlagsFromString('--semi-space-growth-factor=1');
holdYoungGeneration();
// V8 raises the factor to 2 again, for all threads, with every thread that begins.
process.on('worker', (worker) => worker.once('online', holdYoungGeneration));
// Bytes of bytecode a function runs until V8 looks whether to optimise it, 66 KiB otherwise: what starting up runs often is
// not optimised any more, the loops over processes are. 25 % less CPU up to the first collections, 1 MB less code.
setFlagsFromString('--interrupt-budget=600000');
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
setFlagsFromString('--no-expose-gc');

/** Milliseconds between two looks. */
const LOOK = 5000;
/** So far above its floor the heap is collected: steady collections and scrapes never bring it there. */
const SLACK = { share: 1.25, bytes: 8 << 20 };

/** Bytes that V8 holds, and bytes outside that go with its objects. */
function held(): number {
  const { total_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}

/**
 * Collects all garbage now, and from then on whenever a burst has left some: V8 itself would keep it until it next
 * collects for other reasons, hours later on a quiet host. Each time holds the event loop for some 20 ms.
 */
export function keepHeapSmall(): void {
  collectGarbage();
  let floor = held();
  let again = false;
  setInterval(() => {
    const now = held();
    if (now <= floor * SLACK.share + SLACK.bytes) {
      floor = Math.min(floor, now);
      again = false;
      return;
    }
    collectGarbage();
    if (again) floor = held(); // V8 gives back at the second time what it emptied at the first; the rest is in use
    again = !again;
  }, LOOK).unref();
}
