// Reads what is resident of each process. Who seems to do nothing is looked at more seldom: stat, which is read anyway,
// tells nearly always that memory moved, and statm is a fifth of what a collection reads.
import type { KernelFiles } from '../kernel/files.ts';
import { readStatm, StatmReading, type StatReading, type Units } from '../kernel/pid.ts';
import type { PageSharing } from './page-sharing.ts';
import { isZombie, type Process } from './process.ts';
import type { Unreadable } from './unreadable.ts';

/** The memory of a process that seems to do nothing is read at one in so many passes. */
export const CALM_PASSES = 4;

export class RssReader {
  readonly #files: KernelFiles;
  readonly #units: Units;
  readonly #unreadable: Unreadable;
  readonly #families: PageSharing;
  readonly #statm = new StatmReading();
  #passes = 0;

  constructor(files: KernelFiles, units: Units, unreadable: Unreadable, families: PageSharing) {
    this.#files = files;
    this.#units = units;
    this.#unreadable = unreadable;
    this.#families = families;
  }

  /** A new pass begins. */
  begin(): void {
    this.#passes++;
  }

  /** @param stat the process as it is now; the process itself still holds what the last pass saw */
  take(proc: Process, stat: StatReading): void {
    if (proc.kernelThread) return;
    if (isZombie(stat.state)) proc.rss = Number.NaN;
    else if (!isCalm(proc, stat) || (proc.pid + this.#passes) % CALM_PASSES === 0) this.#read(proc, stat);
  }

  #read(proc: Process, stat: StatReading): void {
    const statm = this.#statm;
    try {
      readStatm(this.#files, proc.files, this.#units, statm);
    } catch (error) {
      this.#unreadable.note(proc, 'statm', error);
      proc.rss = Number.NaN;
      return;
    }
    if (proc.unreadable) this.#unreadable.clear(proc, 'statm');
    const faults = stat.minorFaults + stat.majorFaults - proc.minorFaults - proc.majorFaults;
    const touched = Math.max(0, faults) * this.#units.pageSize + (Math.abs(statm.rss - proc.rss) || 0);
    proc.roughRss = stat.roughRss;
    proc.rss = statm.rss;
    proc.shared = Math.min(statm.shared, statm.rss);
    this.#families.touched(proc, touched);
  }
}

/** Whether it did not run, fault or lose pages, as far as stat tells. */
const isCalm = (proc: Process, stat: StatReading): boolean =>
  stat.user === proc.user &&
  stat.system === proc.system &&
  stat.minorFaults === proc.minorFaults &&
  stat.majorFaults === proc.majorFaults &&
  stat.roughRss === proc.roughRss &&
  proc.rss >= 0;
