// Globs and regular expressions of rules, matched in time linear in the text, also when the pattern or the text is hostile.
// Here a pattern becomes a test that tries the cheap questions first: does the text begin with the glob's literal
// prefix? Does it hold the expression's required literals (literals.ts)? Only a text that does meets the automaton
// (lazy-dfa.ts), which is made when the first one does. docs/decisions/0003-rule-patterns.md says why neither RegExp
// nor a library.
import { LazyDfa } from './lazy-dfa.ts';
import { containsLiterals, requiredLiterals, requiredRuns } from './literals.ts';
import { MatchWork } from './match-work.ts';
import { instructionsOf } from './nfa.ts';
import { ANY_CHARACTER, parseRegex } from './regex-parser.ts';
import { type CharSet, PatternError, type PatternNode, type Range } from './syntax-tree.ts';

export { PatternError };

/** A glob or regular expression, ready to be matched. */
export interface Pattern {
  /** As it was written. */
  readonly source: string;
  /** Runs of letters of an expression. A text that has none of them does not match; undefined: any may match. */
  readonly runs?: readonly number[] | undefined;
  /**
   * Whether the text matches: a glob all of it, a regular expression any part of it.
   * @param work that this and other patterns may do; where too little of it is left, the pattern does not match
   */
  test(text: string, work?: MatchWork): boolean;
}

/**
 * What an automaton costs besides reading the text, in characters for each instruction of its pattern: it may have to be
 * made, and to find its states.
 */
const COST_OF_INSTRUCTION = 32;

/** Characters of a regular expression; a longer one is refused. */
const REGEX_LENGTH_MAX = 2000;
/** Characters of a glob; few enough that its automaton is never too large. */
const GLOB_LENGTH_MAX = 400;

/**
 * A regular expression, found anywhere in the text. Its syntax is what Rust, Go and JavaScript share, with (?i) and
 * [[:digit:]]. A dot is any character; after (?-s) any but a newline.
 * @throws PatternError for look-around and back-references, which have no linear matcher, and for a faulty expression
 */
export function regex(source: string): Pattern {
  if (source.length > REGEX_LENGTH_MAX) throw new PatternError(`longer than ${REGEX_LENGTH_MAX} characters`);
  const root = parseRegex(source);
  // Not kept, because few expressions ever need an automaton.
  const cost = COST_OF_INSTRUCTION * instructionsOf(root);
  const literals = requiredLiterals(root);
  let automaton: LazyDfa | undefined;
  return {
    source,
    runs: requiredRuns(literals),
    test: (text, work = MatchWork.unlimited()) => {
      if (!containsLiterals(text, literals, work) || !work.take(cost + text.length)) return false;
      automaton ??= new LazyDfa(() => parseRegex(source));
      return automaton.test(text);
    },
  };
}

/** Whether a text has to be read as a glob: any other text matches itself alone. */
export function isGlob(text: string): boolean {
  return /[*?[\\]/.test(text);
}

/**
 * A glob over the whole text: * is any run of characters, ? any character, [a-z] and [!a-z] one of a set; \ takes the
 * next character as it is. With paths, * and ? stop at a slash, and ** does not.
 * @throws PatternError
 */
export function glob(source: string, paths = false): Pattern {
  if (source.length > GLOB_LENGTH_MAX) throw new PatternError(`longer than ${GLOB_LENGTH_MAX} characters`);
  const oneStar = /^([^*?[\\]*)(\*+)([^*?[\\]*)$/.exec(source);
  if (oneStar) return { source, test: oneStarTest(oneStar[1]!, oneStar[3]!, paths && oneStar[2]!.length === 1) };
  const cost = COST_OF_INSTRUCTION * instructionsOf(parseGlob(source, paths));
  const prefix = globPrefix(source);
  const literal = longestLiteral(source);
  let automaton: LazyDfa | undefined;
  return {
    source,
    test: (text, work = MatchWork.unlimited()) => {
      if (!text.startsWith(prefix) || !text.includes(literal) || !work.take(cost + text.length)) return false;
      automaton ??= new LazyDfa(() => parseGlob(source, paths));
      return automaton.test(text);
    },
  };
}

/** The test of a glob with stars in one place only, which needs no automaton: "worker-*", "/opt/*.bin". */
function oneStarTest(before: string, behind: string, withinFolder: boolean): (text: string) => boolean {
  return (text) => {
    const end = text.length - behind.length;
    if (end < before.length || !text.startsWith(before) || !text.endsWith(behind)) return false;
    if (!withinFolder) return true;
    const slash = text.indexOf('/', before.length);
    return slash < 0 || slash >= end;
  };
}

/** The literal prefix of a glob, with which every text that matches begins: "/opt/a" of "/opt/[a]*". */
export function globPrefix(source: string): string {
  // A bracket that nothing closes is a letter.
  const prefix = /^(?:[^*?[\\]|\\.|\[[^!^\]]\]|\[(?![^\]]*\]))*/su.exec(source)![0];
  return prefix.replace(/\\(.)|\[(.)\]/gsu, '$1$2');
}

/** A literal suffix of a glob, with which every text that matches ends: "_exporter" of "*_exporter". */
export const globSuffix = (source: string): string => /[^*?[\]\\]*$/.exec(source)![0];

/** The longest text between the wildcards of a glob, which every text that matches holds: "-server" of ".*-server*". */
const longestLiteral = (source: string): string =>
  /[[\\]/.test(source) ? '' : source.split(/[*?]+/).reduce((a, b) => (b.length > a.length ? b : a));

function parseGlob(source: string, paths: boolean): PatternNode {
  const one: CharSet = paths ? { ranges: [[0x2f, 0x2f]], negated: true, fold: false } : ANY_CHARACTER;
  const parts: PatternNode[] = [{ kind: 'assert', what: 'start' }];
  const tokens = /(\*+)|(\?)|\[([!^]?)(\]?[^\]]*)\]|\\?(.)/gsu;
  for (const [, stars, question, negation, members, plain] of source.matchAll(tokens)) {
    if (stars) {
      const set = stars.length > 1 ? ANY_CHARACTER : one;
      parts.push({ kind: 'repeat', part: { kind: 'set', set }, min: 0, max: Number.POSITIVE_INFINITY });
    } else if (question) parts.push({ kind: 'set', set: one });
    else if (members !== undefined) parts.push({ kind: 'set', set: globSet(members, negation !== '') });
    else {
      const c = plain!.codePointAt(0)!;
      parts.push({ kind: 'set', set: { ranges: [[c, c]], negated: false, fold: false } });
    }
  }
  parts.push({ kind: 'assert', what: 'end' });
  return { kind: 'concat', parts };
}

/** The set between brackets: "a-z0" of [a-z0]. */
function globSet(members: string, negated: boolean): CharSet {
  const ranges: Range[] = [];
  for (const [, low, high] of members.matchAll(/(.)(?:-(.))?/gsu)) {
    const from = low!.codePointAt(0)!;
    const to = high?.codePointAt(0) ?? from;
    if (to < from) throw new PatternError(`the range ${low}-${high} is out of order`);
    ranges.push([from, to]);
  }
  return { ranges, negated, fold: false };
}
