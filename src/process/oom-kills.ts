// Counts for each group the processes that the kernel killed for memory, as its log says. A record names the process by pid
// and name. It counts for the group of the process that had both at this collection or when it ended lately. A process
// that no collection saw is in no group's counter, because any process can choose any name.
import { type FileWork, type KernelFiles, readText, reasonOf, type UnreadableReason } from '../kernel/files.ts';
import { KERNEL_LOG, parseKernelLog } from '../kernel/kernel-log.ts';
import type { GroupCounters } from './group-counters.ts';
import type { Process } from './process.ts';

/**
 * Whether OOM kills of groups are counted, or why not. `off`: nobody asked. `catching up`: records from before the start are
 * still being passed over. `other pids`: the processes are those of another pid namespace than the first, whose pids are in the log.
 */
export type OomKillState = 'counted' | 'off' | 'catching up' | 'other pids' | UnreadableReason;

/** Reads in one collection; 1,024 records each (kernel-log.ts). Logs that have more are being flooded. */
const READS_MAX = 16;

/** The processes that a record can be about. */
export interface KnownProcesses {
  readonly living: readonly Process[];
  /** Counters of the group of a process that lives, or that ended lately. */
  countersOf(pid: number, comm: string): GroupCounters | undefined;
}

export class OomKills {
  readonly #files: KernelFiles;
  /** Number of the last record that was read. */
  #newest = -1;
  /** Whether the end of the log was reached once: what comes after happened since the start. */
  #caughtUp = false;

  constructor(files: KernelFiles) {
    this.#files = files;
  }

  /** Nobody asks at this collection: what the log says until somebody asks again counts for nobody. */
  leaveOut(): OomKillState {
    this.#caughtUp = false;
    return 'off';
  }

  /** Counts what the log says since the last collection; after the pass over all processes. */
  *count(known: KnownProcesses): FileWork<OomKillState> {
    try {
      for (let reads = 0; reads < READS_MAX; reads++) {
        const { newest, kills } = parseKernelLog(readText(this.#files, KERNEL_LOG), this.#newest);
        if (this.#caughtUp) for (const { pid, comm } of kills) this.#credit(known.countersOf(pid, comm));
        if (newest <= this.#newest) {
          this.#caughtUp = true;
          break;
        }
        this.#newest = newest;
        yield undefined;
      }
    } catch (error) {
      return reasonOf(error);
    }
    if (!known.living.some(({ kernelThread }) => kernelThread)) return 'other pids';
    return this.#caughtUp ? 'counted' : 'catching up';
  }

  #credit(counters: GroupCounters | undefined): void {
    if (counters) counters.oomKills++;
  }
}
