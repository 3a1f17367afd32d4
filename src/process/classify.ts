// Says which group and subgroup a process belongs to, and why: the user's rules in file order, then the catalogue's,
// most specific kind first. explain() and classify() ask the same question of a rule, so they cannot disagree.
import { baseName, fullName, Interpreted } from './interpreter.ts';
import { globHead } from './pattern.ts';
import type { Classification, Identity } from './process.ts';
import type { Key, Matcher, Rule } from './rules.ts';

/** One key of a rule, held against a process. */
export interface Evidence {
  readonly key: Key;
  /** What the rule asks for, as written there: the value that held, or all of them when none did. */
  readonly wanted: readonly string[];
  /** What the process has. */
  readonly value: string;
}

/** A rule and what it made of a process. */
export interface Verdict {
  readonly rule: Rule;
  readonly held: readonly Evidence[];
  readonly failed: readonly Evidence[];
}

export interface Explanation {
  readonly classification: Classification;
  /** The rule that decided; undefined when none matched. */
  readonly winner: Verdict | undefined;
  /** Rules that matched as well, in the order they would have decided. */
  readonly others: readonly Verdict[];
  /** Rules of two keys or more that all but one key of held. */
  readonly nearMisses: readonly Verdict[];
}

/** All rules of one subgroup, in the order they decide. */
export interface Subgroup {
  readonly group: string;
  readonly subgroup: string;
  readonly rules: readonly Rule[];
}

const NOTHING_MATCHED: Classification = { group: 'other', subgroup: 'other', rule: 'none' };

/** Characters of a joined command line that regular expressions see. */
const MAX_COMMAND_LINE = 65_536;

/** Kinds of catalogue rules, most specific first. */
export const KINDS = ['interpreted', 'argv', 'path', 'name', 'name glob', 'unit', 'container', 'fallback'] as const;

/** What a catalogue rule's place in the order comes from: the most specific of its keys. */
export function kindOf({ keys, fallback }: Rule): (typeof KINDS)[number] {
  if (fallback) return 'fallback';
  if (keys.has('jvm_main') || keys.has('python_module') || keys.has('script')) return 'interpreted';
  if (keys.has('argv')) return 'argv';
  const programs = [keys.get('exe'), keys.get('argv0')];
  if (programs.some((matchers) => matchers?.some((matcher) => matcher.path))) return 'path';
  const names = [keys.get('comm'), ...programs].filter((matchers) => matchers !== undefined);
  if (names.some((matchers) => matchers.every((matcher) => matcher.form === 'literal'))) return 'name';
  if (names.length > 0) return 'name glob';
  return keys.has('unit') ? 'unit' : 'container';
}

/** The order in which rules decide: the first that matches wins. */
export function inOrder(userRules: readonly Rule[], catalogue: readonly Rule[]): Rule[] {
  const bySpecificity = catalogue
    .map((rule) => ({ rule, kind: KINDS.indexOf(kindOf(rule)) }))
    .sort((a, b) => a.kind - b.kind || b.rule.keys.size - a.rule.keys.size)
    .map(({ rule }) => rule);
  const rules = [...userRules, ...bySpecificity];
  return [...rules.filter((rule) => !rule.fallback), ...rules.filter((rule) => rule.fallback)];
}

/** A process as rules see it; what an interpreter runs is found out when a rule first asks. */
class Subject {
  readonly names: readonly string[];
  readonly exe: string;
  private readonly identity: Identity;
  private readonly found: Partial<Record<Key, string>> = {};
  private interpreted: Interpreted | undefined | null;

  constructor(identity: Identity) {
    this.identity = identity;
    const full = fullName(identity.name, identity.argv, identity.exe);
    this.names = full === identity.name ? [full] : [full, identity.name];
    const first = identity.argv[0] ?? '';
    this.exe = identity.exe || (first.startsWith('/') ? first : '');
  }

  value(key: Key): string {
    if (key === 'comm') return this.names[0]!;
    if (key === 'exe') return this.exe;
    if (key === 'argv0') return this.identity.argv[0] ?? '';
    if (key === 'unit') return this.identity.unit;
    if (key === 'container') return this.identity.container;
    this.found[key] ??= this.find(key);
    return this.found[key];
  }

