// Tells from a regular expression which letters every match holds: looking for them costs next to nothing, so that the
// machine of automaton.ts is asked for few texts. What is told may be less than could be, never more.
import type { CharSet, Node } from './lazy-dfa.ts';

/** A match holds at least one text of each list. */
export type RequiredLiterals = readonly (readonly string[])[];

/** Texts of one list, letters of one of them, and letters too few to tell one text from another. */
const MAX_TEXTS = 16;
const MAX_LENGTH = 64;
const MIN_LENGTH = 2;

/** What a set of characters is made of, when those are few. */
function characters({ ranges, negated, fold }: CharSet): string[] | undefined {
  if (negated || ranges.some(([low, high]) => high - low >= MAX_TEXTS)) return undefined;
  const codes = ranges.flatMap(([low, high]) => Array.from({ length: high - low + 1 }, (_, i) => low + i));
  // other cases of letters are more than two at times: k, K and the sign of kelvin
  if (codes.length > MAX_TEXTS || (fold && codes.some((c) => c > 0x7f || /[a-z]/i.test(String.fromCharCode(c)))))
    return undefined;
  return codes.map((c) => String.fromCodePoint(c));
}

function product(starts: readonly string[], ends: readonly string[]): string[] | undefined {
  if (starts.length * ends.length > MAX_TEXTS) return undefined;
  const texts = starts.flatMap((start) => ends.map((end) => start + end));
  return texts.every(({ length }) => length <= MAX_LENGTH) ? texts : undefined;
}

/** All texts that a node stands for, when they are few; what it asserts of its place is left out. */
function texts(node: Node): string[] | undefined {
  if (node.kind === 'set') return characters(node.set);
  if (node.kind === 'assert') return [''];
  if (node.kind === 'alternate') {
    const all = node.parts.map(texts);
    const known = all.filter((list) => list !== undefined).flat();
    return all.includes(undefined) || known.length > MAX_TEXTS ? undefined : known;
  }
  const parts = node.kind === 'concat' ? node.parts : repeated(node);
  let whole: string[] | undefined = [''];
  for (const part of parts ?? [undefined]) {
    const ends: string[] | undefined = part && whole && texts(part);
    whole = ends && product(whole!, ends);
    if (!whole) return undefined;
  }
  return whole;
}

/** The parts of a repetition of one length. */
const repeated = ({ part, min, max }: Node & { kind: 'repeat' }): Node[] | undefined =>
  min === max && max <= MAX_LENGTH ? Array.from({ length: max }, () => part) : undefined;

const telling = (list: readonly string[]): boolean => list.every(({ length }) => length >= MIN_LENGTH);

/** Less to look for, to the same end: what holds "/redis" holds "redis". */
const shortest = (list: readonly string[]): string[] =>
  list.filter((text, i) => !list.some((other, j) => text.includes(other) && (other !== text || j < i)));

/** The texts of which every match of a node holds one, for as many places as can be told. */
export function requiredLiterals(node: Node): RequiredLiterals {
  const whole = texts(node);
  if (whole && (whole.length === 1 || node.kind !== 'concat')) return telling(whole) ? [shortest(whole)] : [];
  if (node.kind === 'repeat') return node.min > 0 ? requiredLiterals(node.part) : [];
  if (node.kind === 'alternate') {
    const firsts = node.parts.map((part) => requiredLiterals(part)[0]);
    const known = firsts.filter((list) => list !== undefined).flat();
    return firsts.includes(undefined) || known.length > MAX_TEXTS ? [] : [known];
  }
  if (node.kind !== 'concat') return [];
  const found: (readonly string[])[] = [];
  let row: string[] = [''];
  const end = (next: string[]): void => {
    if (telling(row)) found.push(shortest(row));
    row = next;
  };
  for (const part of node.parts) {
    const ends = texts(part);
    if (ends === undefined) {
      end(['']);
      found.push(...requiredLiterals(part));
    } else {
      const longer = ends.length > 1 && telling(row) ? undefined : product(row, ends);
      if (longer) row = longer;
      else end(ends);
    }
  }
  end(['']);
  return found;
}

/** Whether a text has what a match would hold. */
export function containsLiterals(text: string, letters: RequiredLiterals): boolean {
  for (const list of letters) {
    let held = false;
    for (let i = 0; i < list.length && !held; i++) held = text.indexOf(list[i]!) >= 0;
    if (!held) return false;
  }
  return true;
}
