// Globs and regular expressions of rules, matched in time linear in the text whoever wrote the pattern or the text.
// Syntax only, the matching is in automaton.ts; why neither RegExp nor a library: docs/decisions/0003-rule-patterns.md.

import { type Assertion, type CharSet, LazyDfa, type Node, PatternError, type Range, WORD } from './lazy-dfa.ts';
import { containsLiterals, requiredLiterals } from './literals.ts';

export { PatternError };

/** What a rule's glob or regular expression became. */
export interface Pattern {
  /** The pattern as it was written. */
  readonly source: string;
  /** Whether the text matches: a glob all of it, a regular expression any part of it. */
  test(text: string): boolean;
}

/** Characters of a pattern; a longer one is refused. */
const MAX_SOURCE = 2000;
const MAX_DEPTH = 50;
const MAX_REPEAT = 1000;
const DIGIT: readonly Range[] = [[0x30, 0x39]];
const SPACE: readonly Range[] = [
  [0x09, 0x0d],
  [0x20, 0x20],
];
const ANY: CharSet = { ranges: [], negated: true, fold: false };
const NO_NEWLINE: CharSet = { ranges: [[0x0a, 0x0a]], negated: true, fold: false };
const CLASSES: Readonly<Record<string, readonly Range[]>> = { d: DIGIT, w: WORD, s: SPACE };
const POSIX: Readonly<Record<string, readonly Range[]>> = {
  alpha: [WORD[1]!, WORD[3]!],
  digit: DIGIT,
  alnum: [WORD[0]!, WORD[1]!, WORD[3]!],
  upper: [WORD[1]!],
  lower: [WORD[3]!],
  space: SPACE,
  punct: [
    [0x21, 0x2f],
    [0x3a, 0x40],
    [0x5b, 0x60],
    [0x7b, 0x7e],
  ],
  xdigit: [...DIGIT, [0x41, 0x46], [0x61, 0x66]],
};
const ESCAPES: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, f: 12, v: 11, a: 7 };

/** Everything outside the given ranges. */
function complement(ranges: readonly Range[]): Range[] {
  const outside: Range[] = [];
  let from = 0;
  for (const [low, high] of [...ranges].sort((a, b) => a[0] - b[0])) {
    if (low > from) outside.push([from, low - 1]);
    from = Math.max(from, high + 1);
  }
  outside.push([from, 0x10ffff]);
  return outside;
}

/** Reads the syntax of regular expressions that Rust, Go and JavaScript share. */
class RegexParser {
  private at = 0;
  private depth = 0;
  private fold = false;
  private dot = ANY;
  private readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  parse(): Node {
    const node = this.alternation();
    if (this.at < this.source.length) throw this.error('unmatched )');
    return node;
  }

  private error(what: string): PatternError {
    return new PatternError(`${what} at character ${this.at + 1}`);
  }

  private peek(): string {
    return this.source[this.at] ?? '';
  }

