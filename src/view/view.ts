// What everyone else may see: one immutable picture of the processes, the groups and the host after a collection.
// Numbers stand in columns, so that a picture of ten thousand processes is a dozen arrays. NaN: the value is not known.

import type { FootprintStatistics } from '../footprint/read-statistics.ts';
import type { HostMemory, Pressure } from '../kernel/host.ts';
import type { GroupCounters } from '../process/group-counters.ts';
import { type Process, type ProcessDescription, ZOMBIE } from '../process/process.ts';
import type { UnreadableCount } from '../process/unreadable.ts';
import type { CgroupView } from './cgroup-usage.ts';

/** States of metrics.md, in the order of `GroupRow.states`. */
export const STATES = ['running', 'sleeping', 'blocked', 'stopped', 'zombie', 'idle'] as const;

/** Processes with values of their own: no kernel threads unless they are asked for, no zombies. */
export class ProcessRows {
  length = 0;
  /** Pages that are written from these rows, or wait to be: they must not be filled anew. */
  readers = 0;
  readonly description: ProcessDescription[] = [];
  /** Bytes. */
  rss = new Float64Array(0);
  pss = new Float64Array(0);
  uss = new Float64Array(0);
  swap = new Float64Array(0);
  readBytes = new Float64Array(0);
  writeBytes = new Float64Array(0);
  /** Percent of one core. */
  usage = new Float64Array(0);
  /** CPU seconds since the process began. */
  time = new Float64Array(0);
  /** 1 where the process has series of its own. */
  shown = new Uint8Array(0);

  /** Empties the rows and makes room for so many. */
  reset(capacity: number): void {
    this.length = 0;
    this.description.length = 0;
    if (this.rss.length >= capacity) return;
    const size = Math.ceil(capacity * 1.25);
    for (const column of COLUMNS) this[column] = new Float64Array(size);
    this.shown = new Uint8Array(size);
  }
}

const COLUMNS = ['rss', 'pss', 'uss', 'swap', 'readBytes', 'writeBytes', 'usage', 'time'] as const;

/** Sums over every process of a subgroup, whatever is shown of them. Bytes, seconds, percent; NaN where none is known. */
export class GroupRow {
  /** Its names, and its counters as they stood at the collection. */
  readonly counters: GroupCounters;
  rss = 0;
  pss = 0;
  uss = 0;
  swap = 0;
  /** What the group really occupies. */
  footprint = 0;
  /** Share of the group's RSS whose PSS is measured and fresh, 0–1; NaN without RSS. */
  coverage = Number.NaN;
  usage = 0;
  /** Whether its storage I/O is known: it may be read of one of its processes, or of none because there is none. */
  ioKnown = true;
  /** Processes by state, as in STATES. */
  readonly states = new Float64Array(STATES.length);
  threads = 0;
  /** Unix time; NaN while nothing runs. */
  oldestStart = Number.NaN;
  /** Whether it has series; false only where the budget of series is spent. */
  shown = true;
  /** Processes of the group that are not shown, as one; undefined unless asked for. */
  rest: Rest | undefined = undefined;

  constructor(ledger: GroupCounters) {
    this.counters = ledger;
  }

  get processes(): number {
    return this.states.reduce((sum, count) => sum + count, 0);
  }

  /** CPU seconds: of living processes since each began, and of those that are gone. */
  get time(): number {
    const { before, user, system } = this.counters;
    return Math.round((before + user + system) * 1e6) / 1e6;
  }
}

export interface Rest {
  rss: number;
  pss: number;
  uss: number;
  swap: number;
  usage: number;
  time: number;
}

export interface HostRow {
  readonly memory: HostMemory;
  /** Undefined where the kernel does not tell. */
  readonly pressure: Pressure | undefined;
  /** Logical CPUs that are online; NaN where the kernel does not tell. */
  readonly cpus: number;
}

export interface ProcessView {
  /** Kernel time of the collection, seconds since boot. */
  readonly at: number;
  readonly host: HostRow;
  readonly rows: ProcessRows;
  readonly groups: readonly GroupRow[];
  /** Undefined unless they are asked for. */
  readonly cgroups: CgroupView | undefined;
  /** Processes seen, kernel threads and zombies included. */
  readonly seen: number;
  readonly unreadable: readonly UnreadableCount[];
  readonly footprints: FootprintStatistics;
  /** Age of the oldest sample, seconds; NaN where there is none. */
  readonly oldestSample: number;
}

export interface ViewOptions {
  readonly kernelThreads: boolean;
  /** A sample up to this age, seconds, counts as fresh. */
  readonly freshFor: number;
}

/** What a group's unmeasured processes are known to hold: anonymous pages add up, shared ones are counted once. */
interface Estimate {
  measured: number;
  anonymous: number;
  file: number;
  shmem: number;
  fresh: number;
  memoryKnown: boolean;
  pssKnown: boolean;
  swapKnown: boolean;
  /** Processes, and those whose percentage is known. */
  processes: number;
  usageKnown: number;
  ioKnown: boolean;
}

export interface Summary {
  readonly groups: GroupRow[];
  readonly oldestSample: number;
}

