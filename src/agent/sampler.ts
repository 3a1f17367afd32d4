// The heartbeat: collects just before somebody reads, or at every interval, and when a reader finds the snapshot too old.
// There is one collection at a time, and everyone who asks meanwhile waits for that one. Every collection ends; a failed one
// leaves the last snapshot in force.

import { usesSpaceOfParent } from '../footprint/address-space.ts';
import { FootprintEstimator, type HostUse } from '../footprint/estimator.ts';
import { explainFootprint, type FootprintExplanation } from '../footprint/explanation.ts';
import { type FootprintParts, footprintOf, footprintPartsOf, isEstimated } from '../footprint/kinds.ts';
import type { FootprintOptions } from '../footprint/options.ts';
import { FootprintScheduler } from '../footprint/scheduler.ts';
import { SlowReads } from '../footprint/slow-reads.ts';
import type { CounterSource, KernelFiles } from '../kernel/files.ts';
import { readHost, readUnits, readUptime } from '../kernel/host.ts';
import type { Units } from '../kernel/pid.ts';
import type { Classify } from '../process/membership.ts';
import { OomKills } from '../process/oom-kills.ts';
import type { Process } from '../process/process.ts';
import { Tracker } from '../process/tracker.ts';
import { Unreadable } from '../process/unreadable.ts';
import { CgroupUsage } from '../view/cgroup-usage.ts';
import { ColumnReader } from '../view/column-reader.ts';
import type { FileColumn } from '../view/file-columns.ts';
import { History } from '../view/history.ts';
import { kindColumns, ProcessRows } from '../view/process-rows.ts';
import { type KernelReader, Readings } from '../view/readings.ts';
import { Selection, type SelectionOptions } from '../view/selection.ts';
import { keepWithinBudget, type SeriesBudget } from '../view/series-budget.ts';
import { STATES, stateIndex } from '../view/states.ts';
import { type ProcessView, summarise } from '../view/view.ts';
import { COLLECTION_REASONS, type CollectionReason, ScrapeRhythm } from './scrape-rhythm.ts';
import { clock, inSlices, readInSlices, unixTime, within } from './time-slices.ts';

export interface SamplerOptions {
  /** Time between two collections, seconds; auto: scrape-rhythm.ts decides when to collect. */
  readonly interval: number | 'auto';
  /** Time between two collections while nobody reads, seconds. With `auto` a scrape that is expected may delay one a little. */
  readonly longestGap: number;
  /** Age of the snapshot, in seconds, beyond which a reader needs a new one. */
  readonly cacheTtl: number;
  /** How far back the history goes, seconds; 0: there is none. */
  readonly history: number;
  readonly footprints: FootprintOptions;
  /** Whether kernel threads have series of their own. */
  readonly kernelThreads: boolean;
  /** Whether processes that no rule matches belong to their nearest classified ancestor. */
  readonly inherits: boolean;
  /** Whether OOM kills are counted by group. */
  readonly oomKills: boolean;
  /** System services that may have a group of their own, for processes that no rule matches. */
  readonly maxServices: number;
  /** Collectors that read kernel files of their own. */
  readonly readers: readonly KernelReader<unknown>[];
  /** Whether the kinds of memory of each process are shown. */
  readonly processKinds: boolean;
  /** Columns that are read from kernel files of their own. */
  readonly fileColumns: readonly FileColumn[];
  readonly selection: SelectionOptions;
  readonly series: SeriesBudget;
  /** Groups that are in the view also while no process of them runs. */
  readonly declaredGroups: readonly (readonly [group: string, subgroup: string])[];
}

/** The result of a collection. It does not change any more. */
export interface Snapshot {
  readonly view: ProcessView;
  /** When the collection began, seconds on the clock of time-slices.ts; and Unix time. */
  readonly at: number;
  readonly time: number;
  /** Counts the collections that succeeded, from 1. */
  readonly serial: number;
  /** How long it took, seconds. */
  readonly duration: number;
  /** Series left out to stay within the budget, by what was left out. */
  readonly dropped: ReadonlyMap<string, number>;
}

/** One process as the newest collection left it. */
export interface ObservedProcess {
  readonly proc: Process;
  readonly footprint: FootprintExplanation;
  readonly mode: FootprintOptions['mode'];
  /** Whether it has series of its own. */
  readonly shown: boolean;
  /** What it occupies, as in the rows; bytes. */
  readonly occupied: number;
  readonly parts: FootprintParts;
  readonly estimated: boolean;
  /** One of STATES. */
  readonly state: (typeof STATES)[number];
  /** Pid of its parent, where its memory is counted there: both use one address space. */
  readonly countedWith: number | undefined;
}

/** Seconds that a collection waits for reads that run by themselves. The next collection uses results that come later. */
const SLOW_READ_WAIT = { bounded: 1, exact: 10, off: 0 };
/** Where the counters come from if the files name no source. */
const TEXT: CounterSource = { name: 'procfs', problem: undefined };
/**
 * Seconds from the first collection to the second: only two collections give CPU percentages. With interval auto, also from a
 * failed first collection to the next attempt, because perhaps nobody reads and makes it begin.
 */
