// The values of a rule's keys, ready to be compared with what a process has: exact texts, globs, regular expressions.
import type { MatchWork } from '../pattern/match-work.ts';
import { glob, isGlob, type Pattern, regex } from '../pattern/pattern.ts';
import { isPathKey, type RuleKey } from './rule.ts';

/** One of the values of a key. */
export interface Matcher {
  /** As it was written. */
  readonly text: string;
  /** How it is compared: as it is, by a glob, by a regular expression, or by several that must all be found. */
  readonly form: 'literal' | 'glob' | 'regex' | 'regexes';
  /** Compared with a whole path rather than its base name. */
  readonly path: boolean;
  /** Runs of letters of an expression. A value that has none of them does not match; undefined: any may match. */
  readonly runs?: readonly number[] | undefined;
  /** @param work that patterns may do for the process; undefined for no limit but the pattern's own */
  test(value: string, work?: MatchWork): boolean;
}

/** How a key's value is to be read where the key itself does not say: "a*" is a glob under comm, a regex under argv. */
export const formOf = (key: RuleKey, text: string): 'literal' | 'glob' | 'regex' =>
  key === 'argv' ? 'regex' : isGlob(text) ? 'glob' : 'literal';

/** @throws PatternError for a glob or regular expression that cannot be used */
export function matcherOf(key: RuleKey, text: string, form: 'literal' | 'glob' | 'regex'): Matcher {
  const path = isPathKey(key) && text.includes('/');
  if (form === 'literal') return new LiteralMatcher(text, path);
  // A slash in a unit or container divides the unit of a user from the name that the user gave: `*` stops there.
  const stopsAtSlash = path || key === 'unit' || key === 'container';
  return new PatternMatcher(text, form, path, form === 'glob' ? glob(text, stopsAtSlash) : regex(text));
}

/** One value that matches where all of the given ones do. */
export function allOf(matchers: readonly Matcher[]): Matcher {
  const text = matchers.map((matcher) => matcher.text).join(' and ');
  return {
    text,
    form: 'regexes',
    path: false,
    runs: matchers.find(({ runs }) => runs !== undefined)?.runs,
    test: (value, work) => matchers.every((matcher) => matcher.test(value, work)),
  };
}

/** A class rather than an object with a closure: there are thousands of them, and one takes a third of the memory. */
class LiteralMatcher implements Matcher {
  readonly text: string;
  readonly path: boolean;

  constructor(text: string, path: boolean) {
    this.text = text;
    this.path = path;
  }

  get form() {
    return 'literal' as const;
  }

  test(value: string): boolean {
    return value === this.text;
  }
}

class PatternMatcher implements Matcher {
  readonly text: string;
  readonly form: 'glob' | 'regex';
  readonly path: boolean;
  readonly #pattern: Pattern;

  constructor(text: string, form: 'glob' | 'regex', path: boolean, pattern: Pattern) {
    this.text = text;
    this.form = form;
    this.path = path;
    this.#pattern = pattern;
  }

  get runs(): readonly number[] | undefined {
    return this.#pattern.runs;
  }

  test(value: string, work?: MatchWork): boolean {
    return this.#pattern.test(value, work);
  }
}
