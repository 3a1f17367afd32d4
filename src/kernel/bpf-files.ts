// A host whose cheap counters (stat, statm and io of all processes) come from a pinned BPF program, as long as that is there
// and agrees with /proc: one list of all processes at the beginning of a collection, in place of three files of each
// process. Everything else comes from /proc, and so does everything of a process without a record.
//
// A list is believed only after a trial (counters-trial.ts), which is repeated now and then. Where one fails, or the list is not as
// expected, the file is read again after ten minutes, or when another one is pinned: what happens while it is read, such as
// threads that end, may look like a disagreement.

import { BpfProcess, type Passes } from './bpf-process.ts';
import { ChangedTasks } from './changed-tasks.ts';
import { CountersTrial } from './counters-trial.ts';
import {
  type CounterSource,
  FileRequests,
  KernelFileError,
  type KernelFiles,
  type PidList,
  type ProcessFile,
  type ProcessFiles,
} from './files.ts';
import { readUnits } from './host.ts';
import type { Units } from './pid.ts';
import { TaskFile } from './task-file.ts';
import { TASK_NUMBERS, TaskPass, TaskRecordError } from './task-records.ts';

/** Seconds from one trial to the next. Neither the kernel nor the program changes meanwhile, and a trial costs more than a list. */
const TRIAL_EVERY = 300;
/** Seconds from a trial that failed to the next one. */
const RETRY_AFTER = 600;
const COMM_BYTES = 16;
const GONE = 'it was in use, and is no longer there';

class BpfFiles implements KernelFiles, Passes {
  readonly #files: KernelFiles;
  readonly #file: TaskFile;
  readonly #clock: () => number;
  readonly #demanded: boolean;
  readonly #requests = new FileRequests();
  readonly #comm = new Uint8Array(COMM_BYTES);
  #units: Units | undefined;
  /** The buffer that was filled last is that of a name. */
  #named = false;

  now = new TaskPass();
  before = new TaskPass();
  number = 1;
  used = false;
  readonly #changed = new ChangedTasks();
  /** Whether the pass follows that of the collection before, so that a difference is all that happened since. */
  #follows = false;
  /** Whether the collection under way has its pass, or does without. */
  #current = false;
  #nextTrial = Number.NEGATIVE_INFINITY;
  /** Processes that /proc lists and the program does not see, as the last trial found. */
  #unseen: readonly number[] = [];
  /** The pinned file that was looked for last. */
  #identity: string | undefined;
  /** The pinned file that must not be used, until when, and why. */
  #refused: string | undefined;
  #retryAt = Number.NEGATIVE_INFINITY;
  #problem: string | undefined;

  constructor(files: KernelFiles, path: string, clock: () => number, demanded: boolean) {
    this.#files = files;
    this.#file = new TaskFile(path, clock);
    this.#clock = clock;
    this.#demanded = demanded;
  }

  get source(): CounterSource {
    return { name: this.used ? 'bpf' : 'procfs', problem: this.#problem };
  }

  get buffer(): Uint8Array {
    return this.#named ? this.#comm : this.#files.buffer;
  }

  get memoryMoves(): boolean {
    return this.#files.memoryMoves ?? true;
  }

  get hung(): readonly number[] {
    return this.#files.hung;
  }

  get units(): Units {
    this.#units ??= readUnits(this.#files);
    return this.#units;
  }

  get changed(): PidList | undefined {
    return this.#current && this.#follows ? this.#changed : undefined;
  }

  commBuffer(): Uint8Array {
    this.#named = true;
    return this.#comm;
  }

  textBuffer(): Uint8Array {
    this.#named = false;
    return this.#files.buffer;
  }

  begin(): void {
    this.#files.begin();
    this.#current = false;
  }

  read(path: string): number {
    this.#named = false;
    return this.#files.read(path);
  }

  process(pid: number): ProcessFiles {
    return new BpfProcess(this.#files.process(pid), this);
  }

  *pids(): Iterable<number> {
    if (!this.used || !this.#current) {
      yield* this.#files.pids();
      return;
    }
    for (let index = 0; index < this.now.count; index++) yield this.now.values[index * TASK_NUMBERS]!;
    for (const pid of this.#unseen) if (this.now.find(pid, 0) < 0) yield pid; // another process may have its pid since
  }

  async prefetch(wanted: FileRequests): Promise<void> {
    if (!this.#current) {
      await this.#beginPass();
      this.#current = true;
    }
    this.#named = false;
    const requests = this.#requests;
    requests.clear();
    requests.smapsSecondsMax = wanted.smapsSecondsMax;
    for (let index = 0; index < wanted.length; index++) {
      const proc = wanted.procs[index] as BpfProcess;
      const file = wanted.files[index]!;
      if (proc.has(file)) continue;
      if (!wanted.conditional[index]) requests.add(proc.files, file);
      else if (!proc.has('stat')) requests.addIfStatChanged(proc.files, file as ProcessFile);
      else if (proc.mayHaveMovedMemory()) requests.add(proc.files, file);
      else {
        proc.keepsMemory();
        continue;
      }
      proc.opens();
    }
    if (requests.length > 0) await this.#files.prefetch(requests);
  }

  async #beginPass(): Promise<void> {
    const follower = this.used ? this.number + 1 : 0;
    await this.#readList();
    this.#follows = this.used && this.number === follower;
    if (this.#follows) this.#changed.find(this.before, this.now, this.#unseen);
  }

  async #readList(): Promise<void> {
    const identity = this.#file.identity();
    if (identity !== this.#identity) this.#nextTrial = Number.NEGATIVE_INFINITY;
    this.#identity = identity;
    if (identity === undefined || (identity === this.#refused && this.#clock() < this.#retryAt)) {
      const lost = this.used || this.#problem === GONE;
      this.used = false;
      this.number++; // what is taken of /proc meanwhile is not of the pass before
      if (identity !== undefined) return;
      this.#refused = undefined;
      this.#problem = this.#demanded ? 'it is not there, or this user cannot reach it' : lost ? GONE : undefined;
      return;
    }
    this.#problem = await this.#readPass();
    this.used = this.#problem === undefined;
    this.#refused = this.used ? undefined : identity;
    this.#retryAt = this.#clock() + RETRY_AFTER;
  }

  /** @returns why the list must not be used */
  async #readPass(): Promise<string | undefined> {
    const now = this.#clock();
    const due = !this.used || now >= this.#nextTrial;
    try {
      if (!due) return await this.#readOnce();
      this.#nextTrial = now + TRIAL_EVERY;
      // What moves while it is read may look like a disagreement: only the second one counts.
      return (await this.#try()) && (await this.#try());
    } catch (error) {
      if (error instanceof TaskRecordError) return error.message;
      if (error instanceof KernelFileError) return `it cannot be compared with /proc: ${error.message}`;
      throw error;
    }
  }

  async #readOnce(): Promise<undefined> {
    const { before } = this;
    this.before = this.now;
    this.now = before;
    this.number++;
    await this.#file.read(before);
  }

  async #try(): Promise<string | undefined> {
    const trial = new CountersTrial(this.#files, this.units, this.number);
    await trial.readBefore();
    await this.#readOnce();
    await trial.readAfter(this.now);
    this.#unseen = trial.unseen;
    return trial.disagreement(this.now);
  }
}

/**
 * @param files the host by /proc
 * @param path where the BPF program may be pinned
 * @param clock seconds that never go back
 * @param demanded whether it is a problem that nothing is pinned there
 */
export const bpfFiles = (files: KernelFiles, path: string, clock: () => number, demanded: boolean): KernelFiles =>
  new BpfFiles(files, path, clock, demanded);
