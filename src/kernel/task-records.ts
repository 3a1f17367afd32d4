// Parses what bpf/tasks.bpf.c writes: the cheap counters of all processes at one moment, as records of numbers. The file may
// be anything: a record that is not as expected is a TaskRecordError, and nothing is believed of that pass.
//
// Processes come in the order of their pids, which is demanded, so that a process is found without an index. A thread may
// come before its process; then it waits until the end of the pass. For example, of a process with two threads:
//
//   HEADER 24 bytes, PROCESS 192 bytes (pid 7), THREAD 72 bytes (tgid 7), END 8 bytes
import { withRoom } from './with-room.ts';

/** The file does not hold the records that this version of the program reads. */
export class TaskRecordError extends Error {}

/** As in tasks.bpf.c, which describes the records. */
const MAGIC = 0x4b415248;
const VERSION = 1;
const HEADER_BYTES = 24;
const PROCESS = 1;
const PROCESS_BYTES = 192;
const THREAD = 2;
const THREAD_BYTES = 72;
const END = 3;
const END_BYTES = 8;
/** Flags of a process. */
const KERNEL_THREAD = 1;
const EXACT = 2;
const HAS_IO = 4;

/** The numbers of a process, by their place behind the process's own place in `TaskPass.values`. */
export const TASK = {
  pid: 0,
  ppid: 1,
  /** Character code of the state. */
  state: 2,
  flags: 3,
  threads: 4,
  /** Nanoseconds since boot. */
  start: 5,
  /** Nanoseconds: the first two are sampled by the clock tick, the third is what the scheduler measured. */
  user: 6,
  system: 7,
  runtime: 8,
  minorFaults: 9,
  majorFaults: 10,
  /** Bytes. */
  readBytes: 11,
  writeBytes: 12,
  /** Nanoseconds. */
  childrenUser: 13,
  childrenSystem: 14,
  /** What stat showed last, nanoseconds: the kernel never shows less. */
  shownUser: 15,
  shownSystem: 16,
  execs: 17,
  /** Pages. */
  virtualSize: 18,
  fileRss: 19,
  anonymousRss: 20,
  swapped: 21,
  sharedRss: 22,
  /** Four numbers of four bytes each. */
  comm: 23,
} as const;
/** Numbers of a process. */
export const TASK_NUMBERS = 27;

/** 64-bit numbers of a process record, from this word on; the last four have a sign. */
const LONGS_FROM = 8;
const LONGS = TASK.comm - TASK.start;
const COUNTERS = TASK.childrenUser - TASK.user;
const COMM_WORDS = 4;

export const isKernelThread = (flags: number): boolean => (flags & KERNEL_THREAD) !== 0;
/** Whether resident pages are exact, not without the remainders of single CPUs. */
export const isExact = (flags: number): boolean => (flags & EXACT) !== 0;
export const hasIo = (flags: number): boolean => (flags & HAS_IO) !== 0;

/** All processes as one pass found them. */
export class TaskPass {
  /** The numbers of each process, in the order of pids. */
  values = new Float64Array(256 * TASK_NUMBERS);
  /** Processes. */
  count = 0;
  #begun = false;
  /** Its last record was taken. */
  ended = false;
  /** Threads that came before their process: tgid, then the counters. */
  #waiting: number[] = [];

  clear(): void {
    this.count = 0;
    this.#begun = false;
    this.ended = false;
    this.#waiting = [];
  }

  /**
   * Takes the next records.
   * @param bytes the end of the last record may be missing
   * @returns the bytes of the whole records; what is left has to come again, before what follows it
   * @throws TaskRecordError
   */
  take(bytes: Uint8Array): number {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    let at = 0;
    while (at + 2 <= words.length) {
      if (this.ended) throw new TaskRecordError('records follow the end of the list');
      const kind = words[at]!;
      const size = words[at + 1]! >> 2;
      this.#check(kind, words[at + 1]!);
      if (at + size > words.length) break;
      if (kind === MAGIC) this.#takeHeader(words, at);
      else if (kind === PROCESS) this.#takeProcess(words, at);
      else if (kind === THREAD) this.#takeThread(words, at);
      else this.ended = true;
      at += size;
    }
    return at << 2;
  }

