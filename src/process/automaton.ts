// Answers whether a pattern occurs in a text, in bounded time: a state machine built as texts need it, within limits.
// Patterns become syntax trees in pattern.ts; this file knows nothing of how they were written.

/** Instructions of a compiled pattern: the factor in the cost of a character not seen before in its state. */
const MAX_PROGRAM = 2000;
/** What one text, or several, may teach the machine of a pattern; instructions are those followed to learn it. */
const MAX_STATES = 256;
const MAX_TRANSITIONS = 4096;
const MAX_FOLLOWED = 300_000;

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

type Instruction =
  | { op: 'set'; set: CharSet }
  | { op: 'assert'; what: Assertion }
  | { op: 'split'; to: number[] }
  | { op: 'match' };

const inRanges = (ranges: readonly Range[], c: number) => ranges.some(([low, high]) => c >= low && c <= high);

function otherCase(c: number): number {
  const text = String.fromCodePoint(c);
  const lower = text.toLowerCase();
  const other = lower === text ? text.toUpperCase() : lower;
  return [...other].length === 1 ? other.codePointAt(0)! : c;
}

function inSet(set: CharSet, c: number): boolean {
  return (inRanges(set.ranges, c) || (set.fold && inRanges(set.ranges, otherCase(c)))) !== set.negated;
}

/** Thompson's construction: each instruction falls through to the next, except where a split says. */
function compile(root: Node): Instruction[] {
  const program: Instruction[] = [];
  let visits = 0;
  const split = (): { op: 'split'; to: number[] } => {
    const instruction = { op: 'split' as const, to: [program.length + 1] };
    program.push(instruction);
    return instruction;
  };
  const emit = (node: Node): void => {
    if (++visits > MAX_PROGRAM) throw new PatternError('too large: fewer or smaller repetitions, please');
    if (node.kind === 'set') program.push({ op: 'set', set: node.set });
    else if (node.kind === 'assert') program.push({ op: 'assert', what: node.what });
    else if (node.kind === 'concat') node.parts.forEach(emit);
    else if (node.kind === 'alternate') alternate(node.parts);
    else repeat(node.part, node.min, node.max);
  };
  const alternate = (parts: readonly Node[]): void => {
    const ends: { to: number[] }[] = [];
    for (const part of parts.slice(0, -1)) {
      const fork = split();
      emit(part);
      ends.push(split());
      fork.to.push(program.length);
    }
    emit(parts.at(-1)!);
    for (const end of ends) end.to = [program.length];
  };
  const repeat = (part: Node, min: number, max: number): void => {
    for (let i = 0; i < min; i++) emit(part);
    if (max === Number.POSITIVE_INFINITY) {
      const start = program.length;
      const fork = split();
      emit(part);
      split().to = [start];
      fork.to.push(program.length);
    } else {
      const forks = [];
      for (let i = min; i < max; i++) {
        forks.push(split());
        emit(part);
      }
      for (const fork of forks) fork.to.push(program.length);
    }
  };
  emit(root);
  program.push({ op: 'match' });
  return program;
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
}

const END = -1;
const END_CLASS = 0;
const ASCII = 128;

interface Classes {
  /** The class of each ASCII character: those that no instruction tells apart have one. */
  readonly of: Uint8Array;
  readonly count: number;
}

function classesOf(program: readonly Instruction[], words: boolean): Classes {
  const begins = new Uint8Array(ASCII + 1);
  const border = (low: number, high: number): void => {
    if (low > high || low >= ASCII) return;
    begins[low] = 1;
    begins[Math.min(high + 1, ASCII)] = 1;
  };
  const toLower = 0x61 - 0x41;
  for (const instruction of program) {
    if (instruction.op !== 'set') continue;
    for (const [low, high] of instruction.set.ranges) {
      border(low, high);
      if (!instruction.set.fold) continue;
      border(Math.max(low, 0x41) + toLower, Math.min(high, 0x5a) + toLower);
      border(Math.max(low, 0x61) - toLower, Math.min(high, 0x7a) - toLower);
    }
  }
  if (words) for (const [low, high] of WORD) border(low, high);
  const of = new Uint8Array(ASCII);
  let count = END_CLASS + 1;
  for (let c = 0; c < ASCII; c++) {
    if (begins[c] && c > 0) count++;
    of[c] = count;
  }
  return { of, count: count + 1 };
}

/** Instructions met in this step have its number; for all machines, as one is at work at a time. */
const met = new Uint32Array(4 * MAX_PROGRAM);
let step = 0;

/** The machine of one pattern; it keeps what it learns of texts within the bounds above. */
export class Automaton {
  private readonly program: readonly Instruction[];
  private readonly anchored: boolean;
  /** Whether it matters what characters are of words. */
  private readonly words: boolean;
  private readonly matched: State = { core: [], before: EDGE, next: [], wide: undefined };
  private classes: Classes | undefined;
  private readonly states = new Map<string, State>();
  private start: State | undefined;
  private transitions = 0;
  private followed = 0;

  constructor(root: Node) {
    this.program = compile(root);
    const first = this.program[0]!;
    this.anchored = first.op === 'assert' && first.what === 'start';
    this.words = this.program.some((i) => i.op === 'assert' && (i.what === 'word' || i.what === 'notWord'));
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
    this.transitions = 0;
    this.followed = 0;
    return this.run(text, true) ?? false;
  }

  /** @param alone whether nothing is known yet but what this text teaches @returns undefined when there is no more room */
  private run(text: string, alone: boolean): boolean | undefined {
    this.classes ??= classesOf(this.program, this.words);
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
      if (next === this.matched) return true;
      if (next.core.length === 0) return false;
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
    return core ? { core, before: this.side(c), next: [], wide: undefined } : this.matched;
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

  private state(core: readonly number[], before: Side): State {
    const key = String.fromCharCode(before, ...core);
    let state = this.states.get(key);
    if (!state) {
      const next = new Array<State | undefined>(this.classes!.count).fill(undefined);
      state = { core, before, next, wide: undefined };
      this.states.set(key, state);
    }
    return state;
  }

  private side(c: number): Side {
    if (c === END) return EDGE;
    return this.words && inRanges(WORD, c) ? IN_WORD : NOT_WORD;
  }

  /** Where a character leads to, or undefined for a match. */
  private follow(from: State, c: number): number[] | undefined {
    const after = this.side(c);
    if (++step > 0xffff_fff0) {
      met.fill(0);
      step = 1;
    }
    const core: number[] = !this.anchored && c !== END ? [0] : [];
    const pending = from.core.slice();
    for (let pc = pending.pop(); pc !== undefined; pc = pending.pop()) {
      if (met[pc] === step) continue;
      met[pc] = step;
      this.followed++;
      const instruction = this.program[pc]!;
      if (instruction.op === 'match') return undefined;
      if (instruction.op === 'split') for (const to of instruction.to) pending.push(to);
      else if (instruction.op === 'assert') {
        if (holds(instruction.what, from.before, after)) pending.push(pc + 1);
      } else if (c !== END && inSet(instruction.set, c)) core.push(pc + 1);
    }
    return core.sort((a, b) => a - b);
  }
}
