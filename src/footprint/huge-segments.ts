// Finds the segments of huge pages that a process shares. smaps_rollup tells how many bytes it shares; only smaps names the
// segments. Without the names, nobody knows which groups share a segment. To read smaps takes at least as long as to read
// smaps_rollup, so we read it rarely, and only of a process that shares huge pages: when the process is new, when it ran
// another program, when the number of its pages changed and another segment can be the reason, and by age.
import type { HugeSegment } from '../kernel/huge-mappings.ts';
import type { Process, SegmentReading } from '../process/process.ts';
import type { FootprintOptions } from './options.ts';
import type { ReadBudget, ReadLength } from './read-budget.ts';
import { SHORT_READ_MAX } from './read-cost.ts';
import { isDueByAge } from './read-need.ts';

/** What a first read of smaps takes, as a multiple of what smaps_rollup takes: it writes a kilobyte for each mapping. */
const OVER_ROLLUP = 2;

/** A read of smaps that may begin, with its part of the budget. */
export interface SegmentRead {
  readonly proc: Process;
  /** Taken from its part of the budget until it is known what the read took, seconds. */
  readonly reserved: number;
  readonly length: ReadLength;
  readonly file: 'smaps';
}

/** The processes of which smaps has to be read. */
export class SegmentsWanted {
  readonly #wanted = new Set<Process>();
  /** Those that are being read, or wait for that. */
  readonly #taken = new WeakSet<Process>();

  /** Call when smaps_rollup was read. @param at kernel time, seconds since boot */
  consider(proc: Process, at: number, maxAge: number): void {
    if (needsSegments(proc, at, maxAge)) this.#wanted.add(proc);
  }

  /** Those reads that the budget allows now; it is taken from. @param predict what smaps_rollup will take, seconds */
  take(budget: ReadBudget, predict: (proc: Process) => number, options: FootprintOptions, at: number): SegmentRead[] {
    const reads: SegmentRead[] = [];
    for (const proc of this.#wanted) {
      if (this.#taken.has(proc)) continue;
      const reserved = predictSegments(proc, predict(proc));
      const length = reserved < SHORT_READ_MAX ? 'short' : reserved <= options.maxRead ? 'long' : 'huge';
      if (budget.isExhausted(length)) continue;
      this.#wanted.delete(proc);
      if (proc.stat.ended || !mayReadSegments(proc, reserved, options, at)) continue;
      budget.take(length, reserved);
      reads.push({ proc, reserved, length, file: 'smaps' });
      this.#taken.add(proc);
    }
    return reads;
  }

  /** A read that was taken has ended. */
  done(proc: Process): void {
    this.#taken.delete(proc);
  }

  clear(): void {
    this.#wanted.clear();
  }
}

/** Whether to read smaps, now that smaps_rollup was read. @param at kernel time, seconds since boot */
function needsSegments({ measurement, stat, pid }: Process, at: number, maxAge: number): boolean {
  const { segments, sharedHugetlb } = measurement;
  if (sharedHugetlb === 0) return false;
  if (!segments || segments.execs !== stat.execs || isDueByAge(pid, segments.at, at, maxAge)) return true;
  if (segments.sharedHugetlb === sharedHugetlb) return false;
  // Of a single segment all are, unless another one was mapped since.
  return segments.list.length > 1 || stat.virtualSize > segments.virtualSize;
}

/** What a read of smaps will take, seconds. @param rollup what smaps_rollup is predicted to take */
const predictSegments = ({ measurement: { segments } }: Process, rollup: number): number =>
  segments ? Math.max(segments.took, rollup) : OVER_ROLLUP * rollup;

/** Whether so long a read may happen now: one over `maxRead` only the first time and by age, and in a guest never. */
function mayReadSegments(proc: Process, predicted: number, options: FootprintOptions, at: number): boolean {
  if (options.mode === 'exact' || predicted <= options.maxRead) return true;
  const { segments } = proc.measurement;
  return !options.guest && (!segments || isDueByAge(proc.pid, segments.at, at, options.maxAge));
}

export function segmentReadingOf(
  { stat, measurement }: Process,
  list: readonly HugeSegment[],
  took: number,
  at: number,
): SegmentReading {
  const { execs, virtualSize } = stat;
  return { list, at, took, execs, sharedHugetlb: measurement.sharedHugetlb, virtualSize };
}

/**
 * The segments of which a process has shared huge pages, as far as they are known; their bytes are `shared` at most.
 * @param shared bytes that it shares now: of a single segment all are
 */
export function knownSegmentsOf({ measurement, stat }: Process, shared: number): readonly HugeSegment[] {
  const { segments } = measurement;
  if (!segments || segments.execs !== stat.execs) return [];
  const { list } = segments;
  let known = 0;
  for (const { bytes } of list) known += bytes;
  if (known === shared || known === 0 || (known < shared && list.length > 1)) return list;
  return list.map(({ key, bytes, size }) => ({ key, bytes: Math.floor((bytes * shared) / known), size }));
}
