// Finds the first rule in the order of precedence that matches a process, without comparing every rule. Each rule is
// entered under the values of one of its keys: an exact value under its text, a glob under the start of its literal
// prefix, a path under its folder. A process looks its own values up, and only rules found that way are compared in
// full.
//
// Example: comm = "nginx" is entered under "nginx" and comm = "postgres_*" under its first 7 letters, "postgre". A
// process named "nginx" looks up "nginx" among exact names and "ngi" among prefixes; it never meets the second rule.
//
// Why the answer is that of comparing every rule: a process that has a rule's value also has its text, prefix or
// folder, so the look-up finds the rule. Values that cannot be entered (regular expressions, globs that begin with a
// wildcard) are kept apart, and asked of every process. A property test holds both ways against each other.
import { globPrefix } from '../pattern/pattern.ts';
import type { Classification } from './identity.ts';
import { baseName } from './interpreter.ts';
import { findMatcher, type MatchTarget } from './match-target.ts';
import type { Matcher } from './matcher.ts';
import { type Condition, isPathKey, type Rule, type RuleKey } from './rule.ts';

/** A rule at its place in the order of precedence. */
export interface RankedRule {
  readonly rule: Rule;
  /** Place in the order of precedence, from 0: the lower one decides. */
  readonly rank: number;
  /** The answer, made once for all processes of the rule. */
  readonly classification: Classification;
  /** What must hold besides the value by which the rule was found. */
  readonly conditions: readonly Condition[];
}

/**
 * The first rule of a list (in order of rank) that matches; `best`, the one found so far, where that decides before.
 */
function firstMatch(list: readonly RankedRule[] | undefined, target: MatchTarget, best: RankedRule | undefined) {
  if (list === undefined) return best;
  for (const ranked of list) {
    if (best !== undefined && ranked.rank >= best.rank) return best;
    if (matchesAll(ranked.conditions, target)) return ranked;
  }
  return best;
}

function matchesAll(conditions: readonly Condition[], target: MatchTarget): boolean {
  for (const [key, matchers] of conditions) if (!findMatcher(key, matchers, target)) return false;
  return true;
}

const HASH_BITS = 16;

/** The conditions with fewer values for one key. */
const withValues = (conditions: readonly Condition[], of: RuleKey, values: readonly Matcher[]): Condition[] =>
  conditions.map((condition) => (condition[0] === of ? [of, values] : condition));

/** A cheap hash of the first letters of a text, 16 bits. Unlike a look-up in a map it needs no string of these letters. */
const hashOf = (text: string, letters: number) =>
  Math.imul(
    text.charCodeAt(0) ^
      (text.charCodeAt(letters >> 1) << 6) ^
      (text.charCodeAt(letters - 1) << 12) ^
      (text.charCodeAt(letters >> 2) << 18) ^
      (letters << 24),
    0x9e3779b1,
  ) >>>
  (32 - HASH_BITS);

/**
 * Rules by a text, each list in order of rank. Hashes answer "not here" for most texts without a look-up in the map.
 */
class RuleTable {
  private readonly lists = new Map<string, readonly RankedRule[]>();
  /** The lists of several rules, which belong to their text alone and may grow. */
  private readonly grown = new Map<string, RankedRule[]>();
  /** A bit for each hash; undefined while the table is empty. */
  private hashes: Uint32Array | undefined;

  /** @param list of the one rule to enter. All texts of the rule share it, because most of them have no other rule. */
  add(text: string, list: readonly [RankedRule]): void {
    const earlier = this.lists.get(text);
    if (!earlier) this.lists.set(text, list);
    else if (earlier.at(-1) !== list[0]) this.append(text, earlier, list[0]);
    const hash = hashOf(text, text.length);
    this.hashes ??= new Uint32Array(1 << (HASH_BITS - 5));
    this.hashes[hash >>> 5]! |= 1 << (hash & 31);
  }

  private append(text: string, earlier: readonly RankedRule[], ranked: RankedRule): void {
    const own = this.grown.get(text);
    if (own) own.push(ranked);
    else {
      const list = [...earlier, ranked];
      this.grown.set(text, list);
      this.lists.set(text, list);
    }
  }

  /** The first match among the rules under the first letters of a text, or `best` where that decides before. */
  find(text: string, letters: number, target: MatchTarget, best: RankedRule | undefined): RankedRule | undefined {
    if (letters > text.length || this.hashes === undefined) return best;
    const hash = hashOf(text, letters);
    if ((this.hashes[hash >>> 5]! & (1 << (hash & 31))) === 0) return best;
    return firstMatch(this.lists.get(letters === text.length ? text : text.slice(0, letters)), target, best);
  }
}

/** Lengths of prefixes by which globs are entered; each glob under the longest that its literal prefix has. */
const PREFIX_LENGTHS = [14, 7, 3] as const;
/** Folders of a path by which path values are entered: "/usr/", "/usr/lib/", "/usr/lib/cyrus/". */
const FOLDERS_MAX = 3;
const FOLDERS = new RegExp(`^/(?:[^/]*/){1,${FOLDERS_MAX}}`);

