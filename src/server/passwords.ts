// Compares passwords with bcrypt hashes on a worker thread, one at a time; why: docs/decisions/0006. The thread ends after
// ten seconds without work and gives its memory back.
//
// A comparison takes up to half a second, so clients with wrong passwords can keep the thread busy for ever. They must not
// keep out a client with the right password, from however many networks they come, up to the number of places:
//   * A client without any comparison comes before the others, in the order of first requests; then the client whose last
//     comparison is the longest ago. It keeps its turn when it goes away and asks again: a scraper waits ten seconds,
//     and a hundred comparisons before its own may take longer than that.
//   * Where no more jobs may wait, the first job of another client takes the place of the last job of the client that
//     has the most waiting jobs. Where each has one, a client without any comparison takes the place of the client
//     whose turn would come last.
//   * The job of a client that has gone is dropped. The job that the thread works on is not: to start another thread
//     takes longer than most comparisons, and a client could cause that as often as it likes.
import { Worker } from 'node:worker_threads';

/** Too many comparisons wait, of this client or of all; try again later. */
export class QueueFullError extends Error {}
/** The client went away before its password was compared. */
export class ClientGoneError extends Error {}

interface Job {
  readonly password: string;
  readonly hash: string;
  readonly resolve: (right: boolean) => void;
  readonly reject: (error: Error) => void;
}

/** Comparisons that may wait, of one client and of all. */
const WAITING_PER_CLIENT_MAX = 4;
const WAITING_MAX = 2048;
/** Time without work after which the thread ends, milliseconds. */
const THREAD_IDLE_MS = 10_000;

/** A thread that answers each message, password and hash, with a message that says whether they belong together. */
export interface PasswordThread {
  postMessage(job: { readonly password: string; readonly hash: string }): void;
  on(event: 'message', listener: (right: boolean) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'exit', listener: () => void): unknown;
  terminate(): unknown;
}

export class Passwords {
  /** Waiting jobs by client, in the order in which the clients came; no list is empty. */
  readonly #queues = new Map<string, Job[]>();
  #waiting = 0;
  /** Clients without a comparison, in the order of their first requests, whether a job of theirs waits or not. */
  readonly #newcomers = new Set<string>();
  /** Clients in the order of their last comparisons, the oldest first. */
  readonly #compared = new Set<string>();
  /** The comparison that the thread works on. */
  #job: Job | undefined;
  #thread: PasswordThread | undefined;
  readonly #startThread: () => Promise<PasswordThread>;
  #idleTimer: NodeJS.Timeout | undefined;
  /** Comparisons that may wait. As many clients without a comparison keep their turn, and as many with one are known. */
  readonly #max: number;

  constructor(startThread = startPasswordThread, max = WAITING_MAX) {
    this.#startThread = startThread;
    this.#max = max;
  }

  /**
   * Whether this is the password of the hash.
   * @param client network of the client @param gone aborted when nobody waits for the result any more
   * @throws QueueFullError, ClientGoneError
   */
  compare(password: string, hash: string, client: string, gone?: AbortSignal): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const queue = this.#queues.get(client) ?? [];
      if (queue.length >= WAITING_PER_CLIENT_MAX || !this.#hasRoom(client, queue.length))
        return reject(new QueueFullError());
      const job: Job = { password, hash, resolve, reject };
      this.#queues.set(client, queue);
      queue.push(job);
      this.#waiting++;
      // A client that is there already keeps its earlier place.
      if (!this.#compared.has(client)) this.#newcomers.add(client);
      this.#forgetOne(this.#newcomers);
      gone?.addEventListener('abort', () => this.#drop(client, job, new ClientGoneError()), { once: true });
      void this.#next();
    });
  }

  /** Whether one more job may wait; a first job of its client gets the place of another job. @param waiting jobs of its client */
  #hasRoom(client: string, waiting: number): boolean {
    if (this.#waiting < this.#max) return true;
    if (waiting > 0) return false;
    let [loser, jobs] = ['', [] as Job[]];
    for (const [other, queue] of this.#queues) if (queue.length >= jobs.length) [loser, jobs] = [other, queue];
    if (jobs.length < 2) {
      if (this.#compared.has(client)) return false;
      const last = [...this.#compared].findLast((other) => this.#queues.has(other));
      if (last === undefined) return false;
      [loser, jobs] = [last, this.#queues.get(last)!];
    }
    this.#drop(loser, jobs.at(-1)!, new QueueFullError());
    return true;
  }

  /** Where too many clients are noted, forgets the oldest without a waiting job: a client with one has to get its turn. */
  #forgetOne(clients: Set<string>): void {
    if (clients.size <= this.#max) return;
    for (const client of clients) if (!this.#queues.has(client)) return void clients.delete(client);
  }

  /** Takes a job out of the queue, where it still waits. */
  #drop(client: string, job: Job, reason: Error): void {
    if (this.#remove(client, job)) job.reject(reason);
  }

  #remove(client: string, job: Job): boolean {
    const queue = this.#queues.get(client) ?? [];
    const at = queue.indexOf(job);
    if (at < 0) return false;
    queue.splice(at, 1);
    if (queue.length === 0) this.#queues.delete(client);
    this.#waiting--;
    return true;
  }

  /** The client whose turn it is. */
  #turn(): string | undefined {
    for (const client of this.#newcomers) if (this.#queues.has(client)) return client;
    for (const client of this.#compared) if (this.#queues.has(client)) return client;
    return undefined;
  }

  async #next(): Promise<void> {
    if (this.#job) return;
    const client = this.#turn();
    clearTimeout(this.#idleTimer);
    if (client === undefined) {
      this.#idleTimer = setTimeout(() => this.#end(), THREAD_IDLE_MS).unref();
      return;
    }
    const job = this.#queues.get(client)![0]!;
    this.#remove(client, job);
    this.#job = job;
    this.#newcomers.delete(client);
    this.#compared.delete(client);
    this.#compared.add(client);
    this.#forgetOne(this.#compared);
    try {
      this.#thread ??= await this.#start();
      this.#thread.postMessage({ password: job.password, hash: job.hash });
    } catch (error) {
      this.#done((job) => job.reject(error as Error)); // the thread could not be started
    }
  }

  async #start(): Promise<PasswordThread> {
    const thread = await this.#startThread();
    thread.on('message', (right: boolean) => this.#done((job) => job.resolve(right)));
    let reason = new Error('the thread that compares passwords ended');
    thread.on('error', (error: Error) => {
      reason = error;
    });
    thread.on('exit', () => {
      if (this.#thread !== thread) return;
      this.#thread = undefined;
      this.#done((job) => job.reject(reason));
    });
    return thread;
  }

  #done(settle: (job: Job) => void): void {
    const job = this.#job;
    this.#job = undefined;
    if (job) settle(job);
    void this.#next();
  }

  #end(): void {
    void this.#thread?.terminate();
    this.#thread = undefined;
  }
}

async function startPasswordThread(): Promise<PasswordThread> {
  const { default: source } = await import('./password-worker.ts?source');
  const worker = new Worker(source, { eval: true, env: {}, execArgv: [] });
  worker.unref();
  return worker;
}
