// Finds the first rule in the order of precedence that matches a process, without comparing every rule. Each rule is
// entered under the values of one of its keys, the key with the rarest values: an exact value under its text, a glob
// under the start of its literal prefix or the end of its suffix, a path under its folder or under one of its parts. A
// process looks its own values up, and only rules found that way are compared in full. Its name, the base name of its
// executable and that of its first argument are mostly one word, so all keys share one table of names, and the word is
// looked up once.
//
// Example: comm = "nginx" is entered under "nginx" and comm = "postgres_*" under its first 7 letters, "postgre". A
// process named "nginx" looks up "nginx" among exact names and "ngi" among prefixes; it never meets the second rule.
// Ten rules have comm = "node", and one of them script = "**/node_modules/next/**": that one is entered under the part
// "next", so that other programs of Node.js never meet it.
//
// Why the answer is that of comparing every rule: a process that has a rule's value also has its text, prefix, folder
// or part, so the look-up finds the rule. Values that cannot be entered (regular expressions, globs of wildcards and
// very few letters) are kept apart, and asked of every process. A property test holds both ways against each other.
import { baseNameStart } from './interpreter.ts';
import type { MatchTarget } from './match-target.ts';
import type { Matcher } from './matcher.ts';
import { type IndexEntry, NameIndex } from './name-index.ts';
import { PathIndex } from './path-index.ts';
import type { Condition, RuleKey } from './rule.ts';
import { ALL_KEYS, enteredRule, firstMatch, keyBit, type Ranked, type RankedRule, RuleTable } from './rule-table.ts';

/**
 * The conditions, with fewer values for the key by which the rule is found. That key matches most often, so it is compared after the
 * other keys, but before the command line, which takes longest.
 */
function withValues(conditions: readonly Condition[], of: RuleKey, values: readonly Matcher[]): Condition[] {
  const others = conditions.filter(([key]) => key !== of);
  const at = others.at(-1)?.[0] === 'argv' ? others.length - 1 : others.length;
  return others.toSpliced(at, 0, [of, values]);
}

/** So many values may share another entry before a part of the path of an executable is better: every process has such a path. */
const SHARED_RATHER_THAN_PART = 8;

/** How many values of rules can be entered under a text. */
type Uses = Map<string, number>;

/** The entry under the rarest text; undefined for none. */
function rarest(entries: readonly IndexEntry[], uses: Uses): IndexEntry | undefined {
  let best: IndexEntry | undefined;
  for (const entry of entries) if (!best || uses.get(entry.text)! < uses.get(best.text)!) best = entry;
  return best;
}

/** Keys by which a rule can be found. Of keys whose values are equally rare, the first is taken. */
const INDEXED_KEYS = ['comm', 'exe', 'argv0', 'script', 'jvm_main', 'python_module', 'unit', 'container'] as const;
type IndexedKey = (typeof INDEXED_KEYS)[number];
const [COMM, EXE, ARGV0, SCRIPT] = [keyBit('comm'), keyBit('exe'), keyBit('argv0'), keyBit('script')];
const [JVM_MAIN, PYTHON_MODULE] = [keyBit('jvm_main'), keyBit('python_module')];
const [UNIT, CONTAINER] = [keyBit('unit'), keyBit('container')];

/** Whether the base name of a path is this name. @param start where the base name begins */
const isCalled = (path: string, start: number, name: string): boolean =>
  path.length - start === name.length && path.endsWith(name);

export class RuleIndex {
  private readonly names = new NameIndex();
  /** The keys that have rules in `names`. */
  private namedBy = 0;
  private readonly scripts = new PathIndex();
  /** By the paths of exe and argv0, which mostly are one. */
  private readonly programs = new PathIndex();
  /** Rules, or values of rules, that no index can hold; in order of rank. */
  private readonly rest: RankedRule[] = [];
  /**
   * Fallback rules for a name and a command line. They are asked last, so that a JVM whose class a rule knows is not
   * compared with each of the rules for "java" before.
   */
  private readonly last = new RuleTable();

  /** The rule that decides; undefined where none matches. */
  find(target: MatchTarget): RankedRule | undefined {
    const { name, comm, exe, exeStart, argv0, argv0Start, sameProgram, identity } = target;
    const exeIsCalled = isCalled(exe, exeStart, name);
    const argv0IsCalled = sameProgram ? exeIsCalled : isCalled(argv0, argv0Start, name);
    const script = target.program === undefined ? '' : target.value('script');
    const scriptStart = baseNameStart(script);
    const scriptIsCalled = isCalled(script, scriptStart, name);
    const keys = COMM | (exeIsCalled ? EXE : 0) | (argv0IsCalled ? ARGV0 : 0) | (scriptIsCalled ? SCRIPT : 0);
    let best = this.names.find(name, 0, name.length, keys, target, undefined);
    if (comm !== name) best = this.names.find(comm, 0, comm.length, COMM, target, best);
    const exeKeys = sameProgram ? EXE | ARGV0 : EXE;
    if (!exeIsCalled) best = this.findName(exe, exeStart, exeKeys, target, best);
    best = this.programs.find(exe, exeKeys, target, best);
    if (!sameProgram) {
      if (!argv0IsCalled) best = this.findName(argv0, argv0Start, ARGV0, target, best);
      best = this.programs.find(argv0, ARGV0, target, best);
    }
    if (script !== '') {
      if (!scriptIsCalled) best = this.findName(script, scriptStart, SCRIPT, target, best);
      best = this.scripts.find(script, SCRIPT, target, best);
    }
    if (target.program !== undefined) {
      best = this.findName(target.value('jvm_main'), 0, JVM_MAIN, target, best);
      best = this.findName(target.value('python_module'), 0, PYTHON_MODULE, target, best);
    }
    best = this.findName(identity.unit, 0, UNIT, target, best);
    best = this.findName(identity.container, 0, CONTAINER, target, best);
    best = firstMatch(this.rest, ALL_KEYS, target, best);
    if (comm !== name) best = this.last.findWhole(comm, COMM, target, best);
    return this.last.findWhole(name, COMM, target, best);
  }

