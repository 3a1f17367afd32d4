// What this process may read of the host. A mount and the capabilities of a process change rarely: they are looked at once a
// minute, and only while somebody asks.
import type { Config } from '../config/options.ts';
import { type Privileges, readPrivileges } from '../kernel/self.ts';
import { clock } from './time-slices.ts';

/** Seconds. */
const LOOK_EVERY = 60;

export class OwnPrivileges {
  #privileges: Privileges | undefined;
  /** When they were looked at, seconds on the clock of time-slices.ts. */
  #at = Number.NaN;

  /** Undefined where the exporter serves a capture: that has no owner. */
  of({ capture, path_procfs }: Config): Privileges | undefined {
    const now = clock();
    if (!(now - this.#at < LOOK_EVERY)) {
      this.#at = now;
      this.#privileges = capture ? undefined : readPrivileges(path_procfs);
    }
    return this.#privileges;
  }
}
