// The one seam to the machine: all other code reads kernel text through KernelFiles, and cannot tell whether the text
// comes from a live host, a capture or a fixture. Every failure is a KernelFileError. The live host keeps open the
// files of processes that every collection reads; nothing above this file sees a descriptor.
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { readSelf } from './self.ts';

/**
 * Why a kernel file gave no value. `gone`: the file or its process no longer exists. `denied`: this user may not read it.
 * `unsupported`: this kernel or mount does not offer it. `malformed`: its text is not what its parser expects.
 * `hung`: the read did not return, because the process or a file system holds a lock (guarded-files.ts).
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

/** Why a read failed. @throws the error itself where it is not a KernelFileError: then the fault is in this program */
export function reasonOf(error: unknown): UnreadableReason {
  if (error instanceof KernelFileError) return error.reason;
  throw error;
}

/** What `read` returns; undefined where a kernel file gave no value. @throws every other error of `read` */
export function unlessUnreadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    reasonOf(error);
    return undefined;
  }
}

/** Files of /proc/<pid>/ that are read (proc(5)), those of every collection first. A capture holds all, of every process. */
export const PROCESS_FILES = ['stat', 'statm', 'io', 'status', 'smaps_rollup', 'cmdline', 'cgroup'] as const;
export type ProcessFile = (typeof PROCESS_FILES)[number];

/** The kernel's files about one process. The files that every collection reads stay open where the host allows it. */
export interface ProcessFiles {
  readonly pid: number;
  /**
   * Whether the file says exactly what it said when it was last read, so that there is nothing to read. Known only of
   * files that were prefetched, and only of these three; otherwise false.
   */
  unchanged(file: 'stat' | 'statm' | 'io'): boolean;
  /** Reads a file into `KernelFiles.buffer`. @returns its length in bytes @throws KernelFileError */
  read(file: ProcessFile): number;
  /**
   * Reads a file between two prefetches; for reads that may take long. Rejects with KernelFileError.
   * @param seconds what the read is predicted to take: a very long one must not make the next prefetch wait
   */
  readLater(file: ProcessFile, seconds?: number): Promise<Uint8Array>;
  /** Target of the link `exe`. @throws KernelFileError */
  exe(): string;
  /** What the last read of `smaps_rollup` took, seconds; undefined where only the caller can measure it. */
  readonly readSeconds?: number | undefined;
  /** Closes the descriptors that were kept open; the next read opens the file again. */
  close(): void;
}

/** Files of processes that will be read next. The object can be used again after `clear`. */
export class FileRequests {
  readonly procs: ProcessFiles[] = [];
  readonly files: (ProcessFile | 'exe')[] = [];
  /** Whether the file is read only if the stat that was requested just before has changed. */
  readonly conditional: boolean[] = [];
  /** When reads of smaps_rollup have taken so long together, seconds, the others of them are left out. */
  smapsSecondsMax = Number.POSITIVE_INFINITY;

  get length(): number {
    return this.procs.length;
  }

  add(proc: ProcessFiles, file: ProcessFile | 'exe'): void {
    this.#push(proc, file, false);
  }

  /** For a file that is not worth reading while stat, which is requested before it, says what it said last time. */
  addIfStatChanged(proc: ProcessFiles, file: ProcessFile): void {
    this.#push(proc, file, true);
  }

  #push(proc: ProcessFiles, file: ProcessFile | 'exe', conditional: boolean): void {
    this.procs.push(proc);
    this.files.push(file);
    this.conditional.push(conditional);
  }

  clear(): void {
    this.procs.length = 0;
    this.files.length = 0;
    this.conditional.length = 0;
    this.smapsSecondsMax = Number.POSITIVE_INFINITY;
  }
}

/**
 * Work that reads files of processes. Before it reads, it yields the requests, and goes on when they have been prefetched.
 * It yields undefined where it may be interrupted.
 */
export type FileWork<T = void> = Generator<FileRequests | undefined, T, void>;

export interface KernelFiles {
  /** The bytes of the file that was read last; valid until the next read, and possibly another object after it. */
  readonly buffer: Uint8Array;
  /**
   * Reads files of processes without holding the caller: a read may never return. Until the next prefetch, `read` and
   * `exe` of these processes give what was read, and other files of processes cannot be read. Captures and fixtures have
   * nothing to prefetch.
   */
  prefetch(requests: FileRequests): Promise<void>;
  /** Begins a collection: all reads until the next `begin` belong together. A capture moves on to its next frame. */
  begin(): void;
  /** The pids that exist now, in the kernel's order. The list is read while the caller iterates. @throws KernelFileError */
  pids(): Iterable<number>;
  process(pid: number): ProcessFiles;
  /** Processes whose files do not answer, by pid: they are left out, and tried again now and then. */
  readonly hung: readonly number[];
  /**
   * Reads a file of the host into `buffer`.
   * @param path without the leading slash: "proc/meminfo"
   * @returns its length in bytes @throws KernelFileError
   */
  read(path: string): number;
}

