// What a rule is: the keys it asks for, the group it gives, and the examples it is tested with. docs/classification.md
// explains rules to their authors.
import type { Identity } from './identity.ts';
import type { Matcher } from './matcher.ts';

/** What a rule may ask for; every key that it gives must match. Compared in this order, the cheap ones first. */
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

/** Keys whose value is a path. A rule's value without a slash is compared with the base name of that path. */
export const isPathKey = (key: RuleKey): boolean => key === 'exe' || key === 'argv0' || key === 'script';

/** A key of a rule with its values. */
export type Condition = readonly [key: RuleKey, matchers: readonly Matcher[]];

/** The keys of a rule with their values. Few each, but of thousands of rules: a list takes a third of the memory of a map. */
export class RuleConditions {
  readonly list: readonly Condition[];

  constructor(list: readonly Condition[]) {
    this.list = list;
  }

  get size(): number {
    return this.list.length;
  }

  get(key: RuleKey): readonly Matcher[] | undefined {
    return this.list.find(([own]) => own === key)?.[1];
  }

  has(key: RuleKey): boolean {
    return this.get(key) !== undefined;
  }
}

export interface Rule {
  /** File and place in it: "catalogue/db.toml#postgres", "./subgroups.toml:3" for the third rule of that file. */
  readonly name: string;
  /** Line of its file at which it begins, from 1; undefined where that is not known. */
  readonly line: number | undefined;
  readonly group: string;
  readonly subgroup: string;
  /** The values of each key. A key matches when one of its values does; the rule matches when all of its keys do. */
  readonly keys: RuleConditions;
  /** Considered only when no other rule matches. */
  readonly fallback: boolean;
  /** Where it is documented what the program's processes look like, usually a URL; '' where the rule does not say. */
  readonly source: string;
  /** Processes that the rule must decide. */
  readonly examples: readonly Identity[];
  /** Similar processes that must not land in the rule's subgroup. */
  readonly notExamples: readonly Identity[];
}

/** Processes that a file expects in a group and subgroup, whichever rule puts them there, and processes it does not. */
export interface Expectation extends Pick<Rule, 'line' | 'group' | 'subgroup' | 'examples' | 'notExamples'> {
  /** The rule that gives the examples; undefined where they stand on their own, under [[expect]]. */
  readonly rule: Rule | undefined;
}

/** The content of one rule file. */
export interface RuleDocument {
  readonly rules: readonly Rule[];
  /** From its rules and its [[expect]] tables, in the order of the file as far as lines are known. */
  readonly expectations: readonly Expectation[];
}
