// Classification rules as data: reads a parsed rule document into rules, or refuses it whole with every fault listed.
// The older form (subgroups with matches and cmdline_matches) is read as it is. docs/classification.md explains both.

import { glob, isGlob, type Pattern, PatternError, regex } from '../pattern/pattern.ts';
import type { Identity } from './identity.ts';
import { baseName, COMM_BYTES } from './interpreter.ts';

/** What a rule may look at; all that it gives must hold. They are asked in this order, the cheap ones first. */
export const RULE_KEYS = [
  'comm',
  'exe',
  'argv0',
  'unit',
  'container',
  'jvm_main',
  'python_module',
  'script',
  'argv',
] as const;
export type RuleKey = (typeof RULE_KEYS)[number];

/** One of the values of a key. */
export interface Matcher {
  /** As it was written. */
  readonly text: string;
  /** Compared as it is, by a glob, by a regular expression, or by several that must all be found. */
  readonly form: 'literal' | 'glob' | 'regex' | 'regexes';
  /** Compared with a whole path rather than its base name. */
  readonly path: boolean;
  test(value: string): boolean;
}

/** There are thousands of them: a class with a method takes a third of what an object with a closure of its own does. */
class Literal implements Matcher {
  readonly text: string;
  readonly path: boolean;

  constructor(text: string, path: boolean) {
    this.text = text;
    this.path = path;
  }

  get form() {
    return 'literal' as const;
  }

  test(value: string): boolean {
    return value === this.text;
  }
}

class Patterned implements Matcher {
  readonly text: string;
  readonly form: 'glob' | 'regex';
  readonly path: boolean;
  readonly #pattern: Pattern;

  constructor(text: string, form: 'glob' | 'regex', path: boolean, pattern: Pattern) {
    this.text = text;
    this.form = form;
    this.path = path;
    this.#pattern = pattern;
  }

  test(value: string): boolean {
    return this.#pattern.test(value);
  }
}

export interface Rule {
  /** Where it stands: "catalogue/db.toml#postgres", "./subgroups.toml:3". */
  readonly name: string;
  /** Line of its file it begins at, from 1; undefined where that is not known. */
  readonly line: number | undefined;
  readonly group: string;
  readonly subgroup: string;
  readonly keys: ReadonlyMap<RuleKey, readonly Matcher[]>;
  /** Considered only when no other rule matches. */
  readonly fallback: boolean;
  /** Where the program's looks are documented, or ''. */
  readonly source: string;
  /** Processes the rule is for, and strangers that come near. */
  readonly examples: readonly Identity[];
  readonly notExamples: readonly Identity[];
}

/** Processes a file expects in a group and subgroup, whichever rule puts them there, and strangers it does not. */
export interface Expectation extends Pick<Rule, 'line' | 'group' | 'subgroup' | 'examples' | 'notExamples'> {
  /** The rule that gives the examples; undefined where they stand alone, under [[expect]]. */
  readonly rule: Rule | undefined;
}

/** What one document says. */
export interface RuleDocument {
  readonly rules: readonly Rule[];
  /** Of its rules and of its [[expect]] tables, in the order of the file as far as lines are known. */
  readonly expectations: readonly Expectation[];
}

/** Lines at which the tables of a document begin, by key ("rule"); a key or line that is not there is not known. */
export type TableLines = Readonly<Record<string, readonly number[]>>;

/** A rule document that is refused; every fault has a message of its own. */
export class RuleError extends Error {
  readonly messages: readonly string[];

  constructor(messages: readonly string[]) {
    super(messages.join('\n'));
    this.name = 'RuleError';
    this.messages = messages;
  }
}

const MAX_LABEL = 100;

const DOCUMENT_KEYS = ['group', 'rule', 'subgroups', 'expect'];
const KEYS_OF_A_RULE = ['group', 'subgroup', ...RULE_KEYS, 'fallback', 'source', 'examples', 'not_examples'];
const EXPECT_KEYS = ['group', 'subgroup', 'examples', 'not_examples'];
const OLD_KEYS = ['group', 'subgroup', 'matches', 'cmdline_matches'];
const EXAMPLE_KEYS = ['comm', 'exe', 'argv', 'user', 'unit', 'container'];