/** The first `length` bytes of the file that was read last, as UTF-8 text. */
export const textOf = ({ buffer }: KernelFiles, length: number): string =>
  Buffer.from(buffer.buffer, buffer.byteOffset, length).toString('utf8');

/** The text of a file of the host. @throws KernelFileError */
export const readText = (files: KernelFiles, path: string): string => textOf(files, files.read(path));

/** Bytes after which a longer file is cut. /proc/stat of a host with 1,000 CPUs has some 200 KB. */
export const FILE_MAX_BYTES = 512 << 10;

const REASONS: Record<string, UnreadableReason> = {
  ENOENT: 'gone',
  ESRCH: 'gone',
  ENOTDIR: 'gone',
  EACCES: 'denied',
  EPERM: 'denied',
};

/** Translates a failed system call, so that no code above this file sees an errno. */
function failed(path: string, error: unknown): KernelFileError {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  return new KernelFileError(path, REASONS[code] ?? 'unsupported', code);
}

/** O_NONBLOCK: opening a FIFO in place of a kernel file must not block. Files of /proc ignore the flag. */
const FLAGS = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK;

/** In place of a descriptor: none is open. */
const CLOSED = -1;
/** Entries of /proc that are listed before the caller gets the first of them: listing ten thousand takes 10 ms. */
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

/** The files of this host, each read where it is asked for: the read of a process's file may never return. */
export class LiveHost implements KernelFiles {
  buffer: Uint8Array;
  /** Where in the buffer the next read begins. */
  from = 0;
  readonly procfs: string;
  /** Processes whose statm is kept open: where descriptors run short, these are closed first. */
  readonly spare = new Set<LiveProcess>();
  readonly #root: string;
  readonly #keptMax: number;
  #kept = 0;

  constructor(procfs: string, keptMax: number, buffer: Uint8Array = new Uint8Array(FILE_MAX_BYTES)) {
    this.buffer = buffer;
    this.procfs = procfs;
    this.#root = dirname(procfs).replace(/\/$/, '');
    this.#keptMax = keptMax;
  }

  get hung(): readonly number[] {
    return [];
  }

  begin(): void {}

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

  /** Whether there is such a process, as far as its folder tells: that never waits. */
  exists(pid: number): boolean {
    return fs.existsSync(`${this.procfs}/${pid}`);
  }

  process(pid: number): ProcessFiles {
    return new LiveProcess(this, pid);
  }

  read(path: string): number {
    return this.readPath(path.startsWith('proc/') ? this.procfs + path.slice(4) : `${this.#root}/${path}`, 1);
  }

  /** @param enough a read that returns fewer bytes than this was the last one */
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

  /** Once the process is gone, the kernel answers ESRCH on its kept descriptor, also when another process has its pid. */
  readKept(fd: number, pid: number, file: ProcessFile): number {
    try {
      return fs.readSync(fd, this.buffer, this.from, this.buffer.length - this.from, 0);
    } catch (error) {
      throw failed(`${this.procfs}/${pid}/${file}`, error);
    }
  }

  /** Whether one more descriptor may stay open. Where they run short, a statm is closed for a file that is read more often. */
  makeRoom(file: ProcessFile): boolean {
    if (this.#kept < this.#keptMax) return true;
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

  /**
   * One read returns a whole file of a process. A read of a table such as mountinfo returns only as many lines as fit a
   * page of the kernel, so it is repeated until it returns nothing.
   */
  #fill(fd: number, enough: number): number {
    const room = this.buffer.length - this.from;
    let length = 0;
    while (length < room) {
      const got = fs.readSync(fd, this.buffer, this.from + length, room - length, null);
      length += got;
      if (got < enough) break;
    }
    return length;
  }
}

/**
 * Descriptors that stay open at most. For each the kernel holds 5.3 KiB, most of it the page that seq_file
 * (fs/seq_file.c) writes to: 104 MiB in all.
 */
const KEPT_MAX = 20_000;
/** Descriptors that are left for connections and everything else; at least half of all where there are few. */
const RESERVED = 5000;

/**
 * How many descriptors of /proc may stay open.
 * @param limit descriptors this process may have (RLIMIT_NOFILE; Node raises the soft limit to the hard one)
 */
export function keptDescriptors(limit = readSelf().maxFiles || 1024): number {
  return Math.min(KEPT_MAX, Math.max(Math.floor(limit / 2), limit - RESERVED));
}

/**
 * The live host.
 * @param procfs where /proc is mounted; other files ("etc/passwd") are read beside it
 * @param keep how many descriptors may stay open between collections; the other files are opened for each read
 */
export function liveFiles(procfs = '/proc', keep = keptDescriptors()): KernelFiles {
  return new LiveHost(procfs.replace(/(.)\/+$/, '$1'), keep);
}
