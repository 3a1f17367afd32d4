// The cheap counters of a process from the numbers of tasks.bpf.c, in the readings that the text of stat, statm and io gives
// (pid.ts). What is said here of the kernel is of Linux 6.18.
import type { IoReading, StatmReading, StatReading, Units } from './pid.ts';
import { isKernelThread, TASK, TASK_NUMBERS } from './task-records.ts';

const NANOSECONDS = 1e9;
const COMM_BYTES = 16;

/** Start in clock ticks since boot, as stat has it. */
export const startTicksOf = (values: Float64Array, place: number, { ticksPerSecond }: Units): number =>
  Math.floor(values[place + TASK.start]! / (NANOSECONDS / ticksPerSecond));

/** Pages of a kind; what single CPUs hold back may make a small one negative, and the kernel then shows 0. */
const pages = (values: Float64Array, at: number): number => Math.max(0, values[at]!);

/** Whether a process has the same numbers in both passes. */
export function isSameTask(before: Float64Array, from: number, now: Float64Array, at: number): boolean {
  for (let each = 0; each < TASK_NUMBERS; each++) if (before[from + each] !== now[at + each]) return false;
  return true;
}

/**
 * How CPU time divides into user and system. The clock tick samples both, and the scheduler measures their sum: so the
 * kernel shows the measured time, divided as the samples are, and never less than before (cputime_adjust,
 * kernel/sched/cputime.c).
 */
export class CpuDivision {
  /** Nanoseconds, as last shown. */
  #user = 0;
  #system = 0;

  /** Sets the times of the reading, seconds. */
  divide(values: Float64Array, place: number, out: StatReading): void {
    const all = values[place + TASK.runtime]!;
    const ticksOfUser = values[place + TASK.user]!;
    const ticksOfSystem = values[place + TASK.system]!;
    let user = Math.max(this.#user, values[place + TASK.shownUser]!);
    let system = Math.max(this.#system, values[place + TASK.shownSystem]!);
    if (user + system < all) {
      if (ticksOfUser === 0 && ticksOfSystem !== 0) system = all - user;
      else if (ticksOfSystem === 0) user = all - system;
      else {
        const least = user;
        system = Math.max(system, (all * ticksOfSystem) / (ticksOfUser + ticksOfSystem));
        user = all - system;
        if (user < least) {
          user = least;
          system = all - user;
        }
      }
    }
    this.#user = user;
    this.#system = system;
    out.user = user / NANOSECONDS;
    out.system = system / NANOSECONDS;
  }
}

/** @param comm gets the bytes of the name */
export function fillStat(values: Float64Array, place: number, units: Units, comm: Uint8Array, out: StatReading): void {
  let length = 0;
  for (let at = 0; at < COMM_BYTES; at++) {
    const byte = (values[place + TASK.comm + (at >> 2)]! >>> (8 * (at & 3))) & 0xff;
    if (byte === 0) break;
    comm[length++] = byte;
  }
  out.commFrom = 0;
  out.commTo = length;
  out.state = values[place + TASK.state]!;
  out.ppid = values[place + TASK.ppid]!;
  out.kernelThread = isKernelThread(values[place + TASK.flags]!);
  out.minorFaults = values[place + TASK.minorFaults]!;
  out.majorFaults = values[place + TASK.majorFaults]!;
  out.childrenUser = values[place + TASK.childrenUser]! / NANOSECONDS;
  out.childrenSystem = values[place + TASK.childrenSystem]! / NANOSECONDS;
  out.threads = values[place + TASK.threads]!;
  out.startTicks = startTicksOf(values, place, units);
  out.virtualSize = values[place + TASK.virtualSize]! * units.pageSize;
  out.roughRss = rssPages(values, place);
  out.startStack = 0;
}

export const rssPages = (values: Float64Array, place: number): number =>
  pages(values, place + TASK.fileRss) +
  pages(values, place + TASK.anonymousRss) +
  pages(values, place + TASK.sharedRss);

export function fillStatm(values: Float64Array, place: number, { pageSize }: Units, out: StatmReading): void {
  out.rss = rssPages(values, place) * pageSize;
  out.shared = (pages(values, place + TASK.fileRss) + pages(values, place + TASK.sharedRss)) * pageSize;
}

export function fillIo(values: Float64Array, place: number, out: IoReading): void {
  out.readBytes = values[place + TASK.readBytes]!;
  out.writeBytes = values[place + TASK.writeBytes]!;
}
