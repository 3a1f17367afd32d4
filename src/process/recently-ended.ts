// Processes that ended in the pass under way or in the one before. The kernel's log tells of a killed process at about the
// time when it ends: the record may be read a little after the process was last seen.
import type { GroupCounters } from './group-counters.ts';
import type { Process } from './process.ts';

interface Ended {
  readonly comm: string;
  readonly counters: GroupCounters;
}

export class RecentlyEnded {
  /** By pid. */
  #before = new Map<number, Ended>();
  #now = new Map<number, Ended>();

  beginPass(): void {
    if (this.#now.size + this.#before.size === 0) return;
    this.#before = this.#now;
    this.#now = new Map();
  }

  add({ pid, stat: { comm }, membership: { counters } }: Process): void {
    this.#now.set(pid, { comm, counters });
  }

  /** Counters of the group that the process had when it ended. */
  countersOf(pid: number, comm: string): GroupCounters | undefined {
    const found = [this.#now, this.#before].map((ended) => ended.get(pid)).find((ended) => ended?.comm === comm);
    return found?.counters;
  }
}
