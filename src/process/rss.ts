// Reads the resident memory of each process from statm. That is a fifth of what a collection reads, and most of it can be
// left out: stat, which is read anyway, nearly always tells that memory moved. While a process seems idle, its statm is
// read only when it is its turn: about once a minute while the kernel takes memory of idle processes (kernel/reclaim.ts), else
// once in four minutes.
import type { FileRequests, KernelFiles } from '../kernel/files.ts';
import { readStatm, StatmReading, type Units } from '../kernel/pid.ts';
import type { Difference } from './difference.ts';
import type { Memory, Process } from './process.ts';
import { ProcessTurns } from './process-turns.ts';
import type { Unreadable } from './unreadable.ts';

/** ProcessTurns from one read of an idle process's memory to the next; and while nothing takes memory of such processes. */
export const IDLE_TURNS = 4;
export const CALM_TURNS = 16;

export class RssReader {
  readonly #files: KernelFiles;
  readonly #units: Units;
  readonly #unreadable: Unreadable;
  readonly #reading = new StatmReading();
  readonly #idleTurns = new ProcessTurns(IDLE_TURNS);
  readonly #calmTurns = new ProcessTurns(CALM_TURNS);
  #turns = this.#idleTurns;

  constructor(files: KernelFiles, units: Units, unreadable: Unreadable) {
    this.#files = files;
    this.#units = units;
    this.#unreadable = unreadable;
  }

  beginPass(at: number): void {
    this.#idleTurns.beginPass(at);
    this.#calmTurns.beginPass(at);
    this.#turns = (this.#files.memoryMoves ?? true) ? this.#idleTurns : this.#calmTurns;
  }

  /** Requests statm where `read` may read it: always at its turn, else only if stat has changed. */
  request(proc: Process, requests: FileRequests): void {
    if (proc.kernelThread) return;
    const memory: Memory = proc.memory;
    memory.ofThread = proc.stat.leaderEnded;
    if (!(memory.rss >= 0) || memory.ofThread || this.#turns.has(proc.pid)) requests.add(proc.files, 'statm');
    else requests.addIfStatChanged(proc.files, 'statm');
  }

  /** Reads statm where it is due, and sets what it tells of the difference. @param difference what stat told of it is set */
  read(proc: Process, difference: Difference): void {
    difference.memoryMoved = Number.NaN;
    if (proc.kernelThread) return;
    const memory: Memory = proc.memory;
    // The first thread has ended since statm was requested of it: it said nothing of the process, and the next pass does.
    if (proc.stat.leaderEnded && !memory.ofThread) return;
    if (proc.zombie) memory.rss = Number.NaN;
    else if (memory.ofThread || !difference.idle || !(memory.rss >= 0) || this.#turns.has(proc.pid))
      this.#read(proc, memory, difference);
  }

  #read(proc: Process, memory: Memory, difference: Difference): void {
    const reading = this.#reading;
    const faults = difference.minorFaults + difference.majorFaults;
    if (proc.files.unchanged('statm')) {
      this.#unreadable.clear(proc, 'statm');
      difference.memoryMoved = faults * this.#units.pageSize;
      memory.roughRss = proc.stat.roughRss;
      return;
    }
    try {
      readStatm(this.#files, proc.files, this.#units, reading);
    } catch (error) {
      this.#unreadable.note(proc, 'statm', error);
      memory.rss = Number.NaN;
      return;
    }
    this.#unreadable.clear(proc, 'statm');
    difference.memoryMoved = faults * this.#units.pageSize + (Math.abs(reading.rss - memory.rss) || 0);
    memory.roughRss = proc.stat.roughRss;
    memory.rss = reading.rss;
    memory.shared = Math.min(reading.shared, reading.rss);
  }
}

/** smaps_rollup told the RSS of the moment at which PSS was read: both are exported together. */
export function correctRss(proc: Process, rss: number): void {
  const memory: Memory = proc.memory;
  memory.rss = rss;
}
