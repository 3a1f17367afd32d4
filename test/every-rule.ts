// The simplest classifier: it asks every rule in order, and the first rule that holds decides. Tests compare the product's
// classifier with it, and the benchmark measures both.

import { fullName } from '../src/rules/full-name.ts';
import type { Classification, Identity } from '../src/rules/identity.ts';
import { baseName, InterpretedProgram } from '../src/rules/interpreter.ts';
import { KnownNames } from '../src/rules/known-names.ts';
import type { Matcher } from '../src/rules/matcher.ts';
import { lookDecides, otherLooks } from '../src/rules/other-looks.ts';
import { byPrecedence } from '../src/rules/precedence.ts';
import type { Rule, RuleKey } from '../src/rules/rule.ts';

/** What a process has for each key: a rule's value must be one of them, or its base name where the rule gives no path. */
function seen({ name, exe, argv, unit, container }: Identity): Record<RuleKey, readonly string[]> {
  const first = argv[0] ?? '';
  const interpreted = InterpretedProgram.of(argv, exe);
  return {
    comm: [fullName(name, argv, exe), name],
    exe: [exe || (first.startsWith('/') ? first : '')],
    argv0: [first],
    unit: [unit],
    container: [container],
    jvm_main: [interpreted?.jvmMain() ?? ''],
    python_module: [interpreted?.pythonModule() ?? ''],
    script: [interpreted?.script() ?? ''],
    argv: [argv.join(' ').slice(0, 65_536)],
  };
}

function holds(key: RuleKey, matcher: Matcher, values: readonly string[]): boolean {
  const ofPath = key === 'exe' || key === 'argv0' || key === 'script';
  return values
    .filter((value) => value !== '' || key === 'comm')
    .some((value) => matcher.test(ofPath && !matcher.path ? baseName(value) : value));
}

/** The same answers as a Classifier of the same rules. */
export function askEveryRule(
  userRules: readonly Rule[],
  catalogue: readonly Rule[],
): (identity: Identity) => Classification {
  const rules = byPrecedence(userRules, catalogue).map((rule) => ({ rule, keys: rule.keys.list }));
  const known = new KnownNames();
  for (const { rule } of rules) known.add(rule);
  const first = (identity: Identity): Rule | undefined => {
    const values = seen(identity);
    return rules.find(({ keys }) =>
      keys.every(([key, matchers]) => matchers.some((matcher) => holds(key, matcher, values[key]))),
    )?.rule;
  };
  return (identity) => {
    const own = first(identity);
    const decided = own && !own.fallback ? [own] : [...underOtherNames(identity, known, first, own)];
    const decides = decided.find(({ fallback }) => !fallback) ?? own ?? decided[0];
    if (!decides) return { group: 'other', subgroup: 'other', rule: 'none' };
    const { group, subgroup, name } = decides;
    return { group, subgroup, rule: name };
  };
}

/** The rules that decide about the process under each of its other names. */
function* underOtherNames(
  identity: Identity,
  known: KnownNames,
  first: (identity: Identity) => Rule | undefined,
  own: Rule | undefined,
) {
  // A rule for folders alone does not say which of the programs there it is.
  const isNamed = own?.keys.list.some(([, matchers]) => matchers.some(({ path }) => !path)) ?? false;
  for (const look of otherLooks(identity, seen(identity).script[0] ?? '', known, isNamed)) {
    const rule = first(look.identity);
    if (rule && lookDecides(look, rule, own !== undefined)) yield rule;
  }
}
