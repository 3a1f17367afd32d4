// The file to which bpf/tasks.bpf.c is pinned: reads all of it into a TaskPass, in pieces between which the event loop may
// answer requests. Reading it takes no lock of any process, and never waits for one.
import { closeSync, constants, fstatSync, openSync, readSync, statfsSync, statSync } from 'node:fs';
import { type TaskPass, TaskRecordError } from './task-records.ts';

/** BPF_FS_MAGIC of include/uapi/linux/magic.h. */
export const BPF_FS = 0xcafe4a11;
/** The kernel gives at most 32 KiB at once (bpf_seq_read, kernel/bpf/bpf_iter.c). */
const PIECE_BYTES = 64 << 10;
/** What a list may have in all, bytes: that of a million threads. Something that never ends must not hold the exporter. */
const LIST_BYTES_MAX = 128 << 20;
/** Seconds of reading after which other work may run. */
const SLICE = 0.004;

export class TaskFile {
  readonly #path: string;
  readonly #clock: () => number;
  /** Made with the first read: most hosts have no such file. */
  #bytes: Buffer | undefined;

  /** @param clock seconds that never go back */
  constructor(path: string, clock: () => number) {
    this.#path = path;
    this.#clock = clock;
  }

  /** What tells this file from one that is pinned there later; undefined where there is none. */
  identity(): string | undefined {
    try {
      const stat = statSync(this.#path, { throwIfNoEntry: false });
      return stat && `${stat.dev}:${stat.ino}:${stat.ctimeMs}`;
    } catch {
      return undefined; // a folder on the way may not be entered
    }
  }

  /** Reads all processes. Rejects with TaskRecordError, whose message says why it failed. */
  async read(pass: TaskPass): Promise<void> {
    pass.clear();
    let fd: number;
    try {
      fd = openSync(this.#path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      throw new TaskRecordError(`it cannot be opened (${(error as NodeJS.ErrnoException).code})`);
    }
    try {
      if (!fstatSync(fd).isFile() || Number(statfsSync(`/proc/self/fd/${fd}`).type) !== BPF_FS)
        throw new TaskRecordError('it is not pinned on a bpffs');
      await this.#readAll(fd, pass);
    } catch (error) {
      if (error instanceof TaskRecordError) throw error;
      throw new TaskRecordError(`it cannot be read (${(error as NodeJS.ErrnoException).code ?? error})`);
    } finally {
      closeSync(fd);
    }
  }

  async #readAll(fd: number, pass: TaskPass): Promise<void> {
    this.#bytes ??= Buffer.from(new ArrayBuffer(PIECE_BYTES));
    const bytes = this.#bytes;
    let rest = 0;
    let all = 0;
    let began = this.#clock();
    // Behind the end the kernel would go on with processes that began meanwhile (bpf_seq_read), so nothing is read there.
    while (!pass.ended) {
      const got = readSync(fd, bytes, rest, bytes.length - rest, null);
      if (got === 0) break;
      all += got;
      if (all > LIST_BYTES_MAX) throw new TaskRecordError('it has no end');
      const taken = pass.take(bytes.subarray(0, rest + got));
      bytes.copyWithin(0, taken, rest + got);
      rest += got - taken;
      if (this.#clock() - began < SLICE) continue;
      await new Promise(setImmediate);
      began = this.#clock();
    }
    pass.end();
  }
}