/** Fills rows and sums groups; yields where it may be interrupted. */
export function* summarise(
  processes: readonly Process[],
  ledgers: Iterable<GroupCounters>,
  rows: ProcessRows,
  host: HostRow,
  options: ViewOptions,
  at: number,
): Generator<void, Summary, void> {
  const groups = new Map<GroupCounters, GroupRow>();
  const estimates = new Map<GroupRow, Estimate>();
  for (const ledger of ledgers) {
    const group = new GroupRow(ledger.copy());
    groups.set(ledger, group);
    estimates.set(group, emptyEstimate());
  }
  let oldest = Number.NaN;
  for (let index = 0; index < processes.length; index++) {
    const proc = processes[index]!;
    const group = groups.get(proc.membership.counters)!;
    addToGroup(group, estimates.get(group)!, proc, options, at);
    const sampled = !proc.stat.absent && proc.footprint.pss >= 0;
    if (sampled && !(at - proc.measurement.at <= oldest)) oldest = at - proc.measurement.at;
    if (!proc.stat.absent && !proc.zombie && (!proc.kernelThread || options.kernelThreads)) append(rows, proc);
    if (index % 128 === 127) yield;
  }
  for (const [group, estimate] of estimates) finish(group, estimate);
  withinHost([...estimates], host.memory.total);
  return { groups: [...groups.values()].sort(byName), oldestSample: oldest };
}

const byName = ({ counters: a }: GroupRow, { counters: b }: GroupRow): number =>
  a.group === b.group ? compare(a.subgroup, b.subgroup) : compare(a.group, b.group);
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const emptyEstimate = (): Estimate => ({
  measured: 0,
  anonymous: 0,
  file: 0,
  shmem: 0,
  fresh: 0,
  memoryKnown: false,
  pssKnown: false,
  swapKnown: false,
  processes: 0,
  usageKnown: 0,
  ioKnown: false,
});

function append(rows: ProcessRows, proc: Process): void {
  const row = rows.length++;
  rows.description[row] = proc.description;
  rows.rss[row] = proc.memory.rss;
  rows.pss[row] = proc.footprint.pss;
  rows.uss[row] = proc.footprint.uss;
  rows.swap[row] = proc.footprint.swap;
  rows.readBytes[row] = proc.io.readBytes;
  rows.writeBytes[row] = proc.io.writeBytes;
  rows.usage[row] = proc.usage.percent;
  rows.time[row] = proc.stat.user + proc.stat.system;
  rows.shown[row] = 1;
}

function addToGroup(group: GroupRow, estimate: Estimate, proc: Process, options: ViewOptions, at: number): void {
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
  if (proc.io.readBytes >= 0) estimate.ioKnown = true;
  group.rss += rss;
  if (footprint.swap >= 0) {
    estimate.swapKnown = true;
    group.swap += footprint.swap;
  }
  if (pss >= 0) {
    estimate.pssKnown = true;
    estimate.measured += pss;
    group.pss += pss;
    group.uss += footprint.uss;
    if (at - proc.measurement.at <= options.freshFor) estimate.fresh += rss;
  } else {
    estimate.anonymous += rss - memory.shared;
    estimate.file = Math.max(estimate.file, footprint.rssFile >= 0 ? footprint.rssFile : memory.shared);
    estimate.shmem = Math.max(estimate.shmem, footprint.rssShmem || 0);
  }
}

/** Nothing known of a group that has processes is not zero. */
function finish(group: GroupRow, estimate: Estimate): void {
  const { rss } = group;
  group.footprint = Math.min(rss, estimate.measured + estimate.anonymous + estimate.file + estimate.shmem);
  if (rss > 0) group.coverage = estimate.fresh / rss;
  if (estimate.processes > 0 && estimate.usageKnown === 0) group.usage = Number.NaN;
  if (!estimate.memoryKnown) return;
  group.ioKnown = estimate.ioKnown || group.counters.readBytes + group.counters.writeBytes > 0;
  if (!estimate.pssKnown) {
    group.pss = Number.NaN;
    group.uss = Number.NaN;
  }
  if (!estimate.swapKnown) group.swap = Number.NaN;
}

/** All footprints together never exceed the host's memory: estimates give way first, then everything in proportion. */
function withinHost(groups: readonly (readonly [GroupRow, Estimate])[], total: number): void {
  let sum = 0;
  let measured = 0;
  for (const [group, estimate] of groups) {
    sum += group.footprint;
    measured += Math.min(group.footprint, estimate.measured);
  }
  if (sum <= total) return;
  const keptMeasured = Math.min(1, total / measured);
  const keptEstimated = Math.max(0, total - measured) / Math.max(1, sum - measured);
  for (const [group, estimate] of groups) {
    const certain = Math.min(group.footprint, estimate.measured);
    group.footprint = Math.floor(certain * keptMeasured + (group.footprint - certain) * keptEstimated);
  }
}

/** proc(5), state: R; S; D; T and t; Z and X; I, and P, W, K of older kernels. */
function stateIndex(code: number): number {
  if (code === 0x53) return 1;
  if (code === 0x52) return 0;
  if (code === 0x44) return 2;
  if (code === 0x54 || code === 0x74) return 3;
  if (code === ZOMBIE || code === 0x58) return 4;
  return 5;
}
