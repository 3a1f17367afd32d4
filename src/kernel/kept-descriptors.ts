// How many files of /proc may stay open between collections: opening a file each time costs more than reading it.
import { readSelf } from './self.ts';

/**
 * Descriptors that stay open at most. For each the kernel holds 5.3 KiB, most of it the page that seq_file
 * (fs/seq_file.c) writes to: 104 MiB in all.
 */
const KEPT_MAX = 20_000;
/** Descriptors that are left for connections and everything else; at least half of all where there are few. */
const RESERVED = 5000;

/**
 * How many descriptors of /proc may stay open.
 * @param limit descriptors this process may have (RLIMIT_NOFILE; Node raises the soft limit to the hard one)
 */
export function keptDescriptors(limit = readSelf().maxFiles || 1024): number {
  return Math.min(KEPT_MAX, Math.max(Math.floor(limit / 2), limit - RESERVED));
}
