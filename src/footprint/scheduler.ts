// Decides which PSS and USS to read now, within a budget, and reads them. How it knows what a read will cost stands in
// read-cost.ts, what it may spend in read-budget.ts, what makes a read needed in read-need.ts, which idle processes answer for
// others in idle-samples.ts, and what is exported between two reads in estimator.ts.
//
// A read of smaps_rollup takes the mmap lock of the process: while a large one is read, the process may have to
// wait at its next mmap or page fault. So the cost of each read is predicted before: a read that is predicted to take long
// runs by itself, beside the collections, and one that is predicted to take longer than `maxRead` happens only once every `maxAge`.

import { FileRequests, type FileWork, type KernelFiles } from '../kernel/files.ts';
import { FootprintReading, readHugeSegmentsLater, readSmapsRollup, readSmapsRollupLater } from '../kernel/pid.ts';
import { BLOCKED, type Measurement, type Process, type ReadReason } from '../process/process.ts';
import { correctRss } from '../process/rss.ts';
import type { Unreadable } from '../process/unreadable.ts';
import { type SegmentRead, SegmentsWanted, segmentReadingOf } from './huge-segments.ts';
import { IdleSamples } from './idle-samples.ts';
import type { FootprintOptions } from './options.ts';
import { mayHaveLargePageTables, PageTableReader } from './page-tables.ts';
import { ReadBudget, type ReadLength } from './read-budget.ts';
import { ReadCost, SHORT_READ_MAX } from './read-cost.ts';
import {
  hugePagesMoved,
  hugePagesOf,
  isDueByAge,
  movedByItself,
  movedByRelatives,
  relativesActivity,
  thresholdOf,
} from './read-need.ts';
import { type FootprintStatistics, type ReadOutcome, ReadStatistics } from './read-statistics.ts';
import type { SlowReads } from './slow-reads.ts';

/** Short reads that are requested together. */
const BATCH = 256;
const FILES = ['smaps_rollup', 'smaps'] as const;
const PROCESSES_PER_STEP = 64;

/** What a reason adds to the urgency, and the most that an amount (bytes or seconds) adds: reasons never mix. */
const URGENCY: Record<ReadReason, number> = { first: 3e15, changed: 2e15, relative: 1e15, age: 0 };
const AMOUNT_MAX = 1e14;

type QueuedRead = Omit<SegmentRead, 'file'> & { readonly file: (typeof FILES)[number] };

export class FootprintScheduler {
  readonly #files: KernelFiles;
  readonly #unreadable: Unreadable;
  readonly #slowReads: SlowReads;
  readonly #clock: () => number;

  readonly #pageTables: PageTableReader;
  readonly #cost = new ReadCost();
  readonly #budget = new ReadBudget();
  readonly #reading = new FootprintReading();
  readonly #statistics = new ReadStatistics();
  readonly #samples = new IdleSamples();
  /** `maxAge` of the last collection, seconds. */
  #maxAge = 0;
  /** Reused: the processes whose read is wanted at this collection. */
  readonly #wanted: Process[] = [];
  readonly #requests = new FileRequests();
  /** Reused: the short reads that are requested together, and the seconds that were reserved for them. */
  readonly #batch: Process[] = [];
  #batchReserved = 0;
  /** Long reads that wait to run beside the others. */
  #queue: QueuedRead[] = [];
  readonly #segmentsWanted = new SegmentsWanted();
  /** Kernel time at which a process was last seen to share more huge pages than before, seconds since boot. */
  #hugePagesSharedAt = -1;

  /** @param clock a monotonic clock in seconds, to learn what reads cost */
  constructor(files: KernelFiles, unreadable: Unreadable, slowReads: SlowReads, clock: () => number) {
    this.#files = files;
    this.#unreadable = unreadable;
    this.#pageTables = new PageTableReader(files, unreadable);
    this.#slowReads = slowReads;
    this.#clock = clock;
  }

  /** Bytes of a page of this kernel: what it takes to read page tables depends on it. */
  set pageSize(bytes: number) {
    this.#cost.pageSize = bytes;
    this.#pageTables.pageSize = bytes;
  }

  get statistics(): FootprintStatistics {
    return this.#statistics.copy();
  }

  /** What reading a footprint will take, seconds. */
  predict(proc: Process): number {
    return this.#cost.predict(proc);
  }

