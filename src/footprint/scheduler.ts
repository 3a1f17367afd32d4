// Decides which PSS and USS to read now, within a budget, and carries the others over from their last sample.
// What smaps_rollup costs is known before reading, so that no process is ever stalled, nor the host burdened, unawares.
import type { KernelFiles } from '../kernel/files.ts';
import { FootprintReading, readSmapsRollup, readSmapsRollupLater, readStatus, StatusReading } from '../kernel/pid.ts';
import { BLOCKED, type Process, type ReadReason } from '../process/process.ts';
import type { Unreadable } from '../process/unreadable.ts';
import type { SlowReads } from './slow-reads.ts';

export interface FootprintOptions {
  /** `exact` reads all at every collection, `bounded` within the budget, `off` none. */
  readonly mode: 'bounded' | 'exact' | 'off';
  /** Share of one core that `bounded` may spend. */
  readonly budget: number;
  /** A sample older than this is read again, seconds. */
  readonly maxAge: number;
  /** A read predicted to take longer than this happens only once every `maxAge`, seconds. */
  readonly maxRead: number;
  /** Time between two collections, seconds: what the budget of one collection is counted for. */
  readonly interval: number;
}

export type ReadOutcome = 'ok' | 'gone' | 'denied' | 'unsupported' | 'malformed' | 'hung';

/** What this costs, for the metrics. */
export interface FootprintStatistics {
  readonly reads: Readonly<Record<ReadOutcome, number>>;
  /** Time spent in reads, seconds. */
  readonly seconds: number;
  /** Processes whose read waits for budget. */
  readonly deferred: number;
}

/** First guess of a read's cost, seconds, corrected by what reads really took: open and close, and each resident byte. */
const COST_BASE = 60e-6;
const COST_PER_BYTE = 15e-6 / (1 << 20);
/** A read predicted to take longer than this runs off the main thread, seconds. */
const LONGEST_ON_MAIN_THREAD = 4e-3;
/** A change is worth a read when it may move the footprint by this share, or this many bytes, whichever is more. */
const WORTH_SHARE = 0.004;
const WORTH_BYTES = 32 << 10;
/** How fast the cost model follows what is measured. */
const LEARNING = 0.02;
/** No single read is believed to cost more than so many times what was predicted. */
const MOST_OVER_PREDICTED = 4;

const URGENCY: Record<ReadReason, number> = { first: 3e15, changed: 2e15, relative: 1e15, age: 0 };

interface Queued {
  readonly process: Process;
  /** Taken from the purse until it is known what the read took, seconds. */
  readonly reserved: number;
}

export class FootprintScheduler {
  readonly #files: KernelFiles;
  readonly #unreadable: Unreadable;
  readonly #lane: SlowReads;
  readonly #clock: () => number;

  readonly #reading = new FootprintReading();
  readonly #status = new StatusReading();
  readonly #reads: Record<ReadOutcome, number> = { ok: 0, gone: 0, denied: 0, unsupported: 0, malformed: 0, hung: 0 };
  #seconds = 0;
  #deferred = 0;

  readonly #wanted: Process[] = [];
  /** Reads that wait for the lane. */
  #large: Queued[] = [];
  /** Measured cost over predicted cost. */
  #correction = 1;
  /** Seconds of reading that may be spent now. */
  #purse = Number.POSITIVE_INFINITY;
  #paidAt = Number.NaN;

  /** @param clock a monotonic clock in seconds, to learn what reads cost */
  constructor(files: KernelFiles, unreadable: Unreadable, lane: SlowReads, clock: () => number) {
    this.#files = files;
    this.#unreadable = unreadable;
    this.#lane = lane;
    this.#clock = clock;
  }

