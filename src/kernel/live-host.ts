// The files of this host, each read where it is asked for. The files of processes that every collection reads stay open. A
// process whose first thread has ended is read of another one.
import * as fs from 'node:fs';
import { uptime } from 'node:os';
import { dirname } from 'node:path';
import {
  type FileRequests,
  KernelFileError,
  type KernelFiles,
  type ProcessFile,
  type ProcessFiles,
  type UnreadableReason,
} from './files.ts';
import { readHugeMappings } from './huge-mappings.ts';
import { keptDescriptors } from './kept-descriptors.ts';
import { KERNEL_LOG, KernelLog } from './kernel-log.ts';
import { LivingThread } from './living-thread.ts';
import { countDescriptors } from './open-descriptors.ts';
import { inFirstIpcNamespace } from './self.ts';
import { SYSV_SEGMENTS } from './shared-memory.ts';
import { latin1 } from './text.ts';
import { TMPFS_USAGE, tmpfsUsage } from './tmpfs.ts';

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

export class LiveProcess implements ProcessFiles {
  readonly pid: number;
  readonly #host: LiveHost;
  #stat = CLOSED;
  #statm = CLOSED;
  #io = CLOSED;
  #schedstat = CLOSED;
  /** Only where the first thread has ended. */
  #threads: LivingThread | undefined = undefined;

  constructor(host: LiveHost, pid: number) {
    this.#host = host;
    this.pid = pid;
  }

  unchanged(): boolean {
    return false;
  }

