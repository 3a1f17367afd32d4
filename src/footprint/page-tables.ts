// Finds out how large the page tables of a process are before its smaps_rollup is read: read-cost.ts needs it, and only
// status says it (`VmPTE:`, proc(5)). Status of every process would be dear (20 µs each, a fifth of a usual read), and most
// cannot have large ones: stat, which is read anyway, says how much address space a process has, and an entry of 8 bytes is
// needed for each page of it at most. So status is read only where 1 GiB or more is not resident, which are 2 MiB of page
// tables or more, and 6 ms or more of reading; what is below that can surprise nobody.
import { FileRequests, type FileWork, type KernelFiles } from '../kernel/files.ts';
import { readStatus, StatusReading } from '../kernel/pid.ts';
import type { PageTables, Process } from '../process/process.ts';
import type { Unreadable } from '../process/unreadable.ts';
import { ENTRY_BYTES } from './read-cost.ts';

/** Bytes of address space beside the resident ones from which page tables are looked at. */
const LARGE = 2 ** 30;
/** Processes that are requested together. */
const CHUNK = 256;

/** Whether the page tables can be so large that a read cannot be predicted without knowing them. */
export const mayHaveLargePageTables = ({ stat, memory }: Process): boolean => stat.virtualSize - memory.rss >= LARGE;

/** The most bytes of page tables that a process can have, by its address space. @param pageSize bytes */
export const pageTablesMax = ({ stat }: Process, pageSize: number): number =>
  (stat.virtualSize / pageSize) * ENTRY_BYTES;

export class PageTableReader {
  /** Bytes of a page of this kernel. */
  pageSize = 4096;
  readonly #files: KernelFiles;
  readonly #unreadable: Unreadable;
  readonly #status = new StatusReading();
  readonly #requests = new FileRequests();

  constructor(files: KernelFiles, unreadable: Unreadable) {
    this.#files = files;
    this.#unreadable = unreadable;
  }

  /** Reads how large the page tables of these processes are. Yields the files that it reads next. @param at seconds since boot */
  *read(processes: readonly Process[], at: number): FileWork {
    for (let from = 0; from < processes.length; from += CHUNK) {
      const chunk = processes.slice(from, from + CHUNK);
      this.#requests.clear();
      for (const { files } of chunk) this.#requests.add(files, 'status');
      yield this.#requests;
      for (const proc of chunk) this.#take(proc, at);
    }
  }

  #take(proc: Process, at: number): void {
    const pageTables: PageTables = proc.pageTables;
    pageTables.at = at;
    try {
      readStatus(this.#files, proc.files, this.#status);
      this.#unreadable.clear(proc, 'status');
      pageTables.bytes = this.#status.pageTables;
    } catch (error) {
      this.#unreadable.note(proc, 'status', error);
      pageTables.bytes = pageTablesMax(proc, this.pageSize);
    }
  }
}