  private find(key: 'argv' | 'jvm_main' | 'python_module' | 'script'): string {
    const { argv, exe } = this.identity;
    if (key === 'argv') return argv.join(' ').slice(0, MAX_COMMAND_LINE);
    if (this.interpreted === undefined) this.interpreted = Interpreted.of(argv, exe) ?? null;
    if (!this.interpreted) return '';
    if (key === 'jvm_main') return this.interpreted.jvmMain();
    return key === 'python_module' ? this.interpreted.pythonModule() : this.interpreted.script();
  }
}

/** Keys whose value is a path, of which a rule may mean the base name. */
const PATHS: ReadonlySet<Key> = new Set(['exe', 'argv0', 'script']);

/** Whether one value of a key is what the process has. */
function matches(key: Key, matcher: Matcher, subject: Subject): boolean {
  if (key === 'comm') return subject.names.some((name) => matcher.test(name));
  const value = subject.value(key);
  if (value === '') return false;
  return matcher.test(PATHS.has(key) && !matcher.path ? baseName(value) : value);
}

/** The first of a key's values that the process has. */
function holding(key: Key, matchers: readonly Matcher[], subject: Subject): Matcher | undefined {
  return matchers.find((matcher) => matches(key, matcher, subject));
}

function matchesAll(rule: Rule, subject: Subject): boolean {
  for (const [key, matchers] of rule.keys) if (!holding(key, matchers, subject)) return false;
  return true;
}

/** What one rule makes of a process. */
export function verdict(rule: Rule, identity: Identity): Verdict {
  return judge(rule, new Subject(identity));
}

function judge(rule: Rule, subject: Subject): Verdict {
  const held: Evidence[] = [];
  const failed: Evidence[] = [];
  for (const [key, matchers] of rule.keys) {
    const matcher = holding(key, matchers, subject);
    const value = subject.value(key);
    if (matcher) held.push({ key, wanted: [matcher.text], value });
    else failed.push({ key, wanted: matchers.map(({ text }) => text), value });
  }
  return { rule, held, failed };
}

interface Ranked {
  readonly rule: Rule;
  readonly rank: number;
  readonly classification: Classification;
}

/** Globs are found by so many letters of their literal start, the longest that it has; the shortest tells of them all. */
const SHORTEST = 3;
const PREFIXES = [14, 7, SHORTEST] as const;

/** "/opt/" and "/opt/acme/" of "/opt/acme/bin/x": what path rules are found by. */
function folders(path: string): readonly string[] {
  if (!path.startsWith('/')) return [];
  const outer = path.indexOf('/', 1) + 1;
  if (outer === 0) return [];
  const inner = path.indexOf('/', outer) + 1;
  return inner === 0 ? [path.slice(0, outer)] : [path.slice(0, inner), path.slice(0, outer)];
}

/** Rules found by the literal, or the literal start, of one key's values. */
class KeyIndex {
  /** The best rank in this index: with a better rule in hand nobody needs to look. */
  first = Number.POSITIVE_INFINITY;
  private readonly literals = new Map<string, Ranked[]>();
  private readonly prefixes = new Map<string, Ranked[]>();
  private readonly folders = new Map<string, Ranked[]>();

  /** Takes the rule for what values it can be found by, and gives back the others. Rules must come in order. */
  take(ranked: Ranked, matchers: readonly Matcher[]): readonly Matcher[] {
    return matchers.filter((matcher) => {
      const [map, text] = this.place(matcher) ?? [];
      if (map === undefined || text === undefined) return true;
      const start = text.slice(0, SHORTEST);
      if (map === this.prefixes && !map.has(start)) map.set(start, []);
      const list = map.get(text);
      if (!list) map.set(text, [ranked]);
      else if (list.at(-1) !== ranked) list.push(ranked);
      this.first = Math.min(this.first, ranked.rank);
      return false;
    });
  }

  private place({ text, form, path }: Matcher): [Map<string, Ranked[]>, string] | undefined {
    if (path) {
      const folder = folders(globHead(text))[0];
      return folder === undefined ? undefined : [this.folders, folder];
    }
    if (form === 'literal') return [this.literals, text];
    const head = form === 'glob' ? globHead(text) : '';
    const length = PREFIXES.find((letters) => letters <= head.length);
    return length === undefined ? undefined : [this.prefixes, head.slice(0, length)];
  }

