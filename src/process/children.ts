// Credits what short-lived children burned, once. A parent's cutime and cstime hold a child's whole life, of which the
// part that was seen while it lived is in the ledgers already; only what is left over is credited, to the parent's group.
import type { Process } from './process.ts';

/** CPU of a process that is gone, as last seen. It comes back in the children time of the ancestor that reaped it. */
interface Debt {
  /** The process, or once it was looked for in vain, the ancestor to ask again. */
  from: Process;
  user: number;
  system: number;
  /** An ancestor may have been read before the child ended: then it is asked once more at the next pass. */
  asked: boolean;
}

/** Deeper trees of processes than this are not followed. */
const DEEPEST = 200;

export class ReapedChildren {
  #debts: Debt[] = [];
  readonly #dead = new Map<number, Process>();
  readonly #reapers: Process[] = [];

  /** A living process's children time has risen: `reapedUser` and `reapedSystem` say by how much. */
  reaped(process: Process): void {
    this.#reapers.push(process);
  }

  ended(process: Process): void {
    this.#dead.set(process.pid, process);
    const user = process.user + process.childrenUser;
    const system = process.system + process.childrenSystem;
    if (user + system > 0) this.#debts.push({ from: process, user, system, asked: false });
  }

  /** Ends a pass: takes from every rise what was seen already, and credits the rest. */
  settle(living: ReadonlyMap<number, Process>): void {
    const open: Debt[] = [];
    for (const debt of this.#debts) {
      this.#collect(debt, living);
      if (debt.asked || debt.user + debt.system <= 0) continue;
      debt.asked = true;
      open.push(debt);
    }
    this.#debts = open;
    for (const reaper of this.#reapers) {
      reaper.ledger.creditCpu(reaper.reapedUser, reaper.reapedSystem);
      reaper.reapedUser = 0;
      reaper.reapedSystem = 0;
    }
    this.#reapers.length = 0;
    this.#dead.clear();
  }

  /** Whoever reaped it, parent, subreaper or init, is an ancestor: the nearest one whose time rose is taken to be it. */
  #collect(debt: Debt, living: ReadonlyMap<number, Process>): void {
    let ancestor: Process | undefined = debt.asked ? debt.from : this.#parent(debt.from, living);
    let nearest: Process | undefined;
    for (let depth = 0; ancestor && depth < DEEPEST; depth++) {
      if (this.#dead.get(ancestor.pid) !== ancestor) {
        nearest ??= ancestor;
        const user = Math.min(debt.user, ancestor.reapedUser);
        const system = Math.min(debt.system, ancestor.reapedSystem);
        ancestor.reapedUser -= user;
        ancestor.reapedSystem -= system;
        debt.user -= user;
        debt.system -= system;
        if (debt.user + debt.system <= 0) return;
      }
      ancestor = this.#parent(ancestor, living);
    }
    if (nearest) debt.from = nearest;
    else debt.asked = true;
  }

  #parent(child: Process, living: ReadonlyMap<number, Process>): Process | undefined {
    for (const known of [this.#dead.get(child.ppid), living.get(child.ppid)]) {
      if (known && known !== child && known.startTicks <= child.startTicks) return known;
    }
    return undefined;
  }
}