  /**
   * Reads the footprints that need it, most urgent first, until the budget is spent; large ones are queued for
   * `readLarge`. Yields the files that it reads next.
   * @param at kernel time of this collection, seconds since boot
   */
  *read(processes: readonly Process[], options: FootprintOptions, at: number): FileWork {
    this.#statistics.deferred = 0;
    this.#budget.refill(options.mode === 'bounded' ? options.budget : Number.POSITIVE_INFINITY, options.interval, at);
    this.#dropEnded();
    this.#maxAge = options.maxAge;
    if (options.mode === 'off') {
      this.#segmentsWanted.clear();
      for (const proc of processes) for (const file of FILES) this.#unreadable.clear(proc, file);
      return;
    }
    yield* this.#findWanted(processes, options, at);
    yield* this.#pageTables.read(this.#unpredictable(), at);
    const longer = this.#takeLonger(options, at);
    this.#queue.push(...this.#segmentsWanted.take(this.#budget, (proc) => this.predict(proc), options, at));
    this.#enqueueLonger(longer.huge, 'huge', at);
    this.#enqueueLonger(longer.long, 'long', at);
    for (const proc of this.#wanted) {
      if (this.#budget.isExhausted('short')) {
        this.#statistics.deferred++;
        continue;
      }
      const predicted = this.predict(proc);
      if (proc.stat.state === BLOCKED) {
        this.#enqueue(proc, predicted, 'short');
        continue;
      }
      this.#budget.take('short', predicted);
      this.#batch.push(proc);
      this.#batchReserved += predicted;
      if (this.#batch.length === BATCH || this.#budget.isExhausted('short')) yield* this.#readBatch(at);
    }
    yield* this.#readBatch(at);
  }

  /** The most urgent processes whose page tables have to be known first, as far as the budget may suffice for them. */
  #unpredictable(): Process[] {
    const found: Process[] = [];
    let cost = 0;
    for (const proc of this.#wanted) {
      if (mayHaveLargePageTables(proc)) found.push(proc);
      cost += this.predict(proc);
      if (cost > this.#budget.all) break;
    }
    return found;
  }

  /** Takes processes without a short read, and processes that cannot be predicted yet, out of the wanted processes. */
  #takeLonger(
    { mode, maxRead, guest }: FootprintOptions,
    at: number,
  ): { readonly long: Process[]; readonly huge: Process[] } {
    const longer: { long: Process[]; huge: Process[] } = { long: [], huge: [] };
    let kept = 0;
    for (const proc of this.#wanted) {
      const measurement: Measurement = proc.measurement;
      const predicted = this.predict(proc);
      if (mayHaveLargePageTables(proc) && proc.pageTables.at !== at) this.#statistics.deferred++;
      else if (predicted < SHORT_READ_MAX) this.#wanted[kept++] = proc;
      else if (predicted <= maxRead) longer.long.push(proc);
      else if (mode === 'bounded' && (guest || (measurement.at >= 0 && measurement.wanted !== 'age')))
        measurement.wanted = undefined;
      else longer.huge.push(proc);
    }
    this.#wanted.length = kept;
    return longer;
  }

  /**
   * Queues reads that are not short, those first that waited longest for what they take: neither do a few huge ones make
   * the others wait, nor do many others make a huge one wait for ever.
   */
  #enqueueLonger(processes: Process[], length: 'long' | 'huge', at: number): void {
    const waited = ({ stat, measurement }: Process) => at - Math.max(stat.start, measurement.tried);
    const urgency = new Map(processes.map((proc) => [proc, waited(proc) / this.predict(proc)]));
    processes.sort((a, b) => urgency.get(b)! - urgency.get(a)!);
    for (const proc of processes) {
      if (this.#budget.isExhausted(length)) this.#statistics.deferred++;
      else this.#enqueue(proc, this.predict(proc), length);
    }
    this.#budget.lend(length);
  }

