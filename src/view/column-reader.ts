// Reads the kernel files of FILE_COLUMNS into the rows of a view.
import { FileRequests, type FileWork, KernelFileError, type KernelFiles, type ProcessFile } from '../kernel/files.ts';
import type { Process } from '../process/process.ts';
import type { Unreadable } from '../process/unreadable.ts';
import { FILE_COLUMNS, type FileColumn, type FileColumnSource } from './file-columns.ts';
import { hasRow, type ProcessRows } from './process-rows.ts';

/** Processes whose files are read together. */
const CHUNK = 512;

export class ColumnReader {
  readonly #files: KernelFiles;
  readonly #unreadable: Unreadable;
  readonly #requests = new FileRequests();
  /** Files of the last collection. */
  #before: readonly ProcessFile[] = [];

  constructor(files: KernelFiles, unreadable: Unreadable) {
    this.#files = files;
    this.#unreadable = unreadable;
  }

  /**
   * Sets the columns of rows that were filled from these processes. Yields the files that it reads next.
   * @param kernelThreads as it was when the rows were filled
   */
  *read(
    processes: readonly Process[],
    rows: ProcessRows,
    columns: readonly FileColumn[],
    kernelThreads: boolean,
  ): FileWork {
    const files = [...new Set(columns.map((column) => FILE_COLUMNS[column].file))];
    this.#forget(processes, files);
    if (files.length === 0) return;
    let row = 0;
    for (let from = 0; from < processes.length; from += CHUNK) {
      const end = Math.min(from + CHUNK, processes.length);
      this.#requests.clear();
      for (let index = from; index < end; index++) {
        const proc = processes[index]!;
        if (hasRow(proc, kernelThreads)) for (const file of files) this.#requests.add(proc.files, file);
      }
      yield this.#requests;
      for (let index = from; index < end; index++) {
        const proc = processes[index]!;
        if (!hasRow(proc, kernelThreads)) continue;
        for (const file of files) this.#take(proc, file, rows, row, columns);
        row++;
      }
    }
  }

  /** Files that are no longer read do not count as unreadable. */
  #forget(processes: readonly Process[], files: readonly ProcessFile[]): void {
    for (const file of this.#before) {
      if (!files.includes(file)) for (const proc of processes) this.#unreadable.clear(proc, file);
    }
    this.#before = files;
  }

  #take(proc: Process, file: ProcessFile, rows: ProcessRows, row: number, columns: readonly FileColumn[]): void {
    try {
      const length = proc.files.read(file);
      const { buffer } = this.#files;
      let found = true;
      for (const column of columns) {
        const source: FileColumnSource = FILE_COLUMNS[column];
        if (source.file !== file) continue;
        const value = source.parse(buffer, length);
        rows[column][row] = source.ofFirstThread && proc.stat.leaderEnded ? Number.NaN : value;
        found &&= !Number.isNaN(value);
      }
      if (!found) throw new KernelFileError(`proc/${proc.pid}/${file}`, 'malformed');
      this.#unreadable.clear(proc, file);
    } catch (error) {
      this.#unreadable.note(proc, file, error);
    }
  }
}
