// What a collection shows of processes, groups and the host. Everything behind it (collectors, pages, verbs) sees this
// and no Process. A view does not change once the collection has ended; its rows are used again for a later one.
// Numbers stand in columns, so that a view of ten thousand processes is a dozen arrays. NaN: the value is not known.

import { usesSpaceOfParent } from '../footprint/address-space.ts';
import {
  anonymousOf,
  isEstimated,
  ownHugetlbOf,
  proportionalSwapOf,
  sharedOf,
  stackOfThread,
} from '../footprint/kinds.ts';
import type { FootprintStatistics } from '../footprint/read-statistics.ts';
import type { CounterSource } from '../kernel/files.ts';
import type { HostState } from '../kernel/host.ts';
import type { HostMemory } from '../kernel/host-memory.ts';
import type { GroupCounters } from '../process/group-counters.ts';
import { isIoRefused } from '../process/io.ts';
import type { OomKillState } from '../process/oom-kills.ts';
import type { Process } from '../process/process.ts';
import type { UnreadableCount } from '../process/unreadable.ts';
import type { CgroupView } from './cgroup-usage.ts';
import { attributedRatioOf, type HostBooks, kindsOf } from './host-books.ts';
import { hasRow, type KindColumn, type ProcessRows } from './process-rows.ts';
import type { Readings } from './readings.ts';
import { SharedParts } from './shared-parts.ts';
import { STATES, stateIndex } from './states.ts';

/** Kinds of memory as they are exported, in the order of `GroupRow.kinds`. */
export const KINDS = ['anonymous', 'file', 'shared', 'hugetlb', 'page_tables', 'kernel_stacks'] as const;
const [ANONYMOUS, FILE, SHARED, HUGETLB, PAGE_TABLES, STACKS] = [0, 1, 2, 3, 4, 5] as const;

/** The share of a group's RSS up to which estimates do not make its sums estimates. */
const ESTIMATED_MAX = 0.005;

/**
 * Sums over all processes of a subgroup, with series of their own or not. Bytes, CPU seconds, percent of one core; NaN
 * where the value is not known of any of them.
 */
export class GroupRow {
  /** Its names, and a copy of its counters as they were at the collection. */
  readonly counters: GroupCounters;
  rss = 0;
  pss = 0;
  uss = 0;
  /** Pages of swap that processes share count once. */
  swap = 0;
  /** The parts of its footprint, as in KINDS; bytes. NaN where the kernel does not say of what kind the measured PSS is. */
  readonly kinds = new Float64Array(KINDS.length);
  /** What the group really occupies, with shared memory counted once; bytes. */
  footprint = 0;
  /** Share of the group's RSS whose PSS is measured and fresh, 0–1; NaN without RSS. */
  coverage = Number.NaN;
  /** RSS of processes whose PSS, USS and footprint are estimates. */
  estimatedRss = 0;
  usage = 0;
  /** Whether its storage I/O is known: it can be read of at least one process, or the group has no process. */
  ioKnown = true;
  /** Processes by state, as in STATES. */
  readonly states = new Float64Array(STATES.length);
  threads = 0;
  /** Unix time; NaN while nothing runs. */
  oldestStart = Number.NaN;
  /** Whether it has series; false only where the budget of series is spent. */
  shown = true;
  /** The sum of its processes without series of their own, with `per_process: top`; else undefined. */
  remainder: Remainder | undefined = undefined;

  constructor(counters: GroupCounters) {
    this.counters = counters;
  }

  /** Whether its sums are estimates: a sum is one where estimates are of more than 0.5 % of it, measured in RSS. */
  get estimated(): boolean {
    return this.estimatedRss > this.rss * ESTIMATED_MAX;
  }

  get processes(): number {
    return this.states.reduce((sum, count) => sum + count, 0);
  }

  /** Bytes of one part of its footprint. */
  kind(name: (typeof KINDS)[number]): number {
    return this.kinds[KINDS.indexOf(name)]!;
  }

  /** CPU seconds of living processes since each began, and of ended processes since the exporter started. */
  get time(): number {
    const { before, user, system } = this.counters;
    return Math.round((before + user + system) * 1e6) / 1e6;
  }
}

