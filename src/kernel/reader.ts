// The program of the reader: a process of its own that reads files below /proc/<pid>/ and gives back what they said.
// A read of such a file may never return (a process that execs while a FUSE server keeps silent holds its locks): then
// the exporter kills this process and starts another; a thread could not be ended. reader-process.ts is its other side.
//
// It runs one synchronous loop: requests come over a socket, answers leave over it, in the same order.
//
//   request frame   u32 count, u32 marks (AT_ONCE, MEMORY_MOVES), u32 microseconds for smaps_rollup;
//                   then for each request u32 handle, u32 pid, u32 file
//   hello           four bytes, once: the reader has started
//   answer          i32 length, or the negative number of a reason or UNCHANGED; then the bytes; behind those of
//                   smaps_rollup and smaps u32 microseconds that the read took; then zeros up to a multiple of four bytes
//
// All numbers are little-endian. It ends when the socket does.
import { readSync, writeSync } from 'node:fs';
import { AnswerHashes } from './answer-hashes.ts';
import { KernelFileError } from './files.ts';
import { IdleCheck } from './idle-check.ts';
import { keptDescriptors } from './kept-descriptors.ts';
import { LiveHost, LiveProcess } from './live-host.ts';
import {
  ANSWER_BYTES_MAX,
  ANSWER_HEAD_BYTES,
  AT_ONCE,
  CODE_OF,
  codeOfReason,
  FILE_CODE,
  HELLO_BYTES,
  IF_STAT_CHANGED,
  isTimed,
  MEMORY_MOVES,
  NO_LIMIT,
  OF_THREAD,
  REQUEST_BYTES,
  REQUEST_HEAD_BYTES,
  REQUESTED,
  REQUESTS_MAX,
  SKIPPED,
  SLOT_FILES,
  TAKEN,
  UNCHANGED,
} from './reader-frames.ts';

// Signals to the whole service come here too: SIGUSR1 would open the debugger of Node.js, SIGUSR2 would end the reader.
for (const signal of ['SIGUSR1', 'SIGUSR2']) process.on(signal, () => {});

/** Answers leave in pieces of this size, bytes: what a pipe takes at once. */
const OUT_BYTES = 64 << 10;
/** Files whose last answer is remembered: those of the first numbers, and schedstat in the place behind them. */
const REMEMBERED = SLOT_FILES + 1;
/** The descriptor of the socket to the exporter; standard input brought this program. */
const SOCKET = 3;

class Reader {
  readonly #out = Buffer.from(new ArrayBuffer(OUT_BYTES + ANSWER_BYTES_MAX + 1024));
  readonly #words = new Int32Array(this.#out.buffer);
  readonly #hashes = new AnswerHashes(this.#out.buffer, REMEMBERED);
  readonly #idleCheck = new IdleCheck(this.#out.buffer, this.#hashes, SLOT_FILES);
  #length = 0;
  /** Microseconds that reads of smaps_rollup may still take. */
  #smapsMicros = 0;
  /** Whether the stat that was requested last said what it said before. */
  #statUnchanged = false;
  /** The handle of the process whose stat was requested last, if it has not run since it was answered; else -1. */
  #idle = -1;
  readonly #host: LiveHost;
  /** Processes by handle. */
  readonly #procs: (LiveProcess | undefined)[] = [];
  readonly #frame = Buffer.alloc(REQUEST_HEAD_BYTES + REQUESTS_MAX * REQUEST_BYTES);

  constructor(procfs: string) {
    this.#host = new LiveHost(procfs, keptDescriptors(), this.#out);
  }

