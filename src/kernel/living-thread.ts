// Finds a thread that lives, of a process whose first thread has ended: the kernel has the memory and the executable of such
// a process in the folders of its living threads only.
import { readdirSync } from 'node:fs';
import { unlessUnreadable } from './files.ts';
import { latin1 } from './text.ts';

/** What reads a file into its buffer, from `from` on. */
interface ThreadFiles {
  readonly buffer: Uint8Array;
  readonly from: number;
  readPath(path: string): number;
}

/** Threads that one search for a living one looks at; the next search goes on behind them. */
const THREADS_TRIED_MAX = 64;
/** statm of a thread without memory, as every thread is that ended. */
const NO_MEMORY = /^0 0 /;

/** A thread that lives, and its folder. */
export class LivingThread {
  /** The folder of the thread that was found; undefined where none was. */
  folder: string | undefined = undefined;
  readonly #host: ThreadFiles;
  readonly #task: string;
  /** The thread that was looked at last. */
  #last = 0;

  /** @param task the folder of all threads, "/proc/7/task" */
  constructor(host: ThreadFiles, task: string) {
    this.#host = host;
    this.#task = task;
  }

  /**
   * Makes sure that the thread still lives, or looks for another one. A thread that has ended may stay in the list, where a
   * debugger does not wait for it, and a user may keep any number of those: so one search has an end, and the next goes on.
   */
  find(): void {
    if (this.folder !== undefined && this.#lives(this.folder)) return;
    this.folder = undefined;
    let threads: number[];
    try {
      threads = readdirSync(this.#task).map(Number);
    } catch {
      return; // the process has ended
    }
    threads.sort((a, b) => Number(a <= this.#last) - Number(b <= this.#last) || a - b);
    for (const thread of threads.slice(0, THREADS_TRIED_MAX)) {
      this.#last = thread;
      const folder = `${this.#task}/${thread}`;
      if (!this.#lives(folder)) continue;
      this.folder = folder;
      return;
    }
  }

  #lives(folder: string): boolean {
    const { buffer, from } = this.#host;
    const length = unlessUnreadable(() => this.#host.readPath(`${folder}/statm`));
    return length !== undefined && !NO_MEMORY.test(latin1(buffer, from, from + Math.min(length, 16)));
  }
}
