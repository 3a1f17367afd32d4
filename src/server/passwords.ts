// Compares passwords with bcrypt hashes on a thread of its own, one after the other. The thread ends, and gives its
// memory back, when there was nothing to compare for a while. Who floods it waits behind himself.
import { Worker } from 'node:worker_threads';

/** The queue is full; try again later. */
export class QueueFullError extends Error {}

interface Job {
  readonly password: string;
  readonly hash: string;
  readonly resolve: (right: boolean) => void;
  readonly reject: (error: Error) => void;
}

/** Comparisons that wait, of one client and of all. */
const WAITING_OF_ONE = 4;
const WAITING = 64;
/** Milliseconds without work after which the thread ends. */
const REST = 10_000;

export class Passwords {
  /** Waiting jobs by client; the client whose turn is next comes first. */
  readonly #queues = new Map<string, Job[]>();
  #waiting = 0;
  #job: Job | undefined;
  #worker: Worker | undefined;
  #rest: NodeJS.Timeout | undefined;

  /** Whether the hash is of this password. @param client shares the thread fairly with others @throws Busy */
  compare(password: string, hash: string, client: string): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const queue = this.#queues.get(client) ?? [];
      if (queue.length >= WAITING_OF_ONE || this.#waiting >= WAITING) return reject(new QueueFullError());
      this.#queues.set(client, queue);
      queue.push({ password, hash, resolve, reject });
      this.#waiting++;
      void this.#next();
    });
  }

  async #next(): Promise<void> {
    if (this.#job) return;
    const [turn] = this.#queues;
    clearTimeout(this.#rest);
    if (!turn) {
      this.#rest = setTimeout(() => this.#end(), REST).unref();
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
      this.#done((job) => job.reject(error as Error)); // no thread could be had
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