  /**
   * Reads the footprints that were put together, and replaces what was reserved for them by what they took. A read that is
   * held up uses up what the reader may spend on these requests, but costs the budget less: the rest is requested again.
   */
  *#readBatch(at: number): FileWork {
    const requests = this.#requests;
    this.#budget.giveBack('short', this.#batchReserved);
    this.#batchReserved = 0;
    const batch = this.#batch.splice(0);
    let next = 0;
    while (next < batch.length && !this.#budget.isExhausted('short')) {
      requests.clear();
      for (let index = next; index < batch.length; index++) requests.add(batch[index]!.files, 'smaps_rollup');
      requests.smapsSecondsMax = this.#budget.tokens('short');
      yield requests;
      let left = requests.smapsSecondsMax;
      while (next < batch.length && left > 0 && !this.#budget.isExhausted('short')) {
        const proc = batch[next++]!;
        this.#readNow(proc, at);
        left -= proc.files.readSeconds ?? 0;
      }
    }
    this.#statistics.deferred += batch.length - next;
  }

  /**
   * Reads the queued footprints by themselves, one at a time. Resolves when those are done that this collection
   * cannot do without: all of them when exact, else those never read before; the others follow without being waited for.
   */
  async readLarge(options: FootprintOptions, at: number): Promise<void> {
    const exact = options.mode === 'exact';
    if (exact) this.#queue.push(...this.#segmentsWanted.take(this.#budget, (proc) => this.predict(proc), options, at));
    await this.#readQueued((proc) => exact || proc.measurement.at < 0, at);
    void this.#readQueued(() => true, at);
  }

  /** Lists the processes whose read is wanted; the most urgent first, where the budget is too small for all. */
  *#findWanted(processes: readonly Process[], options: FootprintOptions, at: number): FileWork {
    const wanted = this.#wanted;
    wanted.length = 0;
    let cost = 0;
    for (let index = 0; index < processes.length; index++) {
      const proc = processes[index]!;
      this.#consider(proc, options, at);
      if (proc.measurement.wanted && !proc.measurement.queued) {
        wanted.push(proc);
        cost += this.predict(proc);
      }
      if (index % PROCESSES_PER_STEP === PROCESSES_PER_STEP - 1) yield undefined;
    }
    if (cost > this.#budget.all) wanted.sort((a, b) => b.measurement.urgency - a.measurement.urgency);
  }

  /** Finds out whether a process should be read, and why. */
  #consider(proc: Process, options: FootprintOptions, at: number): void {
    const measurement: Measurement = proc.measurement;
    if (measurement.execs !== proc.stat.execs) {
      measurement.execs = proc.stat.execs;
      measurement.at = -1;
      measurement.confirmed = -1;
    }
    if (measurement.queued) return;
    measurement.wanted = undefined;
    if (proc.stat.absent || !(proc.memory.rss > 0)) return;
    const unmeasured = measurement.at < 0;
    if (measurement.tried < 0 || (unmeasured && !proc.unreadable.reasons?.has('smaps_rollup'))) {
      want(measurement, 'first', 0);
      return;
    }
    const due = isDueByAge(proc.pid, Math.max(measurement.tried, measurement.confirmed), at, options.maxAge);
    if (!unmeasured) {
      if (options.mode === 'exact') want(measurement, 'changed', 0);
      else this.#considerChange(proc, measurement);
    }
    // Predicted only where something asks for a read: most processes have not changed.
    const large = (measurement.wanted || due) && options.mode === 'bounded' && this.predict(proc) > options.maxRead;
    if (large) measurement.wanted = undefined;
    if (!due || measurement.wanted) return;
    if (!unmeasured && !large && this.#samples.confirms(proc, at, options.maxAge)) measurement.confirmed = at;
    else want(measurement, 'age', at - measurement.tried);
  }

  /** Whether a process that was measured has changed so much that it should be read again. */
  #considerChange(proc: Process, measurement: Measurement): void {
    if (hugePagesMoved(proc)) {
      want(measurement, 'changed', Math.abs(proc.footprint.hugetlb - hugePagesOf(measurement)));
      return;
    }
    // Pages that it had alone may be those that another process has as well by now.
    if (measurement.hugetlb > 0 && this.#hugePagesSharedAt > measurement.at) {
      want(measurement, 'relative', measurement.hugetlb);
      return;
    }
    const moved = movedByItself(proc);
    const threshold = thresholdOf(proc);
    if (moved >= threshold) {
      want(measurement, 'changed', moved);
      return;
    }
    const together = moved + movedByRelatives(proc);
    if (together >= threshold) want(measurement, 'relative', together);
    else if (this.#samples.doubts(proc)) want(measurement, 'relative', measurement.rss - measurement.uss);
  }

  #readNow(proc: Process, at: number): void {
    const began = this.#clock();
    const predicted = this.predict(proc);
    const took = () => proc.files.readSeconds ?? this.#clock() - began;
    try {
      readSmapsRollup(this.#files, proc.files, this.#reading);
      this.#spend('ok', took(), 'short', predicted);
      this.#store(proc, this.#reading, took(), at);
      correctRss(proc, this.#reading.rss);
    } catch (error) {
      this.#spend(this.#unreadable.note(proc, 'smaps_rollup', error), took(), 'short', predicted);
      fail(proc, at);
    }
  }

  #enqueue(proc: Process, predicted: number, length: ReadLength): void {
    const measurement: Measurement = proc.measurement;
    this.#budget.take(length, predicted);
    measurement.queued = true;
    this.#queue.push({ proc, reserved: predicted, length, file: 'smaps_rollup' });
  }

  /** Forgets queued reads of processes that ended, and gives back what was reserved for them. */
  #dropEnded(): void {
    this.#queue = this.#queue.filter(({ proc, reserved, length }) => {
      if (proc.stat.ended) this.#budget.giveBack(length, reserved);
      return !proc.stat.ended;
    });
  }

  async #readQueued(which: (proc: Process) => boolean, at: number): Promise<void> {
    while (this.#slowReads.free) {
      const next = this.#queue.find(({ proc }) => which(proc));
      if (!next) return;
      this.#queue.splice(this.#queue.indexOf(next), 1);
      await this.#slowReads.run(() => this.#readLater(next, at));
    }
  }

  async #readLater({ proc, reserved, length, file }: QueuedRead, at: number): Promise<void> {
    const measurement: Measurement = proc.measurement;
    const began = this.#clock();
    const reading = new FootprintReading();
    const { startStack, state } = proc.stat;
    const took = () => proc.files.readSeconds ?? this.#clock() - began;
    const seconds = state === BLOCKED ? Number.POSITIVE_INFINITY : reserved;
    try {
      const segments = file === 'smaps' ? await readHugeSegmentsLater(proc.files, seconds) : undefined;
      if (!segments) await readSmapsRollupLater(proc.files, seconds, reading);
      this.#spend('ok', took(), length, reserved);
      // After an exec it is the memory of another program.
      if (startStack !== proc.stat.startStack) return;
      if (!segments) return this.#store(proc, reading, took(), at);
      measurement.segments = segmentReadingOf(proc, segments, took(), at);
      this.#unreadable.clear(proc, 'smaps');
    } catch (error) {
      this.#spend(this.#unreadable.note(proc, file, error), took(), length, reserved);
      if (file === 'smaps') measurement.segments = segmentReadingOf(proc, [], took(), at);
      else fail(proc, at);
    } finally {
      this.#budget.giveBack(length, reserved);
      if (file === 'smaps') this.#segmentsWanted.done(proc);
      else measurement.queued = false;
    }
  }

  #store(proc: Process, reading: FootprintReading, took: number, at: number): void {
    const measurement: Measurement = proc.measurement;
    const { activity, sharers } = proc.sharing;
    if (measurement.wanted === 'age') this.#samples.take(proc, reading, at, this.#maxAge);
    Object.assign(measurement, this.#cost.learn(proc, reading.rss, took));
    measurement.reason = measurement.wanted ?? 'first';
    measurement.wanted = undefined;
    measurement.execs = proc.stat.execs;
    measurement.at = at;
    measurement.tried = at;
    measurement.confirmed = at;
    measurement.rss = reading.rss;
    measurement.pss = Math.min(reading.pss, reading.rss);
    measurement.uss = Math.min(reading.uss, measurement.pss);
    measurement.swap = reading.swap;
    measurement.swapPss = Math.min(reading.swapPss, reading.swap);
    measurement.anonymous = reading.anonymous;
    measurement.shmem = reading.shmem;
    measurement.sharedAnonymous = reading.sharedAnonymous;
    measurement.hugetlb = reading.hugetlb;
    if (reading.sharedHugetlb > measurement.sharedHugetlb) this.#hugePagesSharedAt = at;
    measurement.sharedHugetlb = reading.sharedHugetlb;
    if (reading.sharedHugetlb === 0) measurement.segments = undefined;
    if (!measurement.segments) this.#unreadable.clear(proc, 'smaps');
    this.#segmentsWanted.consider(proc, at, this.#maxAge);
    measurement.activity = activity;
    measurement.sharersActivity = sharers.activity;
    measurement.sharersMembers = sharers.members;
    measurement.relativesActivity = relativesActivity(proc);
    this.#unreadable.clear(proc, 'smaps_rollup');
  }

  #spend(outcome: ReadOutcome, took: number, length: ReadLength, predicted: number): void {
    this.#statistics.add(outcome, took);
    this.#budget.pay(length, took, predicted);
  }
}

function want(measurement: Measurement, reason: ReadReason, amount: number): void {
  measurement.wanted = reason;
  measurement.urgency = URGENCY[reason] + Math.min(amount, AMOUNT_MAX);
}

function fail(proc: Process, at: number): void {
  const measurement: Measurement = proc.measurement;
  measurement.at = -1;
  measurement.confirmed = -1;
  measurement.tried = at;
  measurement.wanted = undefined;
}