  get statistics(): FootprintStatistics {
    return { reads: { ...this.#reads }, seconds: this.#seconds, deferred: this.#deferred };
  }

  /**
   * Reads the footprints that are worth it now, most urgent first, until the budget is spent; large ones are queued
   * for `readLarge`. Yields where it may be interrupted.
   * @param at kernel time of this collection, seconds since boot
   */
  *read(processes: readonly Process[], options: FootprintOptions, at: number): Generator<void, void, void> {
    const wanted = this.#wanted;
    const bounded = options.mode === 'bounded';
    const share = options.budget * options.interval;
    const earned = Number.isNaN(this.#paidAt) ? share : options.budget * (at - this.#paidAt);
    this.#purse = bounded ? Math.min(share, this.#purse + earned) : Number.POSITIVE_INFINITY;
    this.#paidAt = at;
    this.#deferred = 0;
    this.#large = this.#large.filter(({ process: proc, reserved }) => {
      if (proc.ended) this.#purse += reserved;
      return !proc.ended;
    });
    wanted.length = 0;
    if (options.mode === 'off') {
      for (const proc of processes) if (proc.unreadable) this.#unreadable.clear(proc, 'smaps_rollup');
      return;
    }
    let cost = 0;
    for (let index = 0; index < processes.length; index++) {
      const proc = processes[index]!;
      this.#consider(proc, options, at);
      if (proc.wanted && !proc.queued) {
        wanted.push(proc);
        cost += this.predict(proc);
      }
      if (index % 64 === 63) yield;
    }
    if (cost > this.#purse) wanted.sort((a, b) => b.urgency - a.urgency);
    for (const proc of wanted) {
      if (this.#purse <= 0) {
        this.#deferred++;
        continue;
      }
      const predicted = this.predict(proc);
      if (predicted > LONGEST_ON_MAIN_THREAD || proc.state === BLOCKED) {
        this.#purse -= predicted;
        proc.queued = true;
        this.#large.push({ process: proc, reserved: predicted });
      } else {
        this.#readNow(proc, at);
        yield;
      }
    }
  }

  /**
   * Reads the queued footprints off the main thread, one at a time. Resolves when those are done that this collection
   * must not be without: all of them when exact, else those never read before; the others follow by themselves.
   */
  async readLarge(options: FootprintOptions, at: number): Promise<void> {
    const needed = (proc: Process): boolean => options.mode === 'exact' || proc.measurement.at < 0;
    await this.#drain(needed, at);
    void this.#drain(() => true, at);
  }

  /** Carries the sample over to the present, and finds out without privilege what no sample tells. */
  *carryOver(
    processes: readonly Process[],
    options: FootprintOptions,
    swapInUse: boolean,
    at: number,
  ): Generator<void> {
    for (let index = 0; index < processes.length; index++) {
      this.#carry(processes[index]!, options);
      this.#complete(processes[index]!, swapInUse, at);
      if (index % 32 === 31) yield;
    }
  }

  /** What reading a footprint will take, seconds: what it took last time, else what others of its size take. */
  predict(proc: Process): number {
    const { measurement: sample, rss } = proc;
    if (sample.at >= 0 && sample.rss > 0) return sample.cost * Math.max(0.5, rss / sample.rss);
    return (COST_BASE + COST_PER_BYTE * rss) * this.#correction;
  }

  #consider(proc: Process, options: FootprintOptions, at: number): void {
    if (proc.queued) return;
    proc.wanted = undefined;
    if (proc.absent || !(proc.rss > 0)) return;
    const { measurement: sample } = proc;
    if (sample.tried < 0 || (sample.at < 0 && !proc.unreadable?.has('smaps_rollup'))) {
      this.#want(proc, 'first', 0);
      return;
    }
    const due = turn(proc.pid, at, options.maxAge) > turn(proc.pid, sample.tried, options.maxAge);
    const lost = sample.at < 0;
    if (lost || (options.mode === 'bounded' && this.predict(proc) > options.maxRead)) {
      if (due) this.#want(proc, 'age', at - sample.tried);
      return;
    }
    if (options.mode === 'exact') {
      this.#want(proc, 'changed', 0);
      return;
    }
    const own = proc.activity - sample.activity;
    const worth = worthOf(proc);
    const relatives = movedByRelatives(proc);
    if (own >= worth) this.#want(proc, 'changed', own);
    else if (own + relatives >= worth) this.#want(proc, 'relative', own + relatives);
    else if (due) this.#want(proc, 'age', at - sample.at);
  }

  #want(proc: Process, need: ReadReason, amount: number): void {
    proc.wanted = need;
    proc.urgency = URGENCY[need] + Math.min(amount, 1e14);
  }

  #readNow(proc: Process, at: number): void {
    const began = this.#clock();
    try {
      readSmapsRollup(this.#files, proc.files, this.#reading);
      this.#settle(proc, this.#reading, this.#clock() - began, at);
      proc.rss = this.#reading.rss;
    } catch (error) {
      this.#fail(proc, error, this.#clock() - began, at);
    }
  }

