// Lets a few idle processes of an executable answer for the others. A process that has touched nothing since it was measured
// has the pages that it had; its PSS moves only where another process maps or unmaps the same pages. Processes of
// one executable map the same program and libraries, so such a change shows in each of them. When they are due by age,
// one in some is read; while it has what was measured before, it confirms the others that are due. If it has not, all of them
// are read again.
//
// What this cannot see is a file that only some of them map, and another program too. So the turns come round to every
// process, and each is read after some periods in any case.
import type { FootprintReading } from '../kernel/pid.ts';
import type { Process } from '../process/process.ts';
import { movedByItself } from './read-need.ts';

/** One in so many is read. A prime: in a row of another length the turns come round to each process. */
const SAMPLED = 17;
/** A process is read itself after so many periods of `maxAge`, also where turns never come to it. */
const PERIODS_MAX = 20;
/**
 * A read says something new where PSS or USS moved by more than this share of PSS: group totals are promised within it. Neither
 * holds huge pages, so it does as well where the process shares more of these, or less.
 */
const SHARE = 0.01;

interface Sample {
  /** Processes that came due since one of them was read. */
  due: number;
  /** Kernel times, seconds since boot: when a read last found nothing new, and when one found what all must be asked for. */
  agreedAt: number;
  doubtedAt: number;
}

export class IdleSamples {
  readonly #samples = new WeakMap<Process['sharing']['sharers'], Sample>();
  /** When any executable was doubted last. */
  #doubtedAt = Number.NEGATIVE_INFINITY;

  /** Whether a read of another process has shown since the measurement that it holds no more. */
  doubts({ measurement, sharing }: Process): boolean {
    return measurement.at < this.#doubtedAt && measurement.at < (this.#samples.get(sharing.sharers)?.doubtedAt ?? 0);
  }

  /**
   * Whether reads of other processes confirm the measurement of one that is due by age. Otherwise it has to be read itself.
   * @param at kernel time of this collection, seconds since boot
   */
  confirms(proc: Process, at: number, maxAge: number): boolean {
    const { members } = proc.sharing.sharers;
    if (members < 2 || movedByItself(proc) !== 0) return false;
    const sample = this.#of(proc);
    const turn = ++sample.due >= Math.min(SAMPLED, members - 1);
    const silent = at - sample.agreedAt >= maxAge;
    if (!turn && !silent && at - proc.measurement.at < PERIODS_MAX * maxAge) return true;
    sample.due = 0;
    return false;
  }

  /** Takes a read of a process that was due by age, before its measurement is replaced. */
  take(proc: Process, { pss, uss, sharedHugetlb }: FootprintReading, at: number, maxAge: number): void {
    const { measurement } = proc;
    if (proc.sharing.sharers.members < 2 || movedByItself(proc) !== 0) return;
    const sample = this.#of(proc);
    const moved = Math.max(Math.abs(pss - measurement.pss), Math.abs(uss - measurement.uss));
    if (moved <= SHARE * measurement.pss && sharedHugetlb === measurement.sharedHugetlb) {
      sample.agreedAt = at;
      return;
    }
    // Until a read agrees, each process is read when it is due by age. So where sharing never rests, it costs no more than that.
    sample.agreedAt = Number.NEGATIVE_INFINITY;
    if (at - sample.doubtedAt < maxAge) return;
    sample.doubtedAt = at;
    this.#doubtedAt = at;
  }

  #of({ sharing: { sharers } }: Process): Sample {
    let sample = this.#samples.get(sharers);
    if (!sample) {
      sample = { due: 0, agreedAt: Number.NEGATIVE_INFINITY, doubtedAt: Number.NEGATIVE_INFINITY };
      this.#samples.set(sharers, sample);
    }
    return sample;
  }
}