/** Columns that add up: a group has the same values, and so has the remainder of a group. */
export const ADDITIVE = ['rss', 'pss', 'uss', 'swap', 'usage', 'time'] as const;
export type Remainder = Record<(typeof ADDITIVE)[number] | KindColumn, number>;

export interface ProcessView {
  /** Kernel time of the collection, seconds since boot. */
  readonly at: number;
  /** What the collection itself had to read of the host. */
  readonly host: HostState;
  /** All of the host's memory by kind, and the check against the kernel's sums. */
  readonly books: HostBooks;
  /** What collectors read for themselves. */
  readonly readings: Readings;
  readonly rows: ProcessRows;
  /** By name: group, then subgroup. */
  readonly groups: readonly GroupRow[];
  /** Undefined where nothing has series about cgroups. */
  readonly cgroups: CgroupView | undefined;
  /** Number of processes seen, kernel threads and zombies included. */
  readonly seen: number;
  /** Processes whose files do not answer, by pid. */
  readonly hung: readonly number[];
  readonly source: CounterSource;
  readonly unreadable: readonly UnreadableCount[];
  /** Whether the counters of groups have OOM kills, or why not. */
  readonly oomKills: OomKillState;
  readonly footprints: FootprintStatistics;
  /** Seconds since the oldest measurement of PSS and USS in use was read or confirmed; NaN where there is none. */
  readonly oldestMeasurement: number;
  /**
   * Bytes by which the measured footprints together exceed the host's memory; 0 where they do not. That is a contradiction:
   * processes share an address space, each with the PSS of all of it.
   */
  readonly measuredExcess: number;
  /** The kernel stack of a thread, bytes; NaN where the host does not say it. */
  readonly stack: number;
}

export interface ViewOptions {
  /** Whether kernel threads have rows. */
  readonly kernelThreads: boolean;
  /** Whether the kinds of memory of each process are shown. */
  readonly processKinds: boolean;
  /** A measurement that was read or confirmed within this time, seconds, counts as fresh. */
  readonly freshFor: number;
}

/**
 * What is known of a group while its processes are added up; bytes. Where PSS is not measured, the anonymous pages of
 * processes add up, and of the pages that they may share only the largest share counts.
 */
interface Estimate {
  /** Sum of the measured PSS. */
  measured: number;
  /** Anonymous pages of processes whose PSS is not measured: their sum. */
  anonymous: number;
  /** The most pages of files, and of shared memory, that one such process has. */
  file: number;
  shmem: number;
  /** The most shared memory that one process maps whose measurement has no kinds (before Linux 5.4), as status says it. */
  unsplitShmem: number;
  /** Sum of the RSS whose PSS was measured lately. */
  fresh: number;
  /** Whether the value is known of at least one process. */
  memoryKnown: boolean;
  pssKnown: boolean;
  swapKnown: boolean;
  ioKnown: boolean;
  /** Whether the I/O of at least one process may not be read. */
  ioRefused: boolean;
  /** Number of processes, and of those whose CPU percentage is known. */
  processes: number;
  usageKnown: number;
}

type Estimates = ReadonlyMap<GroupRow, Estimate>;

export interface Summary {
  readonly groups: GroupRow[];
  readonly oldestMeasurement: number;
  /** As ProcessView.measuredExcess. */
  readonly excess: number;
  readonly books: HostBooks;
  /** As ProcessView.stack. */
  readonly stack: number;
}

/** Processes that `summarise` adds before other work may run. */
const STEP = 128;

/**
 * Fills the rows and sums the groups; yields where it may be interrupted.
 * @param counters of every group, also of groups without a process
 * @param rows empty, with room for all processes
 * @param at kernel time of the collection, seconds since boot
 */
