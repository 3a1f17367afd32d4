// Who shares pages with whom: processes of one executable, and a parent with its children. What one of them does may
// move what the others hold.
import { type Process, type ProcessDescription, Sharers } from './process.ts';

export class PageSharing {
  readonly #byKey = new Map<string, Sharers>();
  readonly #parentOf: (child: Process) => Process | undefined;

  constructor(parentOf: (child: Process) => Process | undefined) {
    this.#parentOf = parentOf;
  }

  /** Puts a process into the family of its executable, and out of the one it was in. */
  join(proc: Process): void {
    const key = keyOf(proc.description);
    if (proc.sharers?.key === key) return;
    if (proc.sharers) this.leave(proc);
    let family = this.#byKey.get(key);
    if (!family) {
      family = new Sharers(key);
      this.#byKey.set(key, family);
    }
    family.members++;
    proc.sharers = family;
    this.#tellParent(proc, proc.shared);
  }

  leave(proc: Process): void {
    const { sharers: family } = proc;
    if (--family.members === 0) this.#byKey.delete(family.key);
    this.#tellParent(proc, proc.shared);
    proc.parent = undefined;
  }

  /** A process touched memory or gave it back. @param bytes how much */
  touched(proc: Process, bytes: number): void {
    proc.activity += bytes;
    if (!proc.sharers) return;
    proc.sharers.activity += bytes;
    this.#tellParent(proc, bytes);
  }

  #tellParent(proc: Process, bytes: number): void {
    const parent = this.#parentOf(proc);
    proc.parent = parent?.sharers === proc.sharers ? undefined : parent;
    if (proc.parent && bytes > 0) proc.parent.childrenActivity += bytes;
  }
}

const keyOf = ({ identity: { exe, name } }: ProcessDescription): string => exe || name;
