// Truthful absence: how many processes a file could not be read for, and why. A gauge kept up as things change.
import { KernelFileError, type Reason } from '../kernel/files.ts';
import type { Process } from './process.ts';

/** Files whose absence is counted. */
export type CountedFile = 'stat' | 'statm' | 'io' | 'status' | 'smaps_rollup' | 'cmdline' | 'cgroup' | 'exe';

export interface UnreadableCount {
  readonly file: CountedFile;
  readonly reason: Reason;
  readonly processes: number;
}

export class Unreadable {
  readonly #counts = new Map<CountedFile, Map<Reason, number>>();

  /**
   * Notes that a process's file gave no value; what a late read finds of a process that is gone does not count.
   * @throws what is not a KernelFileError: a fault of ours
   */
  note(process: Process, file: CountedFile, error: unknown): Reason {
    const reason = reasonOf(error);
    if (process.ended) return reason;
    this.clear(process, file);
    process.unreadable ??= new Map();
    process.unreadable.set(file, reason);
    this.add(file, reason, 1);
    return reason;
  }

  /** The file gave a value (again). */
  clear(process: Process, file: CountedFile): void {
    const reason = process.unreadable?.get(file) as Reason | undefined;
    if (!reason) return;
    process.unreadable!.delete(file);
    this.add(file, reason, -1);
  }

  /** The process is gone, and with it what could not be read of it. */
  forget(process: Process): void {
    for (const [file, reason] of process.unreadable ?? []) this.add(file as CountedFile, reason as Reason, -1);
    process.unreadable = undefined;
  }

  add(file: CountedFile, reason: Reason, processes: number): void {
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

export function reasonOf(error: unknown): Reason {
  if (error instanceof KernelFileError) return error.reason;
  throw error;
}
