// Answers whether a pattern occurs in a text, in time linear in the text, by a lazy deterministic automaton (lazy DFA).
//
// An NFA (nfa.ts) has several active instructions at a time. A DFA has a state for each set of instructions that can be
// active together, so that one look-up per character leads from state to state. All states of a pattern can be
// exponentially many; a lazy DFA makes a state when a text first leads to it, and keeps it for later texts.
//
// Example: `ab*c` on "xabbc". In state A nothing of it is found, in B an "a", in C an "a" and at least one "b".
//   A –x→ A –a→ B –b→ C –b→ C –c→ matched
// Five transitions are made for this text. The next text like it, with any number of b's, only looks them up.
//
// Why that is linear: a known transition is one look-up; an unknown one costs at most the pattern's instructions, each
// visited once. A matcher that backtracks, as RegExp does, reads characters exponentially often for a pattern like
// (a+)+$. Here each is read once, or twice where an automaton has reached what it may keep (below) and starts again
// without states.
import { keep } from './kept-automata.ts';
import { ASSERT, ASSERTIONS, compile, INSTRUCTIONS_MAX, NOWHERE, SET, SPLIT } from './nfa.ts';
import { type Assertion, type CharSet, inRanges, inSet, type PatternNode, WORD } from './syntax-tree.ts';

/** Limits of what an automaton keeps, whether from one text or from several. */
const STATES_MAX = 256;
const TRANSITIONS_MAX = 4096;
/** Instructions visited to find those states and transitions. */
const VISITS_MAX = 15_000;

/** What stands beside a place in the text: nothing, a character of a word, another character. */
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
  /**
   * Active instructions, in rising order; assertions among them are not decided yet, as they need the next character.
   */
  readonly active: readonly number[];
  /** What stands before the next character. */
  readonly before: Side;
  /** The state after an ASCII character, by its class, or after the end of the text; undefined until it is needed. */
  readonly next: (State | undefined)[];
  /** The state after any other character, by code point. */
  nextWide: Map<number, State> | undefined;
  /** Whether nothing that follows can change the answer. */
  readonly final: boolean;
}

/** In place of a character: the end of the text. */
const END = -1;
const END_CLASS = 0;
const NO_CODE = new Int32Array(0);
const ASCII = 128;

/**
 * ASCII characters in classes: no set of the pattern tells the characters of a class apart, so they share transitions.
 */
interface CharClasses {
  /** The class of each character, from 1; 0 is the end of the text. */
  readonly of: Uint8Array;
  readonly count: number;
  /** 1 where the characters of a class are in a set, at the set's number times count, plus the class. */
  readonly members: Uint8Array;
}