type Table = Record<string, unknown>;

const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** Reads one document, going on after a fault so that all of them are told at once. */
class RuleReader {
  readonly faults: string[] = [];
  private readonly file: string;
  private readonly lines: TableLines;
  private where = '';
  /** Where the table that is being read begins. */
  private line: number | undefined;

  constructor(file: string, lines: TableLines) {
    this.file = file;
    this.lines = lines;
  }

  read(document: Table, nameOf: (number: number, subgroup: string) => string): RuleDocument {
    this.known(document, DOCUMENT_KEYS);
    const group = document.group === undefined ? undefined : this.label(document, 'group');
    const [tables, expected, old] = ['rule', 'expect', 'subgroups'].map((key) => this.tables(document, key));
    const rules = tables!.map((table, i) => {
      this.enter('rule', i, `rule ${i + 1}: `);
      return this.rule(table, group, (subgroup) => nameOf(i + 1, subgroup));
    });
    const alone = expected!.map((table, i) => {
      this.enter('expect', i, `expect ${i + 1}: `);
      return this.expectation(table, group);
    });
    const expectations = [...rules.map((rule) => ({ ...rule, rule })), ...alone];
    const older = this.older(old!, group, (number) => nameOf(rules.length + number, ''));
    return {
      rules: [...rules, ...older],
      expectations: expectations.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)),
    };
  }

  /** From here on faults are of the nth table of a key. */
  private enter(key: string, index: number, where: string): void {
    this.where = where;
    this.line = this.lines[key]?.[index];
  }

  private fault(what: string): undefined {
    const line = this.line === undefined ? '' : `:${this.line}`;
    this.faults.push(`${this.file}${line}: ${this.where}${what}`);
  }

  /** Every table of a list of tables; anything else is a fault. */
  private tables(table: Table, key: string): Table[] {
    const value = table[key] ?? [];
    if (Array.isArray(value) && value.every(isTable)) return value;
    this.fault(`${key} must be a list of tables`);
    return [];
  }

  private known(table: Table, keys: readonly string[]): void {
    for (const key of Object.keys(table).filter((k) => !keys.includes(k))) {
      const near = nearest(key, keys);
      this.fault(`unknown key "${key}"; ${near ? `did you mean "${near}"?` : `known are ${keys.join(', ')}`}`);
    }
  }

  private label(table: Table, key: string, otherwise?: string): string {
    const value = table[key] ?? otherwise;
    if (value === undefined) this.fault(`${key} is missing; say ${key} = "..."`);
    else if (typeof value !== 'string') this.fault(`${key} must be a string, not ${kindOf(value)}`);
    else if (!/^[^\x00-\x1f\x7f-\x9f]+$/.test(value) || value.length > MAX_LABEL)
      this.fault(`${key} must have 1 to ${MAX_LABEL} characters, none of them a control character`);
    else return value;
    return '';
  }

  private rule(table: Table, group: string | undefined, nameOf: (subgroup: string) => string): Rule {
    this.known(table, KEYS_OF_A_RULE);
    const subgroup = this.label(table, 'subgroup');
    const keys = new Map<RuleKey, readonly Matcher[]>();
    for (const key of RULE_KEYS) if (table[key] !== undefined) keys.set(key, this.matchers(table, key));
    if (keys.size === 0) this.fault(`matches nothing; give at least one of ${RULE_KEYS.join(', ')}`);
    const { fallback = false, source = '' } = table;
    if (typeof fallback !== 'boolean') this.fault(`fallback must be true or false, not ${kindOf(fallback)}`);
    if (typeof source !== 'string') this.fault(`source must be a string, not ${kindOf(source)}`);
    return {
      name: nameOf(subgroup),
      line: this.line,
      group: this.label(table, 'group', group),
      subgroup,
      keys,
      fallback: fallback === true,
      source: String(source),
      ...this.examples(table),
    };
  }

  private expectation(table: Table, group: string | undefined): Expectation {
    this.known(table, EXPECT_KEYS);
    const [place, examples] = [this.label(table, 'group', group), this.examples(table)];
    if (examples.examples.length + examples.notExamples.length === 0)
      this.fault('expects nothing; give examples or not_examples');
    return { rule: undefined, line: this.line, group: place, subgroup: this.label(table, 'subgroup'), ...examples };
  }

  private examples(table: Table): Pick<Rule, 'examples' | 'notExamples'> {
    return {
      examples: this.tables(table, 'examples').map((example) => this.example(example)),
      notExamples: this.tables(table, 'not_examples').map((example) => this.example(example)),
    };
  }

  /** A list among the values of argv is one value: expressions that must all be found. */
  private matchers(table: Table, key: RuleKey): Matcher[] {
    const value = table[key];
    const lists = key === 'argv' && Array.isArray(value) ? value.filter(Array.isArray) : [];
    if (lists.length === 0) return this.values(key, this.strings(table, key, 1));
    const single = (value as unknown[]).filter((item) => !Array.isArray(item));
    const together = lists.map((list) => allOf(this.values(key, this.strings({ [key]: list }, key, 1))));
    return [...this.values(key, this.strings({ [key]: single }, key, 0)), ...together];
  }

  private values(key: RuleKey, texts: readonly string[]): Matcher[] {
    return texts.flatMap((text) => {
      const form = key === 'argv' ? 'regex' : isGlob(text) ? 'glob' : 'literal';
      return this.matcher(key, text, form);
    });
  }

  private matcher(key: string, text: string, form: 'literal' | 'glob' | 'regex'): Matcher[] {
    const path = (key === 'exe' || key === 'argv0' || key === 'script') && text.includes('/');
    if (form === 'literal') return [new Literal(text, path)];
    try {
      const pattern = form === 'glob' ? glob(text, path) : regex(text);
      return [new Patterned(text, form, path, pattern)];
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      this.fault(
        `${key}: the ${form === 'glob' ? 'glob' : 'regular expression'} "${text}" is no good: ${error.message}`,
      );
      return [];
    }
  }

  /** A string or a list of them. */
  private strings(table: Table, key: string, least: number): string[] {
    const value = table[key] ?? [];
    const list: unknown[] = Array.isArray(value) ? value : [value];
    if (list.length >= least && list.every((text): text is string => typeof text === 'string' && text !== ''))
      return list;
    this.fault(`${key} must be a string or a list of strings, none empty`);
    return [];
  }

  private example(table: Table): Identity {
    this.known(table, EXAMPLE_KEYS);
    const text = (key: string): string => {
      const value = table[key] ?? '';
      if (typeof value !== 'string') this.fault(`an example's ${key} must be a string, not ${kindOf(value)}`);
      return String(value);
    };
    const argv = Array.isArray(table.argv) ? this.strings(table, 'argv', 0) : text('argv').split(' ').filter(Boolean);
    const name = text('comm') || truncateComm(baseName(text('exe') || (argv[0] ?? '')));
    if (name === '') this.fault('an example needs a comm, an exe or an argv');
    if (truncateComm(name) !== name)
      this.fault(
        `an example's comm "${name}" is longer than the kernel's ${COMM_BYTES} bytes; say "${truncateComm(name)}"`,
      );
    const place = { unit: text('unit'), container: text('container'), podUid: '' };
    return { name, exe: text('exe'), argv, user: text('user'), ...place };
  }

  /**
   * The older form kept its meaning: names before command lines whatever their order in the file, of two claims to a
   * name the later one; a name is compared as it is.
   */
  private older(tables: readonly Table[], group: string | undefined, nameOf: (number: number) => string): Rule[] {
    const byName: Rule[] = [];
    const byCommandLine: Rule[] = [];
    for (const [i, table] of tables.entries()) {
      this.enter('subgroups', i, `subgroups entry ${i + 1}: `);
      this.known(table, OLD_KEYS);
      const rule = {
        name: nameOf(i + 1),
        line: this.line,
        group: this.label(table, 'group', group),
        subgroup: this.label(table, 'subgroup'),
        ...{ fallback: false, source: '', examples: [], notExamples: [] },
      };
      const names = this.strings(table, 'matches', 0).flatMap((text) => this.matcher('matches', text, 'literal'));
      if (names.length > 0) byName.unshift({ ...rule, keys: new Map([['comm', names]]) });
      const lines = this.strings(table, 'cmdline_matches', 0);
      const patterns = lines.flatMap((text) => this.matcher('cmdline_matches', text, 'regex'));
      if (patterns.length > 0) byCommandLine.push({ ...rule, keys: new Map([['argv', patterns]]) });
    }
    return [...byName, ...byCommandLine];
  }
}

