// Credits what short-lived children spent, once. A parent's cutime, cstime and io hold a child's whole life, of which the
// part that was seen while it lived is in the ledgers already; only what is left over is credited, to the parent's group.
import type { ReapedUsage } from './group-counters.ts';
import type { Process } from './process.ts';

/** What a process that is gone had spent when last seen. It comes back in the counters of the ancestor that reaped it. */
interface Debt {
  readonly of: Process;
  readonly owed: ReapedUsage;
  /** No pass has ended yet since the process did. */
  fresh: boolean;
  /** Who may have reaped it, nearest first: its ancestors when it was found gone, without those that are gone since. */
  reapers: readonly Process[];
}

const KINDS = ['user', 'system', 'readBytes', 'writeBytes'] as const satisfies (keyof ReapedUsage)[];

/** Deeper trees of processes than this are not followed. */
const DEEPEST = 200;

export class ReapedChildren {
  #debts: Debt[] = [];
  readonly #dead = new Map<number, Process>();
  readonly #risen = new Set<Process>();

  /** What a process may have from its children has risen: `unsettled` says by how much. */
  rose(proc: Process): void {
    this.#risen.add(proc);
  }

  ended(proc: Process): void {
    this.#dead.set(proc.pid, proc);
    const owed = {
      user: proc.user + proc.childrenUser,
      system: proc.system + proc.childrenSystem,
      readBytes: proc.readBytes || 0,
      writeBytes: proc.writeBytes || 0,
    };
    if (isOpen(owed)) this.#debts.push({ of: proc, owed, fresh: true, reapers: [] });
  }

  /**
   * Ends a pass that was read ancestors first: takes from every rise what was seen already, and credits the rest.
   * Whoever has the fewest ancestors to ask comes first, so that none finds taken what nobody else could have given it.
   */
  settle(living: ReadonlyMap<number, Process>): void {
    for (const debt of this.#debts) if (debt.fresh) debt.reapers = this.#ancestors(debt.of, living);
    this.#debts.sort((a, b) => a.reapers.length - b.reapers.length);
    this.#debts = this.#debts.filter(mayReturn);
    for (const proc of this.#risen) {
      proc.counters.creditInherited(proc.unsettled);
      for (const kind of KINDS) proc.unsettled[kind] = 0;
    }
    this.#risen.clear();
    this.#dead.clear();
  }

  #ancestors(of: Process, living: ReadonlyMap<number, Process>): Process[] {
    const ancestors: Process[] = [];
    for (let next = this.#parent(of, living); next && ancestors.length < DEEPEST; next = this.#parent(next, living)) {
      ancestors.push(next);
    }
    return ancestors;
  }

  #parent(child: Process, living: ReadonlyMap<number, Process>): Process | undefined {
    for (const known of [this.#dead.get(child.ppid), living.get(child.ppid)]) {
      if (known && known !== child && known.startTicks <= child.startTicks) return known;
    }
    return undefined;
  }
}

/** Ticks are decimal fractions: what is left of their sums below a microsecond is rounding dust. */
const isOpen = ({ user, system, readBytes, writeBytes }: ReapedUsage): boolean =>
  user + system > 1e-6 || readBytes + writeBytes > 0;

/**
 * Whoever reaped it, parent, subreaper or init, is an ancestor: the nearest one whose counters rose is taken to be it.
 * @returns whether more may come back at the next pass: an ancestor may have been read before the child ended, and
 *   what one had that ended as well is on its way to the next. What never comes is of a child nobody waited for.
 */
function mayReturn(debt: Debt): boolean {
  const { owed, fresh, reapers } = debt;
  for (const { unsettled } of reapers) {
    for (const kind of KINDS) {
      const returned = Math.min(owed[kind], unsettled[kind]);
      owed[kind] -= returned;
      unsettled[kind] -= returned;
    }
    if (!isOpen(owed)) return false;
  }
  debt.fresh = false;
  debt.reapers = reapers.filter(({ ended }) => !ended);
  return fresh || reapers.some(({ ended, zombie }) => ended || zombie);
}
