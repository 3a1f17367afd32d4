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
}

const HUGETLB = kindColumns.indexOf('hugetlb');

export class SharedParts {
  readonly #swapped = new Map<GroupRow, Sharer[]>();
  readonly #hugePages: Sharer[] = [];

  /** Notes what of a process other processes may have as well. @param row where its numbers stand */
  note(group: GroupRow, proc: Process, row: number): void {
    const swapped = swappedSharedOf(proc);
    if (swapped > 0) {
      const sharers = this.#swapped.get(group) ?? [];
      this.#swapped.set(group, sharers);
      sharers.push({ group, row, bytes: swapped });
    }
    const hugetlb = sharedHugetlbOf(proc);
    if (hugetlb > 0) this.#hugePages.push({ group, row, bytes: hugetlb });
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
   * Each process that maps a shared segment of huge pages has all of it. The host knows how many are in use: what no process
   * has alone belongs to those that map shared ones, in proportion to what each of them maps.
   * @param groups of all processes
   * @param used bytes; NaN where the host does not say it
   */
  divideHugePages(groups: Iterable<GroupRow>, used: number, rows: ProcessRows): void {
    let own = 0;
    for (const { kinds } of groups) own += kinds[HUGETLB]!;
    const mapped = sum(this.#hugePages);
    const shared = mapped > used - own ? Math.max(0, used - own) : mapped;
    divide(shared, this.#hugePages, ({ group, row }, part) => {
      group.kinds[HUGETLB]! += part;
      rows.hugetlb[row]! += part;
    });
  }
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