function allOf(matchers: readonly Matcher[]): Matcher {
  const text = matchers.map((matcher) => matcher.text).join(' and ');
  return { text, form: 'regexes', path: false, test: (value) => matchers.every((matcher) => matcher.test(value)) };
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return isTable(value) ? 'a table' : `${typeof value} ${String(value)}`;
}

/** The start of a name that fits the kernel's comm. */
export function truncateComm(name: string): string {
  const bytes = Buffer.from(name);
  return bytes.length <= COMM_BYTES ? name : bytes.subarray(0, COMM_BYTES).toString();
}

/** The known word a misspelt one is meant to be: at most two edits away, and less than half of it wrong. */
function nearest(word: string, known: readonly string[]): string | undefined {
  const ranked = known.map((candidate) => ({ candidate, edits: distance(word, candidate) }));
  const best = ranked.sort((a, b) => a.edits - b.edits)[0];
  return best && best.edits <= 2 && best.edits * 2 < best.candidate.length ? best.candidate : undefined;
}

/** Levenshtein's distance, of words as long as a key may be. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...a.slice(0, 50)].entries()) {
    const next = [i + 1];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + Number(letter !== b[j - 1])));
    row = next;
  }
  return row.at(-1)!;
}

/**
 * Reads one parsed document (TOML, YAML or JSON).
 * @param file the name it goes by in messages and in the rules' names: "./subgroups.toml" gives "./subgroups.toml:3"
 * @param lines where its tables begin, for messages and findings
 * @throws RuleError with every fault of the document
 */
