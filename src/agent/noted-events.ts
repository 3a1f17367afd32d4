// The events of the history that are no part of a view: the start of this exporter, where what it knows begins, and processes
// that the kernel killed for memory and that no group counts (oom-kills.ts): all of them where its log cannot be read.
import { systemCollector } from '../collectors/system.ts';
import type { History } from '../view/history.ts';
import type { ProcessView } from '../view/view.ts';
import type { Snapshot } from './sampler.ts';

export class NotedEvents {
  /** The history that has the start of this exporter. */
  #begun: History | undefined;
  /** Kills since boot that no group counts: at the last collection, and those of them that the history has or that came before the start. */
  #unclaimed = Number.NaN;
  #noted = Number.NaN;

  /** @param startTime of this exporter, Unix time */
  note(history: History | undefined, { view, time }: Snapshot, startTime: number): void {
    if (history !== this.#begun) history?.events.add('exporter_start', startTime);
    this.#begun = history;
    const unclaimed = unclaimedKills(view);
    // The kernel counts a kill and writes it into its log at different times: the groups get one collection to claim it.
    const settled = view.oomKills === 'counted' ? Math.min(unclaimed, this.#unclaimed) : unclaimed;
    this.#unclaimed = unclaimed;
    if (settled > this.#noted) history?.events.add('oom_kill', time, settled - this.#noted);
    this.#noted = Number.isNaN(this.#noted) ? settled : Math.max(settled, this.#noted);
  }
}

/** Processes killed since boot, without processes that groups count; NaN where the kernel does not say it. */
function unclaimedKills({ readings, groups }: ProcessView): number {
  let kills = readings.of(systemCollector)?.oomKills ?? Number.NaN;
  for (const { counters } of groups) kills -= counters.oomKills;
  return kills;
}