  async #drain(which: (proc: Process) => boolean, at: number): Promise<void> {
    while (this.#lane.free) {
      const next = this.#large.find(({ process: proc }) => which(proc));
      if (!next) return;
      this.#large.splice(this.#large.indexOf(next), 1);
      await this.#lane.run(() => this.#readLater(next, at));
    }
  }

  async #readLater({ process: proc, reserved }: Queued, at: number): Promise<void> {
    const began = this.#clock();
    const reading = new FootprintReading();
    const { startStack } = proc;
    // A read that had to wait, for a lock or a thread, did not burden the host for all of that time.
    const took = () => Math.min(this.#clock() - began, MOST_OVER_PREDICTED * reserved);
    try {
      await readSmapsRollupLater(proc.files, reading);
      if (startStack === proc.startStack) this.#settle(proc, reading, took(), at);
      else this.#spend('ok', took());
    } catch (error) {
      this.#fail(proc, error, took(), at);
    } finally {
      this.#purse += reserved;
      proc.queued = false;
    }
  }

  #settle(proc: Process, reading: FootprintReading, took: number, at: number): void {
    const { measurement: sample, sharers: family } = proc;
    this.#spend('ok', took);
    // One that was held up does not make the next one look dear.
    const believed = Math.min(took, MOST_OVER_PREDICTED * this.predict(proc));
    const model = COST_BASE + COST_PER_BYTE * reading.rss;
    this.#correction += LEARNING * (Math.min(MOST_OVER_PREDICTED, took / model) - this.#correction);
    sample.reason = proc.wanted ?? 'first';
    sample.at = at;
    sample.tried = at;
    sample.rss = reading.rss;
    sample.pss = Math.min(reading.pss, reading.rss);
    sample.uss = Math.min(reading.uss, sample.pss);
    sample.swap = reading.swap;
    sample.shmem = reading.shmem;
    sample.cost = believed;
    sample.activity = proc.activity;
    sample.familyActivity = family.activity;
    sample.familyMembers = family.members;
    sample.kinActivity = kinActivity(proc);
    proc.wanted = undefined;
    if (proc.unreadable) this.#unreadable.clear(proc, 'smaps_rollup');
  }

  #fail(proc: Process, error: unknown, took: number, at: number): void {
    this.#spend(this.#unreadable.note(proc, 'smaps_rollup', error), took);
    proc.measurement.at = -1;
    proc.measurement.tried = at;
    proc.wanted = undefined;
  }

  #spend(outcome: ReadOutcome, took: number): void {
    this.#reads[outcome]++;
    this.#seconds += took;
    this.#purse -= took;
  }

  /** PSS and USS scale with RSS since the sample; uss ≤ pss ≤ rss always. */
  #carry(proc: Process, options: FootprintOptions): void {
    const { measurement: sample, rss } = proc;
    if (sample.at < 0 || !(rss > 0) || options.mode === 'off') {
      proc.pss = Number.NaN;
      proc.uss = Number.NaN;
      return;
    }
    const ratio = sample.rss > 0 ? rss / sample.rss : 0;
    proc.pss = Math.min(rss, Math.round(sample.pss * ratio));
    proc.uss = Math.min(proc.pss, Math.round(sample.uss * ratio));
  }

  /** Swap, and the kinds of resident pages where PSS is unknown, from status; read again only when memory moved. */
  #complete(proc: Process, swapInUse: boolean, at: number): void {
    if (proc.kernelThread || proc.absent || !(proc.rss >= 0)) {
      proc.swap = Number.NaN;
      return;
    }
    const sampled = proc.measurement.at === at;
    if (!swapInUse) proc.swap = 0;
    else if (sampled) proc.swap = proc.measurement.swap;
    const unmeasured = Number.isNaN(proc.pss);
    if (!unmeasured && (!swapInUse || sampled)) return;
    const moved = proc.statusRss !== proc.rss || proc.statusShared !== proc.shared;
    if (!moved && !Number.isNaN(proc.swap)) return;
    try {
      readStatus(this.#files, proc.files, this.#status);
    } catch (error) {
      this.#unreadable.note(proc, 'status', error);
      return;
    }
    if (proc.unreadable) this.#unreadable.clear(proc, 'status');
    proc.statusRss = proc.rss;
    proc.statusShared = proc.shared;
    proc.rssFile = this.#status.rssFile;
    proc.rssShmem = this.#status.rssShmem;
    proc.swap = this.#status.swap;
  }
}

/** Bytes that are worth a read. */
export const worthOf = ({ measurement: sample }: Process): number => Math.max(WORTH_BYTES, sample.pss * WORTH_SHARE);

/** Bytes by which relatives may have moved what is shared with them since the sample. */
export function movedByRelatives(proc: Process): number {
  const { measurement: sample, sharers: family, activity } = proc;
  const own = activity - sample.activity;
  const others = Math.max(0, family.activity - sample.familyActivity - own) / Math.max(1, family.members - 1);
  // With another executable it shares only memory that is meant to be shared, and pages of libraries, which stay.
  const kin = sample.shmem > 0 ? Math.abs(kinActivity(proc) - sample.kinActivity) : 0;
  const membersMoved = Math.abs(family.members - sample.familyMembers) / Math.max(family.members, sample.familyMembers);
  return Math.min(others + kin, sample.rss - sample.uss) + (sample.rss - sample.uss) * membersMoved;
}

/** What parent and children of other families touched so far. Another parent than before counts as a move. */
const kinActivity = ({ parent, childrenActivity }: Process): number => (parent?.activity ?? 0) + childrenActivity;

/** Spreads the old samples evenly: each process has its turn once in every period, at a moment its pid chooses. */
function turn(pid: number, at: number, period: number): number {
  return Math.floor(at / period + phase(pid));
}

const phase = (pid: number): number => (pid * 0.6180339887) % 1;

/** Seconds until its turn comes next. */
export const untilTurn = (pid: number, at: number, period: number): number =>
  (turn(pid, at, period) + 1 - phase(pid)) * period - at;
