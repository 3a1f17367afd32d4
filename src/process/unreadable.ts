// Truthful absence: how many processes a file could not be read for, and why. A gauge kept up as things change.
import { reasonOf, type UnreadableReason } from '../kernel/files.ts';
import type { Process } from './process.ts';

/** Files whose absence is counted. */
export type CountedFile = 'stat' | 'statm' | 'io' | 'status' | 'smaps_rollup' | 'cmdline' | 'cgroup' | 'exe';

export interface UnreadableCount {
  readonly file: CountedFile;
  readonly reason: UnreadableReason;
  readonly processes: number;
}

export class Unreadable {
  readonly #counts = new Map<CountedFile, Map<UnreadableReason, number>>();

  /**
   * Notes that a process's file gave no value; what a late read finds of a process that is gone does not count.
   * @throws what is not a KernelFileError: a fault of ours
   */
  note(proc: Process, file: CountedFile, error: unknown): UnreadableReason {
    const reason = reasonOf(error);
    if (proc.ended) return reason;
    this.clear(proc, file);
    proc.unreadable ??= new Map();
    proc.unreadable.set(file, reason);
    this.add(file, reason, 1);
    return reason;
  }

  /** The file gave a value (again). */
  clear(proc: Process, file: CountedFile): void {
    const reason = proc.unreadable?.get(file) as UnreadableReason | undefined;
    if (!reason) return;
    proc.unreadable!.delete(file);
    this.add(file, reason, -1);
  }

  /** The process is gone, and with it what could not be read of it. */
  forget(proc: Process): void {
    for (const [file, reason] of proc.unreadable ?? []) this.add(file as CountedFile, reason as UnreadableReason, -1);
    proc.unreadable = undefined;
  }

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
