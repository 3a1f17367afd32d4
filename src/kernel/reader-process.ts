// The exporter's side of a reader: starts the process, sends it requests, takes its answers, sees when a read hangs.
// A reader that hangs is killed and another one started; the request that hung is named.
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { isExecutable, OWN_EXECUTABLE, READER_WORD } from './executable.ts';
import {
  ANSWER_HEAD_BYTES,
  AT_ONCE,
  DURATION_BYTES,
  HELLO_BYTES,
  isTimed,
  MEMORY_MOVES,
  NO_LIMIT,
  REQUEST_BYTES,
  REQUEST_HEAD_BYTES,
  REQUESTS_MAX,
} from './reader-frames.ts';
import { isWaiting } from './self.ts';

/** Milliseconds after which a read counts as hung, if the reader was neither running nor able to run all the time. */
const HUNG_AFTER_MS = 250;
/** A small heap, and no threads of V8: the reader makes no garbage to speak of. */
const V8_FLAGS = ['--max-semi-space-size=1', '--single-threaded', '--optimize-for-size'];
/**
 * Runs the program that standard input brings. With `-` in its place Node.js would load its modules for streams and sockets,
 * half a MiB that the reader has no use for.
 */
const BOOT = `new Function('require', 'process', require('fs').readFileSync(0, 'utf8'))(require, process)`;
/** SIGUSR1 makes Node.js open a debugger, also before the program runs; no machine has this address (RFC 5737). */
const NO_DEBUGGER = process.features.inspector ? ['--inspect-port=192.0.2.1:9229'] : [];
/**
 * With these the allocator gives back at once what V8's compiler leaves, some 2.5 MiB (mallopt(3)); the exporter's own are
 * set by whatever starts it.
 */
const ALLOCATOR = { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '4096', MALLOC_TRIM_THRESHOLD_: '65536' };
/** Milliseconds after which a reader that has not started is killed. */
const START_MS_MAX = 20_000;
/** Time between two looks at a reader that does not answer, milliseconds. */
const LOOK_MS = 50;

/** Requests to send, in order; reusable. */
export class Requests {
  length = 0;
  readonly handles = new Uint32Array(REQUESTS_MAX);
  readonly pids = new Uint32Array(REQUESTS_MAX);
  readonly files = new Uint32Array(REQUESTS_MAX);
  /** Microseconds that reads of smaps_rollup may take together. */
  smapsMicrosMax = NO_LIMIT;
  /** Whether memory of processes that do not run may have moved (reclaim.ts). */
  memoryMoves = true;

  add(handle: number, pid: number, file: number): void {
    this.handles[this.length] = handle;
    this.pids[this.length] = pid;
    this.files[this.length++] = file;
  }

  /** Puts a request in the place of another. */
  move(from: number, to: number): void {
    this.handles[to] = this.handles[from]!;
    this.pids[to] = this.pids[from]!;
    this.files[to] = this.files[from]!;
  }
}

/**
 * Takes an answer.
 * @param index which request it answers
 * @param length bytes, or the negative number of a reason
 * @param micros microseconds that the read took
 * @param bytes holds the answer from `from` on; valid during the call
 */
export type Take = (index: number, length: number, micros: number, bytes: Buffer, from: number) => void;

export class ReaderProcess {
  readonly #child: ChildProcess;
  readonly #socket: Socket;
  readonly #frame = new Uint32Array((REQUEST_HEAD_BYTES + REQUESTS_MAX * REQUEST_BYTES) / 4);
  /** Bytes of an answer that has not arrived whole. */
  #rest: Buffer | undefined;
  #next = 0;
  #requests = new Requests();
  #take: Take = () => {};
  #settle: ((answered: number) => void) | undefined;
  #started = false;
  #ended = false;
  /** Whether it was killed because a read hung. */
  hung = false;
  /** Why it ended by itself. */
  problem = '';
  /** Whether the process is there no more: SIGKILL does not end one that waits in the kernel uninterruptibly. */
  exited = false;
  readonly #unended: Set<ReaderProcess>;

