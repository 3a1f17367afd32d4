// subgroups test FILE: whether the processes that a rule file gives as examples land where it says, and if not, why.

import { resolve } from 'node:path';
import { ConfigError, load } from '../../config/load.ts';
import { loadRuleFiles, readRuleFiles } from '../../config/rule-files.ts';
import { Classifier, compareRule, type RuleResult } from '../../rules/classifier.ts';
import type { Identity } from '../../rules/identity.ts';
import { describeExample } from '../../rules/linter.ts';
import type { Expectation, Rule } from '../../rules/rule.ts';
import { escapeForTerminal } from '../../text/hostile.ts';
import type { Invocation } from '../arguments.ts';
import { readDocuments, shipped, sourcesOf } from '../load-host.ts';

type Asked = Extract<Invocation, { verb: 'subgroups test' }>;

/** Rules of the expected subgroup that are told about when an example misses all of them. */
const TOLD = 3;

/**
 * A file that is not among those configured decides before them, as one named with --subgroups would.
 * @returns status 1 where an expectation fails @throws ConfigError for a file that cannot be used, or expects nothing
 */
export async function testExpectations(asked: Asked): Promise<{ output: string; status: 0 | 1 }> {
  const sources = sourcesOf(asked);
  const configured = await loadRuleFiles((await load(sources)).config.subgroups, sources.cwd);
  const isAsked = ({ file }: { file: string }) => resolve(file) === resolve(asked.path);
  const files = configured.some(isAsked)
    ? configured
    : [...(await readRuleFiles([asked.path], [asked.path])), ...configured];
  const documents = readDocuments(files);
  const bench = new Bench(
    files.flatMap(({ file }, i) => documents[i]!.rules.map((rule) => [rule, file] as const)),
    asked.path,
  );
  const { expectations } = documents[files.findIndex(isAsked)]!;
  const cases = expectations.flatMap((expected) => [
    ...expected.examples.map((example) => bench.belongs(expected, example)),
    ...expected.notExamples.map((stranger) => bench.isStranger(expected, stranger)),
  ]);
  if (cases.length === 0)
    throw new ConfigError([`${asked.path}: expects nothing; give rules examples, or write [[expect]] with examples`]);
  const failures = cases.filter((lines) => lines.length > 0);
  const summary = `${cases.length - failures.length} of ${cases.length} expectations hold`;
  const output = [...failures.flat(), summary].map(escapeForTerminal).join('\n');
  return { output: `${output}\n`, status: failures.length > 0 ? 1 : 0 };
}

/** The rules in force, with the files they are from. Each question is answered by no line, or by lines that say what failed. */
class Bench {
  readonly #classifier: Classifier;
  readonly #rules: readonly Rule[];
  readonly #files: ReadonlyMap<string, string>;
  readonly #path: string;

  constructor(rules: readonly (readonly [Rule, string])[], path: string) {
    const own = rules.map(([rule]) => rule);
    this.#rules = [...own, ...shipped];
    this.#classifier = new Classifier(own, shipped);
    this.#files = new Map(rules.map(([{ name }, file]) => [name, file]));
    this.#path = path;
  }

  belongs(expected: Expectation, example: Identity): string[] {
    const { classification, winner } = this.#classifier.explain(example);
    if (isIn(classification, expected)) return [];
    const { group, subgroup } = classification;
    const meant = this.#rules.filter((rule) => isIn(rule, expected));
    const wanted = expected.rule ? [expected.rule] : meant;
    return [
      `${this.#head(expected)}: example ${describeExample(example)} is in ${group}/${subgroup}`,
      winner ? `  ${this.#matched(winner)}` : '  no rule matches it',
      ...wanted.slice(0, TOLD).map((rule) => `  ${this.#missed(rule, example)}`),
      ...(wanted.length > TOLD ? [`  and ${wanted.length - TOLD} more rules of its subgroup`] : []),
      ...(wanted.length === 0 ? ['  no rule has this group and subgroup; add one, or correct the expectation'] : []),
    ];
  }

  isStranger(expected: Expectation, stranger: Identity): string[] {
    const { classification, winner } = this.#classifier.explain(stranger);
    if (!winner || !isIn(classification, expected)) return [];
    return [`${this.#head(expected)}: stranger ${describeExample(stranger)} is taken in`, `  ${this.#matched(winner)}`];
  }

  #head({ line, group, subgroup }: Expectation): string {
    return `${this.#path}:${line ?? 0}: ${group}/${subgroup}`;
  }

  #place({ name, line }: Rule): string {
    const file = this.#files.get(name);
    return file === undefined || line === undefined ? name : `${file}:${line}`;
  }

  #matched({ rule, held }: RuleResult): string {
    const why = held.map(({ key, wanted, value }) => `${key} is ${quoted(value)}, as ${wanted.join(' or ')}`);
    return `${this.#place(rule)} matches: ${why.join('; ')}`;
  }

  #missed(rule: Rule, example: Identity): string {
    const { failed } = compareRule(rule, example);
    if (failed.length === 0) return `${this.#place(rule)} matches as well, but decides later: put it first`;
    const why = failed.map(({ key, wanted, value }) => `${key} is ${quoted(value)}, not ${listed(wanted)}`);
    return `${this.#place(rule)} does not match: ${why.join('; ')}`;
  }
}

type Place = Pick<Rule, 'group' | 'subgroup'>;
const isIn = (found: Place, expected: Place): boolean =>
  found.group === expected.group && found.subgroup === expected.subgroup;

/** The values of a key, as many as help. */
const listed = (wanted: readonly string[]): string =>
  wanted.length > 5 ? `${wanted.slice(0, 5).join(', ')} or ${wanted.length - 5} more` : wanted.join(' or ');

const quoted = (value: string): string => (value === '' ? 'not there' : `"${value.slice(0, 300)}"`);
