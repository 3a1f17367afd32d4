// The one seam to the machine: everything above reads kernel text through KernelFiles and cannot tell whether it
// comes from a live host, a capture or a fixture. Hides kept descriptors; every failure is a KernelFileError.
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { readSelf } from './self.ts';

/**
 * Why a kernel file gave no value. `unsupported`: this kernel or mount lacks it; `malformed`: the text is not what the
 * kernel documents; `hung`: the read did not return.
 */
export type UnreadableReason = 'gone' | 'denied' | 'unsupported' | 'malformed' | 'hung';

export class KernelFileError extends Error {
  readonly path: string;
  readonly reason: UnreadableReason;

  constructor(path: string, reason: UnreadableReason, detail = '') {
    super(`${path}: ${reason}${detail && `: ${detail}`}`);
    this.name = 'KernelFileError';
    this.path = path;
    this.reason = reason;
  }
}

/** Files below /proc/<pid>/ that this program reads (proc(5)). */
export type ProcessFile = 'stat' | 'statm' | 'io' | 'status' | 'smaps_rollup' | 'cmdline' | 'cgroup';

/** The kernel's files about one process. Those read at every collection stay open where the host allows it. */
export interface ProcessFiles {
  readonly pid: number;
  /**
   * Whether the file says exactly what it said when it was last read: there is nothing to read then. Only of stat,
   * statm and io, and only known where files are prefetched; elsewhere false.
   */
  unchanged(file: 'stat' | 'statm' | 'io'): boolean;
  /** Reads a file into `KernelFiles.buffer` and returns its length in bytes. @throws KernelFileError */
  read(file: ProcessFile): number;
  /** Reads off the main thread; for reads that may take long or hang. Rejects with KernelFileError. */
  readLater(file: ProcessFile): Promise<Uint8Array>;
  /** Target of the link `exe`. @throws KernelFileError */
  exe(): string;
  /** What the last read of `smaps_rollup` took, seconds; undefined where only the caller can tell. */
  readonly readSeconds?: number | undefined;
  /** Gives kept descriptors back; reading again opens them again. */
  close(): void;
}

/** Files of processes that will be read next; reusable. */
export class FileRequests {
  readonly procs: ProcessFiles[] = [];
  readonly files: (ProcessFile | 'exe')[] = [];

  get length(): number {
    return this.procs.length;
  }

  add(proc: ProcessFiles, file: ProcessFile | 'exe'): void {
    this.procs.push(proc);
    this.files.push(file);
  }

  clear(): void {
    this.procs.length = 0;
    this.files.length = 0;
  }
}

export interface KernelFiles {
  /**
   * Reads these files off the main thread, or gives them up: a read may never return. Until the next call, `read` and
   * `exe` of these processes give what was read, and no other file of a process can be read. A capture has nothing to do.
   */
  prefetch(requests: FileRequests): Promise<void>;
  /** What the last read left; valid until the next one. */
  readonly buffer: Uint8Array;
  /** A new collection begins: what is read from here belongs together. A capture moves on to its next frame. */
  begin(): void;
  /** The pids present now, listed while they are taken, as the kernel orders them. @throws KernelFileError */
  pids(): Iterable<number>;
  process(pid: number): ProcessFiles;
  /** Reads a file of the host, named without the leading slash ("proc/meminfo"). @throws KernelFileError */
  read(path: string): number;
}

/** Longest file that is read whole; longer ones are cut here. /proc/stat of a host of 1,000 CPUs has some 200 KB. */
export const LONGEST_FILE = 512 << 10;

const REASONS: Record<string, UnreadableReason> = {
  ENOENT: 'gone',
  ESRCH: 'gone',
  ENOTDIR: 'gone',
  EACCES: 'denied',
  EPERM: 'denied',
};

/** Translates a failed system call, so that no errno is known above this file. */
function failed(path: string, error: unknown): KernelFileError {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  return new KernelFileError(path, REASONS[code] ?? 'unsupported', code);
}

/** O_NONBLOCK: a FIFO in place of a kernel file must not hold us; it means nothing to files of /proc. */
const FLAGS = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK;

const CLOSED = -1;
/** Entries of /proc that one system call or some list: a list of ten thousand takes 10 ms. */
const LISTED_AT_ONCE = 128;
const PID = /^[1-9]\d*$/;

class LiveProcess implements ProcessFiles {
  readonly pid: number;
  readonly #host: LiveHost;
  #stat = CLOSED;
  #statm = CLOSED;
  #io = CLOSED;

  constructor(host: LiveHost, pid: number) {
    this.#host = host;
    this.pid = pid;
  }

  unchanged(): boolean {
    return false;
  }

