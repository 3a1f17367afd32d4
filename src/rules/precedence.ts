// The order in which rules decide: the first rule in it that matches wins.
//   1. the user's rules, in the order of their files
//   2. the catalogue's rules, by level of specificity; within a level by number of keys, then in the order of their files
//   3. fallback rules, the user's before the catalogue's, and these by the same levels
// So a rule for the main class of a JVM decides before one for the name "java", wherever the two stand.
import type { Rule } from './rule.ts';

/** What a catalogue rule asks for, most specific first. */
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

type Level = (typeof SPECIFICITY_LEVELS)[number];

/** The level of a catalogue rule: that of its most specific key. */
export const specificityOf = (rule: Rule): Level => (rule.fallback ? 'fallback' : levelOfKeys(rule));

function levelOfKeys({ keys }: Rule): Level {
  if (keys.has('jvm_main') || keys.has('python_module') || keys.has('script')) return 'interpreted';
  if (keys.has('argv')) return 'argv';
  const programs = [keys.get('exe'), keys.get('argv0')];
  if (programs.some((matchers) => matchers?.some((matcher) => matcher.path))) return 'path';
  const names = [keys.get('comm'), ...programs].filter((matchers) => matchers !== undefined);
  if (names.some((matchers) => matchers.every((matcher) => matcher.form === 'literal'))) return 'name';
  if (names.length > 0) return 'name glob';
  return keys.has('unit') ? 'unit' : 'container';
}

/** All rules in the order in which they decide. */
export function byPrecedence(userRules: readonly Rule[], catalogue: readonly Rule[]): Rule[] {
  const bySpecificity = catalogue
    .map((rule) => ({ rule, level: SPECIFICITY_LEVELS.indexOf(levelOfKeys(rule)) }))
    .sort((a, b) => a.level - b.level || b.rule.keys.size - a.rule.keys.size)
    .map(({ rule }) => rule);
  const rules = [...userRules, ...bySpecificity];
  return [...rules.filter((rule) => !rule.fallback), ...rules.filter((rule) => rule.fallback)];
}
