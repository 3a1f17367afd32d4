// Compiles a pattern's tree into a nondeterministic automaton (NFA), by Thompson's construction: a list of
// instructions. Several of them can be active at once. For `ab*c` these are
//   0 SET a → 1    1 SPLIT → 2 or 4    2 SET b → 3    3 SPLIT → 1    4 SET c → 5    5 MATCH
// Reading "ab" from 0: after "a" instructions 2 and 4 wait for a character, after "b" again. Nothing is ever tried and
// taken back, which is what makes matching linear; lazy-dfa.ts does it.
import { type Assertion, type CharSet, PatternError, type PatternNode } from './syntax-tree.ts';

/** Instructions of a pattern. What an unseen character costs in a state is proportional to them. */
export const INSTRUCTIONS_MAX = 2000;

/** Instructions of three numbers each: what to do, and two operands, x and y. */
export interface Nfa {
  readonly code: Int32Array;
  readonly sets: readonly CharSet[];
}
/** Continues at the next instruction when the character is in set number x. */
export const SET = 0;
/** Continues at the next instruction when assertion number x holds; takes no character. */
export const ASSERT = 1;
/** Continues at x, and at y too unless that is NOWHERE; takes no character. */
export const SPLIT = 2;
/** The pattern has matched. */
const MATCH = 3;
export const NOWHERE = -1;
/** Assertions by number. */
export const ASSERTIONS: readonly Assertion[] = ['start', 'end', 'word', 'notWord'];

/** @throws PatternError for a pattern of more than INSTRUCTIONS_MAX parts */
export function compile(root: PatternNode): Nfa {
  const code: number[] = [];
  const sets: CharSet[] = [];
  const numbers = new Map<string, number>();
  /** A repeated set is one object: its text is made once, however often it is repeated. */
  const numbersOfSets = new Map<CharSet, number>();
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
    const same = numbersOfSets.get(set);
    if (same !== undefined) return same;
    const key = `${set.negated} ${set.fold} ${set.ranges.join(' ')}`;
    const known = numbers.get(key) ?? sets.push(set) - 1;
    numbers.set(key, known);
    numbersOfSets.set(set, known);
    return known;
  };
  const emit = (node: PatternNode): void => {
    if (++visits > INSTRUCTIONS_MAX) throw new PatternError('too large; use fewer or smaller repetitions');
    if (node.kind === 'set') add(SET, number(node.set));
    else if (node.kind === 'assert') add(ASSERT, ASSERTIONS.indexOf(node.what));
    else if (node.kind === 'concat') node.parts.forEach(emit);
    else if (node.kind === 'alternate') alternate(node.parts);
    else repeat(node.part, node.min, node.max);
  };
  const alternate = (parts: readonly PatternNode[]): void => {
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
  const repeat = (part: PatternNode, min: number, max: number): void => {
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

/** Number of instructions of a pattern. @throws PatternError for a pattern that is too large */
export const instructionsOf = (root: PatternNode): number => compile(root).code.length / 3;