  read(file: ProcessFile): number {
    try {
      return this.#read(file);
    } catch (error) {
      // A kernel that lacks the file, such as gVisor's, still has the folder; the folder of a process that ended is gone.
      const missing =
        error instanceof KernelFileError &&
        file !== 'stat' &&
        error.reason === 'gone' &&
        error.message.endsWith(': ENOENT');
      if (!missing || !this.#host.exists(this.pid)) throw error;
      throw new KernelFileError(error.path, 'unsupported', 'ENOENT');
    }
  }

  #read(file: ProcessFile): number {
    const threads = file === 'stat' || file === 'io' ? undefined : this.#threads;
    threads?.find(); // a thread may end at any time: then the file is read of another one
    if (file === 'fd') return this.#host.readCount(this.#path(file));
    if (file === 'smaps') return this.#host.readMappings(this.#path(file));
    if (threads) return this.#host.readPath(this.#path(file));
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

  /**
   * Reads /proc/<pid>/schedstat, which stays open (Linux, Documentation/scheduler/sched-stats.rst): what the first thread ran,
   * what it waited, and how often it began to run. @returns its length in bytes @throws KernelFileError
   */
  readSchedstat(): number {
    if (this.#schedstat === CLOSED) this.#schedstat = this.#keep('schedstat');
    if (this.#schedstat === CLOSED)
      throw new KernelFileError(this.#path('schedstat'), 'unsupported', 'no descriptor is left');
    return this.#host.readKept(this.#schedstat, this.pid, 'schedstat');
  }

  async readLater(file: ProcessFile): Promise<Uint8Array> {
    if (file === 'smaps') {
      const length = this.read(file);
      return Uint8Array.from(this.#host.buffer.subarray(this.#host.from, this.#host.from + length));
    }
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
    if (this.#threads) this.#threads.find();
    const path = this.#path('exe');
    try {
      return fs.readlinkSync(path);
    } catch (error) {
      throw failed(path, error);
    }
  }

  leaderEnded(ended: boolean): void {
    if (ended === (this.#threads !== undefined)) return;
    this.closeStatm();
    this.#threads = ended ? new LivingThread(this.#host, `${this.#host.procfs}/${this.pid}/task`) : undefined;
  }

  close(): void {
    this.closeStatAndIo();
    this.#schedstat = this.#host.release(this.#schedstat);
    this.closeStatm();
  }

  closeStatAndIo(): void {
    this.#stat = this.#host.release(this.#stat);
    this.#io = this.#host.release(this.#io);
  }

  closeStatm(): void {
    this.#statm = this.#host.release(this.#statm);
    this.#host.spare.delete(this);
  }

  #path(file: ProcessFile | 'exe' | 'schedstat'): string {
    const thread = file === 'stat' || file === 'io' || file === 'schedstat' ? undefined : this.#threads?.folder;
    return `${thread ?? `${this.#host.procfs}/${this.pid}`}/${file}`;
  }

  #keep(file: ProcessFile | 'schedstat'): number {
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
  readonly #log = new KernelLog();
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
    let last = 0;
    try {
      folder = fs.opendirSync(this.procfs, { bufferSize: LISTED_AT_ONCE });
      for (let entry = folder.readSync(); entry; entry = folder.readSync()) {
        if (!PID.test(entry.name)) continue;
        last = Number(entry.name);
        yield last;
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).syscall !== 'lstat') throw failed(this.procfs, error);
      yield* this.#pidsAfter(last);
    } finally {
      folder?.closeSync();
    }
  }

  /**
   * Where a process ends while the kernel lists it, the entry has no type. Node.js then asks lstat(2), which fails. So the rest is
   * listed by name only, at once. The kernel lists pids in ascending order (proc_pid_readdir in fs/proc/base.c).
   */
  *#pidsAfter(last: number): Generator<number, void, void> {
    for (const name of this.#names()) if (PID.test(name) && Number(name) > last) yield Number(name);
  }

  #names(): string[] {
    try {
      return fs.readdirSync(this.procfs);
    } catch (error) {
      throw failed(this.procfs, error);
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
    const whole = path.startsWith('proc/') ? this.procfs + path.slice(4) : `${this.#root}/${path}`;
    if (path === KERNEL_LOG) return this.#readLog();
    if (path === TMPFS_USAGE) return this.#readTmpfs();
    if (path === SYSV_SEGMENTS && !inFirstIpcNamespace())
      throw new KernelFileError(whole, 'unsupported', 'it shows the segments of another IPC namespace than the host');
    if (path !== 'proc/uptime') return this.readPath(whole, 1);
    try {
      const length = this.readPath(whole, 1);
      if (length > 0) return length;
    } catch (error) {
      if ((error as KernelFileError).reason === 'gone') throw error;
    }
    return this.#uptime();
  }

  /** The same clock, where a mount over the file (lxcfs(1) that has ended) gives nothing: CLOCK_BOOTTIME, clock_gettime(2). */
  #uptime(): number {
    return this.#put(Buffer.from(`${uptime().toFixed(2)} 0.00\n`));
  }

  /** There is one log, wherever procfs is mounted: in a container its device is the one of the container. */
  #readLog(): number {
    const path = `/${KERNEL_LOG}`;
    try {
      return this.#log.read(path, this.buffer, this.from);
    } catch (error) {
      throw failed(path, error);
    }
  }

  /** Pid 1 sees the mounts of the host, and its folder `root` leads to them. Where that is closed, the mounts are those that this process sees. */
  #readTmpfs(): number {
    const root = `${this.procfs}/1/root`;
    const entered = fs.existsSync(`${root}/`);
    const length = this.readPath(`${this.procfs}/${entered ? '1' : 'self'}/mountinfo`, 1);
    const mountinfo = latin1(this.buffer, this.from, this.from + length);
    return this.#put(Buffer.from(tmpfsUsage(mountinfo, entered ? root : ''), 'latin1'));
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

  /** The number of open descriptors, as text. @param path of the folder fd */
  readCount(path: string): number {
    try {
      return this.#put(Buffer.from(`${countDescriptors(path, this.procfs)}\n`));
    } catch (error) {
      throw failed(path, error);
    }
  }

  /** Those mappings that huge-mappings.ts keeps. @param path of smaps */
  readMappings(path: string): number {
    const fd = this.#open(path);
    try {
      const read = (into: Buffer, at: number) => fs.readSync(fd, into, at, into.length - at, null);
      return readHugeMappings(read, this.buffer, this.from);
    } catch (error) {
      throw failed(path, error);
    } finally {
      fs.closeSync(fd);
    }
  }

  /** @returns the length of the text, bytes */
  #put(bytes: Uint8Array): number {
    this.buffer.set(bytes, this.from);
    return bytes.length;
  }

  /** Once the process is gone, the kernel answers ESRCH on its kept descriptor, also when another process has its pid. */
  readKept(fd: number, pid: number, file: ProcessFile | 'schedstat'): number {
    try {
      return fs.readSync(fd, this.buffer, this.from, this.buffer.length - this.from, 0);
    } catch (error) {
      throw failed(`${this.procfs}/${pid}/${file}`, error);
    }
  }

  /** Whether one more descriptor may stay open. Where they run short, a statm is closed for a file that is read more often. */
  makeRoom(file: ProcessFile | 'schedstat'): boolean {
    if (this.#kept < this.#keptMax) return true;
    if (file === 'statm' || file === 'schedstat') return false;
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
 * The live host.
 * @param procfs where /proc is mounted; other files ("etc/passwd") are read beside it
 * @param keep how many descriptors may stay open between collections; the other files are opened for each read
 */
export function liveFiles(procfs = '/proc', keep = keptDescriptors()): KernelFiles {
  return new LiveHost(procfs.replace(/(.)\/+$/, '$1'), keep);
}
