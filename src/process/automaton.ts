// Answers whether a pattern occurs in a text, in time linear in the text: a state machine built as texts need it.
// Patterns become syntax trees in pattern.ts; this file knows nothing of how they were written.

/** Instructions of a compiled pattern: the factor in the cost of a character not seen before in its state. */
const MAX_PROGRAM = 2000;
/** States and transitions kept per pattern; beyond that the cache starts anew. */
const MAX_STATES = 256;
const MAX_TRANSITIONS = 4096;

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
  /** Instructions to continue from, before assertions are decided. */
  readonly core: readonly number[];
  readonly before: Side;
  readonly next: Map<number, State>;
}

const END = -1;

/** The machine of one pattern; it keeps what it learns of texts within the bounds above. */
export class Automaton {
  private readonly program: readonly Instruction[];
  private readonly anchored: boolean;
  private readonly matched: State = { core: [], before: EDGE, next: new Map() };
  private states = new Map<string, State>();
  private transitions = 0;
  private start: State = this.state([0], EDGE);

  constructor(root: Node) {
    this.program = compile(root);
    const first = this.program[0]!;
    this.anchored = first.op === 'assert' && first.what === 'start';
  }

  /** Whether the pattern occurs anywhere in the text. */
  test(text: string): boolean {
    let state = this.start;
    for (let i = 0; i < text.length; ) {
      const c = text.codePointAt(i)!;
      i += c > 0xffff ? 2 : 1;
      state = state.next.get(c) ?? this.step(state, c);
      if (state === this.matched) return true;
      if (state.core.length === 0) return false;
    }
    return (state.next.get(END) ?? this.step(state, END)) === this.matched;
  }

  private state(core: number[], before: Side): State {
    const key = `${before}:${core.join()}`;
    let state = this.states.get(key);
    if (!state) {
      state = { core, before, next: new Map() };
      this.states.set(key, state);
    }
    return state;
  }

  private step(from: State, c: number): State {
    const side: Side = c === END ? EDGE : inRanges(WORD, c) ? IN_WORD : NOT_WORD;
    const next = this.follow(from, c, side);
    if (++this.transitions > MAX_TRANSITIONS || this.states.size > MAX_STATES) {
      this.states = new Map();
      this.transitions = 0;
      this.start = this.state([0], EDGE);
    } else from.next.set(c, next);
    return next;
  }

  private follow(from: State, c: number, side: Side): State {
    const seen = new Set<number>();
    const core: number[] = [];
    const pending = [...from.core];
    for (let pc = pending.pop(); pc !== undefined; pc = pending.pop()) {
      if (seen.has(pc)) continue;
      seen.add(pc);
      const instruction = this.program[pc]!;
      if (instruction.op === 'match') return this.matched;
      if (instruction.op === 'split') pending.push(...instruction.to);
      else if (instruction.op === 'assert') {
        if (holds(instruction.what, from.before, side)) pending.push(pc + 1);
      } else if (c !== END && inSet(instruction.set, c)) core.push(pc + 1);
    }
    if (!this.anchored && c !== END) core.push(0);
    return this.state(
      [...new Set(core)].sort((a, b) => a - b),
      side,
    );
  }
}
