// Whether the numbers of a pinned BPF program (task-records.ts) are those of /proc. A few processes are read from /proc before
// the list and after it: what only grows must lie between the two readings, and what did not move must be the same. Our own
// process is always among them: in a /proc of another pid namespace its number is that of another process.
import { FileRequests, type KernelFiles, type ProcessFiles, reasonOf, unlessUnreadable } from './files.ts';
import { readBoot } from './host.ts';
import { IoReading, readIo, readStat, readStatm, StatmReading, StatReading, type Units } from './pid.ts';
import { CpuDivision, fillIo, fillStat, fillStatm, startTicksOf } from './task-readings.ts';
import { hasIo, isExact, TASK, TASK_NUMBERS, type TaskPass } from './task-records.ts';
import { latin1 } from './text.ts';

/** Processes that are compared, besides our own and the first one. */
const SAMPLE = 8;
/** Processes without a record that are looked for in /proc. */
const UNSEEN_MAX = 512;
/** Kinds of resident memory, each with its remainders. */
const KINDS = 3;
/** Ticks by which CPU times may differ: each of two numbers is rounded down, and some kernels let the sum fall by a tick. */
const CPU_TICKS = 3;

interface Text {
  readonly stat: StatReading;
  readonly comm: string;
  /** Undefined where there is none, or it may not be read. */
  readonly statm: StatmReading | undefined;
  readonly io: IoReading | undefined;
}

type Compared = [what: string, before: number, record: number, after: number, slack: number];

export class CountersTrial {
  readonly #files: KernelFiles;
  readonly #units: Units;
  readonly #requests = new FileRequests();
  readonly #seed: number;
  /** All processes that /proc lists. */
  #listed: Set<number> = new Set();
  #sample: number[] = [];
  #before = new Map<number, Text>();
  #after = new Map<number, Text>();
  #unseen: number[] = [];
  #missing = 0;
  #cpus: number | undefined;

  /** @param seed chooses the processes, so that each trial takes others */
  constructor(files: KernelFiles, units: Units, seed: number) {
    this.#files = files;
    this.#units = units;
    this.#seed = seed;
  }

