// What patterns are before they are matched: a tree of sets of characters, assertions, sequences, choices, repetitions.
// regex-parser.ts and pattern.ts make trees of text; nfa.ts and literals.ts read them, and know nothing of how patterns
// were written. `^ab*` is concat(assert start, set a, repeat(set b, 0, infinite)).

/** Code points from low to high, both included. */
export type Range = readonly [low: number, high: number];

/** Asks something of a place in the text: its start, its end, a border of a word, or no such border. */
export type Assertion = 'start' | 'end' | 'word' | 'notWord';

/** A set of code points; with fold, a character belongs to it if its other case does. */
export interface CharSet {
  readonly ranges: readonly Range[];
  readonly negated: boolean;
  readonly fold: boolean;
}

export type PatternNode =
  | { readonly kind: 'set'; readonly set: CharSet }
  | { readonly kind: 'assert'; readonly what: Assertion }
  | { readonly kind: 'concat'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'alternate'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly part: PatternNode; readonly min: number; readonly max: number };

/**
 * A pattern that is not understood, or too large. The message says what is wrong and where, for the pattern's author.
 */
export class PatternError extends Error {}

/** [0-9A-Za-z_], what \w means and \b looks for. */
export const WORD: readonly Range[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];

export function inRanges(ranges: readonly Range[], c: number): boolean {
  for (const range of ranges) if (c >= range[0] && c <= range[1]) return true;
  return false;
}

/** The lower case of an upper case letter and the reverse; other characters as they are. */
function otherCase(c: number): number {
  const text = String.fromCodePoint(c);
  const lower = text.toLowerCase();
  const other = lower === text ? text.toUpperCase() : lower;
  return [...other].length === 1 ? other.codePointAt(0)! : c;
}

export function inSet(set: CharSet, c: number): boolean {
  return (inRanges(set.ranges, c) || (set.fold && inRanges(set.ranges, otherCase(c)))) !== set.negated;
}