  /** Ends the pass. @throws TaskRecordError where it was cut */
  end(): void {
    if (!this.ended) throw new TaskRecordError(this.#begun ? 'the list was cut' : 'it is empty');
    for (let from = 0; from < this.#waiting.length; from += COUNTERS + 1) {
      const place = this.find(this.#waiting[from]!, 0);
      if (place < 0) continue; // the process ended while the list was written
      for (let each = 0; each < COUNTERS; each++)
        this.values[place + TASK.user + each]! += this.#waiting[from + 1 + each]!;
    }
    this.#waiting = [];
  }

  /** @param hint where it was found in the last pass @returns the place of the process in `values`; -1 where it has none */
  find(pid: number, hint: number): number {
    const { values } = this;
    let low = 0;
    let high = this.count - 1;
    const near = Math.floor(hint / TASK_NUMBERS);
    if (near >= 0 && near <= high) {
      const there = values[hint]!;
      if (there === pid) return hint;
      const [from, to] = there < pid ? [near + 1, near + 64] : [near - 64, near - 1];
      if (from > low && values[from * TASK_NUMBERS]! <= pid) low = from;
      if (to < high && values[to * TASK_NUMBERS]! >= pid) high = to;
    }
    while (low <= high) {
      const middle = (low + high) >> 1;
      const place = middle * TASK_NUMBERS;
      const found = values[place]!;
      if (found === pid) return place;
      if (found < pid) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /** The kind is known, has this size, and may come now. @throws TaskRecordError */
  #check(kind: number, size: number): void {
    const expected =
      kind === PROCESS ? PROCESS_BYTES : kind === THREAD ? THREAD_BYTES : kind === END ? END_BYTES : HEADER_BYTES;
    if (!this.#begun && kind !== MAGIC) throw new TaskRecordError('it holds no list of tasks');
    if (this.#begun && kind === MAGIC) throw new TaskRecordError('a second list follows the first');
    if (this.#begun && (kind < PROCESS || kind > END))
      throw new TaskRecordError(`a record has the unknown kind ${kind}`);
    if (size !== expected) throw new TaskRecordError(`a record has ${size} bytes in place of ${expected}`);
  }

  #takeHeader(words: Uint32Array, at: number): void {
    const version = words[at + 2]!;
    if (version !== VERSION) throw new TaskRecordError(`its records have version ${version} in place of ${VERSION}`);
    if (words[at + 3] !== PROCESS_BYTES || words[at + 4] !== THREAD_BYTES)
      throw new TaskRecordError('its records have other sizes');
    this.#begun = true;
  }

  #takeProcess(words: Uint32Array, at: number): void {
    const pid = words[at + 2]!;
    const place = this.count * TASK_NUMBERS;
    const last = this.count === 0 ? 0 : this.values[place - TASK_NUMBERS]!;
    if (pid <= last) throw new TaskRecordError(`process ${pid} comes after process ${last}`);
    const values = withRoom(this.values, place + TASK_NUMBERS);
    this.values = values;
    this.count++;
    values[place + TASK.pid] = pid;
    values[place + TASK.ppid] = words[at + 3]!;
    values[place + TASK.state] = stateOf(words[at + 4]!, words[at + 5]!);
    values[place + TASK.flags] = words[at + 6]!;
    values[place + TASK.threads] = words[at + 7]!;
    for (let each = 0; each < LONGS; each++) {
      const word = at + LONGS_FROM + 2 * each;
      const high = each + TASK.start < TASK.fileRss ? words[word + 1]! : words[word + 1]! | 0;
      values[place + TASK.start + each] = high * 0x1_0000_0000 + words[word]!;
    }
    for (let each = 0; each < COMM_WORDS; each++)
      values[place + TASK.comm + each] = words[at + LONGS_FROM + 2 * LONGS + each]!;
  }

  #takeThread(words: Uint32Array, at: number): void {
    const tgid = words[at + 2]!;
    const place = this.find(tgid, (this.count - 1) * TASK_NUMBERS);
    if (place < 0) this.#waiting.push(tgid);
    for (let each = 0; each < COUNTERS; each++) {
      const word = at + 4 + 2 * each;
      const value = words[word + 1]! * 0x1_0000_0000 + words[word]!;
      if (place < 0) this.#waiting.push(value);
      else this.values[place + TASK.user + each]! += value;
    }
  }
}

/** States as /proc/<pid>/stat shows them, for each bit of TASK_REPORT: R S D T t X Z P I (task_state_array, fs/proc/array.c). */
const STATES = Buffer.from('RSDTtXZPI');
const TASK_REPORT = 0x7f;
const UNINTERRUPTIBLE = 0x2;
/** TASK_IDLE: uninterruptible, but no load. */
const IDLE = 0x402;
/** TASK_RTLOCK_WAIT (since 5.16) and TASK_FROZEN (since 6.1) are shown as D. */
const SHOWN_BLOCKED = 0x9000;

/** As __task_state_index of include/linux/sched.h. */
function stateOf(state: number, exitState: number): number {
  if ((state & SHOWN_BLOCKED) !== 0) return STATES[32 - Math.clz32(UNINTERRUPTIBLE)]!;
  if ((state & IDLE) === IDLE) return STATES[STATES.length - 1]!;
  return STATES[32 - Math.clz32((state | exitState) & TASK_REPORT)]!;
}
