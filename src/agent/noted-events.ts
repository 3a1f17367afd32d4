// The events of the history that are no part of a view: the start of this exporter, where what it knows begins, and processes
// that the kernel killed for memory since the last collection.
import { systemCollector } from '../collectors/system.ts';
import type { History } from '../view/history.ts';
import type { Snapshot } from './sampler.ts';

export class NotedEvents {
  /** The history that has the start of this exporter. */
  #begun: History | undefined;
  /** Since boot, at the last collection. */
  #oomKills = Number.NaN;

  /** @param startTime of this exporter, Unix time */
  note(history: History | undefined, { view, time }: Snapshot, startTime: number): void {
    if (history !== this.#begun) history?.events.add('exporter_start', startTime);
    this.#begun = history;
    const before = this.#oomKills;
    this.#oomKills = view.readings.of(systemCollector)?.oomKills ?? Number.NaN;
    if (this.#oomKills > before) history?.events.add('oom_kill', time, this.#oomKills - before);
  }
}
