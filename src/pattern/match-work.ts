// Limits the work that the patterns of all rules together do for one process. One pattern is linear in its text
// (lazy-dfa.ts), but rules may have ten thousand patterns and a command line 65,536 characters: seconds, for each
// process that somebody starts.
//
// Work is counted in characters that automata read, about 10 ns each. What a pattern costs depends on pattern and text
// alone, not on the time that it took, so the same rules give the same answer for the same process, always. Patterns
// that the work no longer reaches do not match; `exhausted` says so, and `explain` tells it.
//
// Most expressions need no automaton, because the text does not hold their required literals (literals.ts). To search a
// long text for thousands of literals is work too, so the runs of three letters in it are noted once, in a set of bits:
// a literal is not searched for if one of its runs is missing.
import { BitSet } from './bit-set.ts';
import { hashOfRun, RUN } from './letter-runs.ts';

/**
 * Characters: 16 expressions over the longest command line, or 900 short expressions over 200 characters, besides any
 * number whose required literals the text does not hold. About 10 ms.
 */
const WORK_MAX = 1 << 20;
/** Searching a text for a literal costs less than an automaton by this power of two. */
const SEARCH_SHIFT = 3;
/** A shorter text is searched as it is. */
const LONG = 512;

/** Bits for the hashes of runs: four times as many as a command line has characters. */
const HASH_BITS = 18;
const runs = new BitSet(HASH_BITS);
/** The work whose text `runs` describes. One set serves all, because processes are classified one at a time. */
let owner: MatchWork | undefined;

const placeOfRun = (text: string, at: number): number => hashOfRun(text, at) >>> (32 - HASH_BITS);

export class MatchWork {
  /** Whether a pattern was not asked because the work was used up. */
  exhausted = false;
  #left: number;
  /** The text whose runs are noted. */
  #text: string | undefined;

  constructor(max = WORK_MAX) {
    this.#left = max;
  }

  /** The work of a process that nobody waits for: each pattern has its own limits only. */
  static unlimited(): MatchWork {
    return new MatchWork(Number.POSITIVE_INFINITY);
  }

  /** Gives the next process the whole limit again. */
  begin(): void {
    this.exhausted = false;
    this.#left = WORK_MAX;
  }

  /** Takes the cost of a pattern; false where less is left. @param cost characters that an automaton reads */
  take(cost: number): boolean {
    if (cost > this.#left) this.exhausted = true;
    else this.#left -= cost;
    return !this.exhausted;
  }

  /** Whether a text holds a literal. Where the work is used up, false. */
  holds(text: string, literal: string): boolean {
    if (text.length >= LONG && literal.length >= RUN && !this.#hasRuns(text, literal)) return false;
    return this.take(text.length >> SEARCH_SHIFT) && text.includes(literal);
  }

  #hasRuns(text: string, literal: string): boolean {
    if (owner !== this || this.#text !== text) {
      owner = this;
      this.#text = text;
      runs.clear();
      for (let at = 0; at + RUN <= text.length; at++) runs.add(placeOfRun(text, at));
    }
    for (let at = 0; at + RUN <= literal.length; at++) if (!runs.has(placeOfRun(literal, at))) return false;
    return true;
  }

  /** Lets go of the text, which may hold secrets. */
  end(): void {
    this.#text = undefined;
    if (owner === this) owner = undefined;
  }
}