  /** Says that it has started, and answers requests until the socket ends. */
  run(): void {
    writeSync(SOCKET, this.#out, 0, HELLO_BYTES);
    while (this.#receive(0, REQUEST_HEAD_BYTES)) {
      const count = this.#frame.readUInt32LE(0);
      const marks = this.#frame.readUInt32LE(4);
      const atOnce = (marks & AT_ONCE) !== 0;
      this.#idleCheck.memoryMoves = (marks & MEMORY_MOVES) !== 0;
      this.#smapsMicros = this.#frame.readUInt32LE(8);
      if (!this.#receive(REQUEST_HEAD_BYTES, count * REQUEST_BYTES)) return;
      for (let index = 0; index < count; index++) {
        this.#answer(REQUEST_HEAD_BYTES + index * REQUEST_BYTES);
        if (atOnce || this.#length >= OUT_BYTES) this.#flush();
      }
      this.#flush();
    }
  }

  #answer(at: number): void {
    const asked = this.#frame.readUInt32LE(at + 8);
    const code = asked & (FILE_CODE | TAKEN);
    const timed = isTimed(asked);
    const began = timed ? performance.now() : 0;
    const skip = ((asked & IF_STAT_CHANGED) !== 0 && this.#statUnchanged) || (timed && this.#smapsMicros <= 0);
    const length = skip
      ? SKIPPED
      : this.#read(this.#frame.readUInt32LE(at), this.#frame.readUInt32LE(at + 4), code, (asked & OF_THREAD) !== 0);
    if ((code & ~TAKEN) === CODE_OF.stat) this.#statUnchanged = length === UNCHANGED;
    this.#words[this.#length >> 2] = length;
    this.#length += ANSWER_HEAD_BYTES + (length > 0 ? length : 0);
    if (timed) {
      const micros = skip ? 0 : Math.round((performance.now() - began) * 1000);
      this.#length = this.#out.writeUInt32LE(micros, this.#length);
      if (this.#smapsMicros !== NO_LIMIT) this.#smapsMicros -= micros;
    }
    this.#length = (this.#length + 3) & ~3;
  }

  /** Puts what a file says behind the head of the answer. @returns its length in bytes, or the number of a reason */
  #read(handle: number, pid: number, code: number, leaderEnded: boolean): number {
    let proc = this.#procs[handle];
    const file = REQUESTED[code & ~TAKEN]!;
    if (file === 'close') {
      proc?.close();
      this.#procs[handle] = undefined;
      return 0;
    }
    if (!proc) {
      proc = new LiveProcess(this.#host, pid);
      this.#procs[handle] = proc;
      this.#hashes.reset(handle);
      this.#idleCheck.reset(handle);
    }
    proc.leaderEnded(leaderEnded);
    const from = this.#length + ANSWER_HEAD_BYTES;
    this.#host.from = from;
    try {
      if (file === 'exe') return this.#out.write(proc.exe(), from, 'utf8');
      const taken = (code & TAKEN) !== 0;
      if (file === 'stat') this.#idle = taken && this.#idleCheck.isIdle(proc, handle, from) ? handle : -1;
      if ((file === 'stat' || (file === 'io' && taken)) && this.#idle === handle) return UNCHANGED;
      const length = Math.min(proc.read(file), ANSWER_BYTES_MAX);
      return (code & ~TAKEN) < SLOT_FILES ? this.#compare(handle, code, from, length) : length;
    } catch (error) {
      if (!(error instanceof KernelFileError)) throw error;
      return codeOfReason(error.reason);
    }
  }

  /** @returns UNCHANGED where the bytes are those of the last answer, and that was taken; else their length */
  #compare(handle: number, code: number, from: number, length: number): number {
    const place = code & ~TAKEN;
    if (this.#hashes.isSame(handle, place, from, length) && (code & TAKEN) !== 0) return UNCHANGED;
    this.#hashes.remember(handle, place);
    if (place === CODE_OF.stat) this.#idleCheck.takeStat(handle, from, length);
    return length;
  }

  #flush(): void {
    for (let at = 0; at < this.#length; ) at += writeSync(SOCKET, this.#out, at, this.#length - at);
    this.#length = 0;
  }

  /** Fills a part of the frame. @returns false when the socket has ended */
  #receive(from: number, length: number): boolean {
    for (let at = from; at < from + length; ) {
      const got = readSync(SOCKET, this.#frame, at, from + length - at, null);
      if (got === 0) return false;
      at += got;
    }
    return true;
  }
}

new Reader(process.argv[1] ?? '/proc').run();