const SECOND_COLLECTION_AFTER = 1;

export class Sampler {
  /** The newest snapshot; undefined until a collection succeeded. */
  snapshot: Snapshot | undefined;
  /** Why the last collection failed; undefined when it succeeded. */
  failure: Error | undefined;
  /** How long the last collection took, failed or not, seconds; NaN before the first. */
  duration = Number.NaN;
  /** When a collection last succeeded, or this began; seconds on the clock of time-slices.ts. */
  lastSuccess: number;
  /** Collections that began, by what made them begin. */
  readonly collections = Object.fromEntries(COLLECTION_REASONS.map((reason) => [reason, 0])) as Record<
    CollectionReason,
    number
  >;

  /** Undefined where none is kept. */
  history: History | undefined;

  readonly #files: KernelFiles;
  readonly #unreadable = new Unreadable();
  readonly #slowReads = new SlowReads(clock);
  readonly #selection = new Selection();
  readonly #cgroups: CgroupUsage;
  readonly #onCollection: (sampler: Sampler, reason: CollectionReason) => void;
  /** Two sets of rows in turn, more only while a response is still written from one: collections allocate none. */
  readonly #rows: ProcessRows[] = [];
  #successes = 0;
  #options: SamplerOptions;
  #tracker: Tracker | undefined;
  #units: Units | undefined;
  readonly #footprints: FootprintScheduler;
  readonly #estimator: FootprintEstimator;
  readonly #columns: ColumnReader;
  readonly #oomKills: OomKills;
  #classify: Classify;
  #collecting: Promise<void> | undefined;
  readonly #rhythm = new ScrapeRhythm();
  /** When the last collection ended, seconds. */
  #endedAt: number;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /**
   * @param classify says to which group a process belongs
   * @param onCollection called after every collection, failed or not, with what made it begin
   */
  constructor(
    files: KernelFiles,
    classify: Classify,
    options: SamplerOptions,
    onCollection: (sampler: Sampler, reason: CollectionReason) => void = () => {},
  ) {
    this.#files = files;
    this.#classify = classify;
    this.#options = options;
    this.#keepHistory(options.history);
    this.#onCollection = onCollection;
    this.#cgroups = new CgroupUsage(files, (proc) => this.#tracker?.describeAgain(proc));
    this.#estimator = new FootprintEstimator(files, this.#unreadable);
    this.#columns = new ColumnReader(files, this.#unreadable);
    this.#oomKills = new OomKills(files);
    this.#footprints = new FootprintScheduler(files, this.#unreadable, this.#slowReads, clock);
    this.lastSuccess = clock();
    this.#endedAt = clock();
  }

  get collecting(): boolean {
    return this.#collecting !== undefined;
  }

  /** Collects now, and from then on whenever it is time. */
  start(): void {
    this.#stopped = false;
    void this.collect('idle');
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Applies new settings and rules from the next collection on. */
  configure(options: SamplerOptions, classify: Classify): void {
    this.#options = options;
    this.#keepHistory(options.history);
    if (classify !== this.#classify) this.#tracker?.reclassify(classify);
    this.#classify = classify;
    this.#plan();
  }

  /** A client takes the snapshot as it is: no collection begins for it, but with interval auto the next one may come sooner. */
  noteClient(): void {
    this.#rhythm.scraped(clock());
    if (!this.collecting) this.#plan();
  }

  /**
   * A client asks: a scrape, or a request for a page. With a fixed interval only a scrape makes a collection begin; pages
   * show what the last one saw.
   * @returns undefined where the snapshot is fresh enough; else the collection that the client may wait for
   */
  read(client: 'scrape' | 'request'): Promise<void> | undefined {
    const now = clock();
    const { interval, cacheTtl } = this.#options;
    this.#rhythm.scraped(now);
    const fresh = this.snapshot !== undefined && now - this.snapshot.at <= cacheTtl;
    if (!fresh && (interval === 'auto' || client === 'scrape')) return this.collect(client);
    if (!this.collecting) this.#plan();
    return undefined;
  }

  /** A process as the newest collection left it; undefined where that collection did not see it. */
  observed(pid: number): ObservedProcess | undefined {
    const proc = this.#tracker?.living.find((each) => each.pid === pid);
    if (!proc || !this.snapshot) return undefined;
    const { at, rows, stack } = this.snapshot.view;
    const { footprints } = this.#options;
    return {
      proc,
      footprint: explainFootprint(this.#footprints, proc, footprints, at),
      mode: footprints.mode,
      shown: rows.shown[rows.description.findIndex((description) => description.pid === pid)] === 1,
      occupied: footprintOf(proc, stack),
      parts: footprintPartsOf(proc, stack),
      estimated: isEstimated(proc),
      state: STATES[stateIndex(proc.stat.state)]!,
      countedWith: usesSpaceOfParent(proc) ? proc.stat.ppid : undefined,
    };
  }

  /** Joins the collection under way, or starts one. Resolves when it has ended, whether it succeeded or not. */
  collect(reason: CollectionReason = 'request'): Promise<void> {
    this.#collecting ??= this.#collect(reason).finally(() => {
      this.#collecting = undefined;
      this.#plan();
      this.#onCollection(this, reason);
    });
    return this.#collecting;
  }

  /** @param span seconds; 0: none. What is known already stays known. */
  #keepHistory(span: number): void {
    if (span === 0) this.history = undefined;
    else if (this.history) this.history.span = span;
    else this.history = new History(span);
  }