export function* summarise(
  processes: readonly Process[],
  counters: Iterable<GroupCounters>,
  rows: ProcessRows,
  host: HostState,
  options: ViewOptions,
  at: number,
): Generator<void, Summary, void> {
  const groups = new Map<GroupCounters, GroupRow>();
  const estimates = new Map<GroupRow, Estimate>();
  for (const each of counters) {
    const group = new GroupRow(each.copy());
    groups.set(each, group);
    estimates.set(group, emptyEstimate());
  }
  const stack = stackOfThread(host.memory.kernelStacks, threadsOf(processes));
  const shared = new SharedParts();
  const freshSince = at - options.freshFor;
  let oldest = Number.NaN;
  let absent = 0;
  for (let index = 0; index < processes.length; index++) {
    const proc = processes[index]!;
    const group = groups.get(proc.membership.counters)!;
    const estimate = estimates.get(group)!;
    const withParent = usesSpaceOfParent(proc);
    addToGroup(group, estimate, proc, withParent, freshSince);
    if (proc.stat.absent) absent++;
    const measured = !proc.stat.absent && proc.footprint.pss >= 0;
    if (measured && !(at - proc.measurement.confirmed <= oldest)) oldest = at - proc.measurement.confirmed;
    if (hasRow(proc, options.kernelThreads)) {
      rows.append(proc, stack);
      if (options.processKinds) rows.setKinds(proc, stack);
      if (withParent) rows.clearMemory();
      else shared.note(group, proc, rows.length - 1);
    }
    if (index % STEP === STEP - 1) yield;
  }
  for (const [group, estimate] of estimates) {
    if (group.threads > 0) group.kinds[STACKS] = Math.round(group.threads * stack);
    finish(group, estimate);
  }
  shared.divideSwap(rows);
  shared.divideHugePages(groups.values(), host.memory.hugetlb - host.memory.hugetlbFree, rows);
  const excess = withinHost(estimates, host.memory.total);
  const books = booksOf(estimates, host.memory, absent);
  for (const [group, estimate] of estimates) addEstimate(group, estimate);
  return { groups: [...groups.values()].sort(byName), oldestMeasurement: oldest, excess, books, stack };
}

/**
 * Called before estimates become a part of the kinds of a group. Of shared memory that no measurement tells, only the
 * largest part of one process counts: the others may have mapped the same.
 */
function booksOf(groups: Estimates, memory: HostMemory, absent: number): HostBooks {
  const attributed = { pss: 0, rss: 0, measuredRss: 0, absent };
  let measuredShmem = 0;
  let otherShmem = 0;
  for (const [group, estimate] of groups) {
    attributed.pss += group.pss || 0;
    attributed.rss += group.rss;
    attributed.measuredRss += estimate.fresh;
    measuredShmem += group.kinds[SHARED]! || 0;
    otherShmem = Math.max(otherShmem, estimate.shmem, estimate.unsplitShmem);
  }
  const attributedRatio = attributedRatioOf(memory, attributed);
  return { ...kindsOf(memory, measuredShmem + otherShmem), attributedRatio };
}

const byName = ({ counters: a }: GroupRow, { counters: b }: GroupRow): number =>
  a.group === b.group ? compare(a.subgroup, b.subgroup) : compare(a.group, b.group);
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const emptyEstimate = (): Estimate => ({
  measured: 0,
  anonymous: 0,
  file: 0,
  shmem: 0,
  unsplitShmem: 0,
  fresh: 0,
  memoryKnown: false,
  pssKnown: false,
  swapKnown: false,
  ioKnown: false,
  ioRefused: false,
  processes: 0,
  usageKnown: 0,
});

/**
 * @param withParent its memory is counted with its parent's
 * @param since a measurement is fresh from then on, seconds since boot
 */
function addToGroup(group: GroupRow, estimate: Estimate, proc: Process, withParent: boolean, since: number): void {
  const { stat, memory, footprint } = proc;
  group.states[stateIndex(stat.state)]!++;
  group.threads += stat.threads;
  const { startTime } = proc.description;
  if (!(startTime >= group.oldestStart)) group.oldestStart = startTime;
  if (stat.absent) return;
  estimate.processes++;
  if (proc.usage.percent >= 0) {
    estimate.usageKnown++;
    group.usage += proc.usage.percent;
  }
  const { rss } = memory;
  const { pss } = footprint;
  if (!(rss >= 0)) return;
  estimate.memoryKnown = true;
  if (isIoRefused(proc)) estimate.ioRefused = true;
  else if (proc.io.readBytes >= 0) estimate.ioKnown = true;
  if (withParent) return;
  group.rss += rss;
  if (isEstimated(proc)) group.estimatedRss += rss;
  if (footprint.hugetlb > 0) group.kinds[HUGETLB]! += ownHugetlbOf(proc);
  group.kinds[PAGE_TABLES]! += footprint.pageTables || 0;
  if (footprint.swap >= 0) {
    estimate.swapKnown = true;
    if (footprint.swap > 0) group.swap += proportionalSwapOf(proc);
  }
  if (pss >= 0) {
    estimate.pssKnown = true;
    estimate.measured += pss;
    group.pss += pss;
    group.uss += footprint.uss;
    const anonymous = anonymousOf(proc);
    const shared = sharedOf(proc);
    group.kinds[ANONYMOUS]! += anonymous;
    group.kinds[FILE]! += pss - anonymous - shared;
    group.kinds[SHARED]! += shared;
    if (Number.isNaN(shared)) estimate.unsplitShmem = Math.max(estimate.unsplitShmem, footprint.rssShmem || 0);
    if (proc.measurement.confirmed >= since) estimate.fresh += rss;
  } else {
    estimate.anonymous += Math.max(0, rss - memory.shared || 0);
    estimate.file = Math.max(estimate.file, footprint.rssFile >= 0 ? footprint.rssFile : memory.shared || 0);
    estimate.shmem = Math.max(estimate.shmem, footprint.rssShmem || 0);
  }
}

