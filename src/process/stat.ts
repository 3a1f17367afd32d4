// Reads stat of each process, and finds what changed since the last time. Births, ends, pid reuse and exec show here:
//
// - gone, or another start time: the process has ended, and the pid may belong to another one by now;
// - another comm: an exec, or the process renamed itself (prctl(2), PR_SET_NAME), which is handled alike;
// - another number of execs, where the source of the reading counts them;
// - another bottom of the stack: an exec, also where the new program has the old name. The kernel writes 0 without
//   ptrace access and for zombies: 0 says nothing;
// - a zombie with more than one thread: only its first thread has ended (pthread_exit(3) in main). The process lives, holds
//   its memory, and may still exec, after which its first thread lives again. It counts as sleeping, like a process whose first
//   thread waits for the others.

import { type KernelFiles, type ProcessFiles, reasonOf } from '../kernel/files.ts';
import { readStat, StatReading, type Units } from '../kernel/pid.ts';
import { latin1 } from '../kernel/text.ts';
import type { Difference } from './difference.ts';
import { isZombie, Process, SLEEPING, type Stat } from './process.ts';
import type { Unreadable } from './unreadable.ts';

export class StatReader {
  readonly #files: KernelFiles;
  readonly #units: Units;
  readonly #unreadable: Unreadable;
  readonly #reading = new StatReading();

  constructor(files: KernelFiles, units: Units, unreadable: Unreadable) {
    this.#files = files;
    this.#units = units;
    this.#unreadable = unreadable;
  }

  /** Reads a process that is not known yet. @throws KernelFileError */
  first(files: ProcessFiles): Process {
    const reading = this.#reading;
    readStat(this.#files, files, this.#units, reading);
    const proc = new Process(files, reading.startTicks, reading.kernelThread);
    const stat: Stat = proc.stat;
    stat.start = reading.startTicks / this.#units.ticksPerSecond;
    stat.comm = latin1(this.#files.buffer, reading.commFrom, reading.commTo);
    stat.startStack = reading.startStack;
    stat.countedExecs = reading.execs;
    copy(reading, stat);
    followThreads(files, stat);
    return proc;
  }

  /**
   * Reads a known process again, and sets what stat tells of the difference.
   * @returns whether there is a reading; without one the process is `absent` or has `ended`
   */
  next(proc: Process, difference: Difference): boolean {
    const reading = this.#reading;
    const stat: Stat = proc.stat;
    if (proc.files.unchanged('stat')) {
      this.#present(proc, stat);
      setIdle(difference);
      return true;
    }
    try {
      readStat(this.#files, proc.files, this.#units, reading);
    } catch (error) {
      if (reasonOf(error) === 'gone') stat.ended = true;
      else {
        stat.absent = true;
        this.#unreadable.note(proc, 'stat', error);
      }
      return false;
    }
    if (reading.startTicks !== proc.startTicks) {
      stat.ended = true;
      return false;
    }
    this.#present(proc, stat);
    difference.executed = !proc.kernelThread && this.#executed(stat);
    const user = Math.max(0, reading.user - stat.user);
    const system = Math.max(0, reading.system - stat.system);
    const minorFaults = Math.max(0, reading.minorFaults - stat.minorFaults);
    const majorFaults = Math.max(0, reading.majorFaults - stat.majorFaults);
    const still = user === 0 && system === 0 && minorFaults === 0 && majorFaults === 0;
    difference.idle = still && reading.roughRss === proc.memory.roughRss;
    difference.user = user;
    difference.system = system;
    difference.minorFaults = minorFaults;
    difference.majorFaults = majorFaults;
    difference.childrenUser = Math.max(0, reading.childrenUser - stat.childrenUser);
    difference.childrenSystem = Math.max(0, reading.childrenSystem - stat.childrenSystem);
    copy(reading, stat);
    followThreads(proc.files, stat);
    return true;
  }

  #present(proc: Process, stat: Stat): void {
    if (!stat.absent) return;
    stat.absent = false;
    this.#unreadable.clear(proc, 'stat');
  }

  /** Whether the process became another program. Compares comm byte by byte, so that no string is made when it is the same. */
  #executed(stat: Stat): boolean {
    const { startStack, execs, commFrom, commTo, state } = this.#reading;
    const { buffer } = this.#files;
    const moved = startStack !== stat.startStack && startStack !== 0 && stat.startStack !== 0;
    const more = execs !== stat.countedExecs && execs !== 0 && stat.countedExecs !== 0;
    const executed = moved || more || (stat.leaderEnded && !isZombie(state));
    let same = stat.comm.length === commTo - commFrom;
    for (let i = 0; same && i < stat.comm.length; i++) same = stat.comm.charCodeAt(i) === buffer[commFrom + i];
    if (startStack !== 0) stat.startStack = startStack;
    if (!same) stat.comm = latin1(buffer, commFrom, commTo);
    if (execs !== 0) stat.countedExecs = execs;
    if (executed) stat.execs++;
    return executed || !same;
  }
}

/** Where only the first thread has ended, the process lives, and its files are read of another thread. */
function followThreads(files: ProcessFiles, stat: Stat): void {
  const ended = isZombie(stat.state) && stat.threads > 1;
  if (ended !== stat.leaderEnded) {
    stat.leaderEnded = ended;
    files.leaderEnded?.(ended);
  }
  if (ended) stat.state = SLEEPING;
}

/**
 * Takes over a reading. The kernel scales CPU time to what the scheduler measured, and some kernels let it fall by a tick
 * and rise again. Counters keep their maximum: so no series falls, and nothing is gained twice.
 */
function copy(reading: StatReading, stat: Stat): void {
  stat.ppid = reading.ppid;
  stat.state = reading.state;
  stat.threads = reading.threads;
  stat.user = Math.max(stat.user, reading.user);
  stat.system = Math.max(stat.system, reading.system);
  stat.childrenUser = Math.max(stat.childrenUser, reading.childrenUser);
  stat.childrenSystem = Math.max(stat.childrenSystem, reading.childrenSystem);
  stat.minorFaults = Math.max(stat.minorFaults, reading.minorFaults);
  stat.majorFaults = Math.max(stat.majorFaults, reading.majorFaults);
  stat.roughRss = reading.roughRss;
  stat.virtualSize = reading.virtualSize;
}

/** Nothing of stat changed. */
function setIdle(difference: Difference): void {
  difference.executed = false;
  difference.idle = true;
  difference.user = 0;
  difference.system = 0;
  difference.childrenUser = 0;
  difference.childrenSystem = 0;
  difference.minorFaults = 0;
  difference.majorFaults = 0;
}
