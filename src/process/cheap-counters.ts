// Reads the cheap counters of a process: stat, statm and io, some 10 µs together. They are read at every collection, but
// for statm of idle processes (rss.ts); what is expensive (smaps_rollup) is left to footprint/. The result is the finished
// difference to the last reading.
import type { FileRequests, KernelFiles, ProcessFiles } from '../kernel/files.ts';
import type { Units } from '../kernel/pid.ts';
import { Difference } from './difference.ts';
import { IoReader } from './io.ts';
import type { Process } from './process.ts';
import { RssReader } from './rss.ts';
import { StatReader } from './stat.ts';
import type { Unreadable } from './unreadable.ts';

/** Seconds by which a start time and the kernel's clock may disagree: the first is in ticks, the second in hundredths. */
const CLOCK_SLACK = 0.05;

export class CheapCounters {
  readonly #stat: StatReader;
  readonly #rss: RssReader;
  readonly #io: IoReader;
  readonly #difference = new Difference();
  /** When the last complete pass began, seconds since boot; NaN before the first. */
  #lastPass = Number.NaN;

  constructor(files: KernelFiles, units: Units, unreadable: Unreadable) {
    this.#stat = new StatReader(files, units, unreadable);
    this.#rss = new RssReader(files, units, unreadable);
    this.#io = new IoReader(files, unreadable);
  }

  /** @param lastPass kernel time at which the last complete pass began, seconds since boot; NaN before the first */
  beginPass(at: number, lastPass: number): void {
    this.#lastPass = lastPass;
    this.#rss.beginPass(at);
  }

  /** Whether the process began since the last pass. */
  isBorn({ stat: { start } }: Process): boolean {
    return start >= this.#lastPass - CLOCK_SLACK;
  }

  /** What `next` will read. */
  requestNext(proc: Process, requests: FileRequests): void {
    requests.add(proc.files, 'stat');
    this.#rss.request(proc, requests);
    this.#io.request(proc, requests);
  }

  /** What `firstDifference` will read. */
  requestOthers(proc: Process, requests: FileRequests): void {
    this.#rss.request(proc, requests);
    this.#io.request(proc, requests);
  }

  /** Reads stat of a process that is not known yet. @throws KernelFileError */
  first(files: ProcessFiles): Process {
    return this.#stat.first(files);
  }

  /** Reads the other files of a process that is not known yet. */
  firstDifference(proc: Process): Readonly<Difference> {
    const difference = this.#difference;
    const { user, system, childrenUser, childrenSystem, minorFaults, majorFaults } = proc.stat;
    Object.assign(difference, { user, system, childrenUser, childrenSystem, minorFaults, majorFaults });
    const born = this.isBorn(proc);
    Object.assign(difference, { first: true, born, counted: born, executed: false, idle: false });
    this.#readOthers(proc);
    return difference;
  }

  /** Reads a known process again. @returns undefined where stat cannot be read: the process is absent or has ended */
  next(proc: Process): Readonly<Difference> | undefined {
    const difference = this.#difference;
    if (!this.#stat.next(proc, difference)) return undefined;
    difference.first = false;
    difference.born = this.isBorn(proc);
    difference.counted = true;
    this.#readOthers(proc);
    return difference;
  }

  #readOthers(proc: Process): void {
    this.#rss.read(proc, this.#difference);
    this.#io.read(proc, this.#difference);
  }
}
