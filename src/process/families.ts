// Who shares pages with whom: processes of one executable, and a parent with its children. What one of them does may
// move what the others hold.
import { Family, type Process, type Who } from './process.ts';

export class Families {
  readonly #byKey = new Map<string, Family>();
  readonly #parentOf: (child: Process) => Process | undefined;

  constructor(parentOf: (child: Process) => Process | undefined) {
    this.#parentOf = parentOf;
  }

  /** Puts a process into the family of its executable, and out of the one it was in. */
  join(process: Process): void {
    const key = keyOf(process.who);
    if (process.family?.key === key) return;
    if (process.family) this.leave(process);
    let family = this.#byKey.get(key);
    if (!family) {
      family = new Family(key);
      this.#byKey.set(key, family);
    }
    family.members++;
    process.family = family;
    this.#tellParent(process, process.shared);
  }

  leave(process: Process): void {
    const { family } = process;
    if (--family.members === 0) this.#byKey.delete(family.key);
    this.#tellParent(process, process.shared);
    process.parent = undefined;
  }

  /** A process touched memory or gave it back. @param bytes how much */
  touched(process: Process, bytes: number): void {
    process.activity += bytes;
    if (!process.family) return;
    process.family.activity += bytes;
    this.#tellParent(process, bytes);
  }

  #tellParent(process: Process, bytes: number): void {
    const parent = this.#parentOf(process);
    process.parent = parent?.family === process.family ? undefined : parent;
    if (process.parent && bytes > 0) process.parent.childrenActivity += bytes;
  }
}

const keyOf = ({ identity: { exe, name } }: Who): string => exe || name;