/** The rules that can be found by the value of one key. */
class KeyIndex {
  readonly key: RuleKey;
  /** The lowest rank in this index. A search that has found a lower one already can leave this index out. */
  firstRank = Number.POSITIVE_INFINITY;
  private readonly ofPath: boolean;
  private readonly literals = new RuleTable();
  private readonly prefixes = new RuleTable();
  private readonly folders = new RuleTable();

  constructor(key: RuleKey) {
    this.key = key;
    this.ofPath = isPathKey(key);
  }

  /**
   * Enters a rule by each of the values for which that is possible, and returns the others. Rules come in order of
   * rank.
   */
  add(ranked: RankedRule, matchers: readonly Matcher[]): readonly Matcher[] {
    // Found by an exact value, a rule need not be asked for this key again; found by a prefix or a folder, it need be asked
    // only for the values that are entered there, because each of the others is found by its own entry.
    const exact = [{ ...ranked, conditions: ranked.conditions.filter(([key]) => key !== this.key) }] as const;
    const inexact = new Map<string, { table: RuleTable; values: Matcher[] }>();
    const left: Matcher[] = [];
    for (const matcher of matchers) {
      const [table, text] = this.entryOf(matcher) ?? [];
      if (table === undefined || text === undefined) left.push(matcher);
      else if (table === this.literals) table.add(text, exact);
      else if (inexact.has(text)) inexact.get(text)!.values.push(matcher);
      else inexact.set(text, { table, values: [matcher] });
    }
    for (const [text, { table, values }] of inexact)
      table.add(text, [{ ...ranked, conditions: withValues(ranked.conditions, this.key, values) }]);
    if (left.length < matchers.length) this.firstRank = Math.min(this.firstRank, ranked.rank);
    return left;
  }

  private entryOf({ text, form, path }: Matcher): [RuleTable, string] | undefined {
    if (path) {
      const folder = FOLDERS.exec(globPrefix(text))?.[0];
      return folder === undefined ? undefined : [this.folders, folder];
    }
    if (form === 'literal') return [this.literals, text];
    const prefix = form === 'glob' ? globPrefix(text) : '';
    const length = PREFIX_LENGTHS.find((letters) => letters <= prefix.length);
    return length === undefined ? undefined : [this.prefixes, prefix.slice(0, length)];
  }

  /** The first match among the rules of this index, or `best` where that decides before. */
  find(target: MatchTarget, best: RankedRule | undefined): RankedRule | undefined {
    const value = target.value(this.key);
    if (this.key === 'comm') {
      const found = this.findByName(value, target, best);
      return target.comm === value ? found : this.findByName(target.comm, target, found);
    }
    if (value === '') return best;
    if (!this.ofPath) return this.findByName(value, target, best);
    return this.findByFolder(value, target, this.findByName(baseName(value), target, best));
  }

  private findByName(name: string, target: MatchTarget, best: RankedRule | undefined): RankedRule | undefined {
    let found = this.literals.find(name, name.length, target, best);
    for (const letters of PREFIX_LENGTHS) found = this.prefixes.find(name, letters, target, found);
    return found;
  }

  private findByFolder(path: string, target: MatchTarget, best: RankedRule | undefined): RankedRule | undefined {
    let found = best;
    let slash = path.startsWith('/') ? path.indexOf('/', 1) : -1;
    for (let depth = 0; depth < FOLDERS_MAX && slash > 0; depth++) {
      found = this.folders.find(path, slash + 1, target, found);
      slash = path.indexOf('/', slash + 1);
    }
    return found;
  }
}

/** Keys by which a rule can be found, the cheapest to look up first. */
const INDEXED_KEYS = ['comm', 'exe', 'argv0', 'script', 'jvm_main', 'python_module', 'unit', 'container'] as const;

export class RuleIndex {
  private readonly indexes = INDEXED_KEYS.map((key) => new KeyIndex(key));
  /** Rules, or values of rules, that no index can hold; in order of rank. */
  private readonly rest: RankedRule[] = [];
  /**
   * Fallback rules for a name and a command line. They are asked last, so that a JVM whose class a rule knows is not
   * compared with each of the rules for "java" before.
   */
  private readonly last = new KeyIndex('comm');

  /** The rule that decides; undefined where none matches. */
  find(target: MatchTarget): RankedRule | undefined {
    let best: RankedRule | undefined;
    for (const index of this.indexes)
      if (index.firstRank < (best?.rank ?? Number.POSITIVE_INFINITY)) best = index.find(target, best);
    best = firstMatch(this.rest, target, best);
    return best && best.rank < this.last.firstRank ? best : this.last.find(target, best);
  }

  /**
   * Enters a rule under the first of its keys by which it can be found; values left over are asked of every process.
   * Rules come in order of rank.
   */
  add(ranked: RankedRule): void {
    const { keys, fallback } = ranked.rule;
    const names = keys.get('comm');
    if (fallback && keys.has('argv') && names?.every(({ form }) => form === 'literal')) {
      this.last.add(ranked, names);
      return;
    }
    for (const index of this.indexes) {
      const matchers = keys.get(index.key);
      const left = matchers && index.add(ranked, matchers);
      if (!left || left.length === matchers.length) continue;
      if (left.length > 0) this.rest.push({ ...ranked, conditions: withValues(ranked.conditions, index.key, left) });
      return;
    }
    this.rest.push(ranked);
  }
}
