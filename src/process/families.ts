// Keeps processes of one executable together: they share pages, so what one of them does may move what others hold.
import { Family, type Process, type Who } from './process.ts';

export class Families {
  readonly #byKey = new Map<string, Family>();

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
  }

  leave({ family }: Process): void {
    if (--family.members === 0) this.#byKey.delete(family.key);
  }
}

const keyOf = ({ identity: { exe, name } }: Who): string => exe || name;
