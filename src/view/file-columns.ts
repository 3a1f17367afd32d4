// Columns of the rows whose numbers stand in a kernel file of the process, and are read only to be shown. The table says of
// which file, and how the number is found in it. The field of the rows, the requests, the reads, the count of unreadable
// files and what a capture records follow from that line. A collector says which of them it exports (`columns`); files that
// nobody needs are not read.
import type { ProcessFile } from '../kernel/files.ts';
import { lineNumber, type NumberParser, wholeNumber } from '../kernel/text.ts';

export interface FileColumnSource {
  /** stat, statm and io are excluded: process/ reads them at every collection, and their values are parts of a Process. */
  readonly file: Exclude<ProcessFile, 'stat' | 'statm' | 'io'>;
  readonly parse: NumberParser;
  /** The kernel counts it for the first thread only: once that has ended, the value is not known. */
  readonly ofFirstThread?: true;
}

export const FILE_COLUMNS = {
  /**
   * How likely the kernel ends the process when memory runs out: `666\n`, from 0 to about 1333, higher is sooner (proc(5),
   * /proc/pid/oom_score; fs/proc/base.c, Linux 6.18). It comes from RSS, page tables, swap and oom_score_adj.
   */
  oomScore: { file: 'oom_score', parse: wholeNumber },
  /**
   * Open file descriptors, and how many the process may have: the soft RLIMIT_NOFILE (getrlimit(2)), the first number of
   * `Max open files            1024                 524288               files`.
   */
  openFds: { file: 'fd', parse: wholeNumber },
  maxFds: { file: 'limits', parse: lineNumber('Max open files') },
  /**
   * How often the first thread waited, and how often the kernel took the CPU away from it: `voluntary_ctxt_switches:\t150`,
   * `nonvoluntary_ctxt_switches:\t545` (fs/proc/array.c, task_context_switch_counts).
   */
  voluntarySwitches: { file: 'status', parse: lineNumber('voluntary_ctxt_switches'), ofFirstThread: true },
  involuntarySwitches: { file: 'status', parse: lineNumber('nonvoluntary_ctxt_switches'), ofFirstThread: true },
} as const satisfies Readonly<Record<string, FileColumnSource>>;

export type FileColumn = keyof typeof FILE_COLUMNS;

/** Those of the columns that are read from a kernel file, each once. */
export const fileColumnsOf = (columns: readonly string[]): FileColumn[] =>
  (Object.keys(FILE_COLUMNS) as FileColumn[]).filter((column) => columns.includes(column));
