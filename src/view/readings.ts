// The results of collectors that read kernel files of their own, once for each collection: only the system collector
// reads /proc/pressure/memory. The readings stand in the view, each under the collector that made it, so that its type
// is known: `view.readings.of(systemCollector)` is a Pressure, or undefined where it could not be read.
import { type KernelFiles, unlessUnreadable } from '../kernel/files.ts';

export interface KernelReader<Reading> {
  /** Reads files of the host. @throws KernelFileError where there is no value to be had */
  read?(files: KernelFiles): Reading;
}

export class Readings {
  readonly #byReader = new Map<KernelReader<unknown>, unknown>();

  /** Lets each of them read. A file that gives no value leaves its reading out, and stops nothing else. */
  constructor(files: KernelFiles, readers: Iterable<KernelReader<unknown>>) {
    for (const reader of readers) {
      const reading = unlessUnreadable(() => reader.read?.(files));
      if (reading !== undefined) this.#byReader.set(reader, reading);
    }
  }

  /** What it read at this collection; undefined where it was not asked to read, or there was no value. */
  of<Reading>(reader: KernelReader<Reading>): Reading | undefined {
    return this.#byReader.get(reader) as Reading | undefined;
  }
}
