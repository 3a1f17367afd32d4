// The heartbeat: one collection at a time, whoever asks; every collection ends, and a failed one leaves the last
// snapshot in force. The only caller of process/.

import { FootprintEstimator } from '../footprint/estimator.ts';
import { explainFootprint, type FootprintExplanation } from '../footprint/explanation.ts';
import type { FootprintOptions } from '../footprint/options.ts';
import { FootprintScheduler } from '../footprint/scheduler.ts';
import { SlowReads } from '../footprint/slow-reads.ts';
import type { KernelFiles } from '../kernel/files.ts';
import { KernelFileError } from '../kernel/files.ts';
import { type Boot, readBoot, readMemory, readPressure, readUnits, readUptime, readUsers } from '../kernel/host.ts';
import type { Classify } from '../process/membership.ts';
import type { Process } from '../process/process.ts';
import { type HostFacts, Tracker } from '../process/tracker.ts';
import { Unreadable } from '../process/unreadable.ts';
import { CgroupUsage } from '../view/cgroup-usage.ts';
import { Selection, type SelectionOptions } from '../view/selection.ts';
import { type HostRow, ProcessRows, type ProcessView, summarise } from '../view/view.ts';
import { clock, inSlices, within } from './time-slices.ts';

export interface SamplerOptions {
  /** Time between two collections, seconds. */
  readonly interval: number;
  readonly footprints: FootprintOptions;
  readonly kernelThreads: boolean;
  /** Whether processes that no rule matches belong to their nearest classified ancestor. */
  readonly inherits: boolean;
  /** Whether the kernel's accounts of cgroups are read. */
  readonly cgroups: boolean;
  readonly selection: SelectionOptions;
  /** Most series of one response. */
  readonly maxSeries: number;
  /** Most series of one process, of one subgroup, of one cgroup, and of everything else. */
  readonly seriesOf: Readonly<Record<'process' | 'group' | 'cgroup' | 'rest', number>>;
  readonly declaredGroups: readonly (readonly [group: string, subgroup: string])[];
}

/** What a collection found; immutable. */
export interface Snapshot {
  readonly view: ProcessView;
  /** When the collection began, on the clock of slices.ts. */
  readonly at: number;
  /** What it took, seconds. */
  readonly duration: number;
  /** Series left out to stay within the budget, by what was left out. */
  readonly dropped: ReadonlyMap<string, number>;
}

/** One process as it stands since the newest collection. */
export interface Standing {
  readonly proc: Process;
  readonly footprint: FootprintExplanation;
  readonly mode: FootprintOptions['mode'];
  /** Whether it has series of its own. */
  readonly shown: boolean;
}

/** Longest wait for footprints that are read off the main thread, seconds; what comes later is used next time. */
const LARGE_READ_PATIENCE = { bounded: 1, exact: 10, off: 0 };
/** The second collection follows the first so soon, seconds: only then there are CPU percentages. */
const SECOND_COLLECTION = 1;

export class Sampler {
  /** The newest snapshot; undefined until a collection succeeded. */
  snapshot: Snapshot | undefined;
  /** Why the last collection failed; undefined when it succeeded. */
  failure: Error | undefined;
  /** What the last collection took, failed or not, seconds; NaN before the first. */
  duration = Number.NaN;
  /** When a collection last succeeded, on the clock of slices.ts. */
  lastSuccess: number;

  readonly #files: KernelFiles;
  readonly #unreadable = new Unreadable();
  readonly #slowReads = new SlowReads(clock);
  readonly #selection = new Selection();
  readonly #cgroups: CgroupUsage;
  readonly #onCollection: (sampler: Sampler) => void;
  /** Two sets of rows in turn, more only while a slow reader holds one: steady collections allocate none. */
  readonly #rows: ProcessRows[] = [];
  #successes = 0;
  #options: SamplerOptions;
  #tracker: Tracker | undefined;
  readonly #footprints: FootprintScheduler;
  readonly #estimator: FootprintEstimator;
  #classify: Classify;
  #collecting: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** @param onCollection called after every collection, failed or not */
  constructor(
    files: KernelFiles,
    classify: Classify,
    options: SamplerOptions,
    onCollection: (sampler: Sampler) => void = () => {},
  ) {
    this.#files = files;
    this.#classify = classify;
    this.#options = options;
    this.#onCollection = onCollection;
    this.#cgroups = new CgroupUsage(files, (proc) => this.#tracker?.describeAgain(proc));
    this.#estimator = new FootprintEstimator(files, this.#unreadable);
    this.#footprints = new FootprintScheduler(files, this.#unreadable, this.#slowReads, clock);
    this.lastSuccess = clock();
  }

  get collecting(): boolean {
    return this.#collecting !== undefined;
  }

  /** Collects now, and from then on every interval. */
  start(): void {
    this.#stopped = false;
    void this.collect();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Applies new settings and rules from the next collection on. */
  configure(options: SamplerOptions, classify: Classify): void {
    this.#options = options;
    this.#classify = classify;
    this.#tracker?.reclassify(classify);
    this.#schedule(options.interval);
  }

  /** How a process stands since the newest collection; undefined where that did not see it. */
  standing(pid: number): Standing | undefined {
    const proc = this.#tracker?.living.find((each) => each.pid === pid);
    if (!proc || !this.snapshot) return undefined;
    const { at, rows } = this.snapshot.view;
    const { footprints } = this.#options;
    return {
      proc,
      footprint: explainFootprint(this.#footprints, proc, footprints, at),
      mode: footprints.mode,
      shown: rows.shown[rows.description.findIndex((who) => who.pid === pid)] === 1,
    };
  }

  /** Joins the collection under way, or starts one. Resolves when it is over, whether it succeeded or not. */
  collect(): Promise<void> {
    this.#collecting ??= this.#collect().finally(() => {
      this.#collecting = undefined;
      const second = this.#successes === 1;
      this.#schedule(second ? Math.min(SECOND_COLLECTION, this.#options.interval) : this.#options.interval);
      this.#onCollection(this);
    });
    return this.#collecting;
  }

