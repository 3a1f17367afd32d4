// Says which group and subgroup a process belongs to, and why: the user's rules in file order, then the catalogue's,
// most specific kind first. explain() and classify() ask the same question of a rule, so they cannot disagree.

import { globPrefix } from '../pattern/pattern.ts';
import { type Classification, type Identity, NO_RULE } from './identity.ts';
import { baseName, fullName, InterpretedProgram } from './interpreter.ts';
import type { Matcher, Rule, RuleKey } from './rule-parser.ts';

/** One key of a rule, held against a process. */
export interface KeyResult {
  readonly key: RuleKey;
  /** What the rule asks for, as written there: the value that held, or all of them when none did. */
  readonly wanted: readonly string[];
  /** What the process has. */
  readonly value: string;
}

/** A rule and what it made of a process. */
export interface RuleResult {
  readonly rule: Rule;
  readonly held: readonly KeyResult[];
  readonly failed: readonly KeyResult[];
}

export interface ClassificationExplanation {
  readonly classification: Classification;
  /** The rule that decided; undefined when none matched. */
  readonly winner: RuleResult | undefined;
  /** Rules that matched as well, in the order they would have decided. */
  readonly otherMatches: readonly RuleResult[];
  /** Rules of two keys or more that all but one key of held. */
  readonly nearMisses: readonly RuleResult[];
}

/** All rules of one subgroup, in the order they decide. */
export interface Subgroup {
  readonly group: string;
  readonly subgroup: string;
  readonly rules: readonly Rule[];
}

const NOTHING_MATCHED: Classification = { group: 'other', subgroup: 'other', rule: NO_RULE };

/** Characters of a joined command line that regular expressions see. */
const MAX_COMMAND_LINE = 65_536;

/** Kinds of catalogue rules, most specific first. */
export const SPECIFICITY_LEVELS = [
  'interpreted',
  'argv',
  'path',
  'name',
  'name glob',
  'unit',
  'container',
  'fallback',
] as const;

