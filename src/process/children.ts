// Credits what short-lived children spent, once. A parent's cutime, cstime and io hold a child's whole life, of which the
// part that was seen while it lived is in the ledgers already; only what is left over is credited, to the parent's group.
import type { Inheritance } from './ledger.ts';
import type { Process } from './process.ts';

/** What a process that is gone had spent when last seen. It comes back in the counters of the ancestor that reaped it. */
interface Debt {
  readonly of: Process;
  readonly owed: Inheritance;
  /** Who may have reaped it, nearest first: its ancestors when it was found gone, without those that are gone since. */
  reapers: readonly Process[] | undefined;
}

const KINDS = ['user', 'system', 'readBytes', 'writeBytes'] as const satisfies (keyof Inheritance)[];

/** Deeper trees of processes than this are not followed. */
const DEEPEST = 200;

export class ReapedChildren {
  #debts: Debt[] = [];
  readonly #dead = new Map<number, Process>();
  readonly #risen = new Set<Process>();

  /** What a process may have from its children has risen: `unsettled` says by how much. */
  rose(process: Process): void {
    this.#risen.add(process);
  }

  ended(process: Process): void {
    this.#dead.set(process.pid, process);
    const owed = {
      user: process.user + process.childrenUser,
      system: process.system + process.childrenSystem,
      readBytes: process.readBytes || 0,
      writeBytes: process.writeBytes || 0,
    };
    if (isOpen(owed)) this.#debts.push({ of: process, owed, reapers: undefined });
  }

  /** Ends a pass that was read ancestors first: takes from every rise what was seen already, and credits the rest. */
  settle(living: ReadonlyMap<number, Process>): void {
    this.#debts = this.#debts.filter((debt) => this.#collect(debt, living));
    for (const process of this.#risen) {
      process.ledger.creditInherited(process.unsettled);
      for (const kind of KINDS) process.unsettled[kind] = 0;
    }
    this.#risen.clear();
    this.#dead.clear();
  }

  /**
   * Whoever reaped it, parent, subreaper or init, is an ancestor: the nearest one whose counters rose is taken to be it.
   * @returns whether more may come back at the next pass: an ancestor may have been read before the child ended, and
   *   what one had that ended as well is on its way to the next. What never comes is of a child nobody waited for.
   */
  #collect(debt: Debt, living: ReadonlyMap<number, Process>): boolean {
    const asked = debt.reapers ?? this.#ancestors(debt.of, living);
    for (const { unsettled } of asked) {
      for (const kind of KINDS) {
        const returned = Math.min(debt.owed[kind], unsettled[kind]);
        debt.owed[kind] -= returned;
        unsettled[kind] -= returned;
      }
      if (!isOpen(debt.owed)) return false;
    }
    const first = debt.reapers === undefined;
    debt.reapers = asked.filter(({ ended }) => !ended);
    return first || asked.some(({ ended, zombie }) => ended || zombie);
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
const isOpen = ({ user, system, readBytes, writeBytes }: Inheritance): boolean =>
  user + system > 1e-6 || readBytes + writeBytes > 0;
