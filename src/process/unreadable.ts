// How many processes have a file that cannot be read, and why: a value that cannot be read is left out and counted here,
// never exported as 0. A gauge that is kept up to date as files become unreadable, readable again, or go with their process.
import { type ProcessFile, reasonOf, type UnreadableReason } from '../kernel/files.ts';
import type { Process, UnreadableFiles } from './process.ts';

/** Files whose absence is counted. */
export type CountedFile = ProcessFile | 'exe';

export interface UnreadableCount {
  readonly file: CountedFile;
  readonly reason: UnreadableReason;
  readonly processes: number;
}

export class Unreadable {
  readonly #counts = new Map<CountedFile, Map<UnreadableReason, number>>();

  /**
   * Notes that a file of a process gave no value. A late read of a process that has ended does not count.
   * @throws the error itself where it is not a KernelFileError: that is a fault of this program
   */
  note(proc: Process, file: CountedFile, error: unknown): UnreadableReason {
    const reason = reasonOf(error);
    if (proc.stat.ended) return reason;
    this.clear(proc, file);
    const unreadable: UnreadableFiles = proc.unreadable;
    unreadable.reasons ??= new Map();
    unreadable.reasons.set(file, reason);
    this.add(file, reason, 1);
    return reason;
  }

  /** The file gave a value (again). */
  clear(proc: Process, file: CountedFile): void {
    const { reasons } = proc.unreadable;
    if (!reasons) return;
    const reason = reasons.get(file);
    if (!reason) return;
    reasons.delete(file);
    this.add(file, reason, -1);
  }

  /** The process has ended: its files no longer count. */
  forget(proc: Process): void {
    const unreadable: UnreadableFiles = proc.unreadable;
    for (const [file, reason] of unreadable.reasons ?? []) this.add(file, reason, -1);
    unreadable.reasons = undefined;
  }

  /** Adds processes to a count, also of such as have no `Process`; a negative number takes them away. */
  add(file: CountedFile, reason: UnreadableReason, processes: number): void {
    let reasons = this.#counts.get(file);
    if (!reasons) {
      reasons = new Map();
      this.#counts.set(file, reasons);
    }
    reasons.set(reason, (reasons.get(reason) ?? 0) + processes);
  }

  counts(): UnreadableCount[] {
    const counts: UnreadableCount[] = [];
    for (const [file, reasons] of this.#counts) {
      for (const [reason, processes] of reasons) counts.push({ file, reason, processes });
    }
    return counts;
  }
}
