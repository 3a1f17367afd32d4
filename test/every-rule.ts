// The simplest classifier: it asks every rule in order, and the first rule that holds decides. Tests compare the product's
// classifier with it, and the benchmark measures both.

import { fullName } from '../src/rules/full-name.ts';
import type { Classification, Identity } from '../src/rules/identity.ts';
import { baseName, InterpretedProgram } from '../src/rules/interpreter.ts';
import type { Matcher } from '../src/rules/matcher.ts';
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
  const rules = byPrecedence(userRules, catalogue).map((rule) => ({ rule, keys: [...rule.keys] }));
  return (identity) => {
    const values = seen(identity);
    const decides = rules.find(({ keys }) =>
      keys.every(([key, matchers]) => matchers.some((matcher) => holds(key, matcher, values[key]))),
    );
    if (!decides) return { group: 'other', subgroup: 'other', rule: 'none' };
    const { group, subgroup, name } = decides.rule;
    return { group, subgroup, rule: name };
  };
}
