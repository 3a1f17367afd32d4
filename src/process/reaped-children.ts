// Credits what short-lived children used, once.
//
// When a process waits for a child that ended, the kernel adds all that the child ever used to the cutime, cstime and io of
// the process (wait(2), proc(5)). A part of it was seen while the child lived, and is in the group counters already: only
// the rest may be credited, to the group of the process that waited. So for each process that ended this class remembers
// what it had used when last seen, takes that amount from what its ancestors gain, and credits what is left.
//
// Example: a shell runs `make` for 10 s of CPU. At the last pass before its end 7 s had been seen and credited to make's
// group. At the next pass make is gone, and the cutime of the shell has risen by 10 s: 7 of them are outstanding from
// make and are taken away; 3 s are credited to the group of the shell.
//
// The hard part is time: a pass does not see one moment. An ancestor may have been read before the child ended, and then
// gains from it only at the next pass; an ancestor may have ended too, and what it had gained is on its way to the next one.
import type { Difference } from './difference.ts';
import type { ReapedUsage } from './group-counters.ts';
import type { Process } from './process.ts';

/** What a process that ended had used when last seen. It comes back in the counters of the ancestor that reaped it. */
interface EndedUsage {
  readonly proc: Process;
  /** The part that has not come back yet. */
  readonly outstanding: ReapedUsage;
  /** The process ended during the pass that is under way. */
  endedNow: boolean;
  /** Processes that may have reaped it, nearest first: its ancestors when it was found to have ended. */
  reapers: readonly Process[];
}

const RESOURCES = ['user', 'system', 'readBytes', 'writeBytes'] as const satisfies (keyof ReapedUsage)[];

/** Most ancestors of a process that are looked at. */
const ANCESTORS_MAX = 200;

export class ReapedChildren {
  #ended: EndedUsage[] = [];
  /** Processes that ended during the pass that is under way, by pid. */
  readonly #endedNow = new Map<number, Process>();
  /** What processes gained from their children during the pass that is under way, and is not credited yet. */
  readonly #gains = new Map<Process, ReapedUsage>();
  /** Objects for `#gains`, to be used again: the steady state makes none. */
  readonly #spare: ReapedUsage[] = [];

  /** A process was read: what it gained from its children, and all of its storage I/O, is credited when the pass ends. */
  take(proc: Process, difference: Readonly<Difference>): void {
    if (!difference.counted) return;
    const { childrenUser, childrenSystem, readBytes, writeBytes } = difference;
    if (!(childrenUser + childrenSystem + readBytes + writeBytes > 0)) return;
    let gain = this.#gains.get(proc);
    if (!gain) {
      gain = this.#spare.pop() ?? { user: 0, system: 0, readBytes: 0, writeBytes: 0 };
      this.#gains.set(proc, gain);
    }
    gain.user += childrenUser;
    gain.system += childrenSystem;
    gain.readBytes += readBytes;
    gain.writeBytes += writeBytes;
  }

  /** A process ended. */
  ended(proc: Process): void {
    this.#endedNow.set(proc.pid, proc);
    const { stat, io } = proc;
    const outstanding = {
      user: stat.user + stat.childrenUser,
      system: stat.system + stat.childrenSystem,
      readBytes: io.readBytes || 0,
      writeBytes: io.writeBytes || 0,
    };
    if (isOutstanding(outstanding)) this.#ended.push({ proc, outstanding, endedNow: true, reapers: [] });
  }

  /**
   * Ends a pass in which ancestors were read before their descendants: takes from every gain what was seen already, and
   * credits the rest. Ended processes with the fewest possible reapers come first: their usage can come back in few
   * places, and must not be taken there for another process, whose own usage may have come back to another ancestor.
   * @param living all living processes by pid
   */
  creditGains(living: ReadonlyMap<number, Process>): void {
    for (const ended of this.#ended) if (ended.endedNow) ended.reapers = this.#ancestors(ended.proc, living);
    this.#ended.sort((a, b) => a.reapers.length - b.reapers.length);
    this.#ended = this.#ended.filter((ended) => this.#takeFromReapers(ended));
    for (const [proc, gain] of this.#gains) {
      proc.membership.counters.creditReaped(gain);
      for (const resource of RESOURCES) gain[resource] = 0;
      this.#spare.push(gain);
    }
    this.#gains.clear();
    this.#endedNow.clear();
  }

  /**
   * Takes what an ended process has outstanding from the gains of its ancestors. The process that reaped it, be it the
   * parent, a subreaper or init, is one of them: the nearest whose counters rose is taken to be it.
   * @returns whether more may come back at the next pass. What never comes back is of a child for which no process waited.
   */
  #takeFromReapers(ended: EndedUsage): boolean {
    const { outstanding, endedNow, reapers } = ended;
    for (const reaper of reapers) {
      const gain = this.#gains.get(reaper);
      if (!gain) continue;
      for (const resource of RESOURCES) takeBack(outstanding, resource, gain, resource);
      takeBack(outstanding, 'user', gain, 'system');
      takeBack(outstanding, 'system', gain, 'user');
      if (!isOutstanding(outstanding)) return false;
    }
    ended.endedNow = false;
    ended.reapers = reapers.filter(({ stat }) => !stat.ended);
    return endedNow || reapers.some((reaper) => reaper.stat.ended || reaper.zombie);
  }

  #ancestors(of: Process, living: ReadonlyMap<number, Process>): Process[] {
    const ancestors: Process[] = [];
    for (let next = this.#parent(of, living); next; next = this.#parent(next, living)) {
      if (ancestors.push(next) === ANCESTORS_MAX) break;
    }
    return ancestors;
  }

  #parent(child: Process, living: ReadonlyMap<number, Process>): Process | undefined {
    const { ppid } = child.stat;
    for (const parent of [this.#endedNow.get(ppid), living.get(ppid)]) {
      if (parent && parent !== child && parent.startTicks <= child.startTicks) return parent;
    }
    return undefined;
  }
}

/**
 * Takes what came back from both. The kernel divides CPU time into user and system anew when a process ends, so that some of
 * one may come back as the other (cputime_adjust, kernel/sched/cputime.c).
 */
function takeBack(
  outstanding: ReapedUsage,
  seen: (typeof RESOURCES)[number],
  gain: ReapedUsage,
  gained: (typeof RESOURCES)[number],
): void {
  const returned = Math.min(outstanding[seen], gain[gained]);
  outstanding[seen] -= returned;
  gain[gained] -= returned;
}

/** Ticks are decimal fractions: what their sums leave below a microsecond is rounding. */
const isOutstanding = ({ user, system, readBytes, writeBytes }: ReapedUsage): boolean =>
  user + system > 1e-6 || readBytes + writeBytes > 0;