  private findName(text: string, start: number, key: number, target: MatchTarget, best: RankedRule | undefined) {
    if (text === '' || (this.namedBy & key) === 0) return best;
    return this.names.find(text, start, text.length, key, target, best);
  }

  /** Enters all rules, which are in order of rank; pauses after each. */
  *fill(rules: readonly Ranked[]): Generator<void, void, void> {
    const uses: Uses = new Map();
    for (const { rule } of rules) {
      for (const key of INDEXED_KEYS)
        for (const matcher of rule.keys.get(key) ?? [])
          for (const { text } of this.entriesOf(key, matcher)) uses.set(text, (uses.get(text) ?? 0) + 1);
      yield;
    }
    for (const ranked of rules) {
      this.add(ranked, uses);
      yield;
    }
  }

  /** Enters a rule under the key with the rarest values; values left over are asked of every process. */
  private add(ranked: Ranked, uses: Uses): void {
    const { keys, fallback } = ranked.rule;
    const conditions = keys.list;
    const names = keys.get('comm');
    if (fallback && keys.has('argv') && names?.every(({ form }) => form === 'literal')) {
      const entered = enteredRule(
        ranked,
        COMM,
        conditions.filter(([key]) => key !== 'comm'),
      );
      for (const { text } of names) this.last.add(text, [entered]);
      return;
    }
    let key: IndexedKey | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const one of INDEXED_KEYS) {
      const most = keys.has(one) ? this.mostUses(one, keys.get(one)!, uses) : undefined;
      if (most === undefined || (key && most >= fewest)) continue;
      key = one;
      fewest = most;
    }
    const left = key ? this.enter(ranked, key, uses) : undefined;
    if (!key || left === undefined) this.rest.push(enteredRule(ranked, ALL_KEYS, conditions));
    else if (left.length > 0) this.rest.push(enteredRule(ranked, ALL_KEYS, withValues(conditions, key, left)));
  }

  /** How many values share the entry of a rule's most common value; infinity where one cannot be entered. */
  private mostUses(key: IndexedKey, matchers: readonly Matcher[], uses: Uses): number {
    let most = 0;
    for (const matcher of matchers) {
      const entry = rarest(this.entriesOf(key, matcher), uses);
      const more = entry?.isPart && key !== 'script' ? SHARED_RATHER_THAN_PART : 0;
      most = Math.max(most, entry ? uses.get(entry.text)! + more : Number.POSITIVE_INFINITY);
    }
    return most;
  }

  /** Enters a rule by each of the values of a key for which that is possible, and returns the others. */
  private enter(ranked: Ranked, key: IndexedKey, uses: Uses): readonly Matcher[] {
    // Found by an exact value, a rule need not be asked for this key again; found by a prefix, a folder or a part, it need be
    // asked only for the values that are entered there, because each of the others is found by its own entry.
    const conditions = ranked.rule.keys.list;
    const bit = keyBit(key);
    const exact = [
      enteredRule(
        ranked,
        bit,
        conditions.filter(([other]) => other !== key),
      ),
    ] as const;
    const inexact = new Map<RuleTable, Map<string, Matcher[]>>();
    const left: Matcher[] = [];
    for (const matcher of ranked.rule.keys.get(key) ?? []) {
      const entry = rarest(this.entriesOf(key, matcher), uses);
      if (!entry) left.push(matcher);
      else if (this.names.holdsExactly(entry)) entry.table.add(entry.text, exact);
      else {
        const texts = inexact.get(entry.table) ?? new Map<string, Matcher[]>();
        inexact.set(entry.table, texts.set(entry.text, [...(texts.get(entry.text) ?? []), matcher]));
      }
      if (entry && !matcher.path) this.namedBy |= bit;
      if (entry && matcher.path) this.pathsOf(key)?.note(entry, bit, ranked.rank);
    }
    for (const [table, texts] of inexact)
      for (const [text, values] of texts)
        table.add(text, [enteredRule(ranked, bit, withValues(conditions, key, values))]);
    return left;
  }

  /** Where a value can be entered: each entry alone finds all processes that have the value. */
  private entriesOf(key: IndexedKey, { text, form, path }: Matcher): IndexEntry[] {
    const paths = path ? this.pathsOf(key) : undefined;
    if (paths) return paths.entriesOf(text);
    if (form === 'literal') return [this.names.entryOf(text)];
    const start = form === 'glob' ? this.names.entryOfGlob(text) : undefined;
    return start ? [start] : [];
  }

  private pathsOf(key: IndexedKey): PathIndex | undefined {
    if (key === 'script') return this.scripts;
    return key === 'exe' || key === 'argv0' ? this.programs : undefined;
  }
}
