// Tells that a process has not run, without reading stat and io: they are the most expensive of the files that each
// collection reads, and most processes of most hosts have not run since the last collection.
//
// /proc/<pid>/schedstat has three numbers of the first thread: nanoseconds on a CPU, nanoseconds of waiting for one, and how
// often it began to run (Linux, Documentation/scheduler/sched-stats.rst; proc_pid_schedstat in fs/proc/base.c), for example
//
//   180395864 15490058 419
//
// Where they stand still, the thread has not run. If the process has no other thread, then neither its CPU time, nor its I/O, its
// children's time, its name or its state can have changed: the kernel writes them when the process itself runs. Only its memory can change
// (the kernel reclaims pages, another process writes to them): so statm is compared too, where the kernel says that it took
// pages (reclaim.ts). What is left, such as process_madvise(2), shows when statm has its turn (process/rss.ts). schedstat is read before stat: what the
// process does between the two reads shows the next time. Reading schedstat takes no lock of the process, and never waits.
import type { AnswerHashes } from './answer-hashes.ts';
import { reasonOf } from './files.ts';
import type { LiveProcess } from './live-host.ts';
import { CODE_OF } from './reader-frames.ts';
import { Fields } from './text.ts';
import { withRoom } from './with-room.ts';

/**
 * Reads of stat from one check to the next, at most. A process that ran at each of its last checks is checked more and more
 * rarely, up to this limit, because a check costs a third of what reading stat costs.
 */
const WAITS_MAX = 8;
/** In the place of such a number: schedstat of this process tells nothing. */
const NEVER = 0x7fffffff;
/** Checks in a row that must find a process idle until its stat and io are closed; they are opened again when it runs. */
const IDLE_CLOSES = 4;
/** What schedstat begins with where the kernel does not count, as four bytes: "0 0 ". */
const NOT_COUNTED = 0x20302030;

/** Of each process: whether it has one thread; how often in a row it had run, or not; how many checks are left out. */
const ONE_THREAD = 0;
const RAN = 1;
const IDLE = 2;
const WAITS = 3;
const NUMBERS = 4;

/** The last `)` of stat ends the name. */
const CLOSE = 0x29;
const fields = new Fields();

export class IdleCheck {
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #hashes: AnswerHashes;
  readonly #schedstat: number;
  /** Whether the memory of a process that has not run may have changed. */
  memoryMoves = true;
  #numbers = new Int32Array(512 * NUMBERS);

  /**
   * @param buffer the host reads into it
   * @param hashes what stat, statm and io said when they were answered, in the places of their numbers
   * @param schedstat the place of schedstat
   */
  constructor(buffer: ArrayBuffer, hashes: AnswerHashes, schedstat: number) {
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Int32Array(buffer);
    this.#hashes = hashes;
    this.#schedstat = schedstat;
  }

  /** Forgets a process, or makes room for one. */
  reset(handle: number): void {
    const end = (handle + 1) * NUMBERS;
    this.#numbers = withRoom(this.#numbers, end);
    this.#numbers.fill(0, end - NUMBERS, end);
  }

  /**
   * Whether stat and io say what they said when stat was answered last, and statm, where memory moves, what it said when it was answered.
   * Where this cannot be told, the process counts as one that ran.
   * @param from where the host reads to, a multiple of four
   */
  isIdle(proc: LiveProcess, handle: number, from: number): boolean {
    const numbers = this.#numbers;
    const at = handle * NUMBERS;
    if (numbers[at + ONE_THREAD] === 0 || --numbers[at + WAITS]! > 0) return false;
    const length = lengthOf(proc, 'schedstat');
    if (length <= 0 || this.#words[from >> 2] === NOT_COUNTED) {
      numbers[at + WAITS] = NEVER;
      return false;
    }
    const ran = !this.#hashes.isSame(handle, this.#schedstat, from, length);
    if (ran) this.#hashes.remember(handle, this.#schedstat);
    if (ran || (this.memoryMoves && !this.#hasSameMemory(proc, handle, from))) {
      numbers[at + IDLE] = 0;
      numbers[at + WAITS] = Math.min(++numbers[at + RAN]!, WAITS_MAX);
      return false;
    }
    numbers[at + RAN] = 0;
    if (++numbers[at + IDLE]! === IDLE_CLOSES) proc.closeStatAndIo();
    return true;
  }

  /** Takes what stat said. */
  takeStat(handle: number, from: number, length: number): void {
    this.#numbers[handle * NUMBERS + ONE_THREAD] = hasOneThread(this.#bytes, from, length) ? 1 : 0;
  }

  /** A kernel thread, whose statm is never read, has no memory. */
  #hasSameMemory(proc: LiveProcess, handle: number, from: number): boolean {
    if (!this.#hashes.has(handle, CODE_OF.statm)) return true;
    const length = lengthOf(proc, 'statm');
    return length > 0 && this.#hashes.isSame(handle, CODE_OF.statm, from, length);
  }
}

/** Reads a file. @returns its length in bytes; -1 where it cannot be read */
function lengthOf(proc: LiveProcess, file: 'schedstat' | 'statm'): number {
  try {
    return file === 'statm' ? proc.read(file) : proc.readSchedstat();
  } catch (error) {
    reasonOf(error);
    return -1;
  }
}

/** Whether num_threads, the twentieth field of stat (proc_pid_stat(5)), is 1. The name before it may hold anything. */
function hasOneThread(bytes: Uint8Array, from: number, length: number): boolean {
  const end = from + length;
  let close = end - 1;
  while (close > from && bytes[close] !== CLOSE) close--;
  fields.start(bytes, close + 1, end).skip(17); // state (3) to nice (19)
  return fields.next() === 1 && !fields.failed;
}
