// Rules by a text. Look-ups are made of parts of names and paths, ten for each new process, and most find nothing: a hash
// of the part says so, without a string of the part.
import type { Classification } from './identity.ts';
import { hashOn, NO_LETTERS, slotOf } from './letter-hash.ts';
import { findMatcher, type MatchTarget } from './match-target.ts';
import { type Condition, RULE_KEYS, type Rule, type RuleKey } from './rule.ts';

/** A rule at its place in the order of precedence. */
export interface Ranked {
  readonly rule: Rule;
  /** Place in the order of precedence, from 0: the lower one decides. */
  readonly rank: number;
  /** The answer, made once for all processes of the rule. */
  readonly classification: Classification;
  /** Whether it says which program a process is. A rule for a folder does not: many programs are in it. */
  readonly isName: boolean;
  /**
   * Runs of letters (pattern/letter-runs.ts). A command line that has none of them does not match; undefined: any may match.
   */
  readonly runs: readonly number[] | undefined;
}

/** What the search needs of a rule, found out once for all processes. */
export function rankedRule(rule: Rule, rank: number): Ranked {
  const { group, subgroup, name, keys } = rule;
  const isName = !keys.list.every(([, matchers]) => matchers.every(({ path }) => path));
  return { rule, rank, classification: { group, subgroup, rule: name }, isName, runs: runsOf(rule) };
}

/** The runs of all expressions of a rule; undefined where one of them needs none, or the rule has none. */
function runsOf({ keys }: Rule): readonly number[] | undefined {
  const found = keys.get('argv')?.map(({ runs }) => runs);
  return found?.includes(undefined) ? undefined : found?.flatMap((runs) => runs!);
}

/** A rule as it is entered in a table. */
export interface RankedRule extends Ranked {
  /** The keys (a bit each, from keyBit) by whose value the rule may be found here. */
  readonly keys: number;
  /** What must hold besides the value by which the rule was found. */
  readonly conditions: readonly Condition[];
}

/**
 * A rule as it is entered. It names each property: an object made by `...ranked` has a hidden class of its own, which costs
 * memory, and time at each look at it.
 */
export function enteredRule(ranked: Ranked, keys: number, conditions: readonly Condition[]): RankedRule {
  const { rule, rank, classification, isName, runs } = ranked;
  return { rule, rank, classification, isName, runs, keys, conditions };
}

/** Keys as a set of bits. */
export const keyBit = (key: RuleKey): number => 1 << RULE_KEYS.indexOf(key);
/** Every key: of rules that are asked whatever a process has. */
export const ALL_KEYS = (1 << RULE_KEYS.length) - 1;

/**
 * The first rule of a list (in order of rank) that matches; `best`, the one found so far, where that decides before.
 * @param keys by whose value the list was found
 */
export function firstMatch(
  list: readonly RankedRule[],
  keys: number,
  target: MatchTarget,
  best: RankedRule | undefined,
): RankedRule | undefined {
  for (let i = 0; i < list.length; i++) {
    const ranked = list[i]!;
    if (best !== undefined && ranked.rank >= best.rank) return best;
    if ((ranked.keys & keys) === 0 || (ranked.runs !== undefined && !target.mayHold(ranked.runs))) continue;
    if (matchesAll(ranked.conditions, target)) return ranked;
  }
  return best;
}

function matchesAll(conditions: readonly Condition[], target: MatchTarget): boolean {
  for (let i = 0; i < conditions.length; i++) {
    const condition = conditions[i]!;
    if (!findMatcher(condition[0], condition[1], target)) return false;
  }
  return true;
}

const hashOf = (text: string): number => hashOn(NO_LETTERS, text, 0, text.length);

const BITS_MIN = 3;

/** A list of so many rules is long: the runs of all its rules are looked for together. */
const LONG_LIST = 8;

/** The bit of a length in `lengths`; all texts of 31 letters or more share one. */
const bitOfLength = (letters: number): number => 1 << Math.min(letters, 31);

export class RuleTable {
  private readonly texts: string[] = [];
  private readonly lists: (readonly RankedRule[])[] = [];
  /** Places of the texts whose list holds several rules: it belongs to its text alone, and may grow. */
  private readonly grown = new Set<number>();
  /** Open addressing, two numbers a slot: the hash of a text, and its place in `texts` from 1; 0 where the slot is free. */
  private slots = new Int32Array(0);
  private bits = BITS_MIN - 1;
  /** Letters of the longest text: a longer part of a text is not here. Only add() writes it. */
  lettersMax = 0;
  /** The lengths of all texts, a bit each: a part of another length is not here. */
  private lengths = 0;
  /**
   * For the place of each long list that was asked: the runs of all its rules. A command line that has none of these runs matches no
   * rule of the list. Undefined where a rule of the list needs no run.
   */
  private readonly runs = new Map<number, readonly number[] | undefined>();
  private readonly note: (text: string) => void;

