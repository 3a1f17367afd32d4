// Parses a rule document into rules, or refuses it whole with every fault listed. Two forms may stand in one document:
// [[rule]] tables, and `subgroups` of the older form (older-form.ts). docs/classification.md explains both.
//
// Somebody other than the operator may write rules, and a document may be as long as a rule file may be. So the time is
// linear in its length, the number of rules is limited, and the work is a generator that pauses after each value: an
// exporter that serves answers requests meanwhile.

import { COMM_BYTES, truncateComm } from './full-name.ts';
import type { Identity } from './identity.ts';
import { baseName } from './interpreter.ts';
import { allOf, type Matcher } from './matcher.ts';
import { olderFormSteps } from './older-form.ts';
import {
  type Condition,
  type Expectation,
  RULE_KEYS,
  type Rule,
  RuleConditions,
  type RuleDocument,
  type RuleKey,
} from './rule.ts';
import { runToEnd } from './run-to-end.ts';
import { isTable, type Table, type TableLines, TableReader, typeName } from './table-reader.ts';

/** Rules of the operator, in all files together. What a rule takes of memory is about 1 KiB. */
export const RULES_MAX = 10_000;

/** What is wrong with more rules than that, and what to do; the same words for one file and for several. */
export const tooManyRules = (count: number): string =>
  `${count} rules are more than ${RULES_MAX}; give rules lists of values (comm = ["a", "b"]) or globs, or remove some`;

const DOCUMENT_KEYS = ['group', 'rule', 'subgroups', 'expect'];
const ALL_RULE_KEYS = ['group', 'subgroup', ...RULE_KEYS, 'fallback', 'source', 'examples', 'not_examples'];
const EXPECT_KEYS = ['group', 'subgroup', 'examples', 'not_examples'];
const EXAMPLE_KEYS = ['comm', 'exe', 'argv', 'user', 'unit', 'container'];

/** A rule document that is refused; every fault has a message of its own. */
export class RuleError extends Error {
  readonly messages: readonly string[];

  constructor(messages: readonly string[]) {
    super(messages.join('\n'));
    this.name = 'RuleError';
    this.messages = messages;
  }
}

/** The name of a rule, from its number in the document (from 1) and its subgroup. */
type NameOf = (number: number, subgroup: string) => string;

/** Work that pauses where other work may be done. */
type Steps<T> = Generator<void, T, void>;

/**
 * Parses one document that a parser of TOML, YAML or JSON has read; pauses after each value.
 * @param file its name in messages and in the rules' names: "./subgroups.toml" gives "./subgroups.toml:3"
 * @param lines where its tables begin, for messages and findings
 * @throws RuleError with the faults of the document
 */
export function ruleDocumentSteps(document: unknown, file: string, lines: TableLines = NO_LINES): Steps<RuleDocument> {
  return parse(document, file, lines, (number) => `${file}:${number}`);
}

const NO_LINES: TableLines = new Map();

/** The same without a pause. @throws RuleError */
export function parseRuleDocument(document: unknown, file: string, lines?: TableLines): RuleDocument {
  return runToEnd(ruleDocumentSteps(document, file, lines));
}

/** The rules of parseRuleDocument() alone. @throws RuleError */
export function parseRules(document: unknown, file: string, lines?: TableLines): readonly Rule[] {
  return parseRuleDocument(document, file, lines).rules;
}

/**
 * Parses the rules that ship with the product. They are named after their subgroups: "catalogue/db.toml#postgres", and
 * "catalogue/db.toml#postgres.2" for the second rule of that subgroup.
 * @throws RuleError with every fault of the first document that has one
 */
export function parseCatalogue(documents: readonly { readonly file: string; readonly document: unknown }[]): Rule[] {
  return documents.flatMap(({ file, document }) => {
    const uses = new Map<string, number>();
    const work = parse(document, file, NO_LINES, (_, subgroup) => {
      const use = (uses.get(subgroup) ?? 0) + 1;
      uses.set(subgroup, use);
      return `${file}#${subgroup}${use > 1 ? `.${use}` : ''}`;
    });
    return runToEnd(work).rules;
  });
}

function* parse(document: unknown, file: string, lines: TableLines, nameOf: NameOf): Steps<RuleDocument> {
  if (!isTable(document)) throw new RuleError([`${file}: must be a table that holds rules, not ${typeName(document)}`]);
  const reader = new TableReader(file, lines);
  const parsed = yield* documentOf(reader, document, nameOf);
  if (reader.faults.length > 0) throw new RuleError(reader.faults);
  return parsed;
}

