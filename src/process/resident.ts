// Reads what is resident of each process. Who seems to do nothing is looked at more seldom: stat, which is read anyway,
// tells nearly always that memory moved, and statm is a fifth of what a collection reads.
import type { KernelFiles } from '../kernel/files.ts';
import { readStatm, StatmReading, type StatReading, type Units } from '../kernel/pid.ts';
import type { Families } from './families.ts';
import { isZombie, type Process } from './process.ts';
import type { Unreadable } from './unreadable.ts';

/** The memory of a process that seems to do nothing is read at one in so many passes. */
export const CALM_PASSES = 4;

export class Resident {
  readonly #files: KernelFiles;
  readonly #units: Units;
  readonly #unreadable: Unreadable;
  readonly #families: Families;
  readonly #statm = new StatmReading();
  #passes = 0;

  constructor(files: KernelFiles, units: Units, unreadable: Unreadable, families: Families) {
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
  take(process: Process, stat: StatReading): void {
    if (process.kernelThread) return;
    if (isZombie(stat.state)) process.rss = Number.NaN;
    else if (!isCalm(process, stat) || (process.pid + this.#passes) % CALM_PASSES === 0) this.#read(process, stat);
  }

  #read(process: Process, stat: StatReading): void {
    const statm = this.#statm;
    try {
      readStatm(this.#files, process.files, this.#units, statm);
    } catch (error) {
      this.#unreadable.note(process, 'statm', error);
      process.rss = Number.NaN;
      return;
    }
    if (process.unreadable) this.#unreadable.clear(process, 'statm');
    const faults = stat.minorFaults + stat.majorFaults - process.minorFaults - process.majorFaults;
    const touched = Math.max(0, faults) * this.#units.pageSize + (Math.abs(statm.rss - process.rss) || 0);
    process.roughRss = stat.roughRss;
    process.rss = statm.rss;
    process.shared = Math.min(statm.shared, statm.rss);
    this.#families.touched(process, touched);
  }
}

/** Whether it did not run, fault or lose pages, as far as stat tells. */
const isCalm = (process: Process, stat: StatReading): boolean =>
  stat.user === process.user &&
  stat.system === process.system &&
  stat.minorFaults === process.minorFaults &&
  stat.majorFaults === process.majorFaults &&
  stat.roughRss === process.roughRss &&
  process.rss >= 0;
