// The processes of a view, one row each, their numbers in typed columns. COLUMNS is the one place in view/ that says
// which value of a Process is shown: a column is one line there, and a collector then exports it by its name.
import type { Process, ProcessDescription } from '../process/process.ts';

/** What is written beside the numbers of a row: pid, name, group and what else the labels say. */
export type RowDescription = ProcessDescription;

/** The numbers of a row. NaN: not known. */
const COLUMNS = {
  /** Bytes. */
  rss: (proc) => proc.memory.rss,
  pss: (proc) => proc.footprint.pss,
  uss: (proc) => proc.footprint.uss,
  swap: (proc) => proc.footprint.swap,
  /** Bytes read from and written to storage since the process began. */
  readBytes: (proc) => proc.io.readBytes,
  writeBytes: (proc) => proc.io.writeBytes,
  /** Percent of one core. */
  usage: (proc) => proc.usage.percent,
  /** CPU seconds since the process began. */
  time: (proc) => proc.stat.user + proc.stat.system,
} as const satisfies Readonly<Record<string, (proc: Process) => number>>;

export type RowColumn = keyof typeof COLUMNS;

type Columns = Record<RowColumn, Float64Array>;

const columns = Object.keys(COLUMNS) as RowColumn[];

/** An object with an empty array for each column. */
const Columns = class {
  constructor() {
    for (const column of columns) (this as unknown as Columns)[column] = new Float64Array(0);
  }
} as new () => Columns;

/** Processes with values of their own: without zombies, and without kernel threads unless they are wanted. */
export class ProcessRows extends Columns {
  length = 0;
  /** Responses that are written from these rows, or wait to be written: meanwhile the rows must not be filled again. */
  pinCount = 0;
  readonly description: RowDescription[] = [];
  /** 1 where the process has series of its own. */
  shown = new Uint8Array(0);

  /** Empties the rows, and makes room for so many. */
  reset(capacity: number): void {
    this.length = 0;
    this.description.length = 0;
    if (this.shown.length >= capacity) return;
    const size = Math.ceil(capacity * 1.25);
    for (const column of columns) this[column] = new Float64Array(size);
    this.shown = new Uint8Array(size);
  }

  /** Adds a row with the values that the process has now. */
  append(proc: Process): void {
    const row = this.length++;
    this.description[row] = proc.description;
    this.shown[row] = 1;
    for (const column of columns) this[column][row] = COLUMNS[column](proc);
  }
}