  /** @param note is given each text that is entered */
  constructor(note: (text: string) => void = () => undefined) {
    this.note = note;
  }

  /** @param list of the one rule to enter. All texts of the rule share it, because most of them have no other rule. */
  add(text: string, list: readonly [RankedRule]): void {
    const hash = hashOf(text);
    const place = this.placeOf(hash, text, 0, text.length);
    if (place >= 0) this.append(place, list[0]);
    else {
      this.lettersMax = Math.max(this.lettersMax, text.length);
      this.lengths |= bitOfLength(text.length);
      this.note(text);
      this.texts.push(text);
      this.lists.push(list);
      if (this.texts.length * 4 > this.slots.length) this.grow();
      else this.enter(hash, this.texts.length);
    }
  }

  private append(place: number, ranked: RankedRule): void {
    const list = this.lists[place]!;
    if (list.at(-1) === ranked) return;
    if (this.grown.has(place)) (list as RankedRule[]).push(ranked);
    else this.lists[place] = [...list, ranked];
    this.grown.add(place);
    this.runs.delete(place);
  }

  /** Computed at the first look-up, not at each add(): a list may grow to ten thousand rules, one by one. */
  private runsOfList(place: number): readonly number[] | undefined {
    if (!this.runs.has(place)) {
      const runs = this.lists[place]!.map((ranked) => ranked.runs);
      this.runs.set(place, runs.includes(undefined) ? undefined : [...new Set(runs.flatMap((of) => of!))]);
    }
    return this.runs.get(place);
  }

  /** Half of the slots are free, at least. */
  private grow(): void {
    this.slots = new Int32Array(2 << ++this.bits);
    for (const [place, text] of this.texts.entries()) this.enter(hashOf(text), place + 1);
  }

  private enter(hash: number, number: number): void {
    const mask = (1 << this.bits) - 1;
    let slot = slotOf(hash, this.bits);
    while (this.slots[2 * slot + 1] !== 0) slot = (slot + 1) & mask;
    this.slots[2 * slot] = hash;
    this.slots[2 * slot + 1] = number;
  }

  /** The place of a part of a text in `texts`; -1 where it is not there. */
  private placeOf(hash: number, text: string, start: number, end: number): number {
    const { slots, bits } = this;
    if (slots.length === 0) return -1;
    const mask = (1 << bits) - 1;
    for (let slot = slotOf(hash, bits); ; slot = (slot + 1) & mask) {
      const number = slots[2 * slot + 1]!;
      if (number === 0) return -1;
      if (slots[2 * slot] !== hash) continue;
      const own = this.texts[number - 1]!;
      if (own.length === end - start && text.startsWith(own, start)) return number - 1;
    }
  }

  /**
   * The first match among the rules under a part of a text, or `best` where that decides before.
   * @param hash of that part (hashOn)
   * @param keys whose value the text is
   */
  find(
    hash: number,
    text: string,
    start: number,
    end: number,
    keys: number,
    target: MatchTarget,
    best: RankedRule | undefined,
  ): RankedRule | undefined {
    const place = this.placeOf(hash, text, start, end);
    if (place < 0) return best;
    const list = this.lists[place]!;
    if (list.length >= LONG_LIST) {
      const runs = this.runsOfList(place);
      if (runs !== undefined && !target.mayHold(runs)) return best;
    }
    return firstMatch(list, keys, target, best);
  }

  /** The same for a part of a text that has no hash yet. */
  findPart(
    text: string,
    start: number,
    end: number,
    keys: number,
    target: MatchTarget,
    best: RankedRule | undefined,
  ): RankedRule | undefined {
    if ((this.lengths & bitOfLength(end - start)) === 0) return best;
    return this.find(hashOn(NO_LETTERS, text, start, end), text, start, end, keys, target, best);
  }

  /** The same for a whole text. */
  findWhole(text: string, keys: number, target: MatchTarget, best: RankedRule | undefined): RankedRule | undefined {
    return this.findPart(text, 0, text.length, keys, target, best);
  }
}