  read(file: ProcessFile): number {
    switch (file) {
      case 'stat':
        if (this.#stat === CLOSED) this.#stat = this.#keep(file);
        if (this.#stat !== CLOSED) return this.#host.readKept(this.#stat, this.pid, file);
        break;
      case 'statm':
        if (this.#statm === CLOSED) {
          this.#statm = this.#keep(file);
          if (this.#statm !== CLOSED) this.#host.spare.add(this);
        }
        if (this.#statm !== CLOSED) return this.#host.readKept(this.#statm, this.pid, file);
        break;
      case 'io':
        if (this.#io === CLOSED) this.#io = this.#keep(file);
        if (this.#io !== CLOSED) return this.#host.readKept(this.#io, this.pid, file);
        break;
    }
    return this.#host.readPath(this.#path(file));
  }

  readLater(file: ProcessFile): Promise<Uint8Array> {
    const path = this.#path(file);
    return new Promise((resolve, reject) => {
      fs.open(path, FLAGS, (unopened, fd) => {
        if (unopened) return reject(failed(path, unopened));
        const bytes = Buffer.allocUnsafe(16 << 10);
        fs.read(fd, bytes, 0, bytes.length, null, (unread, length) => {
          fs.close(fd);
          if (unread) reject(failed(path, unread));
          else resolve(bytes.subarray(0, length));
        });
      });
    });
  }

  exe(): string {
    const path = `${this.#host.procfs}/${this.pid}/exe`;
    try {
      return fs.readlinkSync(path);
    } catch (error) {
      throw failed(path, error);
    }
  }

  close(): void {
    this.#stat = this.#host.release(this.#stat);
    this.#io = this.#host.release(this.#io);
    this.closeStatm();
  }

  closeStatm(): void {
    this.#statm = this.#host.release(this.#statm);
    this.#host.spare.delete(this);
  }

  #path(file: ProcessFile): string {
    return `${this.#host.procfs}/${this.pid}/${file}`;
  }

  #keep(file: ProcessFile): number {
    return this.#host.makeRoom(file) ? this.#host.open(this.#path(file)) : CLOSED;
  }
}

/** The kernel's files of this host, read where they are asked for: a read of a process's file may never return. */
export class LiveHost implements KernelFiles {
  buffer: Uint8Array;
  /** Where in the buffer the next read begins. */
  from = 0;
  readonly procfs: string;
  /** Those whose statm is kept open. */
  readonly spare = new Set<LiveProcess>();
  readonly #root: string;
  readonly #most: number;
  #kept = 0;

  constructor(procfs: string, most: number, buffer: Uint8Array = new Uint8Array(LONGEST_FILE)) {
    this.buffer = buffer;
    this.procfs = procfs;
    this.#root = dirname(procfs).replace(/\/$/, '');
    this.#most = most;
  }

  begin(): void {}

  /** Reads where it is asked to, whatever that takes. */
  async prefetch(_requests: FileRequests): Promise<void> {}

  *pids(): Generator<number, void, void> {
    let folder: fs.Dir | undefined;
    try {
      folder = fs.opendirSync(this.procfs, { bufferSize: LISTED_AT_ONCE });
      for (let entry = folder.readSync(); entry; entry = folder.readSync()) {
        if (PID.test(entry.name)) yield Number(entry.name);
      }
    } catch (error) {
      throw failed(this.procfs, error);
    } finally {
      folder?.closeSync();
    }
  }

  process(pid: number): ProcessFiles {
    return new LiveProcess(this, pid);
  }

  read(path: string): number {
    return this.readPath(path.startsWith('proc/') ? this.procfs + path.slice(4) : `${this.#root}/${path}`, 1);
  }

  /** @param enough a read that gives fewer bytes than this is the last one */
  readPath(path: string, enough = 4096): number {
    const fd = this.#open(path);
    try {
      return this.#fill(fd, enough);
    } catch (error) {
      throw failed(path, error);
    } finally {
      fs.closeSync(fd);
    }
  }

  /** The kernel answers ESRCH on a kept descriptor once its process is gone, whoever has the pid now. */
  readKept(fd: number, pid: number, file: ProcessFile): number {
    try {
      return fs.readSync(fd, this.buffer, this.from, this.buffer.length - this.from, 0);
    } catch (error) {
      throw failed(`${this.procfs}/${pid}/${file}`, error);
    }
  }

  /** Whether one more may stay open. Where they run short, a statm gives way to what is read at every collection. */
  makeRoom(file: ProcessFile): boolean {
    if (this.#kept < this.#most) return true;
    if (file === 'statm') return false;
    for (const proc of this.spare) {
      proc.closeStatm();
      return true;
    }
    return false;
  }

  open(path: string): number {
    const fd = this.#open(path);
    this.#kept++;
    return fd;
  }

  release(fd: number): number {
    if (fd !== CLOSED) {
      fs.closeSync(fd);
      this.#kept--;
    }
    return CLOSED;
  }

  #open(path: string): number {
    try {
      return fs.openSync(path, FLAGS);
    } catch (error) {
      throw failed(path, error);
    }
  }

  /** One read gives the whole of a process's file that fits; of tables such as mountinfo each gives as many lines as fit. */
  #fill(fd: number, enough: number): number {
    let length = 0;
    const room = this.buffer.length - this.from;
    while (length < room) {
      const got = fs.readSync(fd, this.buffer, this.from + length, room - length, null);
      length += got;
      if (got < enough) break;
    }
    return length;
  }
}

/** The kernel holds 5.3 KiB behind each, most of it the page that seq_file (fs/seq_file.c) writes to: 104 MiB in all. */
const MOST_KEPT = 20_000;
/** As many are left to connections and everything else, or half of all. */
const LEFT = 5000;

/** How many may stay open of those that this process may have (RLIMIT_NOFILE; Node raises the soft limit to the hard one). */
export function keptDescriptors(limit = readSelf().maxFiles || 1024): number {
  return Math.min(MOST_KEPT, Math.max(Math.floor(limit / 2), limit - LEFT));
}

/**
 * The live host.
 * @param procfs where /proc is mounted; other files ("etc/passwd") are looked for beside it
 * @param keep how many descriptors may stay open between collections; beyond it files are opened for each read
 */
export function liveFiles(procfs = '/proc', keep = keptDescriptors()): KernelFiles {
  return new LiveHost(procfs.replace(/(.)\/+$/, '$1'), keep);
}