  /** Sets the timer for the next collection, whoever asks for one meanwhile. */
  #plan(): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    this.#timer = setTimeout(
      () => {
        const { at, reason } = this.#next();
        if (at <= clock()) void this.collect(reason);
        else this.#plan();
      },
      1000 * Math.max(0, this.#next().at - clock()),
    );
  }

  #next(): { readonly at: number; readonly reason: CollectionReason } {
    const { interval, cacheTtl } = this.#options;
    const early = this.#successes === 1 || (this.#successes === 0 && interval === 'auto');
    const second = early ? SECOND_COLLECTION_AFTER : Number.POSITIVE_INFINITY;
    if (interval !== 'auto') return { at: this.#endedAt + Math.min(second, interval), reason: 'idle' };
    const next = this.#rhythm.next(clock(), cacheTtl);
    return next.at <= this.#endedAt + second ? next : { at: this.#endedAt + second, reason: 'idle' };
  }

  async #collect(reason: CollectionReason): Promise<void> {
    const at = clock();
    const time = unixTime();
    this.collections[reason]++;
    try {
      const view = await this.#observe();
      const { selection, series } = this.#options;
      const dropped = await inSlices(keepWithinBudget(view, this.#selection, selection, series));
      if (this.history) await inSlices(this.history.record(view, time));
      this.duration = clock() - at;
      this.lastSuccess = clock();
      this.failure = undefined;
      this.#successes++;
      this.snapshot = { view, at, time, serial: this.#successes, duration: this.duration, dropped };
    } catch (error) {
      this.duration = clock() - at;
      this.failure = error as Error;
    }
    this.#endedAt = clock();
    this.#rhythm.collected(at, this.duration);
  }

  async #observe(): Promise<ProcessView> {
    const files = this.#files;
    const options = this.#options;
    files.begin();
    this.#units ??= readUnits(files);
    this.#footprints.pageSize = this.#units.pageSize;
    const host = readHost(files, this.#units.pageSize);
    this.#tracker ??= new Tracker(files, this.#units, this.#unreadable, this.#classify);
    const tracker = this.#tracker;
    tracker.groupCounters.declare(options.declaredGroups);
    tracker.inherits = options.inherits;
    tracker.services.max = options.maxServices;
    tracker.services.reserve(options.declaredGroups);
    await readInSlices(files, tracker.pass(host));
    const oomKills = options.oomKills
      ? await readInSlices(files, this.#oomKills.count(tracker))
      : this.#oomKills.leaveOut();
    const readings = new Readings(files, options.readers);
    const at = readUptime(files);
    const { living } = tracker;
    const { kernelThreads, processKinds } = options;
    const { swapTotal, swapFree, hugetlb, hugetlbFree } = host.memory;
    await this.#readFootprints(tracker, at, { swap: !(swapTotal <= swapFree), hugePages: hugetlb > hugetlbFree });
    const rows = this.#freeRows();
    rows.reset(living.length, [...(processKinds ? kindColumns : []), ...options.fileColumns]);
    const summary = await inSlices(
      summarise(
        living,
        tracker.groupCounters,
        rows,
        host,
        { kernelThreads, processKinds, freshFor: options.footprints.maxAge + options.longestGap },
        at,
      ),
    );
    await readInSlices(files, this.#columns.read(living, rows, options.fileColumns, kernelThreads));
    return {
      at,
      host,
      books: summary.books,
      readings,
      rows,
      groups: summary.groups,
      cgroups: options.series.each.cgroup > 0 ? await inSlices(this.#cgroups.read(living, at)) : undefined,
      seen: living.length,
      hung: files.hung,
      source: files.source ?? TEXT,
      unreadable: this.#unreadable.counts(),
      oomKills,
      footprints: this.#footprints.statistics,
      oldestMeasurement: summary.oldestMeasurement,
      measuredExcess: summary.excess,
      stack: summary.stack,
    };
  }

  /** Rows that may be filled. The newest snapshot does not use them, and no response is written from them. */
  #freeRows(): ProcessRows {
    const free = this.#rows.find((rows) => rows !== this.snapshot?.view.rows && !rows.isPinned);
    if (free) return free;
    const rows = new ProcessRows();
    this.#rows.push(rows);
    return rows;
  }

  async #readFootprints(tracker: Tracker, at: number, inUse: HostUse): Promise<void> {
    const { footprints: options } = this.#options;
    const { living } = tracker;
    await readInSlices(this.#files, this.#footprints.read(living, options, at));
    await within(SLOW_READ_WAIT[options.mode], this.#footprints.readLarge(options, at));
    await readInSlices(this.#files, this.#estimator.carryOver(living, options.mode, inUse, at));
  }
}