/** What a catalogue rule's place in the order comes from: the most specific of its keys. */
export function specificityOf({ keys, fallback }: Rule): (typeof SPECIFICITY_LEVELS)[number] {
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
export function byPrecedence(userRules: readonly Rule[], catalogue: readonly Rule[]): Rule[] {
  const bySpecificity = catalogue
    .map((rule) => ({ rule, kind: SPECIFICITY_LEVELS.indexOf(specificityOf(rule)) }))
    .sort((a, b) => a.kind - b.kind || b.rule.keys.size - a.rule.keys.size)
    .map(({ rule }) => rule);
  const rules = [...userRules, ...bySpecificity];
  return [...rules.filter((rule) => !rule.fallback), ...rules.filter((rule) => rule.fallback)];
}

/** A process as rules see it; what takes time is found out when a rule first asks. */
class MatchTarget {
  /** The name in full, and as the kernel has it. */
  readonly name: string;
  readonly comm: string;
  readonly exe: string;
  private readonly identity: Identity;
  private interpreted: InterpretedProgram | undefined | null = null;
  private script: string | undefined = undefined;
  private jvmMain: string | undefined = undefined;
  private pythonModule: string | undefined = undefined;
  private commandLine: string | undefined = undefined;

  constructor(identity: Identity) {
    const { name, argv, exe } = identity;
    this.identity = identity;
    this.name = fullName(name, argv, exe);
    this.comm = name;
    this.exe = exe !== '' ? exe : argv[0]?.startsWith('/') ? argv[0] : '';
  }

  value(key: RuleKey): string {
    switch (key) {
      case 'comm':
        return this.name;
      case 'exe':
        return this.exe;
      case 'argv0':
        return this.identity.argv[0] ?? '';
      case 'unit':
        return this.identity.unit;
      case 'container':
        return this.identity.container;
      case 'script':
        this.script ??= this.runs()?.script() ?? '';
        return this.script;
      case 'jvm_main':
        this.jvmMain ??= this.runs()?.jvmMain() ?? '';
        return this.jvmMain;
      case 'python_module':
        this.pythonModule ??= this.runs()?.pythonModule() ?? '';
        return this.pythonModule;
      case 'argv':
        this.commandLine ??= joined(this.identity.argv);
        return this.commandLine;
    }
  }

  private runs(): InterpretedProgram | undefined {
    if (this.interpreted === null) this.interpreted = InterpretedProgram.of(this.identity.argv, this.identity.exe);
    return this.interpreted;
  }
}

/** The command line as regular expressions see it; what they do not see is not put together. */
function joined(argv: readonly string[]): string {
  if (argv.length === 1) return argv[0]!.slice(0, MAX_COMMAND_LINE);
  let length = 0;
  let words = 0;
  while (words < argv.length && length <= MAX_COMMAND_LINE) length += argv[words++]!.length + 1;
  return (words < argv.length ? argv.slice(0, words) : argv).join(' ').slice(0, MAX_COMMAND_LINE);
}

/** Keys whose value is a path, of which a rule may mean the base name. */
const isPath = (key: RuleKey) => key === 'exe' || key === 'argv0' || key === 'script';

/** The first of a key's values that the process has. */
function holding(key: RuleKey, matchers: readonly Matcher[], subject: MatchTarget): Matcher | undefined {
  const value = subject.value(key);
  if (key === 'comm') {
    for (const matcher of matchers)
      if (matcher.test(value) || (subject.comm !== value && matcher.test(subject.comm))) return matcher;
  } else if (value !== '') {
    const named = isPath(key);
    for (const matcher of matchers) if (matcher.test(named && !matcher.path ? baseName(value) : value)) return matcher;
  }
  return undefined;
}

/** What one rule makes of a process. */
export function compareRule(rule: Rule, identity: Identity): RuleResult {
  return judge(rule, new MatchTarget(identity));
}

function judge(rule: Rule, subject: MatchTarget): RuleResult {
  const held: KeyResult[] = [];
  const failed: KeyResult[] = [];
  for (const [key, matchers] of rule.keys) {
    const matcher = holding(key, matchers, subject);
    const value = subject.value(key);
    if (matcher) held.push({ key, wanted: [matcher.text], value });
    else failed.push({ key, wanted: matchers.map(({ text }) => text), value });
  }
  return { rule, held, failed };
}

type Check = readonly [key: RuleKey, matchers: readonly Matcher[]];

/** A rule in the order of all, with what is still to be asked of a process that was found to be near it. */
interface RankedRule {
  readonly rule: Rule;
  readonly rank: number;
  readonly classification: Classification;
  readonly checks: readonly Check[];
}

function firstMatch(list: readonly RankedRule[] | undefined, subject: MatchTarget, best: RankedRule | undefined) {
  if (list === undefined) return best;
  for (const ranked of list) {
    if (best !== undefined && ranked.rank >= best.rank) return best;
    if (holdsAll(ranked.checks, subject)) return ranked;
  }
  return best;
}

function holdsAll(checks: readonly Check[], subject: MatchTarget): boolean {
  for (const [key, matchers] of checks) if (!holding(key, matchers, subject)) return false;
  return true;
}

/** A number for the first letters of a text, which few other texts have: asking for it costs less than for the text. */
const sign = (text: string, letters: number) =>
  text.charCodeAt(0) ^ (text.charCodeAt(letters >> 1) << 7) ^ (text.charCodeAt(letters - 1) << 14) ^ (letters << 21);

/** Rules by texts, each list in the order in which rules decide. */
class Table {
  private readonly lists = new Map<string, readonly RankedRule[]>();
  private readonly signs = new Set<number>();

  /** Enters a list of one rule. */
  add(text: string, list: readonly [RankedRule]): void {
    const earlier = this.lists.get(text);
    if (!earlier) this.lists.set(text, list);
    else if (earlier.at(-1) !== list[0]) this.lists.set(text, [...earlier, ...list]);
    this.signs.add(sign(text, text.length));
  }

  /** The rule that decides of those by the first letters of a text, if it is better than the one in hand. */
  better(text: string, letters: number, subject: MatchTarget, best: RankedRule | undefined): RankedRule | undefined {
    if (letters > text.length || !this.signs.has(sign(text, letters))) return best;
    return firstMatch(this.lists.get(letters === text.length ? text : text.slice(0, letters)), subject, best);
  }
}

/** Globs are found by so many letters of their literal start, the most that it has. */
const PREFIXES = [14, 7, 3] as const;
/** So many folders deep path rules are told apart: "/usr/", "/usr/lib/", "/usr/lib/cyrus/". */
const DEPTH = 3;
const FOLDERS = new RegExp(`^/(?:[^/]*/){1,${DEPTH}}`);

/** Rules found by the literal, or the literal start, of one key's values. */
class KeyIndex {
  readonly key: RuleKey;
  /** The best rank in this index: with a better rule in hand nobody needs to look. */
  first = Number.POSITIVE_INFINITY;
  private readonly ofPath: boolean;
  private readonly literals = new Table();
  private readonly prefixes = new Table();
  private readonly folders = new Table();

  constructor(key: RuleKey) {
    this.key = key;
    this.ofPath = isPath(key);
  }

  /** Takes the rule for what values it can be found by, and gives back the others. Rules must come in order. */
  take(ranked: RankedRule, matchers: readonly Matcher[]): readonly Matcher[] {
    const near = [ranked] as const;
    const found = [{ ...ranked, checks: ranked.checks.filter(([key]) => key !== this.key) }] as const;
    return matchers.filter((matcher) => {
      const [table, text] = this.place(matcher) ?? [];
      if (table === undefined || text === undefined) return true;
      table.add(text, table === this.literals ? found : near);
      this.first = Math.min(this.first, ranked.rank);
      return false;
    });
  }

  private place({ text, form, path }: Matcher): [Table, string] | undefined {
    if (path) {
      const folder = FOLDERS.exec(globPrefix(text))?.[0];
      return folder === undefined ? undefined : [this.folders, folder];
    }
    if (form === 'literal') return [this.literals, text];
    const head = form === 'glob' ? globPrefix(text) : '';
    const length = PREFIXES.find((letters) => letters <= head.length);
    return length === undefined ? undefined : [this.prefixes, head.slice(0, length)];
  }

  /** The first rule better than the one in hand that matches. */
  better(subject: MatchTarget, best: RankedRule | undefined): RankedRule | undefined {
    const value = subject.value(this.key);
    if (this.key === 'comm') {
      const found = this.named(value, subject, best);
      return subject.comm === value ? found : this.named(subject.comm, subject, found);
    }
    if (value === '') return best;
    if (!this.ofPath) return this.named(value, subject, best);
    return this.within(value, subject, this.named(baseName(value), subject, best));
  }

  private named(name: string, subject: MatchTarget, best: RankedRule | undefined): RankedRule | undefined {
    let found = this.literals.better(name, name.length, subject, best);
    for (const letters of PREFIXES) found = this.prefixes.better(name, letters, subject, found);
    return found;
  }

  private within(path: string, subject: MatchTarget, best: RankedRule | undefined): RankedRule | undefined {
    let found = best;
    let slash = path.startsWith('/') ? path.indexOf('/', 1) : -1;
    for (let depth = 0; depth < DEPTH && slash > 0; depth++) {
      found = this.folders.better(path, slash + 1, subject, found);
      slash = path.indexOf('/', slash + 1);
    }
    return found;
  }
}

/** Keys a rule is indexed by, the cheapest to ask first. */
const INDEXED = ['comm', 'exe', 'argv0', 'script', 'jvm_main', 'python_module', 'unit', 'container'] as const;

/** Classifies processes, about a microsecond each: keep the answer for as long as the identity holds. */
export class Classifier {
  private readonly ranked: readonly RankedRule[];
  private readonly indexes: readonly KeyIndex[];
  /** Rules, or values of rules, that no index could take. */
  private readonly rest: RankedRule[] = [];

  constructor(userRules: readonly Rule[], catalogue: readonly Rule[]) {
    this.ranked = byPrecedence(userRules, catalogue).map((rule, rank) => {
      const { group, subgroup, name } = rule;
      return { rule, rank, classification: { group, subgroup, rule: name }, checks: [...rule.keys] };
    });
    const indexes = INDEXED.map((key) => new KeyIndex(key));
    for (const ranked of this.ranked) this.index(ranked, indexes);
    this.indexes = indexes.filter(({ first }) => first < Number.POSITIVE_INFINITY);
  }

  classify(identity: Identity): Classification {
    const subject = new MatchTarget(identity);
    let best: RankedRule | undefined;
    for (const index of this.indexes)
      if (best === undefined || index.first < best.rank) best = index.better(subject, best);
    return firstMatch(this.rest, subject, best)?.classification ?? NOTHING_MATCHED;
  }

  /** Asks every rule; for one process at a time, on demand. */
  explain(identity: Identity): ClassificationExplanation {
    const subject = new MatchTarget(identity);
    const verdicts = this.ranked.map(({ rule }) => judge(rule, subject));
    const [winner, ...others] = verdicts.filter(({ failed }) => failed.length === 0);
    const nearMisses = verdicts.filter(({ held, failed }) => failed.length === 1 && held.length > 0);
    const { group, subgroup, name } = winner?.rule ?? {};
    const classification = winner ? { group: group!, subgroup: subgroup!, rule: name! } : NOTHING_MATCHED;
    return { classification, winner, otherMatches: others, nearMisses };
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
  private index(ranked: RankedRule, indexes: readonly KeyIndex[]): void {
    for (const index of indexes) {
      const matchers = ranked.rule.keys.get(index.key);
      const left = matchers && index.take(ranked, matchers);
      if (!left || left.length === matchers.length) continue;
      if (left.length > 0) this.rest.push({ ...ranked, checks: [...new Map(ranked.rule.keys).set(index.key, left)] });
      return;
    }
    this.rest.push(ranked);
  }
}
