// Processes whose smaps_rollup takes time on a simulated clock, and a record that says when each process was read. Tests of
// footprints compare the budget with it.
import { setImmediate as turn } from 'node:timers/promises';
import { FootprintEstimator, type HostUse } from '../src/footprint/estimator.ts';
import type { FootprintOptions } from '../src/footprint/options.ts';
import { FootprintScheduler } from '../src/footprint/scheduler.ts';
import { SlowReads } from '../src/footprint/slow-reads.ts';
import { KernelFileError, type KernelFiles, type ProcessFile, type UnreadableReason } from '../src/kernel/files.ts';
import { Process, Sharers } from '../src/process/process.ts';
import { Unreadable } from '../src/process/unreadable.ts';
import { rollupText, statusText } from './kernel-text.ts';

export const MIB = 1 << 20;
export const INTERVAL = 15;
export const BOUNDED: FootprintOptions = {
  mode: 'bounded',
  budget: 0.02,
  maxAge: 300,
  maxRead: 0.25,
  guest: false,
  interval: INTERVAL,
};
export const EXACT: FootprintOptions = { ...BOUNDED, mode: 'exact' };

/** Memory of one process in bytes, and how a read of it goes. */
export interface Fake {
  rss: number;
  pss: number;
  uss: number;
  swap?: number;
  shmem?: number;
  sharedHugetlb?: number;
  privateHugetlb?: number;
  pageTables?: number;
  virtualSize?: number;
  /** Seconds a read takes. */
  cost?: number;
  failed?: UnreadableReason;
  hangs?: boolean;
}

/** `reads` lists the pids in the order they were read. */
export class Bench {
  readonly fakes = new Map<number, Fake>();
  readonly processes: Process[] = [];
  readonly reads: number[] = [];
  readonly later: number[] = [];
  readonly statuses: number[] = [];
  readonly unreadable = new Unreadable();
  clock = 0;
  at = 1000;
  /** Seconds of reading that are left of what the last requests allowed; the reader leaves out what is beyond. */
  #readableSeconds = Number.POSITIVE_INFINITY;
  readonly #buffer = new Uint8Array(8192);
  readonly #files = { buffer: this.#buffer } as unknown as KernelFiles;
  readonly estimator = new FootprintEstimator(this.#files, this.unreadable);
  readonly scheduler = new FootprintScheduler(
    this.#files,
    this.unreadable,
    new SlowReads(() => this.clock),
    () => this.clock,
  );

  add(fake: Partial<Fake> = {}, sharers = new Sharers('one')): Process {
    const pid = this.processes.length + 1;
    const own: Fake = { rss: 10 * MIB, pss: 5 * MIB, uss: 2 * MIB, ...fake };
    this.fakes.set(pid, own);
    const read = (file: ProcessFile): Uint8Array => {
      if (file === 'status')
        return statusText('x', 0, {
          rss: own.rss / 1024,
          file: 4,
          swap: (own.swap ?? 0) / 1024,
          pageTables: (own.pageTables ?? 0) / 1024,
        });
      if (file !== 'smaps_rollup') throw new KernelFileError(file, 'gone');
      files.readSeconds = own.cost ?? 0.0001;
      this.clock += files.readSeconds;
      if (own.failed) throw new KernelFileError(file, own.failed);
      const { rss, pss, uss, swap = 0, shmem = 0, sharedHugetlb = 0, privateHugetlb = 0 } = own;
      const memory = { rss, pss, privateDirty: uss, swap, pssShmem: shmem, sharedHugetlb, privateHugetlb };
      return rollupText(Object.fromEntries(Object.entries(memory).map(([key, bytes]) => [key, bytes / 1024])));
    };
    const files = {
      pid,
      readSeconds: 0,
      unchanged: () => false,
      read: (file: ProcessFile) => {
        if (file === 'smaps_rollup') {
          if (this.#readableSeconds <= 0) throw new Error(`smaps_rollup of ${pid} was read, but not prefetched`);
          this.reads.push(pid);
        } else this.statuses.push(pid);
        const bytes = read(file);
        if (file === 'smaps_rollup') this.#readableSeconds -= files.readSeconds;
        this.#buffer.set(bytes);
        return bytes.length;
      },
      readLater: async (file: ProcessFile) => {
        this.later.push(pid);
        if (own.hangs) await new Promise(() => {});
        return read(file);
      },
      exe: () => '',
      close() {},
    };
    const proc = new Process(files, pid, false);
    sharers.members++;
    Object.assign(proc.sharing, { sharers });
    Object.assign(proc.stat, { virtualSize: own.virtualSize ?? own.rss });
    Object.assign(proc.memory, { rss: own.rss, shared: own.rss / 2 });
    this.processes.push(proc);
    return proc;
  }

  /** A process touched memory since the last collection. */
  touch(proc: Process, bytes: number, to: Partial<Fake> = {}) {
    const { memory, sharing } = proc;
    const fake = Object.assign(this.fakes.get(proc.pid)!, to);
    Object.assign(memory, { rss: fake.rss });
    Object.assign(sharing, { activity: sharing.activity + bytes });
    Object.assign(sharing.sharers, { activity: sharing.sharers.activity + bytes });
  }

  /** A process became another program. */
  exec({ stat }: Process) {
    Object.assign(stat, { execs: stat.execs + 1, startStack: stat.startStack + 1 });
  }

  /** A process ended. */
  end(proc: Process) {
    Object.assign(proc.stat, { ended: true });
  }

  /** One collection; waits for late reads that do not hang. @returns the pids read */
  async collect(options = BOUNDED, inUse: HostUse = { swap: false, hugePages: false }): Promise<number[]> {
    this.at += INTERVAL;
    const from = this.reads.length;
    const late = this.later.length;
    for (const requests of this.scheduler.read(this.processes, options, this.at))
      if (requests) this.#readableSeconds = requests.smapsSecondsMax;
    const large = this.scheduler.readLarge(options, this.at);
    await Promise.race([large, turn()]);
    for (let i = 0; i < 5; i++) await turn();
    for (const _ of this.estimator.carryOver(this.processes, options.mode, inUse, this.at));
    return [...this.reads.slice(from), ...this.later.slice(late)];
  }
}
