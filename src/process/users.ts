// The names of the host's users. A user may be created, removed or renamed while the exporter runs, so /etc/passwd is read
// again once a minute and when the configuration is loaded again. Its text is compared first: parsing it is rarely needed.
import { type KernelFiles, readText, unlessUnreadable } from '../kernel/files.ts';
import { parseUsers, USERS } from '../kernel/host.ts';

/** Seconds between two looks at the file. */
const LOOK_EVERY = 60;

export class Users {
  readonly #files: KernelFiles;
  #text = '';
  #names: ReadonlyMap<number, string> = new Map();
  /** Kernel time of the last look, seconds since boot; NaN where the next call has to look. */
  #looked = Number.NaN;

  constructor(files: KernelFiles) {
    this.#files = files;
  }

  /** The name of a user, or the number of one without a name. */
  nameOf(uid: number): string {
    return this.#names.get(uid) ?? String(uid);
  }

  /** The next `look` reads the file. */
  expire(): void {
    this.#looked = Number.NaN;
  }

  /** Reads the file where it is time to. @param now kernel time @returns whether names may have changed */
  look(now: number): boolean {
    if (Math.abs(now - this.#looked) < LOOK_EVERY) return false;
    this.#looked = now;
    const text = unlessUnreadable(() => readText(this.#files, USERS)) ?? '';
    if (text === this.#text) return false;
    this.#text = text;
    this.#names = parseUsers(text);
    return true;
  }
}