  /**
   * @param source the reader's program as JavaScript text; the single executable holds it already
   * @param procfs where /proc is mounted
   * @param unended holds it from when it is killed until it has ended
   */
  constructor(source: string, procfs: string, unended: Set<ReaderProcess>) {
    this.#unended = unended;
    const [program, words] = isExecutable
      ? [OWN_EXECUTABLE, [READER_WORD, procfs]]
      : [process.execPath, [...V8_FLAGS, ...NO_DEBUGGER, '-e', BOOT, '--', procfs]];
    this.#child = spawn(program, words, {
      argv0: 'herakles-reader',
      env: ALLOCATOR,
      stdio: ['pipe', 'ignore', 'inherit', 'pipe'],
    });
    this.#child.on('error', (error) => {
      if (this.#child.pid === undefined) this.#exit();
      this.#end(error.message);
    });
    this.#child.on('exit', (code, signal) => {
      this.#exit();
      this.#end(signal ?? `status ${code}`);
    });
    this.#child.stdin!.on('error', () => {});
    this.#child.stdin!.end(source);
    this.#socket = this.#child.stdio[3] as Socket;
    this.#socket.on('error', (error) => this.#end(error.message));
    this.#socket.on('data', (chunk) => this.#receive(chunk));
    this.#child.unref();
    this.#socket.unref();
  }

  /** False once it was killed, or ended by itself. */
  get alive(): boolean {
    return !this.#ended;
  }

  /**
   * Sends the requests from one place on, and takes their answers in order.
   * @param atOnce each answer leaves the reader before the next file is read: after a hang it is then known which hung
   * @returns how many were answered: all, or up to that which hangs (or ended the reader), which was then killed
   */
  ask(requests: Requests, from: number, atOnce: boolean, take: Take): Promise<number> {
    if (this.#ended) return Promise.resolve(from);
    this.#next = from;
    this.#requests = requests;
    this.#take = take;
    const frame = this.#frame;
    frame[0] = requests.length - from;
    frame[1] = (atOnce ? AT_ONCE : 0) | (requests.memoryMoves ? MEMORY_MOVES : 0);
    frame[2] = requests.smapsMicrosMax;
    let at = REQUEST_HEAD_BYTES / 4;
    for (let index = from; index < requests.length; index++) {
      frame[at++] = requests.handles[index]!;
      frame[at++] = requests.pids[index]!;
      frame[at++] = requests.files[index]!;
    }
    this.#socket.write(Buffer.from(frame.buffer, 0, 4 * at));
    return new Promise((resolve) => {
      const watch = this.#watch();
      this.#socket.ref();
      this.#settle = (answered) => {
        clearInterval(watch);
        this.#socket.unref();
        this.#settle = undefined;
        resolve(answered);
      };
    });
  }

  kill(): void {
    if (!this.exited) this.#unended.add(this);
    this.#child.kill('SIGKILL');
    this.#end('it was killed');
  }

  /** Kills the reader when it makes no progress and does not run: a read that takes long is work, one that waits is not. */
  #watch(): NodeJS.Timeout {
    let seen = -1;
    let looks = 0;
    let starting = 0;
    return setInterval(() => {
      if (!this.#started) {
        if (++starting * LOOK_MS >= START_MS_MAX) this.kill();
        return;
      }
      const waits = this.#next === seen && isWaiting(this.#child.pid!);
      seen = this.#next;
      looks = waits ? looks + 1 : 0;
      if (looks * LOOK_MS < HUNG_AFTER_MS) return;
      this.hung = true;
      this.kill();
    }, LOOK_MS);
  }

  #exit(): void {
    this.exited = true;
    this.#unended.delete(this);
  }

  #end(problem: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.problem = problem;
    this.#rest = undefined;
    this.#settle?.(this.#next);
  }

  #receive(chunk: Buffer): void {
    if (this.#ended) return;
    const all = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    if (!this.#started && all.length < HELLO_BYTES) {
      this.#rest = all;
      return;
    }
    const bytes = this.#started ? all : all.subarray(HELLO_BYTES);
    this.#started = true;
    const { files } = this.#requests;
    let at = 0;
    while (at + ANSWER_HEAD_BYTES <= bytes.length) {
      const length = bytes.readInt32LE(at);
      const from = at + ANSWER_HEAD_BYTES;
      const to = from + (length > 0 ? length : 0);
      const timed = isTimed(files[this.#next]!);
      const end = (to + (timed ? DURATION_BYTES : 0) + 3) & ~3;
      if (end > bytes.length) break;
      this.#take(this.#next++, length, timed ? bytes.readUInt32LE(to) : 0, bytes, from);
      at = end;
    }
    this.#rest = at < bytes.length ? bytes.subarray(at) : undefined;
    if (this.#next === this.#requests.length) this.#settle?.(this.#next);
  }
}
