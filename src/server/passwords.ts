// Compares passwords with bcrypt hashes on a worker thread, one at a time; why: docs/decisions/0006. The thread ends after
// ten seconds without work and gives its memory back. Clients take turns, so a client that sends many passwords delays
// only its own.
import { Worker } from 'node:worker_threads';

/** Too many comparisons wait, of this client or of all; try again later. */
export class QueueFullError extends Error {}

interface Job {
  readonly password: string;
  readonly hash: string;
  readonly resolve: (right: boolean) => void;
  readonly reject: (error: Error) => void;
}

/** Comparisons that may wait, of one client and of all. */
const WAITING_PER_CLIENT_MAX = 4;
const WAITING_MAX = 64;
/** Time without work after which the thread ends, milliseconds. */
const THREAD_IDLE_MS = 10_000;

export class Passwords {
  /** Waiting jobs by client; the client whose turn is next comes first. */
  readonly #queues = new Map<string, Job[]>();
  #waiting = 0;
  /** The comparison that the thread works on. */
  #job: Job | undefined;
  #worker: Worker | undefined;
  #idleTimer: NodeJS.Timeout | undefined;

  /** Whether this is the password of the hash. @param client address; clients take turns @throws QueueFullError */
  compare(password: string, hash: string, client: string): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const queue = this.#queues.get(client) ?? [];
      if (queue.length >= WAITING_PER_CLIENT_MAX || this.#waiting >= WAITING_MAX) return reject(new QueueFullError());
      this.#queues.set(client, queue);
      queue.push({ password, hash, resolve, reject });
      this.#waiting++;
      void this.#next();
    });
  }

  async #next(): Promise<void> {
    if (this.#job) return;
    const [turn] = this.#queues;
    clearTimeout(this.#idleTimer);
    if (!turn) {
      this.#idleTimer = setTimeout(() => this.#end(), THREAD_IDLE_MS).unref();
      return;
    }
    const [client, queue] = turn;
    const job = queue.shift()!;
    this.#job = job;
    this.#waiting--;
    this.#queues.delete(client);
    if (queue.length > 0) this.#queues.set(client, queue);
    try {
      this.#worker ??= await this.#start();
      this.#worker.postMessage({ password: job.password, hash: job.hash });
    } catch (error) {
      this.#done((job) => job.reject(error as Error)); // the thread could not be started
    }
  }

  async #start(): Promise<Worker> {
    const { default: source } = await import('./password-worker.ts?source');
    const worker = new Worker(source, { eval: true, env: {}, execArgv: [] });
    worker.unref();
    worker.on('message', (right: boolean) => this.#done((job) => job.resolve(right)));
    let reason = new Error('the thread that compares passwords ended');
    worker.on('error', (error) => {
      reason = error;
    });
    worker.on('exit', () => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#done((job) => job.reject(reason));
    });
    return worker;
  }

  #done(settle: (job: Job) => void): void {
    const job = this.#job;
    this.#job = undefined;
    if (job) settle(job);
    void this.#next();
  }

  #end(): void {
    void this.#worker?.terminate();
    this.#worker = undefined;
  }
}
