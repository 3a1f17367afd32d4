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
  readonly #hugePages: Sharer[] = [];

  /** Notes what of a process other processes may have as well. @param row where its numbers stand */
  note(group: GroupRow, proc: Process, row: number): void {
    const { swap, hugetlb } = proc.footprint;
    if (!(swap > 0 || hugetlb > 0)) return;
    const space = proc.stat.virtualSize - proc.memory.rss;
    const swapped = swappedSharedOf(proc);
    if (swapped > 0) {
      const sharers = this.#swapped.get(group) ?? [];
      this.#swapped.set(group, sharers);
      sharers.push({ group, row, bytes: swapped, space });
    }
    const huge = sharedHugetlbOf(proc);
    if (huge > 0) this.#hugePages.push({ group, row, bytes: huge, space });
  }

  /** Swapped-out shared memory counts once in a group: as much as the process has that has most of it. */
  divideSwap(rows: ProcessRows): void {
    for (const [group, sharers] of this.#swapped) {
      let most = 0;
      for (const { bytes } of sharers) most = Math.max(most, bytes);
      group.swap += most;
      divide(most, sharers, ({ row }, part) => {
        rows.swap[row]! += part;
      });
    }
  }

  /**
   * A process has those pages of a shared segment that it touched itself, so what all have together says little: pages that
   * several touched are in each, and pages of processes that ended are in none. The host knows how many are in use. What no
   * process has alone belongs to those that map shared ones, in proportion to what each has, as far as their address spaces
   * have room for it: in a container the host's number has the pages of others too.
   * @param groups of all processes
   * @param used bytes; NaN where the host does not say it
   */
  divideHugePages(groups: Iterable<GroupRow>, used: number, rows: ProcessRows): void {
    let own = 0;
    for (const { kinds } of groups) own += kinds[HUGETLB]!;
    const most = Math.max(sum(this.#hugePages), roomOf(this.#hugePages));
    const shared = Number.isNaN(used) ? sum(this.#hugePages) : Math.min(most, Math.max(0, used - own));
    divide(shared, this.#hugePages, ({ group, row }, part) => {
      group.kinds[HUGETLB]! += part;
      rows.hugetlb[row]! += part;
    });
  }
}

/** The most that shared segments can be: in each group, those of the process with the largest address space. */
function roomOf(sharers: readonly Sharer[]): number {
  const rooms = new Map<GroupRow, number>();
  for (const { group, space } of sharers) rooms.set(group, Math.max(rooms.get(group) ?? 0, space));
  let room = 0;
  for (const space of rooms.values()) room += space;
  return room;
}

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
