// CPU usage as a percentage of one core, over the time between two collections. CPU is counted in ticks of 10 ms: over a
// shorter window than 0.2 s one tick would be a large share, so that such windows are joined to the next one.
import type { Difference } from './difference.ts';
import type { Process, Usage } from './process.ts';

/** Seconds. */
const SHORTEST_WINDOW = 0.2;
/** Seconds by which a start time and the uptime may disagree: the first is in ticks, the second in hundredths. */
const CLOCK_SLACK = 0.05;

export class CpuUsage {
  /** Logical CPUs of the host: no process uses more. NaN while unknown. */
  cpus = Number.NaN;
  /** Seconds. */
  readonly #tick: number;

  constructor(ticksPerSecond: number) {
    this.#tick = 1 / ticksPerSecond;
  }

  /**
   * A process that has used nothing may be left out until it runs again. @param at kernel time at which it surely had not run
   * since it was read, seconds since boot
   */
  wasIdleUntil(proc: Process, at: number): void {
    const usage: Usage = proc.usage;
    if (usage.percent === 0 && usage.windowUsed === 0 && usage.windowFrom < at) usage.windowFrom = at;
  }

  /** @param now kernel time of the reading, seconds since boot */
  take(proc: Process, difference: Readonly<Difference>, now: number): void {
    const usage: Usage = proc.usage;
    if (difference.first) {
      usage.windowFrom = now;
      // Since birth, where that is known to be all of its life. A process that begins later than now has its start time from
      // another clock: in a container with lxcfs (lxcfs(1)), uptime is the container's and start times are the host's.
      const age = now - proc.stat.start;
      if (difference.born && age > -CLOCK_SLACK)
        usage.percent = this.#percent(difference.user + difference.system, Math.max(age, this.#tick));
      return;
    }
    if (now < usage.windowFrom) {
      usage.windowFrom = now; // the clock was set back: what is gained until now belongs to no known time
      usage.windowUsed = 0;
      return;
    }
    usage.windowUsed += difference.user + difference.system;
    const window = now - usage.windowFrom;
    if (window < SHORTEST_WINDOW) return;
    usage.percent = this.#percent(usage.windowUsed, window);
    usage.windowFrom = now;
    usage.windowUsed = 0;
  }

  /** Rounding to ticks may give more than all CPUs. */
  #percent(used: number, window: number): number {
    const percent = (100 * used) / window;
    const most = 100 * this.cpus;
    return percent > most ? most : percent;
  }
}
