// What Linux says about this exporter's own process; always live, whatever host or capture it serves.
import { readdirSync, readFileSync, statSync } from 'node:fs';

export interface SelfReading {
  /** Open descriptors. */
  readonly openFiles: number;
  /** Descriptors it may have open (RLIMIT_NOFILE). */
  readonly maxFiles: number;
  /** Bytes. */
  readonly virtualMemory: number;
}

/** NaN stands for what cannot be read. /proc/self/fd tells its number of entries as its size since Linux 6.2. */
export function readSelf(): SelfReading {
  return {
    openFiles: quietly(() => statSync('/proc/self/fd').size || readdirSync('/proc/self/fd').length),
    maxFiles: quietly(() => numberIn('/proc/self/limits', /^Max open files\s+(\d+)/m)),
    virtualMemory: quietly(() => numberIn('/proc/self/status', /^VmSize:\s+(\d+) kB/m) * 1024),
  };
}

const numberIn = (path: string, pattern: RegExp): number => Number(pattern.exec(readFileSync(path, 'latin1'))?.[1]);

function quietly(read: () => number): number {
  try {
    return read();
  } catch {
    return Number.NaN;
  }
}
