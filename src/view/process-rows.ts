// The processes of a view, one row each, their numbers in typed columns. COLUMNS is the one place in view/ that says
// which value of a Process is shown: a column is one line there, and a collector then exports it by its name. A number
// that is only shown, and is read for nothing else, is no part of a Process: it is a column of file-columns.ts.
import {
  anonymousOf,
  fileOf,
  footprintOf,
  isEstimated,
  ownHugetlbOf,
  proportionalSwapOf,
  sharedOf,
} from '../footprint/kinds.ts';
import { isIoRefused } from '../process/io.ts';
import type { Process, ProcessDescription } from '../process/process.ts';
import { FILE_COLUMNS, type FileColumn } from './file-columns.ts';
import { STATES, stateIndex } from './states.ts';

/** What is written beside the numbers of a row: pid, name, group and what else the labels say. */
export type RowDescription = ProcessDescription;

/**
 * The numbers of a row. NaN: not known. Where processes share memory, a row has what its group counts of it: what they
 * share is divided among them when all are known (shared-parts.ts), and no row has memory that is counted with a parent.
 * @param stack bytes of the kernel stack of a thread
 */
const COLUMNS = {
  /** Bytes. */
  rss: (proc) => proc.memory.rss,
  pss: (proc) => proc.footprint.pss,
  uss: (proc) => proc.footprint.uss,
  swap: proportionalSwapOf,
  /** Bytes read from and written to storage since the process began. */
  readBytes: (proc) => (isIoRefused(proc) ? Number.NaN : proc.io.readBytes),
  writeBytes: (proc) => (isIoRefused(proc) ? Number.NaN : proc.io.writeBytes),
  /** Percent of one core. */
  usage: (proc) => proc.usage.percent,
  /** CPU seconds since the process began. */
  time: (proc) => proc.stat.user + proc.stat.system,
  footprint: footprintOf,
} as const satisfies Readonly<Record<string, (proc: Process, stack: number) => number>>;

/** Bytes of each kind of memory, in the order of KINDS (view.ts); set only where they are shown. @param stack bytes of the kernel stack of a thread */
const KIND_COLUMNS = {
  anonymous: anonymousOf,
  file: fileOf,
  shared: sharedOf,
  hugetlb: (proc) => (proc.footprint.hugetlb >= 0 ? ownHugetlbOf(proc) : Number.NaN),
  pageTables: (proc) => proc.footprint.pageTables,
  kernelStacks: (proc, stack) => proc.stat.threads * stack,
} as const satisfies Readonly<Record<string, (proc: Process, stack: number) => number>>;

export type KindColumn = keyof typeof KIND_COLUMNS;
export type RowColumn = keyof typeof COLUMNS | KindColumn | FileColumn;

type Columns = Record<RowColumn, Float64Array>;

const processColumns = Object.keys(COLUMNS) as (keyof typeof COLUMNS)[];
export const kindColumns = Object.keys(KIND_COLUMNS) as KindColumn[];
const fileColumns = Object.keys(FILE_COLUMNS) as FileColumn[];
/** Columns that are 0 where the memory is counted with the parent's. Threads, and so kernel stacks, are the process's own. */
const memoryColumns: readonly RowColumn[] = [
  ...(['rss', 'pss', 'uss', 'swap'] as const),
  ...kindColumns.filter((column) => column !== 'kernelStacks'),
];

/** An object with an empty array for each column. */
const Columns = class {
  constructor() {
    for (const column of [...processColumns, ...kindColumns, ...fileColumns])
      (this as unknown as Columns)[column] = new Float64Array(0);
  }
} as new () => Columns;

/** Whether a process has values of its own: no zombie has, and kernel threads have where they are wanted. */
export const hasRow = (proc: Process, kernelThreads: boolean): boolean =>
  !proc.stat.absent && !proc.zombie && (!proc.kernelThread || kernelThreads);

/** Processes with values of their own (`hasRow`). */
export class ProcessRows extends Columns {
  length = 0;
  /** Responses that are written from these rows, or wait to be written: meanwhile the rows must not be filled again. */
  #pins = 0;
  readonly description: RowDescription[] = [];
  /** 1 where the process has series of its own. */
  shown = new Uint8Array(0);
  /** Index in STATES. */
  state = new Uint8Array(0);
  /** 1 where PSS, USS and footprint are estimated. */
  estimated = new Uint8Array(0);

  /** Columns of kinds and of kernel files that are shown; the others take no memory. */
  #optional: readonly RowColumn[] = [];

  get isPinned(): boolean {
    return this.#pins > 0;
  }

  /** Does work that reads these rows in several turns of the event loop: until it ends, no collection fills them again. */
  async pinnedFor<T>(work: () => Promise<T>): Promise<T> {
    this.#pins++;
    try {
      return await work();
    } finally {
      this.#pins--;
    }
  }

  /** Empties the rows, and makes room. @param capacity number of rows @param optional columns of kinds and files that are set */
  reset(capacity: number, optional: readonly RowColumn[]): void {
    this.length = 0;
    this.description.length = 0;
    this.#optional = optional;
    const size = Math.ceil(capacity * 1.25);
    for (const column of [...processColumns, ...optional])
      if (this[column].length < capacity) this[column] = new Float64Array(size);
    for (const flags of ['shown', 'state', 'estimated'] as const)
      if (this[flags].length < capacity) this[flags] = new Uint8Array(size);
  }

  stateOf(row: number): (typeof STATES)[number] {
    return STATES[this.state[row]!]!;
  }

  /**
   * Adds a row with the values that the process has now; kinds of memory and what kernel files say are set later.
   * @param stack bytes of the kernel stack of a thread
   */
  append(proc: Process, stack: number): void {
    const row = this.length++;
    this.description[row] = proc.description;
    this.shown[row] = 1;
    this.state[row] = stateIndex(proc.stat.state);
    this.estimated[row] = Number(isEstimated(proc));
    for (const column of processColumns) this[column][row] = COLUMNS[column](proc, stack);
    for (const column of this.#optional) this[column][row] = Number.NaN;
  }

  /** Sets the kinds of memory of the process that was added last. @param stack bytes of the kernel stack of a thread */
  setKinds(proc: Process, stack: number): void {
    for (const column of kindColumns) this[column][this.length - 1] = KIND_COLUMNS[column](proc, stack);
  }

  /** The memory of the process that was added last is counted with its parent. */
  clearMemory(): void {
    for (const column of memoryColumns) this[column][this.length - 1] = Number.NaN;
  }
}