export function parseRuleDocument(document: unknown, file: string, lines: TableLines = {}): RuleDocument {
  return parse(document, file, lines, (number) => `${file}:${number}`);
}

/** The rules of parseRuleDocument() alone. @throws RuleError */
export function parseRules(document: unknown, file: string, lines: TableLines = {}): readonly Rule[] {
  return parseRuleDocument(document, file, lines).rules;
}

/**
 * Reads the rules that ship with the product, named after their subgroups: "catalogue/db.toml#postgres",
 * "catalogue/db.toml#postgres.2".
 * @throws RuleError with every fault of the first document that has one
 */
export function parseCatalogue(documents: readonly { readonly file: string; readonly document: unknown }[]): Rule[] {
  return documents.flatMap(({ file, document }) => {
    const uses = new Map<string, number>();
    const { rules } = parse(document, file, {}, (_, subgroup) => {
      const use = (uses.get(subgroup) ?? 0) + 1;
      uses.set(subgroup, use);
      return `${file}#${subgroup}${use > 1 ? `.${use}` : ''}`;
    });
    return rules;
  });
}

function parse(
  document: unknown,
  file: string,
  lines: TableLines,
  nameOf: (number: number, subgroup: string) => string,
): RuleDocument {
  if (!isTable(document)) throw new RuleError([`${file}: must be a table that holds rules, not ${kindOf(document)}`]);
  const reader = new RuleReader(file, lines);
  const read = reader.read(document, nameOf);
  if (reader.faults.length > 0) throw new RuleError(reader.faults);
  return read;
}
