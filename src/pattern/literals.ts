// Required literals: every match of a regular expression must hold one of these texts. Searching a command line for
// them costs next to nothing, so the automaton is asked for few texts. This is what RE2 calls a prefilter.
//
// Example: `^postgres: .*(TimescaleDB|[Tt]imescale)` has the required literals
//   ["postgres: "] and ["Timescale", "timescale"]
// A match holds one text of each list. "TimescaleDB" is left out because what holds it holds "Timescale" too.
//
// Every list must be right, but lists may be missing: with fewer literals more texts reach the automaton, no answer
// changes. `(?i)mysql` has none, as its letters have many spellings.
import { RUN, RunSet } from './letter-runs.ts';
import type { MatchWork } from './match-work.ts';
import type { CharSet, PatternNode } from './syntax-tree.ts';

/** A match holds at least one text of each list. No list: nothing is known, and every text may match. */
export type RequiredLiterals = readonly (readonly string[])[];

/** Texts in one list, and characters in a set that is listed. */
const TEXTS_MAX = 16;
/** Letters of one text. */
const LENGTH_MAX = 64;
/** Shorter texts occur nearly everywhere, so that searching for them keeps nothing out. */
const LENGTH_MIN = 2;

/** The characters of a set, where they are few. */
function charactersOf({ ranges, negated, fold }: CharSet): string[] | undefined {
  if (negated || ranges.some(([low, high]) => high - low >= TEXTS_MAX)) return undefined;
  const codes = ranges.flatMap(([low, high]) => Array.from({ length: high - low + 1 }, (_, i) => low + i));
  // A letter can have more than two cases: k, K and the sign for kelvin.
  if (codes.length > TEXTS_MAX || (fold && codes.some((c) => c > 0x7f || /[a-z]/i.test(String.fromCharCode(c)))))
    return undefined;
  return codes.map((c) => String.fromCodePoint(c));
}

/** Every text of `starts` followed by every text of `ends`, where they are few and short. */
function product(starts: readonly string[], ends: readonly string[]): string[] | undefined {
  if (starts.length * ends.length > TEXTS_MAX) return undefined;
  const texts = starts.flatMap((start) => ends.map((end) => start + end));
  return texts.every(({ length }) => length <= LENGTH_MAX) ? texts : undefined;
}

/** All texts that match a node, where they are few; what it asserts of its place counts as the empty text. */
function textsOf(node: PatternNode): string[] | undefined {
  if (node.kind === 'set') return charactersOf(node.set);
  if (node.kind === 'assert') return [''];
  if (node.kind === 'alternate') {
    const all = node.parts.map(textsOf);
    const known = all.filter((list) => list !== undefined).flat();
    return all.includes(undefined) || known.length > TEXTS_MAX ? undefined : known;
  }
  const parts = node.kind === 'concat' ? node.parts : repeatedParts(node);
  let whole: string[] | undefined = [''];
  for (const part of parts ?? [undefined]) {
    const ends: string[] | undefined = part && whole && textsOf(part);
    whole = ends && product(whole!, ends);
    if (!whole) return undefined;
  }
  return whole;
}

/** The part as often as it is repeated, where that is a fixed number of times. */
const repeatedParts = ({ part, min, max }: PatternNode & { kind: 'repeat' }): PatternNode[] | undefined =>
  min === max && max <= LENGTH_MAX ? Array.from({ length: max }, () => part) : undefined;

const isUseful = (list: readonly string[]): boolean => list.every(({ length }) => length >= LENGTH_MIN);

/** Without texts that hold another one of the list: what holds "/redis" holds "redis". */
const withoutLonger = (list: readonly string[]): string[] =>
  list.filter((text, i) => !list.some((other, j) => text.includes(other) && (other !== text || j < i)));

/** The required literals of a pattern, as many lists as can be found. */
export function requiredLiterals(node: PatternNode): RequiredLiterals {
  const whole = textsOf(node);
  if (whole && (whole.length === 1 || node.kind !== 'concat')) return isUseful(whole) ? [withoutLonger(whole)] : [];
  if (node.kind === 'repeat') return node.min > 0 ? requiredLiterals(node.part) : [];
  if (node.kind === 'alternate') {
    // A match holds a literal of one of the parts: one list from each, put together.
    const firsts = node.parts.map((part) => requiredLiterals(part)[0]);
    const known = firsts.filter((list) => list !== undefined).flat();
    return firsts.includes(undefined) || known.length > TEXTS_MAX ? [] : [known];
  }
  return node.kind === 'concat' ? literalsOfSequence(node.parts) : [];
}

/** Joins neighbouring parts to texts as long as possible: a, b, c give "abc". A part of many texts ends such a run. */
function literalsOfSequence(parts: readonly PatternNode[]): RequiredLiterals {
  const found: (readonly string[])[] = [];
  let run: string[] = [''];
  const endRun = (next: string[]): void => {
    if (isUseful(run)) found.push(withoutLonger(run));
    run = next;
  };
  for (const part of parts) {
    const ends = textsOf(part);
    if (ends === undefined) {
      endRun(['']);
      found.push(...requiredLiterals(part));
    } else {
      const longer = ends.length > 1 && isUseful(run) ? undefined : product(run, ends);
      if (longer) run = longer;
      else endRun(ends);
    }
  }
  endRun(['']);
  return found;
}

/** Whether a text holds one literal of each list; where it does not, the pattern does not match. */
export function containsLiterals(text: string, literals: RequiredLiterals, work: MatchWork): boolean {
  for (const list of literals) {
    let held = false;
    for (let i = 0; i < list.length && !held; i++) held = work.holds(text, list[i]!);
    if (!held) return false;
  }
  return true;
}

/** Letters that most command lines have. */
const COMMON = /[-/. aeinorst]/;

interface RareRun {
  /** In a RunSet. */
  readonly place: number;
  /** How many of its letters few command lines have. */
  readonly rare: number;
}

/** The run of a text that the fewest command lines have. */
function rarestRun(text: string): RareRun {
  let best: RareRun = { place: 0, rare: -1 };
  for (let at = 0; at + RUN <= text.length; at++) {
    const rare = Array.from(text.slice(at, at + RUN), (letter) => Number(!COMMON.test(letter))).reduce((a, b) => a + b);
    if (rare > best.rare) best = { place: RunSet.placeOf(text, at), rare };
  }
  return best;
}

/**
 * Finds runs of letters for a pattern. A text that has none of them does not match.
 * @returns their places in a RunSet: one run for each literal of a list; undefined where no list can be used
 */
export function requiredRuns(literals: RequiredLiterals): readonly number[] | undefined {
  const long = literals.filter((list) => list.every((text) => text.length >= RUN));
  const lists = long.map((list) => list.map(rarestRun));
  const commonest = (list: readonly RareRun[]) => Math.min(...list.map(({ rare }) => rare));
  const best = lists.sort((a, b) => commonest(b) - commonest(a) || a.length - b.length)[0];
  return best && [...new Set(best.map(({ place }) => place))];
}