  /** The first rule better than the one in hand that matches. */
  better(name: string, path: string, subject: Subject, best: Ranked | undefined): Ranked | undefined {
    let found = firstMatch(this.literals.get(name), subject, best);
    if (this.prefixes.has(name.slice(0, SHORTEST)))
      for (const letters of PREFIXES) found = firstMatch(this.prefixes.get(name.slice(0, letters)), subject, found);
    if (this.folders.size > 0)
      for (const folder of folders(path)) found = firstMatch(this.folders.get(folder), subject, found);
    return found;
  }
}

function firstMatch(
  list: readonly Ranked[] | undefined,
  subject: Subject,
  best: Ranked | undefined,
): Ranked | undefined {
  if (!list) return best;
  for (const ranked of list) {
    if (best && ranked.rank >= best.rank) break;
    if (matchesAll(ranked.rule, subject)) return ranked;
  }
  return best;
}

/** Keys a rule is indexed by, the cheapest to ask first. */
const INDEXED = ['comm', 'exe', 'argv0', 'script', 'jvm_main', 'python_module', 'unit', 'container'] as const;

/** Classifies processes, a few microseconds each: keep the answer for as long as the identity holds. */
export class Classifier {
  private readonly ranked: readonly Ranked[];
  private readonly indexes: readonly (readonly [Key, KeyIndex])[] = INDEXED.map((key) => [key, new KeyIndex()]);
  /** Rules, or values of rules, that no index could take. */
  private readonly rest: Ranked[] = [];

  constructor(userRules: readonly Rule[], catalogue: readonly Rule[]) {
    this.ranked = inOrder(userRules, catalogue).map((rule, rank) => {
      const { group, subgroup, name } = rule;
      return { rule, rank, classification: { group, subgroup, rule: name } };
    });
    for (const ranked of this.ranked) this.index(ranked);
  }

  classify(identity: Identity): Classification {
    const subject = new Subject(identity);
    let best: Ranked | undefined;
    for (const [key, index] of this.indexes) {
      if (index.first >= (best?.rank ?? Number.POSITIVE_INFINITY)) continue;
      if (key === 'comm') for (const name of subject.names) best = index.better(name, '', subject, best);
      else {
        const value = subject.value(key);
        if (value !== '') best = index.better(PATHS.has(key) ? baseName(value) : value, value, subject, best);
      }
    }
    return firstMatch(this.rest, subject, best)?.classification ?? NOTHING_MATCHED;
  }

  /** Asks every rule; for one process at a time, on demand. */
  explain(identity: Identity): Explanation {
    const subject = new Subject(identity);
    const verdicts = this.ranked.map(({ rule }) => judge(rule, subject));
    const [winner, ...others] = verdicts.filter(({ failed }) => failed.length === 0);
    const nearMisses = verdicts.filter(({ held, failed }) => failed.length === 1 && held.length > 0);
    const { group, subgroup, name } = winner?.rule ?? {};
    const classification = winner ? { group: group!, subgroup: subgroup!, rule: name! } : NOTHING_MATCHED;
    return { classification, winner, others, nearMisses };
  }

  /** Every subgroup a process can be in, by group and name; what nothing matches is other/other and not listed. */
  subgroups(): readonly Subgroup[] {
    const found = new Map<string, { group: string; subgroup: string; rules: Rule[] }>();
    for (const { rule } of this.ranked) {
      const key = `${rule.group}\0${rule.subgroup}`;
      const entry = found.get(key) ?? { group: rule.group, subgroup: rule.subgroup, rules: [] };
      entry.rules.push(rule);
      found.set(key, entry);
    }
    return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, subgroup]) => subgroup);
  }

  /** Enters a rule under its first key that can be looked up; what that leaves is asked of every process. */
  private index(ranked: Ranked): void {
    for (const [key, index] of this.indexes) {
      const matchers = ranked.rule.keys.get(key);
      const left = matchers && index.take(ranked, matchers);
      if (!left || left.length === matchers.length) continue;
      if (left.length > 0)
        this.rest.push({ ...ranked, rule: { ...ranked.rule, keys: new Map(ranked.rule.keys).set(key, left) } });
      return;
    }
    this.rest.push(ranked);
  }
}