  #schedule(seconds: number): void {
    clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = setTimeout(() => void this.collect(), seconds * 1000);
  }

  async #collect(): Promise<void> {
    const at = clock();
    try {
      const view = await this.#look();
      const dropped = await inSlices(this.#choose(view));
      this.duration = clock() - at;
      this.lastSuccess = clock();
      this.failure = undefined;
      this.snapshot = { view, at, duration: this.duration, dropped };
      this.#successes++;
    } catch (error) {
      this.duration = clock() - at;
      this.failure = error as Error;
    }
  }

  async #look(): Promise<ProcessView> {
    const files = this.#files;
    const options = this.#options;
    files.begin();
    const boot = readBoot(files);
    this.#tracker ??= new Tracker(files, this.#host(boot), this.#unreadable, this.#classify);
    const tracker = this.#tracker;
    tracker.groupCounters.declare(options.declaredGroups);
    tracker.inherits = options.inherits;
    await inSlices(tracker.pass(boot.forks));
    const pressure = absentIfUnread(() => readPressure(files, 'proc/pressure/memory'));
    const host: HostRow = { memory: readMemory(files), pressure, cpus: boot.cpus };
    const at = readUptime(files);
    const { living } = tracker;
    await this.#readFootprints(tracker, at, host.memory.swapTotal > host.memory.swapFree);
    const rows = this.#freeRows();
    rows.reset(living.length);
    const summary = await inSlices(
      summarise(
        living,
        tracker.groupCounters,
        rows,
        host,
        { kernelThreads: options.kernelThreads, freshFor: options.footprints.maxAge + options.interval },
        at,
      ),
    );
    return {
      at,
      host,
      rows,
      groups: summary.groups,
      cgroups: options.cgroups ? await inSlices(this.#cgroups.read(living)) : undefined,
      seen: living.length,
      unreadable: this.#unreadable.counts(),
      footprints: this.#footprints.statistics,
      oldestSample: summary.oldestSample,
    };
  }

  /** Rows that nobody reads: not those of the newest snapshot, nor those still being rendered. */
  #freeRows(): ProcessRows {
    const free = this.#rows.find((rows) => rows !== this.snapshot?.view.rows && rows.readers === 0);
    if (free) return free;
    const rows = new ProcessRows();
    this.#rows.push(rows);
    return rows;
  }

  #host(boot: Boot): HostFacts {
    return { units: readUnits(this.#files), bootTime: boot.bootTime, users: readUsers(this.#files) };
  }

  async #readFootprints(tracker: Tracker, at: number, swapInUse: boolean): Promise<void> {
    const { footprints: options } = this.#options;
    const { living } = tracker;
    await inSlices(this.#footprints.read(living, options, at));
    await within(LARGE_READ_PATIENCE[options.mode], this.#footprints.readLarge(options, at));
    await inSlices(this.#estimator.carryOver(living, options.mode, swapInUse, at));
  }

  /** Keeps the response within its budget of series: fewer processes first, and groups last. */
  *#choose(view: ProcessView): Generator<void, ReadonlyMap<string, number>, void> {
    const { selection, maxSeries, seriesOf } = this.#options;
    const dropped = new Map<string, number>();
    const spare = maxSeries - seriesOf.rest - view.groups.length * seriesOf.group;
    const room = spare - this.#chooseCgroups(view, Math.max(0, spare), dropped);
    const modes = ['all', 'top', 'none'] as const;
    let wanted = Number.NaN;
    for (const mode of modes.slice(modes.indexOf(selection.perProcess))) {
      yield* this.#selection.choose(view, selection, mode);
      const shown = countShown(view) * seriesOf.process;
      if (Number.isNaN(wanted)) wanted = shown;
      if (shown <= Math.max(0, room)) {
        if (wanted > shown) dropped.set('processes', wanted - shown);
        break;
      }
    }
    yield* this.#selection.keep(view);
    if (spare < 0) {
      const kept = Math.max(0, Math.floor((maxSeries - seriesOf.rest) / seriesOf.group));
      for (const group of view.groups.slice(kept)) group.shown = false;
      dropped.set('groups', (view.groups.length - kept) * seriesOf.group);
    }
    return dropped;
  }

  /** Cgroups come after groups and before processes. @returns the series they take of those there is room for */
  #chooseCgroups({ cgroups }: ProcessView, room: number, dropped: Map<string, number>): number {
    if (!cgroups) return 0;
    const { rows, left } = cgroups;
    const each = this.#options.seriesOf.cgroup;
    const kept = Math.min(rows.length, Math.floor(room / each));
    for (const row of rows.slice(kept)) row.shown = false;
    if (left > 0 || kept < rows.length) dropped.set('cgroups', (left + rows.length - kept) * each);
    return kept * each;
  }
}

/** Rows with series, and the rest of each subgroup under `top`. */
function countShown({ rows, groups }: ProcessView): number {
  let count = 0;
  for (let row = 0; row < rows.length; row++) count += rows.shown[row]!;
  for (const group of groups) if (group.rest) count++;
  return count;
}

function absentIfUnread<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof KernelFileError) return undefined;
    throw error;
  }
}
