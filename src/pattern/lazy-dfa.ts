// Answers whether a pattern occurs in a text, in bounded time: a state machine built as texts need it, within limits.
// Patterns become syntax trees in pattern.ts; this file knows nothing of how they were written.

/** Instructions of a compiled pattern: the factor in the cost of a character not seen before in its state. */
const MAX_PROGRAM = 2000;
/** What one text, or several, may teach the machine of a pattern; instructions are those followed to learn it. */
const MAX_STATES = 256;
const MAX_TRANSITIONS = 4096;
const MAX_FOLLOWED = 15_000;

export type Range = readonly [low: number, high: number];
export type Assertion = 'start' | 'end' | 'word' | 'notWord';

/** A set of code points; with fold, a character belongs to it if its other case does. */
export interface CharSet {
  readonly ranges: readonly Range[];
  readonly negated: boolean;
  readonly fold: boolean;
}

export type Node =
  | { readonly kind: 'set'; readonly set: CharSet }
  | { readonly kind: 'assert'; readonly what: Assertion }
  | { readonly kind: 'concat'; readonly parts: readonly Node[] }
  | { readonly kind: 'alternate'; readonly parts: readonly Node[] }
  | { readonly kind: 'repeat'; readonly part: Node; readonly min: number; readonly max: number };

/** A pattern that is not understood, or too large; the message says what and where, in the writer's terms. */
export class PatternError extends Error {}

/** [0-9A-Za-z_], what \w means and \b looks at. */
export const WORD: readonly Range[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];

function inRanges(ranges: readonly Range[], c: number): boolean {
  for (const range of ranges) if (c >= range[0] && c <= range[1]) return true;
  return false;
}

function otherCase(c: number): number {
  const text = String.fromCodePoint(c);
  const lower = text.toLowerCase();
  const other = lower === text ? text.toUpperCase() : lower;
  return [...other].length === 1 ? other.codePointAt(0)! : c;
}

function inSet(set: CharSet, c: number): boolean {
  return (inRanges(set.ranges, c) || (set.fold && inRanges(set.ranges, otherCase(c)))) !== set.negated;
}

/** A compiled pattern: instructions of three numbers, an op and where to go on, or what to ask. */
interface Program {
  readonly code: Int32Array;
  readonly sets: readonly CharSet[];
}
/** Goes on behind itself when the character is in the set of number x. */
const SET = 0;
/** Goes on behind itself when assertion number x holds. */
const ASSERT = 1;
/** Goes on at x, and at y unless that is NOWHERE. */
const SPLIT = 2;
const MATCH = 3;
const NOWHERE = -1;
const ASSERTIONS: readonly Assertion[] = ['start', 'end', 'word', 'notWord'];

/** Thompson's construction. */
function compile(root: Node): Program {
  const code: number[] = [];
  const sets: CharSet[] = [];
  const numbers = new Map<string, number>();
  let visits = 0;
  let size = 0;
  const add = (op: number, x = NOWHERE, y = NOWHERE): number => {
    code.push(op, x, y);
    return size++;
  };
  const fork = () => add(SPLIT, size + 1);
  const forkTo = (at: number) => {
    code[3 * at + 2] = size;
  };
  const number = (set: CharSet): number => {
    const key = `${set.negated} ${set.fold} ${set.ranges.join(' ')}`;
    const known = numbers.get(key) ?? sets.push(set) - 1;
    numbers.set(key, known);
    return known;
  };
  const emit = (node: Node): void => {
    if (++visits > MAX_PROGRAM) throw new PatternError('too large: fewer or smaller repetitions, please');
    if (node.kind === 'set') add(SET, number(node.set));
    else if (node.kind === 'assert') add(ASSERT, ASSERTIONS.indexOf(node.what));
    else if (node.kind === 'concat') node.parts.forEach(emit);
    else if (node.kind === 'alternate') alternate(node.parts);
    else repeat(node.part, node.min, node.max);
  };
  const alternate = (parts: readonly Node[]): void => {
    const ends: number[] = [];
    for (const part of parts.slice(0, -1)) {
      const next = fork();
      emit(part);
      ends.push(add(SPLIT));
      forkTo(next);
    }
    emit(parts.at(-1)!);
    for (const end of ends) code[3 * end + 1] = size;
  };
  const repeat = (part: Node, min: number, max: number): void => {
    for (let i = 0; i < min; i++) emit(part);
    if (max === Number.POSITIVE_INFINITY) {
      const start = fork();
      emit(part);
      add(SPLIT, start);
      forkTo(start);
    } else {
      const forks = [];
      for (let i = min; i < max; i++) {
        forks.push(fork());
        emit(part);
      }
      forks.forEach(forkTo);
    }
  };
  emit(root);
  add(MATCH);
  return { code: Int32Array.from(code), sets };
}