  /** Lists all processes, and reads a few of them. Rejects with KernelFileError. */
  async readBefore(): Promise<void> {
    const pids = [...this.#files.pids()];
    this.#listed = new Set(pids);
    const chosen = new Set([process.pid, 1]);
    for (let each = 0; each < SAMPLE; each++) chosen.add(pids[(this.#seed * 7919 + each * 104_729) % pids.length]!);
    this.#sample = [...chosen].filter((pid) => this.#listed.has(pid));
    this.#before = await this.#read();
  }

  /** Reads the same processes again, and looks which of those are still there that have no record. */
  async readAfter(pass: TaskPass): Promise<void> {
    this.#after = await this.#read();
    const missing = [...this.#listed].filter((pid) => pass.find(pid, 0) < 0);
    this.#missing = missing.length;
    const procs = missing.slice(0, UNSEEN_MAX).map((pid) => this.#files.process(pid));
    this.#requests.clear();
    for (const proc of procs) this.#requests.add(proc, 'stat');
    if (procs.length > 0) await this.#files.prefetch(this.#requests);
    this.#unseen = procs
      .filter((proc) => unlessUnreadable(() => proc.read('stat')) !== undefined)
      .map(({ pid }) => pid);
    for (const proc of procs) proc.close();
  }

  /** Processes of /proc that the program does not see, for example because a security module hides them. */
  get unseen(): readonly number[] {
    return this.#unseen;
  }

  /** @returns what disagrees; undefined where nothing does */
  disagreement(pass: TaskPass): string | undefined {
    if (!this.#before.has(process.pid) || pass.find(process.pid, 0) < 0)
      return 'this process is not in both: /proc and the program show different pid namespaces';
    if (this.#missing > UNSEEN_MAX) return `it does not list ${this.#missing} processes that /proc lists`;
    for (const [pid, before] of this.#before) {
      const after = this.#after.get(pid);
      const place = pass.find(pid, 0);
      if (place < 0 || !after || after.stat.startTicks !== before.stat.startTicks) continue;
      const problem = this.#compare(pass.values, place, before, after);
      if (problem) return `process ${pid}: ${problem}`;
    }
    return this.#hidden(pass);
  }

  #compare(values: Float64Array, place: number, before: Text, after: Text): string | undefined {
    const stat = new StatReading();
    const name = new Uint8Array(16);
    fillStat(values, place, this.#units, name, stat);
    new CpuDivision().divide(values, place, stat);
    if (stat.startTicks !== before.stat.startTicks)
      return `it began at tick ${before.stat.startTicks} by /proc, at ${stat.startTicks} by the program`;
    const comm = nameIn(name, stat);
    if (!stat.kernelThread && comm !== before.comm && comm !== after.comm)
      return `its name is ${JSON.stringify(after.comm)} by /proc, ${JSON.stringify(comm)} by the program`;
    for (const key of ['ppid', 'threads'] as const) {
      const moved = before.stat[key] !== after.stat[key];
      if (!moved && stat[key] !== after.stat[key])
        return `its ${key} is ${after.stat[key]} by /proc, ${stat[key]} by the program`;
    }
    for (const [what, least, record, most, slack] of this.#numbers(values, place, stat, before, after))
      if (record < least - slack || record > most + slack)
        return `its ${what} is ${least} to ${most} by /proc, ${record} by the program`;
    return undefined;
  }

  #numbers(values: Float64Array, place: number, stat: StatReading, before: Text, after: Text): Compared[] {
    const cpu = ({ user, system }: StatReading): number => user + system;
    const cpuSlack = CPU_TICKS / this.#units.ticksPerSecond;
    const grows = ['minorFaults', 'majorFaults'] as const;
    const numbers: Compared[] = [
      ['CPU time', cpu(before.stat), cpu(stat), cpu(after.stat), cpuSlack],
      ...grows.map((key): Compared => [key, before.stat[key], stat[key], after.stat[key], 0]),
    ];
    const flags = values[place + TASK.flags]!;
    if (before.io && after.io && hasIo(flags)) {
      const io = new IoReading();
      fillIo(values, place, io);
      for (const key of ['readBytes', 'writeBytes'] as const)
        numbers.push([key, before.io[key], io[key], after.io[key], 0]);
    }
    const still = before.stat.minorFaults === after.stat.minorFaults;
    if (still && before.statm && after.statm && isExact(flags)) {
      const statm = new StatmReading();
      fillStatm(values, place, this.#units, statm);
      const [least, most] = [before.statm.rss, after.statm.rss].sort((a, b) => a - b);
      numbers.push(['RSS', least!, statm.rss, most!, this.#remainders()]);
    }
    return numbers;
  }

  /** Bytes that all CPUs together may hold back of a process's RSS where statm leaves that out (percpu_counter_batch). */
  #remainders(): number {
    this.#cpus ??= readBoot(this.#files).cpus || 1;
    const cpus = this.#cpus;
    return KINDS * cpus * Math.max(32, 2 * cpus) * this.#units.pageSize;
  }

  /**
   * Processes that have a record and are not in /proc: it is mounted with hidepid. A process that is younger than all that
   * are listed may have begun after the listing.
   */
  #hidden(pass: TaskPass): string | undefined {
    let youngest = 0;
    const hidden: number[] = [];
    for (let index = 0; index < pass.count; index++) {
      const place = index * TASK_NUMBERS;
      const start = startTicksOf(pass.values, place, this.#units);
      if (this.#listed.has(pass.values[place]!)) youngest = Math.max(youngest, start);
      else hidden.push(start);
    }
    const count = hidden.filter((start) => start < youngest).length;
    return count > 0 ? `/proc does not list ${count} processes that the program sees (hidepid)` : undefined;
  }

  async #read(): Promise<Map<number, Text>> {
    const procs = this.#sample.map((pid) => this.#files.process(pid));
    this.#requests.clear();
    for (const proc of procs) for (const file of ['stat', 'statm', 'io'] as const) this.#requests.add(proc, file);
    await this.#files.prefetch(this.#requests);
    const texts = new Map<number, Text>();
    for (const proc of procs) {
      const text = this.#textOf(proc);
      if (text) texts.set(proc.pid, text);
      proc.close();
    }
    return texts;
  }

  /** Undefined where the process has ended, or its first thread has: its memory is then in another folder. */
  #textOf(proc: ProcessFiles): Text | undefined {
    const [stat, statm, io] = [new StatReading(), new StatmReading(), new IoReading()];
    try {
      readStat(this.#files, proc, this.#units, stat);
    } catch (error) {
      reasonOf(error);
      return undefined;
    }
    const comm = nameIn(this.#files.buffer, stat);
    return {
      stat,
      comm,
      statm: filled(statm, () => readStatm(this.#files, proc, this.#units, statm)),
      io: filled(io, () => readIo(this.#files, proc, io)),
    };
  }
}

/** The reading; undefined where its file gives no value. */
const filled = <R>(reading: R, read: () => void): R | undefined =>
  unlessUnreadable(() => {
    read();
    return reading;
  });

const nameIn = (bytes: Uint8Array, { commFrom, commTo }: StatReading): string => latin1(bytes, commFrom, commTo);
