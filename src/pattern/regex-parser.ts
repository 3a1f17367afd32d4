// Parses the regular expressions of rules into a syntax tree. The syntax is what Rust, Go and JavaScript share. What
// has no linear matcher, look-around and back-references, is refused, with the place:
//   parseRegex('(a)\1')  →  PatternError: back-references are not supported at character 5
import { type Assertion, type CharSet, PatternError, type PatternNode, type Range, WORD } from './syntax-tree.ts';

/** Groups within groups. */
const DEPTH_MAX = 50;
/** The largest number in braces. */
const REPEAT_MAX = 1000;
const DIGIT: readonly Range[] = [[0x30, 0x39]];
const SPACE: readonly Range[] = [
  [0x09, 0x0d],
  [0x20, 0x20],
];
export const ANY_CHARACTER: CharSet = { ranges: [], negated: true, fold: false };
const NO_NEWLINE: CharSet = { ranges: [[0x0a, 0x0a]], negated: true, fold: false };
/** Classes by the letter of their escape: \d, \w, \s; the capital letter is the complement. */
const CLASSES: Readonly<Record<string, readonly Range[]>> = { d: DIGIT, w: WORD, s: SPACE };
/** Classes of the form [[:name:]]. */
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
/** Characters by the letter of their escape. */
const ESCAPES: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, f: 12, v: 11, a: 7 };

/** @throws PatternError, with the place, for a text that is no regular expression of this syntax */
export function parseRegex(source: string): PatternNode {
  return new RegexParser(source).parse();
}

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

/**
 * One method for each rule of the grammar:
 *   alternation = sequence { "|" sequence }
 *   sequence    = { repetition }
 *   repetition  = atom [ quantifier [ "?" ] ]
 *   atom        = "(" alternation ")" | "[" class "]" | "." | "^" | "$" | "\" escape | character
 */
class RegexParser {
  private at = 0;
  private depth = 0;
  private fold = false;
  private dot = ANY_CHARACTER;
  private readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  parse(): PatternNode {
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

  private alternation(): PatternNode {
    const parts = [this.sequence()];
    while (this.take('|')) parts.push(this.sequence());
    return parts.length === 1 ? parts[0]! : { kind: 'alternate', parts };
  }

  private sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (this.at < this.source.length && this.peek() !== '|' && this.peek() !== ')') parts.push(this.repetition());
    return parts.length === 1 ? parts[0]! : { kind: 'concat', parts };
  }

  private repetition(): PatternNode {
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
    if (min > max || min > REPEAT_MAX || (max > REPEAT_MAX && max !== Number.POSITIVE_INFINITY))
      throw this.error(`a repetition out of range (0 to ${REPEAT_MAX}, smaller first)`);
    return [min, max];
  }

  private atom(): PatternNode {
    if (this.take('(')) return this.group();
    if (this.take('[')) return this.charClass();
    if (this.take('.')) return { kind: 'set', set: this.dot };
    if (this.take('^')) return { kind: 'assert', what: 'start' };
    if (this.take('$')) return { kind: 'assert', what: 'end' };
    if (/[*+?]/.test(this.peek())) throw this.error(`nothing to repeat before ${this.peek()}`);
    if (this.take('\\')) return this.escape();
    return this.literal(this.nextCodePoint());
  }

  private literal(c: number): PatternNode {
    return { kind: 'set', set: { ranges: [[c, c]], negated: false, fold: this.fold } };
  }

  private group(): PatternNode {
    if (++this.depth > DEPTH_MAX) throw this.error(`more than ${DEPTH_MAX} nested groups`);
    const [fold, dot] = [this.fold, this.dot];
    if (this.take('?')) {
      const flags = this.takeMatch(/([is]*)(-[is]+)?([:)])/y);
      if (flags) {
        if (flags[1]!.includes('i')) this.fold = true;
        if (flags[2]?.includes('i')) this.fold = false;
        if (flags[1]!.includes('s')) this.dot = ANY_CHARACTER;
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

  private escape(): PatternNode {
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

  private charClass(): PatternNode {
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
