// The live host without a read that can hold the exporter: files of processes are read by a process of their own
// (reader.ts), everything else here. A process whose file does not answer is left out, and tried again less and less often.
//
// One prefetch sends what is wanted in frames of some hundred requests and stores the answers; `read` hands them out.
// Nothing is allocated per process in the steady state: answers of stat, statm and io go into slots that are used again.
import { AsideReader, Turns } from './aside-reader.ts';
import {
  type FileRequests,
  KernelFileError,
  type KernelFiles,
  type ProcessFile,
  type ProcessFiles,
  reasonOf,
} from './files.ts';
import { GuardedProcess } from './guarded-process.ts';
import { HungProcesses, waitsForMemoryMap } from './hung-processes.ts';
import { LiveHost } from './live-host.ts';
import {
  CODE_OF,
  codeOfReason,
  FILE_CODE,
  IF_STAT_CHANGED,
  isTimed,
  NO_LIMIT,
  REASONS,
  REQUESTED,
  REQUESTS_MAX,
  type Requested,
  SKIPPED,
  SLOT_BYTES,
  SLOT_FILES,
  TAKEN,
  UNCHANGED,
} from './reader-frames.ts';
import { ReaderProcess, Requests } from './reader-process.ts';
import { Reclaim } from './reclaim.ts';
import { withRoom } from './with-room.ts';

const HUNG = codeOfReason('hung');
/** How often in a row a reader may end by itself before the collection fails. */
const FAILURES_MAX = 3;
/** A read that is predicted to take longer than this, seconds, gets a reader of its own. */
const SHARED_READ_MAX = 0.05;
/**
 * Microseconds that the reader gets beyond the limit. The durations that it reports are rounded; with the spare time they
 * add up to the limit or more once it leaves reads out, so that nobody asks for these files again.
 */
const SPARE_MICROS = 2;

/**
 * How many readers may exist that were killed and have not ended: SIGKILL does not end an uninterruptible wait, and each
 * holds some 8 MiB. From `careful` on, files that wait for a memory map are left out, because kernels before 5.3 wait for it
 * in this way. At `readers` no other reader is started, and collections fail until one has ended.
 */
const UNENDED_MAX = { careful: 4, readers: 8 };

class GuardedHost extends LiveHost {
  readonly #source: string;
  readonly #clock: () => number;
  readonly #hostBuffer: Uint8Array;
  readonly #requests = new Requests();
  /** The process of each request in `#requests`; undefined where the request closes a process. */
  readonly #asked: (GuardedProcess | undefined)[] = [];

  /** Per handle and slot file: the answer's length or number, its slot, and TAKEN once it was handed out. */
  #lengths = new Int32Array(0);
  #slotOf = new Int32Array(0);
  #taken = new Int32Array(0);
  readonly #slots: Uint8Array[] = [];
  #slotsUsed = 0;
  #handles = 0;
  readonly #freeHandles: number[] = [];
  readonly #closed: number[] = [];
  /** The processes that the last prefetch asked for are the first `#currentCount` of `#current`, which never gets shorter. */
  #currentCount = 0;
  readonly #current: GuardedProcess[] = [];

  readonly #hung = new HungProcesses();
  readonly #reclaim = new Reclaim();
  #reader: ReaderProcess | undefined;
  #failures = 0;
  readonly #turns = new Turns();
  readonly #asideReader = new AsideReader(() => this.#start());
  /** Whether a process that hung is being tried again. */
  #tries = false;
  /** Readers that were killed and have not ended. */
  readonly #unended = new Set<ReaderProcess>();

  constructor(procfs: string, source: string, clock: () => number) {
    super(procfs, 0);
    this.#source = source;
    this.#clock = clock;
    this.#hostBuffer = this.buffer;
    process.once('exit', () => {
      this.#reader?.kill();
      this.#asideReader.kill();
    });
  }