/** Turns sums of nothing into NaN: a value that is known of no process of the group is not zero. */
function finish(group: GroupRow, estimate: Estimate): void {
  const { rss, counters } = group;
  // No estimate makes the footprint larger than RSS: what is most certain stays.
  let room = Math.max(0, rss - estimate.measured);
  for (const part of ['anonymous', 'file', 'shmem'] as const) {
    estimate[part] = Math.min(estimate[part], room);
    room -= estimate[part];
  }
  if (rss > 0) group.coverage = estimate.fresh / rss;
  if (estimate.processes > 0 && estimate.usageKnown === 0) group.usage = Number.NaN;
  if (!estimate.memoryKnown) return;
  group.ioKnown = estimate.ioKnown || (!estimate.ioRefused && counters.readBytes + counters.writeBytes > 0);
  if (!estimate.pssKnown) {
    group.pss = Number.NaN;
    group.uss = Number.NaN;
  }
  if (!estimate.swapKnown) group.swap = Number.NaN;
}

/**
 * All footprints together do not exceed the host's memory, as far as that is for estimates to decide: where the sum is too
 * large, the estimated parts are cut in proportion. What was measured stays: the kernel said it, and no process may make
 * the footprint of another group smaller. Of 1,000 bytes, a measured 600 and an estimated 1,000 become 600 and 400.
 *
 * The measured parts alone can exceed the memory. Processes that share one address space (clone(2), CLONE_VM without
 * CLONE_THREAD) have the PSS of all of it, each of them; the kernel has no count of them. Then nothing is left for estimates.
 * @returns bytes by which the measured parts alone exceed the memory; 0 where they do not
 */
function withinHost(groups: Estimates, total: number): number {
  let measured = 0;
  let estimated = 0;
  for (const [group, estimate] of groups) {
    measured += certainOf(group, estimate);
    estimated += estimatedOf(estimate);
  }
  if (Number.isNaN(total) || measured + estimated <= total) return 0;
  const kept = Math.max(0, total - measured) / Math.max(1, estimated);
  for (const [, estimate] of groups) cut(estimate, kept);
  return Math.max(0, measured - total);
}

/** What the kernel said of a group: measured PSS, huge pages, page tables and kernel stacks. */
const certainOf = ({ kinds }: GroupRow, { measured }: Estimate): number =>
  measured + kinds[HUGETLB]! + kinds[PAGE_TABLES]! + (kinds[STACKS]! || 0);

const estimatedOf = ({ anonymous, file, shmem }: Estimate): number => anonymous + file + shmem;

function cut(estimate: Estimate, kept: number): void {
  estimate.anonymous = Math.floor(estimate.anonymous * kept);
  estimate.file = Math.floor(estimate.file * kept);
  estimate.shmem = Math.floor(estimate.shmem * kept);
}

/** The footprint is the sum of its kinds. */
function addEstimate(group: GroupRow, estimate: Estimate): void {
  const { kinds } = group;
  group.footprint = certainOf(group, estimate) + estimatedOf(estimate);
  kinds[ANONYMOUS]! += estimate.anonymous;
  kinds[FILE]! += estimate.file;
  kinds[SHARED]! += estimate.shmem;
}

const threadsOf = (processes: readonly Process[]): number => {
  let threads = 0;
  for (const { stat } of processes) threads += stat.threads;
  return threads;
};
