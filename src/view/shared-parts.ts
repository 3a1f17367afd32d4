// Divides what processes share among those that share it, so that processes sum to their group and groups to the host. What
// is to be divided is known only when all processes were added up, so each process that shares is noted until then.
import { knownSegmentsOf } from '../footprint/huge-segments.ts';
import { sharedHugetlbOf, swappedSharedOf } from '../footprint/kinds.ts';
import type { Process } from '../process/process.ts';
import { kindColumns, type ProcessRows } from './process-rows.ts';
import type { GroupRow } from './view.ts';

/** A process that shares memory: its row, and how many of the bytes that may be shared it has. */
interface Sharer {
  readonly row: number;
  readonly bytes: number;
}

/** A process of whose shared huge pages the segments are not known. */
interface UnknownSharer extends Sharer {
  /** Its shared huge pages of all segments, bytes. */
  readonly all: number;
  /** Its address space beside the resident pages: no segment that it maps is larger, bytes. */
  readonly space: number;
}

/** A segment of huge pages, or all that a group has of unknown ones. */
interface Segment {
  /** Bytes that are surely in use: what the process has that has most. */
  bytes: number;
  /** Bytes that it has at most. */
  size: number;
  readonly sharers: Map<GroupRow, Sharer[]>;
}

const HUGETLB = kindColumns.indexOf('hugetlb');

export class SharedParts {
  readonly #swapped = new Map<GroupRow, Sharer[]>();
  readonly #segments = new Map<string, Segment>();
  readonly #unknown = new Map<GroupRow, UnknownSharer[]>();

  /** Notes what of a process other processes may have as well. @param row where its numbers stand */
  note(group: GroupRow, proc: Process, row: number): void {
    const { swap, hugetlb } = proc.footprint;
    if (!(swap > 0 || hugetlb > 0)) return;
    const swapped = swappedSharedOf(proc);
    if (swapped > 0) add(this.#swapped, group, { row, bytes: swapped });
    const huge = sharedHugetlbOf(proc);
    if (huge > 0) this.#noteHugePages(group, proc, row, huge);
  }

  #noteHugePages(group: GroupRow, proc: Process, row: number, all: number): void {
    let rest = all;
    for (const { key, bytes, size } of knownSegmentsOf(proc, all)) {
      if (bytes === 0) continue;
      const segment = this.#segments.get(key) ?? { bytes: 0, size: 0, sharers: new Map() };
      this.#segments.set(key, segment);
      segment.bytes = Math.max(segment.bytes, bytes);
      segment.size = Math.max(segment.size, size, bytes);
      add(segment.sharers, group, { row, bytes });
      rest -= bytes;
    }
    if (rest <= 0) return;
    add(this.#unknown, group, { row, bytes: rest, all, space: proc.stat.virtualSize - proc.memory.rss });
  }

  /** Swapped-out shared memory counts once in a group: as much as the process has that has most of it. */
  divideSwap(rows: ProcessRows): void {
    for (const [group, sharers] of this.#swapped) {
      const { bytes } = largestOf(sharers);
      group.swap += bytes;
      divide(bytes, sharers, ({ row }, part) => {
        rows.swap[row]! += part;
      });
    }
  }

  /**
   * A process has those pages of a shared segment that it touched itself: pages that several touched are in each, and pages of
   * processes that ended are in none. The host knows how many are in use. What no process has alone belongs to the segments, as
   * far as they have room for it: in a container the host's number has the pages of others too. A segment belongs to the groups
   * that map it, a group has a part by its process that has most, because many processes with the same pages are no more.
   * @param groups of all processes
   * @param used bytes; NaN where the host does not say it
   */
  divideHugePages(groups: Iterable<GroupRow>, used: number, rows: ProcessRows): void {
    let own = 0;
    for (const { kinds } of groups) own += kinds[HUGETLB]!;
    const segments = [...this.#segments.values(), ...this.#unknownSegments()];
    const shared = Number.isNaN(used) ? sum(segments) : Math.max(0, used - own);
    fill(shared, segments, ({ sharers }, inUse) => {
      const largest = [...sharers].map(([group, those]) => ({ group, those, bytes: largestOf(those).bytes }));
      divide(inUse, largest, ({ group, those }, whole) => {
        group.kinds[HUGETLB]! += whole;
        divide(whole, those, ({ row }, part) => {
          rows.hugetlb[row]! += part;
        });
      });
    });
  }

  /** What a group has of unknown segments is one of its own; a process may also map those that others of its group map. */
  *#unknownSegments(): Generator<Segment> {
    for (const [group, sharers] of this.#unknown) {
      let known = 0;
      for (const segment of this.#segments.values()) if (segment.sharers.has(group)) known += segment.bytes;
      const bytes = sharers.reduce((most, { all }) => Math.max(most, all), 0) - known;
      if (bytes > 0) yield { bytes, size: roomOf(sharers), sharers: new Map([[group, sharers]]) };
    }
  }
}

function add<T extends Sharer>(sharers: Map<GroupRow, T[]>, group: GroupRow, sharer: T): void {
  const others = sharers.get(group);
  if (others) others.push(sharer);
  else sharers.set(group, [sharer]);
}

const largestOf = (sharers: readonly Sharer[]): Sharer => sharers.reduce((a, b) => (b.bytes > a.bytes ? b : a));

/** The most that segments of a group can be: what its processes have, or the largest address space of one of them. */
const roomOf = (sharers: readonly UnknownSharer[]): number =>
  sharers.reduce((room, { space }) => Math.max(room, space), sum(sharers));

function sum(parts: readonly { readonly bytes: number }[]): number {
  let all = 0;
  for (const { bytes } of parts) all += bytes;
  return all;
}

/**
 * Divides what is in use among segments in proportion to what is surely in use of each, but none gets more than its size.
 * Of 428 bytes in use, a segment of 256 with 256 touched and one of 512 with 42 touched have 256 and 172.
 */
function fill(whole: number, segments: Segment[], give: (segment: Segment, part: number) => void): void {
  segments.sort((a, b) => a.size / a.bytes - b.size / b.bytes);
  let left = whole;
  let weight = sum(segments);
  for (const segment of segments) {
    const part = Math.min(segment.size, Math.floor(left * (segment.bytes / weight)));
    give(segment, part);
    left -= part;
    weight -= segment.bytes;
  }
}

/**
 * Divides whole bytes in proportion to what each sharer has. The parts are whole, and sum to all of it exactly: of 100 bytes,
 * three sharers with equal parts have 33, 33 and 34.
 */
function divide<T extends { readonly bytes: number }>(
  whole: number,
  sharers: readonly T[],
  give: (sharer: T, part: number) => void,
): void {
  const all = sum(sharers);
  let counted = 0;
  let given = 0;
  for (const sharer of sharers) {
    counted += sharer.bytes;
    const until = Math.floor(whole * (counted / all));
    give(sharer, until - given);
    given = until;
  }
}