  private take(text: string): boolean {
    if (!this.source.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  private takeMatch(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.at;
    const match = expression.exec(this.source);
    if (match) this.at += match[0].length;
    return match;
  }

  private nextCodePoint(): number {
    const c = this.source.codePointAt(this.at);
    if (c === undefined) throw this.error('unexpected end');
    this.at += c > 0xffff ? 2 : 1;
    return c;
  }

  private alternation(): Node {
    const parts = [this.sequence()];
    while (this.take('|')) parts.push(this.sequence());
    return parts.length === 1 ? parts[0]! : { kind: 'alternate', parts };
  }

  private sequence(): Node {
    const parts: Node[] = [];
    while (this.at < this.source.length && this.peek() !== '|' && this.peek() !== ')') parts.push(this.repetition());
    return parts.length === 1 ? parts[0]! : { kind: 'concat', parts };
  }

  private repetition(): Node {
    const part = this.atom();
    const [min, max] = this.quantifier();
    if (min === 1 && max === 1) return part;
    this.take('?'); // a lazy quantifier finds the same texts
    if (/[*+?]/.test(this.peek())) throw this.error('a quantifier after a quantifier');
    return { kind: 'repeat', part, min, max };
  }

  private quantifier(): [min: number, max: number] {
    if (this.take('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.take('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.take('?')) return [0, 1];
    const braces = this.takeMatch(/\{(\d+)(?:(,)(\d*))?\}/y);
    if (!braces) return [1, 1];
    const min = Number(braces[1]);
    const max = braces[2] ? (braces[3] ? Number(braces[3]) : Number.POSITIVE_INFINITY) : min;
    if (min > max || min > MAX_REPEAT || (max > MAX_REPEAT && max !== Number.POSITIVE_INFINITY))
      throw this.error(`a repetition out of range (0 to ${MAX_REPEAT}, smaller first)`);
    return [min, max];
  }

  private atom(): Node {
    if (this.take('(')) return this.group();
    if (this.take('[')) return this.charClass();
    if (this.take('.')) return { kind: 'set', set: this.dot };
    if (this.take('^')) return { kind: 'assert', what: 'start' };
    if (this.take('$')) return { kind: 'assert', what: 'end' };
    if (/[*+?]/.test(this.peek())) throw this.error(`nothing to repeat before ${this.peek()}`);
    if (this.take('\\')) return this.escape();
    return this.literal(this.nextCodePoint());
  }

  private literal(c: number): Node {
    return { kind: 'set', set: { ranges: [[c, c]], negated: false, fold: this.fold } };
  }

  private group(): Node {
    if (++this.depth > MAX_DEPTH) throw this.error(`more than ${MAX_DEPTH} nested groups`);
    const [fold, dot] = [this.fold, this.dot];
    if (this.take('?')) {
      const flags = this.takeMatch(/([is]*)(-[is]+)?([:)])/y);
      if (flags) {
        if (flags[1]!.includes('i')) this.fold = true;
        if (flags[2]?.includes('i')) this.fold = false;
        if (flags[1]!.includes('s')) this.dot = ANY;
        if (flags[2]?.includes('s')) this.dot = NO_NEWLINE;
        if (flags[3] === ')') {
          this.depth--;
          return { kind: 'concat', parts: [] };
        }
      } else if (!this.takeMatch(/P?<\w+>/y))
        throw this.error('look-around and this kind of (? group are not supported');
    }
    const inside = this.alternation();
    if (!this.take(')')) throw this.error('missing )');
    this.fold = fold;
    this.dot = dot;
    this.depth--;
    return inside;
  }

  private escape(): Node {
    const letter = this.peek();
    const assertion = { b: 'word', B: 'notWord', A: 'start', z: 'end' }[letter] as Assertion | undefined;
    if (assertion) {
      this.at++;
      return { kind: 'assert', what: assertion };
    }
    const ranges = CLASSES[letter.toLowerCase()];
    if (ranges) {
      this.at++;
      return { kind: 'set', set: { ranges, negated: letter < 'a', fold: false } };
    }
    return this.literal(this.escapedCharacter());
  }

  private escapedCharacter(): number {
    const hex = this.takeMatch(/x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|[xu]\{([0-9a-fA-F]{1,5})\}/y);
    if (hex) return Number.parseInt(hex[1] ?? hex[2] ?? hex[3]!, 16);
    const c = this.nextCodePoint();
    const letter = String.fromCodePoint(c);
    if (ESCAPES[letter] !== undefined) return ESCAPES[letter];
    if (!/[0-9A-Za-z]/.test(letter)) return c;
    this.at--;
    if (/[0-9k]/.test(letter)) throw this.error('back-references are not supported');
    throw this.error(`\\${letter} is not supported`);
  }

  private charClass(): Node {
    const negated = this.take('^');
    const ranges: Range[] = [];
    for (let first = true; first || this.peek() !== ']'; first = false) {
      if (this.at >= this.source.length) throw this.error('missing ]');
      const low = this.classMember(ranges);
      if (low === undefined) continue;
      if (this.peek() !== '-' || this.source[this.at + 1] === ']') {
        ranges.push([low, low]);
        continue;
      }
      this.at++;
      const high = this.classMember(ranges);
      if (high === undefined || high < low) throw this.error('a character range out of order');
      ranges.push([low, high]);
    }
    this.at++;
    return { kind: 'set', set: { ranges, negated, fold: this.fold } };
  }

  /** One character of a class, or undefined when it was a class of its own, added to the ranges. */
  private classMember(ranges: Range[]): number | undefined {
    const posix = this.takeMatch(/\[:(\^?)(\w+):\]/y);
    if (posix) {
      const named = Object.hasOwn(POSIX, posix[2]!) ? POSIX[posix[2]!] : undefined;
      if (!named) throw this.error(`[:${posix[2]}:] is not a class of characters`);
      ranges.push(...(posix[1] ? complement(named) : named));
      return undefined;
    }
    if (!this.take('\\')) return this.nextCodePoint();
    const letter = this.peek();
    const named = CLASSES[letter.toLowerCase()];
    if (!named) return this.escapedCharacter();
    this.at++;
    ranges.push(...(letter < 'a' ? complement(named) : named));
    return undefined;
  }
}

/**
 * A regular expression, found anywhere in the text: what Rust, Go and JavaScript share, with (?i) and [[:digit:]];
 * a dot is any character, after (?-s) any but a newline. Look-around and back-references have no linear matcher and are refused with a PatternError.
 */
export function regex(source: string): Pattern {
  if (source.length > MAX_SOURCE) throw new PatternError(`longer than ${MAX_SOURCE} characters`);
  const root = parseRegex(source);
  void new LazyDfa(root); // refuses what is too large; kept only once a text holds the letters, which most never do
  const letters = requiredLiterals(root);
  let automaton: LazyDfa | undefined;
  return {
    source,
    test: (text) => {
      if (!containsLiterals(text, letters)) return false;
      automaton ??= new LazyDfa(parseRegex(source));
      return automaton.test(text);
    },
  };
}

/** @throws PatternError where it is none, or has what has no linear matcher */
export function parseRegex(source: string): Node {
  return new RegexParser(source).parse();
}

/** Whether the text needs glob(): anything else is compared as it is. */
export function isGlob(text: string): boolean {
  return /[*?[\\]/.test(text);
}

/** Characters of a glob; few enough that its machine is never too large. */
const MAX_GLOB = 400;

/**
 * A glob over the whole text: * any run, ? any character, [a-z] and [!a-z] one of a set, \ takes the next as it is.
 * With paths, * and ? stop at a slash and ** does not.
 */
export function glob(source: string, paths = false): Pattern {
  if (source.length > MAX_GLOB) throw new PatternError(`longer than ${MAX_GLOB} characters`);
  const simple = /^([^*?[\\]*)(\*+)([^*?[\\]*)$/.exec(source);
  if (simple) return { source, test: between(simple[1]!, simple[3]!, paths && simple[2]!.length === 1) };
  globSyntax(source, paths); // refuses what is no good; kept only once a text begins like it, which most never meet
  const head = globPrefix(source);
  let automaton: LazyDfa | undefined;
  return {
    source,
    test: (text) => {
      if (!text.startsWith(head)) return false;
      automaton ??= new LazyDfa(globSyntax(source, paths));
      return automaton.test(text);
    },
  };
}

/** A glob of one run of stars. */
function between(head: string, tail: string, withinFolder: boolean): (text: string) => boolean {
  return (text) => {
    const end = text.length - tail.length;
    if (end < head.length || !text.startsWith(head) || !text.endsWith(tail)) return false;
    if (!withinFolder) return true;
    const slash = text.indexOf('/', head.length);
    return slash < 0 || slash >= end;
  };
}

/** The letters every text that matches a glob begins with. */
export function globPrefix(source: string): string {
  const head = /^(?:[^*?[\\]|\\.|\[[^!^\]]\])*/su.exec(source)![0];
  return head.replace(/\\(.)|\[(.)\]/gsu, '$1$2');
}

function globSyntax(source: string, paths: boolean): Node {
  const one: CharSet = paths ? { ranges: [[0x2f, 0x2f]], negated: true, fold: false } : ANY;
  const parts: Node[] = [{ kind: 'assert', what: 'start' }];
  const tokens = /(\*+)|(\?)|\[([!^]?)(\]?[^\]]*)\]|\\?(.)/gsu;
  for (const [, stars, question, negation, members, plain] of source.matchAll(tokens)) {
    if (stars) {
      const set = stars.length > 1 ? ANY : one;
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
