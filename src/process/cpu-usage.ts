// CPU usage as a percentage of one core, over the time between two collections. CPU is counted in ticks of 10 ms: over a
// shorter window than 0.2 s one tick would be a large share, so that such windows are joined to the next one.
import type { Difference } from './difference.ts';
import type { Process, Usage } from './process.ts';

/** Seconds. */
const SHORTEST_WINDOW = 0.2;

export class CpuUsage {
  /** Seconds. */
  readonly #tick: number;

  constructor(ticksPerSecond: number) {
    this.#tick = 1 / ticksPerSecond;
  }

  /** @param now kernel time of the reading, seconds since boot */
  take(proc: Process, difference: Readonly<Difference>, now: number): void {
    const usage: Usage = proc.usage;
    if (difference.first) {
      usage.windowFrom = now;
      // Since birth, where that is known to be all of its life.
      if (difference.born)
        usage.percent = (100 * (difference.user + difference.system)) / Math.max(now - proc.stat.start, this.#tick);
      return;
    }
    usage.windowUsed += difference.user + difference.system;
    const window = now - usage.windowFrom;
    if (window < SHORTEST_WINDOW) return;
    usage.percent = (100 * usage.windowUsed) / window;
    usage.windowFrom = now;
    usage.windowUsed = 0;
  }
}
