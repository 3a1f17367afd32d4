// subgroups test FILE: checks the examples of a rule file. An example must get the group and subgroup of its rule or
// [[expect]], a not_example must not. Where this fails, the output tells which rule decided and why.

import { resolve } from 'node:path';
import { ConfigError, load } from '../../config/load.ts';
import { loadRuleFiles, readRuleFiles } from '../../config/rule-files.ts';
import { Classifier, compareRule, type RuleResult } from '../../rules/classifier.ts';
import type { Identity } from '../../rules/identity.ts';
import { describeExample } from '../../rules/linter.ts';
import type { Expectation, Rule } from '../../rules/rule.ts';
import { escapeForTerminal } from '../../text/hostile.ts';
import { counted } from '../counted.ts';
import { catalogueRules, readDocuments, sourcesOf } from '../load-host.ts';
import type { GivenSettings } from '../verb.ts';

/** When no rule of the expected subgroup matches an example, the output explains at most this many of them. */
const EXPLAINED_MAX = 3;

/**
 * Where the file is not configured, its rules decide before the configured ones, as if --subgroups named it first.
 * @returns status 1 where an expectation fails @throws ConfigError for a file that cannot be used or expects nothing
 */
export async function testExpectations(
  settings: GivenSettings,
  path: string,
): Promise<{ output: string; status: 0 | 1 }> {
  const sources = sourcesOf(settings);
  const configured = await loadRuleFiles((await load(sources)).config.subgroups, sources);
  const isTested = ({ file }: { file: string }) => resolve(file) === resolve(path);
  const files = configured.some(isTested) ? configured : [...(await readRuleFiles([path], [path])), ...configured];
  const documents = readDocuments(files);
  const test = new ExpectationTest(
    files.flatMap(({ file }, i) => documents[i]!.rules.map((rule) => [rule, file] as const)),
    path,
  );
  const { expectations } = documents[files.findIndex(isTested)]!;
  const cases = expectations.flatMap((expected) => [
    ...expected.examples.map((example) => test.example(expected, example)),
    ...expected.notExamples.map((identity) => test.notExample(expected, identity)),
  ]);
  if (cases.length === 0)
    throw new ConfigError([`${path}: has no examples; add examples to its rules, or write [[expect]] with examples`]);
  const failures = cases.filter((lines) => lines.length > 0);
  const summary = `Examples as expected: ${cases.length - failures.length} of ${cases.length}.`;
  const output = [...failures.flat(), summary].map(escapeForTerminal).join('\n');
  return { output: `${output}\n`, status: failures.length > 0 ? 1 : 0 };
}

/** The rules in force and their files. A test gives no lines where it passes, else lines that say what failed. */
class ExpectationTest {
  readonly #classifier: Classifier;
  readonly #rules: readonly Rule[];
  readonly #files: ReadonlyMap<string, string>;
  readonly #path: string;

  constructor(rules: readonly (readonly [Rule, string])[], path: string) {
    const own = rules.map(([rule]) => rule);
    this.#rules = [...own, ...catalogueRules];
    this.#classifier = new Classifier(own, catalogueRules);
    this.#files = new Map(rules.map(([{ name }, file]) => [name, file]));
    this.#path = path;
  }

  example(expected: Expectation, example: Identity): string[] {
    const { classification, winner } = this.#classifier.explain(example);
    if (isIn(classification, expected)) return [];
    const { group, subgroup } = classification;
    const rules = expected.rule ? [expected.rule] : this.#rules.filter((rule) => isIn(rule, expected));
    return [
      `${this.#head(expected)}: example ${describeExample(example)} is in ${group}/${subgroup}`,
      winner ? `  ${this.#matched(winner)}` : '  no rule matches it',
      ...rules.slice(0, EXPLAINED_MAX).map((rule) => `  ${this.#missed(rule, example)}`),
      ...(rules.length > EXPLAINED_MAX
        ? [`  and ${counted(rules.length - EXPLAINED_MAX, 'more rule')} of its subgroup`]
        : []),
      ...(rules.length === 0 ? ['  no rule has this group and subgroup; add a rule, or correct the expectation'] : []),
    ];
  }

  notExample(expected: Expectation, identity: Identity): string[] {
    const { classification, winner } = this.#classifier.explain(identity);
    if (!winner || !isIn(classification, expected)) return [];
    return [`${this.#head(expected)}: not_example ${describeExample(identity)} is in it`, `  ${this.#matched(winner)}`];
  }

  #head({ line, group, subgroup }: Expectation): string {
    return `${this.#path}:${line ?? 0}: ${group}/${subgroup}`;
  }

  #placeOf({ name, line }: Rule): string {
    const file = this.#files.get(name);
    return file === undefined || line === undefined ? name : `${file}:${line}`;
  }

  #matched({ rule, held }: RuleResult): string {
    const why = held.map(({ key, wanted, value }) => `${key} is ${quoted(value)}, as ${wanted.join(' or ')}`);
    return `${this.#placeOf(rule)} matches: ${why.join('; ')}`;
  }

  #missed(rule: Rule, example: Identity): string {
    const { failed } = compareRule(rule, example);
    if (failed.length === 0)
      return `${this.#placeOf(rule)} matches as well, but the other rule decides first; put this one before it`;
    const why = failed.map(({ key, wanted, value }) => `${key} is ${quoted(value)}, not ${listed(wanted)}`);
    return `${this.#placeOf(rule)} does not match: ${why.join('; ')}`;
  }
}

type Subgroup = Pick<Rule, 'group' | 'subgroup'>;
const isIn = (found: Subgroup, expected: Subgroup): boolean =>
  found.group === expected.group && found.subgroup === expected.subgroup;

/** The values of a key: five at most. */
const listed = (wanted: readonly string[]): string =>
  wanted.length > 5 ? `${wanted.slice(0, 5).join(', ')} or ${wanted.length - 5} more` : wanted.join(' or ');

/** A value of the process. */
const quoted = (value: string): string => (value === '' ? 'not there' : `"${value.slice(0, 300)}"`);