  override begin(): void {
    this.#failures = 0;
    const now = this.#clock();
    this.#requests.memoryMoves = this.#reclaim.lately(this, now);
    this.#hung.begin(now, (pid) => this.exists(pid));
    const due = this.#tries || this.#unended.size >= UNENDED_MAX.careful ? undefined : this.#hung.due(now);
    if (due) void this.#tryAgain(due.pid, due.code);
  }

  get memoryMoves(): boolean {
    return this.#requests.memoryMoves;
  }

  override get hung(): readonly number[] {
    return this.#hung.pids;
  }

  override read(path: string): number {
    this.buffer = this.#hostBuffer;
    return super.read(path);
  }

  override process(pid: number): ProcessFiles {
    return new GuardedProcess(this, pid);
  }

  close(proc: GuardedProcess): void {
    if (proc.handle < 0) return;
    this.#closed.push(proc.handle);
    proc.handle = -1;
  }

  #register(proc: GuardedProcess): void {
    const handle = this.#freeHandles.pop() ?? this.#handles++;
    const end = (handle + 1) * SLOT_FILES;
    this.#lengths = withRoom(this.#lengths, end);
    this.#slotOf = withRoom(this.#slotOf, end);
    this.#taken = withRoom(this.#taken, end);
    this.#taken.fill(0, end - SLOT_FILES, end);
    proc.handle = handle;
    this.#forget(proc);
  }

  /** The process has no answers in slots. */
  #forget(proc: GuardedProcess): void {
    const end = place(proc, SLOT_FILES);
    for (let at = end - SLOT_FILES; at < end; at++) this.#lengths[at] = SKIPPED;
  }

  #request(proc: GuardedProcess | undefined, handle: number, file: number): void {
    this.#asked[this.#requests.length] = proc;
    this.#requests.add(handle, proc?.pid ?? 0, file);
  }

  override prefetch(wanted: FileRequests): Promise<void> {
    return this.#turns.run(() => this.#prefetch(wanted));
  }

  async #prefetch(wanted: FileRequests): Promise<void> {
    for (let index = 0; index < this.#currentCount; index++) {
      const proc = this.#current[index]!;
      proc.others = undefined;
      if (proc.handle >= 0) this.#forget(proc);
    }
    this.#currentCount = 0;
    this.#slotsUsed = 0;
    const requests = this.#requests;
    requests.smapsMicrosMax = Math.min(Math.max(0, Math.ceil(wanted.smapsSecondsMax * 1e6) + SPARE_MICROS), NO_LIMIT);
    if (await this.#send(wanted, false)) await this.#send(wanted, true);
  }

  /**
   * Sends what is wanted of those processes that are read last, or of the others.
   * @returns whether there are processes that are read last
   */
  async #send(wanted: FileRequests, last: boolean): Promise<boolean> {
    const requests = this.#requests;
    let others = false;
    for (let from = 0; from < wanted.length; ) {
      requests.length = 0;
      for (const handle of this.#closed.splice(0, REQUESTS_MAX / 2)) {
        this.#request(undefined, handle, CODE_OF.close);
        this.#freeHandles.push(handle);
      }
      for (; from < wanted.length && requests.length < REQUESTS_MAX; from++) {
        const proc = wanted.procs[from] as GuardedProcess;
        const code = CODE_OF[wanted.files[from]!];
        if (!last) proc.readLast = this.#hung.isReadLast(proc.pid);
        if (proc.readLast !== last) {
          others = true;
          continue;
        }
        if (proc.handle < 0) this.#register(proc);
        this.#current[this.#currentCount++] = proc;
        if (this.#isLeftOut(proc, code)) {
          this.#store(proc, code, HUNG);
          continue;
        }
        const taken = code < SLOT_FILES ? this.#taken[place(proc, code)]! : 0;
        const condition = wanted.conditional[from] ? IF_STAT_CHANGED : 0;
        this.#request(proc, proc.handle, code | taken | proc.marks | condition);
      }
      await this.#ask(last);
    }
    return others;
  }

  #isLeftOut({ pid, answered }: GuardedProcess, code: number): boolean {
    return (
      this.#hung.isLeftOut(pid, code) ||
      (!answered && this.#hung.postponesNew) ||
      (this.#unended.size >= UNENDED_MAX.careful && waitsForMemoryMap(code))
    );
  }

  lengthOf(proc: GuardedProcess, code: number): number {
    return proc.handle < 0 ? SKIPPED : this.#lengths[place(proc, code)]!;
  }

  /** Makes the answer of stat, statm or io the buffer. @returns its length in bytes @throws KernelFileError */
  takeSlot(proc: GuardedProcess, code: number): number {
    const length = this.lengthOf(proc, code);
    if (length < 0) throw this.failure(proc, REQUESTED[code]!, length);
    const at = place(proc, code);
    this.#taken[at] = TAKEN;
    this.buffer = this.#slots[this.#slotOf[at]!]!;
    return length;
  }

  failure({ pid }: GuardedProcess, file: Requested, code: number): Error {
    const reason = REASONS[-1 - code];
    if (!reason) return new Error(`${file} of process ${pid} was read, but not prefetched`);
    return new KernelFileError(`${this.procfs}/${pid}/${file}`, reason);
  }

  /** Reads a file between two prefetches, or where that may take too long, by a reader of its own. */
  async readLater(proc: GuardedProcess, file: ProcessFile, seconds: number): Promise<Uint8Array> {
    const answer = await (seconds > SHARED_READ_MAX
      ? this.#readAside(proc, CODE_OF[file], () => this.#isLeftOut(proc, CODE_OF[file]))
      : this.#readBetween(proc, file));
    if (typeof answer === 'number') throw this.failure(proc, file, answer);
    return answer;
  }

  #readBetween(proc: GuardedProcess, file: ProcessFile): Promise<Buffer | number> {
    return this.#turns.run(async () => {
      if (this.#isLeftOut(proc, CODE_OF[file])) return HUNG;
      if (proc.handle < 0) this.#register(proc);
      this.#requests.length = 0;
      this.#requests.smapsMicrosMax = NO_LIMIT;
      this.#request(proc, proc.handle, CODE_OF[file] | proc.marks);
      await this.#ask();
      return CODE_OF[file] < SLOT_FILES ? this.#slotAnswer(proc, CODE_OF[file]) : (proc.others?.get(file) ?? HUNG);
    });
  }

  #slotAnswer(proc: GuardedProcess, code: number): Buffer | number {
    const length = this.lengthOf(proc, code);
    return length < 0 ? length : Buffer.from(this.#slots[this.#slotOf[place(proc, code)]!]!.subarray(0, length));
  }

  /** Reads a file that hung, beside the collections: nothing else waits for it. */
  async #tryAgain(pid: number, code: number): Promise<void> {
    this.#tries = true;
    try {
      const answer = await this.#readAside(new GuardedProcess(this, pid), code, () => false);
      if (answer !== HUNG) this.#hung.answered(pid, this.#clock());
    } catch (error) {
      reasonOf(error); // no reader could be started: it stays due
    } finally {
      this.#tries = false;
    }
  }

  async #readAside(proc: GuardedProcess, code: number, isLeftOut: () => boolean): Promise<Buffer | number> {
    const { answer, seconds, hungReader } = await this.#asideReader.read(proc.pid, code | proc.marks, isLeftOut);
    if (hungReader) this.#note(proc, code, hungReader);
    else proc.readSeconds = seconds;
    return answer;
  }

  /**
   * Sends `#requests` until each has its answer.
   * @param atOnce each answer leaves the reader at once, so that the file is known that hangs
   * @throws KernelFileError where no reader can be had
   */
  async #ask(atOnce = false): Promise<void> {
    const requests = this.#requests;
    let next = 0;
    while (next < requests.length) {
      this.#reader ??= this.#start();
      const reader = this.#reader;
      next = await reader.ask(requests, next, atOnce, this.#take);
      if (reader.alive) continue;
      this.#reader = undefined;
      this.#taken.fill(0);
      for (let index = next; index < requests.length; index++) requests.files[index]! &= ~TAKEN;
      if (!reader.hung) this.#count(reader);
      else if (atOnce) this.#leaveOut(next, reader);
      // Answers may have been on their way when the read hung: the next reader gives each at once, and shows which hangs.
      atOnce ||= reader.hung;
    }
    this.#failures = 0;
  }

  readonly #take = (index: number, length: number, micros: number, bytes: Buffer, from: number): void => {
    const proc = this.#asked[index];
    if (!proc) return;
    proc.answered = true;
    this.#store(proc, this.#requests.files[index]! & FILE_CODE, length, micros, bytes, from);
  };

  #store(proc: GuardedProcess, code: number, length: number, micros = 0, bytes?: Buffer, from = 0): void {
    if (code < SLOT_FILES) {
      const at = place(proc, code);
      this.#lengths[at] = Math.min(length, SLOT_BYTES);
      if (length !== UNCHANGED) this.#taken[at] = 0;
      if (length <= 0) return;
      const index = this.#slotsUsed++;
      this.#slotOf[at] = index;
      this.#slots[index] ??= new Uint8Array(SLOT_BYTES);
      const slot = this.#slots[index];
      // Buffer.copy would make an object each time.
      for (let byte = 0, end = this.#lengths[at]; byte < end; byte++) slot[byte] = bytes![from + byte]!;
    } else {
      proc.others ??= new Map();
      proc.others.set(REQUESTED[code]!, length >= 0 ? Buffer.from(bytes!.subarray(from, from + length)) : length);
      if (isTimed(code)) proc.readSeconds = micros / 1e6;
    }
  }

  /** The file of this request hangs: it is left out, with everything that is not read after it for that reason. */
  #leaveOut(index: number, reader: ReaderProcess): void {
    const requests = this.#requests;
    const hung = this.#asked[index];
    if (!hung) return;
    this.#note(hung, requests.files[index]! & FILE_CODE, reader);
    let kept = index;
    for (let other = index; other < requests.length; other++) {
      const proc = this.#asked[other];
      const code = requests.files[other]! & FILE_CODE;
      if (proc && this.#isLeftOut(proc, code)) this.#store(proc, code, HUNG);
      else {
        this.#asked[kept] = proc;
        requests.move(other, kept++);
      }
    }
    requests.length = kept;
  }

  #note({ pid }: GuardedProcess, code: number, reader: ReaderProcess): void {
    this.#hung.note(pid, code, this.#clock(), reader);
  }

  #start(): ReaderProcess {
    if (this.#unended.size >= UNENDED_MAX.readers) {
      const what = `${this.#unended.size} processes that read it wait in the kernel and cannot be ended`;
      throw new KernelFileError(this.procfs, 'unsupported', what);
    }
    return new ReaderProcess(this.#source, this.procfs, this.#unended);
  }

  /** A reader ended by itself: it could not be started, or was killed from outside. */
  #count({ problem }: ReaderProcess): void {
    if (++this.#failures < FAILURES_MAX) return;
    throw new KernelFileError(this.procfs, 'unsupported', `the process that reads it ended: ${problem}`);
  }
}

const place = ({ handle }: GuardedProcess, code: number): number => handle * SLOT_FILES + code;

/**
 * The live host for a program that must not be held.
 * @param procfs where /proc is mounted; other files ("etc/passwd") are looked for beside it
 * @param clock seconds that never go back
 */
export async function guardedFiles(procfs: string, clock: () => number): Promise<KernelFiles> {
  const { default: source } = await import('./reader.ts?source');
  return new GuardedHost(procfs.replace(/(.)\/+$/, '$1'), source, clock);
}
