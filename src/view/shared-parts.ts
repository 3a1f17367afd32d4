// Divides what processes share among those that share it, so that processes sum to their group and groups to the host. What
// is to be divided is known only when all processes were added up, so each process that shares is noted until then.
import { sharedHugetlbOf, swappedSharedOf } from '../footprint/kinds.ts';
import type { Process } from '../process/process.ts';
import { kindColumns, type ProcessRows } from './process-rows.ts';
import type { GroupRow } from './view.ts';

/** A process that shares memory: its group, its row, and how many of the bytes that may be shared it has. */
interface Sharer {
  readonly group: GroupRow;
  readonly row: number;
  readonly bytes: number;
  /** Its address space beside the resident pages: no segment that it maps is larger. */
  readonly space: number;
}

const HUGETLB = kindColumns.indexOf('hugetlb');

export class SharedParts {
  readonly #swapped = new Map<GroupRow, Sharer[]>();
  readonly #hugePages = new Map<GroupRow, Sharer[]>();

  /** Notes what of a process other processes may have as well. @param row where its numbers stand */
  note(group: GroupRow, proc: Process, row: number): void {
    const { swap, hugetlb } = proc.footprint;
    if (!(swap > 0 || hugetlb > 0)) return;
    const space = proc.stat.virtualSize - proc.memory.rss;
    const swapped = swappedSharedOf(proc);
    if (swapped > 0) add(this.#swapped, { group, row, bytes: swapped, space });
    const huge = sharedHugetlbOf(proc);
    if (huge > 0) add(this.#hugePages, { group, row, bytes: huge, space });
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
   * processes that ended are in none. The host knows how many are in use. What no process has alone belongs to the groups
   * that map shared ones, as far as their address spaces have room for it: in a container the host's number has the pages of
   * others too. Each group has a part by its process that has most, because many processes with the same pages are no more.
   * @param groups of all processes
   * @param used bytes; NaN where the host does not say it
   */
  divideHugePages(groups: Iterable<GroupRow>, used: number, rows: ProcessRows): void {
    let own = 0;
    for (const { kinds } of groups) own += kinds[HUGETLB]!;
    const largest: Sharer[] = [];
    let room = 0;
    for (const sharers of this.#hugePages.values()) {
      largest.push(largestOf(sharers));
      room += roomOf(sharers);
    }
    const shared = Number.isNaN(used) ? sum(largest) : Math.min(room, Math.max(0, used - own));
    divide(shared, largest, ({ group }, whole) => {
      group.kinds[HUGETLB]! += whole;
      divide(whole, this.#hugePages.get(group)!, ({ row }, part) => {
        rows.hugetlb[row]! += part;
      });
    });
  }
}

function add(sharers: Map<GroupRow, Sharer[]>, sharer: Sharer): void {
  const others = sharers.get(sharer.group);
  if (others) others.push(sharer);
  else sharers.set(sharer.group, [sharer]);
}

const largestOf = (sharers: readonly Sharer[]): Sharer => sharers.reduce((a, b) => (b.bytes > a.bytes ? b : a));

/** The most that segments of a group can be: what its processes have, or the largest address space of one of them. */
const roomOf = (sharers: readonly Sharer[]): number =>
  sharers.reduce((room, { space }) => Math.max(room, space), sum(sharers));

function sum(sharers: readonly Sharer[]): number {
  let all = 0;
  for (const { bytes } of sharers) all += bytes;
  return all;
}

/**
 * Divides whole bytes in proportion to what each sharer has. The parts are whole, and sum to all of it exactly: of 100 bytes,
 * three sharers with equal parts have 33, 33 and 34.
 */
function divide(whole: number, sharers: readonly Sharer[], give: (sharer: Sharer, part: number) => void): void {
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
