// The one seam to the machine: all other code reads kernel text through KernelFiles, and cannot tell whether the text
// comes from a live host (live-host.ts, guarded-files.ts), a capture or a fixture. Every failure is a KernelFileError.
// Nothing above this file sees a descriptor.
import type { IoReading, StatmReading, StatReading, Units } from './pid.ts';

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

/**
 * Files of /proc/<pid>/ that are read (proc(5)), those of every collection first. A capture holds all, of every process. `fd`
 * is a folder: what is read of it is the number of its entries, as text (open-descriptors.ts). Of `smaps` only the mappings of
 * shared huge pages are kept (huge-mappings.ts).
 */
export const PROCESS_FILES = [
  'stat',
  'statm',
  'io',
  'status',
  'smaps_rollup',
  'cmdline',
  'cgroup',
  'oom_score',
  'fd',
  'limits',
  'smaps',
] as const;
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
  /**
   * Says that the first thread has ended while others live on (pthread_exit(3) in main), or that it lives. The kernel then
   * has the memory, the command line and the executable of the process in the folders of its living threads only
   * (/proc/<pid>/task/<tid>/, Linux 6.18): all files but `stat` and `io`, which count for the whole process, are read there.
   * Captures need no such thing: they hold what was read.
   */
  leaderEnded?(ended: boolean): void;
  /**
   * Each fills the reading of a file, where the host has its numbers otherwise than as text (bpf-files.ts).
   * @returns false where the file has to be read
   */
  fillStat?(units: Units, out: StatReading): boolean;
  fillStatm?(units: Units, out: StatmReading): boolean;
  fillIo?(out: IoReading): boolean;
  /** Grows with each exec; 0 or absent while that is not known. It belongs to what stat said last. */
  readonly execs?: number;
  /** What the last read of `smaps_rollup` or `smaps` took, seconds; undefined where only the caller can measure it. */
  readonly readSeconds?: number | undefined;
  /** Closes the descriptors that were kept open; the next read opens the file again. */
  close(): void;
}

/**
 * Files of processes that will be read next: the first `length` entries of three arrays. After `clear` the object is used
 * again, and its arrays stay as long as they are, so that the steady state allocates nothing.
 */
export class FileRequests {
  length = 0;
  readonly procs: ProcessFiles[] = [];
  readonly files: (ProcessFile | 'exe')[] = [];
  /** Whether the file is read only if the stat that was requested just before has changed. */
  readonly conditional: boolean[] = [];
  /** Seconds that reads of smaps_rollup may take together. The reads that follow are left out. */
  smapsSecondsMax = Number.POSITIVE_INFINITY;

  add(proc: ProcessFiles, file: ProcessFile | 'exe'): void {
    this.#append(proc, file, false);
  }

  /** For a file that is not worth reading while stat, which is requested before it, says what it said last time. */
  addIfStatChanged(proc: ProcessFiles, file: ProcessFile): void {
    this.#append(proc, file, true);
  }

  #append(proc: ProcessFiles, file: ProcessFile | 'exe', conditional: boolean): void {
    const at = this.length++;
    this.procs[at] = proc;
    this.files[at] = file;
    this.conditional[at] = conditional;
  }

  clear(): void {
    this.length = 0;
    this.smapsSecondsMax = Number.POSITIVE_INFINITY;
  }
}

/**
 * Work that reads files of processes. Before it reads, it yields the requests, and goes on when they have been prefetched.
 * It yields undefined where other work may run.
 */
export type FileWork<T = void> = Generator<FileRequests | undefined, T, void>;

/** Where the cheap counters come from. */
export interface CounterSource {
  readonly name: 'procfs' | 'bpf';
  /** Why the pinned BPF program is not used although it should; undefined where nothing is wrong. */
  readonly problem: string | undefined;
}

/** The first `length` of `pids`: an array that is used again. */
export interface PidList {
  readonly pids: Uint32Array;
  readonly length: number;
}

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
  /**
   * Processes whose stat, statm or io may say something else than at the collection before, those that began or ended among
   * them: every other process says what it said. Known when something was prefetched; undefined where nobody knows it.
   */
  readonly changed?: PidList | undefined;
  /** Where stat, statm and io of processes come from; absent where it is always their text. */
  readonly source?: CounterSource;
  /**
   * Whether memory of processes that do not run may have moved lately (reclaim.ts). Where this is false, statm need not be read to
   * find out. Absent where it is not known.
   */
  readonly memoryMoves?: boolean;
  /** Processes whose files do not answer, by pid: they are left out, and tried again now and then. */
  readonly hung: readonly number[];
  /**
   * Reads a file of the host into `buffer`. Of the kernel's log (kernel-log.ts) it gives what was not read yet. What statfs(2) says
   * of each tmpfs (tmpfs.ts) is in no file, and is read as a table under a path of its own.
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
