// Rules by names, and by the starts and ends of names. A new process has some ten names and parts of paths, and no rule
// knows most of them. Their first and last three letters say so: these are looked for in small sets of bits before a
// whole name is hashed.
import { BitSet } from '../pattern/bit-set.ts';
import { hashOfRun, RUN } from '../pattern/letter-runs.ts';
import { globPrefix, globSuffix } from '../pattern/pattern.ts';
import { hashOn, NO_LETTERS } from './letter-hash.ts';
import type { MatchTarget } from './match-target.ts';
import { type RankedRule, RuleTable } from './rule-table.ts';

/** A place where a rule can be entered. */
export interface IndexEntry {
  readonly table: RuleTable;
  readonly text: string;
  /** Whether it is a part of a path: while there are any, all parts of each path are looked up. */
  readonly isPart?: true;
}

/** Lengths of prefixes by which globs are entered; each glob under the longest that its literal prefix has. */
const PREFIX_LENGTHS = [RUN, 7, 14];

/** Bits of the sets for the starts, the ends and the whole of names. */
const START_BITS = 15;
const END_BITS = 11;
const NAME_BITS = 17;

/** The places in their sets of a run, by its hash. */
const placeOfStart = (run: number): number => run >>> (32 - START_BITS);
const placeOfEnd = (run: number): number => run >>> (32 - END_BITS);

/** The place in its set of a name of three letters or more, by its first and last run: the set is too small for more. */
const placeOfName = (first: number, last: number, length: number): number =>
  Math.imul(first ^ (last >>> 7) ^ length, 0x85ebca6b) >>> (32 - NAME_BITS);

export class NameIndex {
  private readonly exact = new RuleTable((text) => this.noteName(text));
  private readonly starts = new RuleTable((text) => this.noteStart(text));
  private readonly ends = new RuleTable((text) => this.noteEnd(text));
  /** The places (placeOfName) of exact names. */
  private readonly names = new BitSet(NAME_BITS);
  /** For each first run, the lengths of prefixes that begin with it: a bit each, as in PREFIX_LENGTHS. */
  private readonly firstRuns = new Uint8Array(1 << START_BITS);
  /** For each last run, whether a suffix is there. */
  private readonly lastRuns = new Uint8Array(1 << END_BITS);

  holdsExactly({ table }: IndexEntry): boolean {
    return table === this.exact;
  }

  entryOf(text: string): IndexEntry {
    return { table: this.exact, text };
  }

  /** Where a glob is entered; undefined where its literal prefix and suffix are too short. */
  entryOfGlob(glob: string): IndexEntry | undefined {
    const prefix = globPrefix(glob);
    const length = PREFIX_LENGTHS.findLast((letters) => letters <= prefix.length);
    if (length !== undefined) return { table: this.starts, text: prefix.slice(0, length) };
    const suffix = globSuffix(glob);
    return suffix.length < RUN ? undefined : { table: this.ends, text: suffix.slice(-RUN) };
  }

  private noteName(text: string): void {
    if (text.length < RUN) return;
    this.names.add(placeOfName(hashOfRun(text, 0), hashOfRun(text, text.length - RUN), text.length));
  }

  private noteStart(text: string): void {
    this.firstRuns[placeOfStart(hashOfRun(text, 0))]! |= 1 << PREFIX_LENGTHS.indexOf(text.length);
  }

  private noteEnd(text: string): void {
    this.lastRuns[placeOfEnd(hashOfRun(text, 0))] = 1;
  }

  /** The first match among the rules for the name that a part of a text is, or `best` where that decides before. */
  find(
    text: string,
    start: number,
    end: number,
    keys: number,
    target: MatchTarget,
    best: RankedRule | undefined,
  ): RankedRule | undefined {
    if (end - start < RUN) return this.exact.findPart(text, start, end, keys, target, best);
    // The exact value first: it decides most often, and what is found cuts the other lists short.
    let found = best;
    const first = hashOfRun(text, start);
    const last = hashOfRun(text, end - RUN);
    if (this.names.has(placeOfName(first, last, end - start)))
      found = this.exact.findPart(text, start, end, keys, target, found);
    const lengths = this.firstRuns[placeOfStart(first)]!;
    if (lengths !== 0) found = this.findByStart(lengths, text, start, end, keys, target, found);
    if (this.lastRuns[placeOfEnd(last)] === 0) return found;
    return this.ends.findPart(text, end - RUN, end, keys, target, found);
  }

  /** @param lengths of the prefixes to look for */
  private findByStart(
    lengths: number,
    text: string,
    start: number,
    end: number,
    keys: number,
    target: MatchTarget,
    best: RankedRule | undefined,
  ): RankedRule | undefined {
    let found = best;
    let hash = NO_LETTERS;
    let hashed = start;
    for (let i = 0; i < PREFIX_LENGTHS.length; i++) {
      const next = start + PREFIX_LENGTHS[i]!;
      if (next > end) break;
      if ((lengths & (1 << i)) === 0) continue;
      hash = hashOn(hash, text, hashed, next);
      hashed = next;
      found = this.starts.find(hash, text, start, next, keys, target, found);
    }
    return found;
  }
}