function* documentOf(reader: TableReader, document: Table, nameOf: NameOf): Steps<RuleDocument> {
  reader.checkKeys(document, DOCUMENT_KEYS);
  const group = document.group === undefined ? undefined : reader.label(document, 'group');
  // Looked up before the first table is entered, so that a fault in a list is not taken for one of a table.
  const ruleTables = reader.tables(document, 'rule');
  const expectTables = reader.tables(document, 'expect');
  const olderTables = reader.tables(document, 'subgroups');
  const count = ruleTables.length + olderTables.length;
  if (count > RULES_MAX) {
    reader.fault(tooManyRules(count));
    return { rules: [], expectations: [] };
  }
  const rules: Rule[] = [];
  const expectations: Expectation[] = [];
  for (const [i, table] of ruleTables.entries()) {
    reader.enter('rule', i);
    const rule = yield* ruleOf(reader, table, group, (subgroup) => nameOf(i + 1, subgroup));
    rules.push(rule);
    expectations.push({ ...rule, rule });
  }
  for (const [i, table] of expectTables.entries()) {
    reader.enter('expect', i);
    expectations.push(yield* expectationOf(reader, table, group));
  }
  const written = rules.length;
  const older = yield* olderFormSteps(reader, olderTables, group, (number) => nameOf(written + number, ''));
  return {
    rules: [...rules, ...older],
    expectations: expectations.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)),
  };
}

function* ruleOf(
  reader: TableReader,
  table: Table,
  group: string | undefined,
  nameOf: (subgroup: string) => string,
): Steps<Rule> {
  reader.checkKeys(table, ALL_RULE_KEYS);
  const subgroup = reader.label(table, 'subgroup');
  const conditions: Condition[] = [];
  for (const key of RULE_KEYS)
    if (table[key] !== undefined) conditions.push([key, yield* matchersOf(reader, table, key)]);
  if (conditions.length === 0) reader.fault(`matches nothing; give at least one of ${RULE_KEYS.join(', ')}`);
  const fallback = reader.flag(table, 'fallback');
  const source = reader.text(table, 'source');
  const ownGroup = reader.label(table, 'group', group);
  const name = nameOf(subgroup);
  const examples = yield* examplesOf(reader, table);
  const keys = new RuleConditions(conditions.slice());
  return { name, line: reader.line, group: ownGroup, subgroup, keys, fallback, source, ...examples };
}

function* expectationOf(reader: TableReader, table: Table, group: string | undefined): Steps<Expectation> {
  reader.checkKeys(table, EXPECT_KEYS);
  const ownGroup = reader.label(table, 'group', group);
  const examples = yield* examplesOf(reader, table);
  if (examples.examples.length + examples.notExamples.length === 0)
    reader.fault('expects nothing; give examples or not_examples');
  const subgroup = reader.label(table, 'subgroup');
  return { rule: undefined, line: reader.line, group: ownGroup, subgroup, ...examples };
}

/** The values of a key. A list among the values of argv is one value: expressions that must all be found. */
function* matchersOf(reader: TableReader, table: Table, key: RuleKey): Steps<Matcher[]> {
  const value = table[key];
  const lists = key === 'argv' && Array.isArray(value) ? value.filter(Array.isArray) : [];
  if (lists.length === 0) return yield* reader.matchers(key, reader.strings(table, key, 1));
  const single = (value as unknown[]).filter((item) => !Array.isArray(item));
  const matchers = yield* reader.matchers(key, reader.strings({ [key]: single }, key, 0));
  for (const list of lists) matchers.push(allOf(yield* reader.matchers(key, reader.strings({ [key]: list }, key, 1))));
  return matchers;
}

function* examplesOf(reader: TableReader, table: Table): Steps<Pick<Rule, 'examples' | 'notExamples'>> {
  const examples = yield* identitiesOf(reader, reader.tables(table, 'examples'));
  const notExamples = yield* identitiesOf(reader, reader.tables(table, 'not_examples'));
  return { examples, notExamples };
}

function* identitiesOf(reader: TableReader, tables: readonly Table[]): Steps<readonly Identity[]> {
  if (tables.length === 0) return NO_EXAMPLES;
  const identities: Identity[] = [];
  for (const table of tables) {
    identities.push(identityOf(reader, table));
    yield;
  }
  return identities;
}

const NO_EXAMPLES: readonly Identity[] = [];

/**
 * The process that an example describes. Its comm may be left out: it is then the base name of exe or argv, truncated.
 */
function identityOf(reader: TableReader, example: Table): Identity {
  reader.checkKeys(example, EXAMPLE_KEYS);
  const text = (key: string): string => reader.text(example, key, `an example's ${key}`);
  const argv = Array.isArray(example.argv)
    ? reader.strings(example, 'argv', 0)
    : text('argv').split(' ').filter(Boolean);
  const exe = text('exe');
  const name = text('comm') || truncateComm(baseName(exe || (argv[0] ?? '')));
  if (name === '') reader.fault('an example needs a comm, an exe or an argv');
  const short = truncateComm(name);
  if (short !== name)
    reader.fault(`an example's comm "${name}" is longer than the kernel's ${COMM_BYTES} bytes; say "${short}"`);
  return { name, exe, argv, user: text('user'), unit: text('unit'), container: text('container'), podUid: '' };
}