/** What stands beside a position: nothing, a word character, another one. */
const EDGE = 0;
const IN_WORD = 1;
const NOT_WORD = 2;
type Side = typeof EDGE | typeof IN_WORD | typeof NOT_WORD;

function holds(what: Assertion, before: Side, after: Side): boolean {
  if (what === 'start') return before === EDGE;
  if (what === 'end') return after === EDGE;
  return ((before === IN_WORD) !== (after === IN_WORD)) === (what === 'word');
}

interface State {
  /** Instructions to continue from, before assertions are decided; in rising order. */
  readonly core: readonly number[];
  readonly before: Side;
  /** The state behind an ASCII character, by its class, or behind the end of the text; undefined until it was needed. */
  readonly next: (State | undefined)[];
  /** The state behind any other character. */
  wide: Map<number, State> | undefined;
  /** Nothing that follows can change the answer. */
  readonly ends: boolean;
}

const END = -1;
const END_CLASS = 0;
const ASCII = 128;

/** ASCII characters that no set tells apart, as classes. */
interface Classes {
  /** The class of each, from 1. */
  readonly of: Uint8Array;
  readonly count: number;
  /** Whether the characters of a class are in a set: by number of the set times count, and class. */
  readonly members: Uint8Array;
}

function classesOf(sets: readonly CharSet[], words: boolean): Classes {
  const begins = new Uint8Array(ASCII + 1);
  const border = (low: number, high: number): void => {
    if (low > high || low >= ASCII) return;
    begins[low] = 1;
    begins[Math.min(high + 1, ASCII)] = 1;
  };
  const toLower = 0x61 - 0x41;
  for (const { ranges, fold } of sets) {
    for (const [low, high] of ranges) {
      border(low, high);
      if (!fold) continue;
      border(Math.max(low, 0x41) + toLower, Math.min(high, 0x5a) + toLower);
      border(Math.max(low, 0x61) - toLower, Math.min(high, 0x7a) - toLower);
    }
  }
  if (words) for (const [low, high] of WORD) border(low, high);
  const of = new Uint8Array(ASCII);
  const firsts = [END];
  for (let c = 0; c < ASCII; c++) {
    if (begins[c] || c === 0) firsts.push(c);
    of[c] = firsts.length - 1;
  }
  const members = Uint8Array.from(sets.flatMap((set) => firsts.map((c) => Number(c !== END && inSet(set, c)))));
  return { of, count: firsts.length, members };
}

/** Instructions met in this step have its number; for all machines, as one is at work at a time. */
const met = new Uint32Array(4 * MAX_PROGRAM);
let step = 0;

function nextStep(): void {
  if (++step <= 0xffff_ffff) return;
  met.fill(0);
  step = 1;
}

/** The machine of one pattern; it keeps what it learns of texts within the bounds above. */
export class LazyDfa {
  private readonly code: Int32Array;
  private readonly sets: readonly CharSet[];
  private readonly anchored: boolean;
  /** Whether it matters what characters are of words. */
  private readonly words: boolean;
  private readonly matched: State = { core: [], before: EDGE, next: [], wide: undefined, ends: true };
  private classes: Classes | undefined;
  /** Where a match that begins at a character leads to, by side before and class; 'match' where it ends there as well. */
  private begun: (readonly number[] | 'match' | undefined)[] = [];
  private readonly states = new Map<string, State>();
  private start: State | undefined;
  private transitions = 0;
  private followed = 0;

  constructor(root: Node) {
    const { code, sets } = compile(root);
    this.code = code;
    this.sets = sets;
    this.anchored = code[0] === ASSERT && ASSERTIONS[code[1]!] === 'start';
    this.words = code.some((op, i) => i % 3 === 0 && op === ASSERT && ASSERTIONS[code[i + 1]!]!.endsWith('ord'));
  }

  /**
   * Whether the pattern occurs anywhere in the text. A text that by itself asks for more than a machine may learn is
   * followed for so long again, and what is behind that is not seen: so the pattern and the text alone decide.
   */
  test(text: string): boolean {
    const found = this.run(text, false);
    if (found !== undefined) return found;
    this.states.clear();
    this.start = undefined;
    this.begun = [];
    this.transitions = 0;
    this.followed = 0;
    return this.run(text, true) ?? false;
  }

