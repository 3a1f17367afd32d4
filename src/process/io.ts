// Reads the storage I/O of each process. The io file of a process includes the children it waited for
// (task_io_accounting_add in the kernel's wait_task_zombie), so that its own share cannot be told from theirs.
import type { FileRequests, KernelFiles } from '../kernel/files.ts';
import { IoReading, readIo } from '../kernel/pid.ts';
import type { Difference } from './difference.ts';
import type { Io, Process } from './process.ts';
import type { Unreadable } from './unreadable.ts';

export class IoReader {
  readonly #files: KernelFiles;
  readonly #unreadable: Unreadable;
  readonly #reading = new IoReading();

  constructor(files: KernelFiles, unreadable: Unreadable) {
    this.#files = files;
    this.#unreadable = unreadable;
  }

  /** Requests io where `read` may read it. */
  request(proc: Process, requests: FileRequests): void {
    if (!proc.kernelThread && !isIoRefused(proc)) requests.add(proc.files, 'io');
  }

  /**
   * Reads io, and sets what it tells of the difference: nothing at the first reading of a process that began before the
   * last pass. Where it was denied, or this kernel lacks it, it is not asked for again before an exec.
   */
  read(proc: Process, difference: Difference): void {
    difference.readBytes = 0;
    difference.writeBytes = 0;
    if (proc.kernelThread || proc.zombie) return;
    if (proc.files.unchanged('io')) {
      this.#unreadable.clear(proc, 'io');
      return;
    }
    const reading = this.#reading;
    if (isIoRefused(proc) && !proc.files.fillIo?.(reading)) return; // the numbers may be had otherwise than from the file
    try {
      readIo(this.#files, proc.files, reading);
    } catch (error) {
      this.#unreadable.note(proc, 'io', error);
      return;
    }
    this.#unreadable.clear(proc, 'io');
    const io: Io = proc.io;
    const known = !Number.isNaN(io.readBytes);
    if (known || difference.born) {
      difference.readBytes = Math.max(0, reading.readBytes - (known ? io.readBytes : 0));
      difference.writeBytes = Math.max(0, reading.writeBytes - (known ? io.writeBytes : 0));
    }
    // A counter that fell keeps its maximum, as in stat.ts.
    io.readBytes = known ? Math.max(io.readBytes, reading.readBytes) : reading.readBytes;
    io.writeBytes = known ? Math.max(io.writeBytes, reading.writeBytes) : reading.writeBytes;
  }
}

/** Whether io may not be read: what it said before, or another source said, is no longer true. */
export function isIoRefused({ unreadable: { reasons } }: Process): boolean {
  const reason = reasons?.get('io');
  return reason === 'denied' || reason === 'unsupported';
}