/** @param words whether the pattern asks for borders of words */
function classesOf(sets: readonly CharSet[], words: boolean): CharClasses {
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

/**
 * The step that last visited each instruction, so that a step visits none twice. One array serves all automata, because
 * one at a time is at work. A pattern of INSTRUCTIONS_MAX parts has less than four instructions for each of them.
 */
const visited = new Uint32Array(4 * INSTRUCTIONS_MAX);
let step = 0;

function nextStep(): void {
  if (++step <= 0xffff_ffff) return;
  visited.fill(0);
  step = 1;
}

/**
 * The automaton of one pattern. What it keeps grows with the texts it sees, up to the limits above, and up to what all
 * automata keep together (kept-automata.ts).
 */
export class LazyDfa {
  private readonly parse: () => PatternNode;
  /** Empty until a text needs it. */
  private code: Int32Array = NO_CODE;
  private sets: readonly CharSet[] = [];
  /** Whether a match can begin at the start of the text only. */
  private anchored = false;
  /** Whether the pattern asks for borders of words. */
  private words = false;
  private readonly matched: State = { active: [], before: EDGE, next: [], nextWide: undefined, final: true };
  private classes: CharClasses | undefined;
  /**
   * Instructions that are active after a match has begun with a character, by side before it and class; 'match' where
   * that one character is a match. Every state but an anchored one needs them, so they are found once.
   */
  private begun: (readonly number[] | 'match' | undefined)[] = [];
  private readonly states = new Map<string, State>();
  private start: State | undefined;
  private transitions = 0;
  private visits = 0;

  /** @param parse gives the pattern's tree, which compile() accepts; called when a text first needs it */
  constructor(parse: () => PatternNode) {
    this.parse = parse;
  }

  /** Drops everything that is kept; the next text makes it again. */
  forget(): void {
    this.code = NO_CODE;
    this.sets = [];
    this.classes = undefined;
    this.forgetStates();
  }

  private forgetStates(): void {
    this.states.clear();
    this.start = undefined;
    this.begun = [];
    this.transitions = 0;
    this.visits = 0;
  }

  private prepare(): CharClasses {
    const { code, sets } = compile(this.parse());
    this.code = code;
    this.sets = sets;
    this.anchored = code[0] === ASSERT && ASSERTIONS[code[1]!] === 'start';
    this.words = code.some((op, i) => i % 3 === 0 && op === ASSERT && ASSERTIONS[code[i + 1]!]!.endsWith('ord'));
    const classes = classesOf(sets, this.words);
    keep(this, (code.length >> 1) + (classes.members.length >> 3));
    return classes;
  }

  /**
   * Whether the pattern occurs anywhere in the text. When the limits are reached, everything kept is dropped and the
   * text is read again from its start. A text that reaches them alone is read on without keeping anything, for as many
   * visits again; what stands behind that is not seen. So the answer depends on pattern and text alone, not on earlier
   * texts.
   */
  test(text: string): boolean {
    const found = this.run(text, false);
    if (found !== undefined) return found;
    this.forgetStates();
    return this.run(text, true) ?? false;
  }

  /**
   * @param fresh whether nothing is kept yet but what this text needs
   * @returns undefined when the limits are reached
   */
  private run(text: string, fresh: boolean): boolean | undefined {
    this.classes ??= this.prepare();
    const { of } = this.classes;
    this.start ??= this.stateOf([0], EDGE);
    let state = this.start;
    for (let i = 0; i < text.length; i++) {
      let c = text.charCodeAt(i);
      let next: State | undefined;
      if (c < ASCII) next = state.next[of[c]!];
      else {
        c = text.codePointAt(i)!;
        if (c > 0xffff) i++;
        next = state.nextWide?.get(c);
      }
      next ??= this.after(state, c, fresh);
      if (next === undefined) return undefined;
      if (next.final) return next === this.matched;
      state = next;
    }
    const last = state.next[END_CLASS] ?? this.after(state, END, fresh);
    return last && last === this.matched;
  }

  /** The state after a character for which there is no transition yet; undefined when the limits are reached. */
  private after(from: State, c: number, fresh: boolean): State | undefined {
    if (!this.full()) {
      const next = this.addTransition(from, c);
      return fresh || !this.full() ? next : undefined;
    }
    if (!fresh || this.visits > 2 * VISITS_MAX) return undefined;
    const active = this.activeAfter(from, c);
    if (!active) return this.matched;
    return { active, before: this.side(c), next: [], nextWide: undefined, final: active.length === 0 };
  }

  private full(): boolean {
    return this.visits > VISITS_MAX || this.states.size > STATES_MAX || this.transitions > TRANSITIONS_MAX;
  }

  private addTransition(from: State, c: number): State {
    const active = this.activeAfter(from, c);
    const next = active ? this.stateOf(active, this.side(c)) : this.matched;
    this.transitions++;
    if (c < ASCII) from.next[c === END ? END_CLASS : this.classes!.of[c]!] = next;
    else {
      from.nextWide ??= new Map();
      from.nextWide.set(c, next);
    }
    return next;
  }

  /** The state of a set of active instructions, made where there is none yet. */
  private stateOf(active: number[], before: Side): State {
    active.sort((a, b) => a - b);
    const key = String.fromCharCode(before, ...active);
    let state = this.states.get(key);
    if (!state) {
      const next = new Array<State | undefined>(this.classes!.count).fill(undefined);
      state = { active, before, next, nextWide: undefined, final: active.length === 0 };
      this.states.set(key, state);
      // The state, its key and its place in the map take about as much as eight more numbers.
      keep(this, active.length + next.length + 8);
    }
    return state;
  }

  private side(c: number): Side {
    if (c === END) return EDGE;
    return this.words && inRanges(WORD, c) ? IN_WORD : NOT_WORD;
  }

  /** The instructions that are active after a character; undefined for a match. */
  private activeAfter(from: State, c: number): number[] | undefined {
    const { of, count } = this.classes!;
    const charClass = c < ASCII ? (c === END ? END_CLASS : of[c]!) : NOWHERE;
    // Unanchored, a match may begin at every character: instruction 0 is always active.
    const active: number[] = !this.anchored && c !== END ? [0] : [];
    let begins = 0;
    if (!this.anchored && charClass !== NOWHERE) {
      const place = from.before * count + charClass;
      this.begun[place] ??= this.begin(from.before, c, charClass);
      const begun = this.begun[place];
      if (begun === 'match') return undefined;
      nextStep();
      for (const next of begun) {
        visited[next - 1] = step;
        active.push(next);
      }
      begins = 1;
    } else nextStep();
    return this.visit(from.active.slice(begins), from.before, c, charClass, active) ? undefined : active;
  }

  private begin(before: Side, c: number, charClass: number): readonly number[] | 'match' {
    const active: number[] = [];
    nextStep();
    return this.visit([0], before, c, charClass, active) ? 'match' : active;
  }

  /** Adds to `active` where a character leads from the pending instructions; true as soon as that is a match. */
  private visit(pending: number[], before: Side, c: number, charClass: number, active: number[]): boolean {
    const { code } = this;
    const { count, members } = this.classes!;
    const after = this.side(c);
    for (let pc = pending.pop(); pc !== undefined; pc = pending.pop()) {
      if (visited[pc] === step) continue;
      visited[pc] = step;
      this.visits++;
      const x = code[3 * pc + 1]!;
      switch (code[3 * pc]) {
        case SET:
          if (charClass === NOWHERE ? inSet(this.sets[x]!, c) : members[x * count + charClass] === 1)
            active.push(pc + 1);
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