  /** @param alone whether nothing is known yet but what this text teaches @returns undefined when there is no more room */
  private run(text: string, alone: boolean): boolean | undefined {
    this.classes ??= classesOf(this.sets, this.words);
    const { of } = this.classes;
    this.start ??= this.state([0], EDGE);
    let state = this.start;
    for (let i = 0; i < text.length; i++) {
      let c = text.charCodeAt(i);
      let next: State | undefined;
      if (c < ASCII) next = state.next[of[c]!];
      else {
        c = text.codePointAt(i)!;
        if (c > 0xffff) i++;
        next = state.wide?.get(c);
      }
      next ??= this.behind(state, c, alone);
      if (next === undefined) return undefined;
      if (next.ends) return next === this.matched;
      state = next;
    }
    const last = state.next[END_CLASS] ?? this.behind(state, END, alone);
    return last && last === this.matched;
  }

  private behind(from: State, c: number, alone: boolean): State | undefined {
    if (!this.full()) {
      const next = this.learn(from, c);
      return alone || !this.full() ? next : undefined;
    }
    if (!alone || this.followed > 2 * MAX_FOLLOWED) return undefined;
    const core = this.follow(from, c);
    return core ? { core, before: this.side(c), next: [], wide: undefined, ends: core.length === 0 } : this.matched;
  }

  private full(): boolean {
    return this.followed > MAX_FOLLOWED || this.states.size > MAX_STATES || this.transitions > MAX_TRANSITIONS;
  }

  private learn(from: State, c: number): State {
    const core = this.follow(from, c);
    const next = core ? this.state(core, this.side(c)) : this.matched;
    this.transitions++;
    if (c < ASCII) from.next[c === END ? END_CLASS : this.classes!.of[c]!] = next;
    else {
      from.wide ??= new Map();
      from.wide.set(c, next);
    }
    return next;
  }

  private state(core: number[], before: Side): State {
    core.sort((a, b) => a - b);
    const key = String.fromCharCode(before, ...core);
    let state = this.states.get(key);
    if (!state) {
      const next = new Array<State | undefined>(this.classes!.count).fill(undefined);
      state = { core, before, next, wide: undefined, ends: core.length === 0 };
      this.states.set(key, state);
    }
    return state;
  }

  private side(c: number): Side {
    if (c === END) return EDGE;
    return this.words && inRanges(WORD, c) ? IN_WORD : NOT_WORD;
  }

  /** Where a character leads to, or undefined for a match. Those that begin with it are found once for its class. */
  private follow(from: State, c: number): number[] | undefined {
    const { of, count } = this.classes!;
    const inClass = c < ASCII ? (c === END ? END_CLASS : of[c]!) : NOWHERE;
    const core: number[] = !this.anchored && c !== END ? [0] : [];
    let known = 0;
    if (!this.anchored && inClass !== NOWHERE) {
      const place = from.before * count + inClass;
      this.begun[place] ??= this.begin(from.before, c, inClass);
      const begun = this.begun[place];
      if (begun === 'match') return undefined;
      nextStep();
      for (const next of begun) {
        met[next - 1] = step;
        core.push(next);
      }
      known = 1;
    } else nextStep();
    return this.reach(from.core.slice(known), from.before, c, inClass, core) ? undefined : core;
  }

  private begin(before: Side, c: number, inClass: number): readonly number[] | 'match' {
    const core: number[] = [];
    nextStep();
    return this.reach([0], before, c, inClass, core) ? 'match' : core;
  }

  /** Adds where a character leads to from the pending instructions; true as soon as that is a match. */
  private reach(pending: number[], before: Side, c: number, inClass: number, core: number[]): boolean {
    const { code } = this;
    const { count, members } = this.classes!;
    const after = this.side(c);
    for (let pc = pending.pop(); pc !== undefined; pc = pending.pop()) {
      if (met[pc] === step) continue;
      met[pc] = step;
      this.followed++;
      const x = code[3 * pc + 1]!;
      switch (code[3 * pc]) {
        case SET:
          if (inClass === NOWHERE ? inSet(this.sets[x]!, c) : members[x * count + inClass] === 1) core.push(pc + 1);
          break;
        case ASSERT:
          if (holds(ASSERTIONS[x]!, before, after)) pending.push(pc + 1);
          break;
        case SPLIT:
          if (code[3 * pc + 2] !== NOWHERE) pending.push(code[3 * pc + 2]!);
          pending.push(x);
          break;
        default:
          return true;
      }
    }
    return false;
  }
}
