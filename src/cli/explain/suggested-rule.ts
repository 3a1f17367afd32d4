// Suggests rules for processes that no rule matches, as TOML to paste into subgroups.toml. Each suggestion is tried with
// the classifier before it is shown: the linter finds nothing in it, it matches the processes it is for, and it takes no
// process away from a rule that matches now.

import { parse, TomlError } from 'smol-toml';
import { Classifier } from '../../rules/classifier.ts';
import { fullName } from '../../rules/full-name.ts';
import type { Identity } from '../../rules/identity.ts';
import { baseName, InterpretedProgram } from '../../rules/interpreter.ts';
import { lint } from '../../rules/linter.ts';
import type { RuleKey } from '../../rules/rule.ts';
import { parseRules, RuleError } from '../../rules/rule-parser.ts';
import { escapedJson } from '../../text/hostile.ts';
import { HIDDEN } from '../scrub/names.ts';
import { withoutValues } from '../scrub/scrub.ts';
import { scrubValue } from '../scrub/shapes.ts';

/** A process that a rule matches now. */
export interface MatchedProcess {
  readonly identity: Identity;
  /** Whether that rule is a fallback, which decides only where no other rule matches. */
  readonly fallback: boolean;
}

/** The group of every suggestion. The operator knows a better name, and the output says so. */
export const SUGGESTED_GROUP = 'local';

/** Units with a lasting name. Those of sessions and of `systemd-run` have another name every time. */
const LASTING_UNIT = /^(?!user@|run-|session-).*\.service$/;

interface Candidate {
  readonly subgroup: string;
  /** Plain texts, not globs. */
  readonly keys: Partial<Record<RuleKey, string>>;
  readonly fallback?: boolean;
}

/**
 * A program that runs from memory (memfd_create(2), fexecve(3)) has no file, and its name may be the number of a descriptor:
 * a rule for it would match nothing after the next start, or something else.
 */
const runsFromMemory = ({ exe }: Identity): boolean => exe.startsWith('/memfd:');

/** What a rule can recognize the process by; '' where it has no such thing. */
function traitsOf({ name, exe: link, argv, unit }: Identity) {
  const run = InterpretedProgram.of(argv, link);
  const first = argv[0] ?? '';
  const exe = link || (first.startsWith('/') ? first : '');
  const full = fullName(name, argv, link);
  return {
    module: run?.pythonModule() ?? '',
    main: run?.jvmMain() ?? '',
    script: run?.script() ?? '',
    exe,
    // A process may rename itself, for instance to the name of a thread. Then the name says little about the program.
    name: exe === '' || baseName(exe) === full || baseName(first) === full ? full : '',
    full,
    unit: LASTING_UNIT.test(unit) ? unit : '',
  };
}

/** Equal for processes of the same program, for which one rule should do. */
export function programKey(identity: Identity): string {
  const { module, main, script, name, exe } = traitsOf(identity);
  return [module, main, script, name, exe].join('\0');
}

/**
 * @param unmatched processes of one program
 * @param matched processes that a rule matches now
 * @returns one `[[rule]]` as TOML; undefined where no rule would do
 */
export function suggestRule(unmatched: readonly Identity[], matched: readonly MatchedProcess[]): string | undefined {
  if (unmatched.some(runsFromMemory)) return undefined;
  return candidates(unmatched[0]!)
    .map(tomlOf)
    .find((toml) => toml !== undefined && isSound(toml, unmatched, matched));
}

/** Rules as a person would write them, the best first: by what an interpreter runs, the name, the executable, the unit. */
function candidates(identity: Identity): Candidate[] {
  const { module, main, script, name, full, exe, unit } = traitsOf(withoutValues(identity));
  const [program, base] = [baseName(script), baseName(exe)];
  const interprets = InterpretedProgram.of([], exe) !== undefined;
  const every: Candidate[] = [
    { subgroup: module, keys: { python_module: module } },
    { subgroup: main.split('.').at(-1)!, keys: { jvm_main: main } },
    { subgroup: program, keys: { script: program } },
    { subgroup: program, keys: { script: script.startsWith('/') ? script : '' } },
    { subgroup: program, keys: { script: program, unit } },
    { subgroup: name, keys: { comm: name } },
    { subgroup: base, keys: { exe: interprets ? '' : base } },
    { subgroup: base, keys: { exe: interprets ? '' : exe } },
    { subgroup: full, keys: { comm: full, unit } },
    { subgroup: unit, keys: { unit } },
    { subgroup: full, keys: { comm: full }, fallback: true },
  ];
  return every.filter(({ keys }) => Object.values(keys).every((value) => value !== ''));
}

/** Undefined where a value may not be shown. */
function tomlOf({ subgroup, keys, fallback = false }: Candidate): string | undefined {
  const entries = Object.entries(keys);
  if (entries.some(([, value]) => !mayBeShown(value))) return undefined;
  return [
    '[[rule]]',
    `group = ${quoted(SUGGESTED_GROUP)}`,
    `subgroup = ${quoted(subgroupOf(subgroup))}`,
    ...entries.map(([key, value]) => `${key} = ${quoted(value.replace(/[*?[\\]/g, '\\$&'))}`),
    ...(fallback ? ['fallback = true'] : []),
  ].join('\n');
}

/** A program may also give itself a name like `token=x`, which is no part of its command line. */
const mayBeShown = (value: string): boolean =>
  !value.includes(HIDDEN) && (!/=|:\/\//.test(value) || scrubValue(value) === value);

/** A TOML string that holds no hostile character. JSON's escapes are TOML's too, but for surrogates: TOML refuses them. */
const quoted = escapedJson;

/** A subgroup from the name of a program: "bill.py" gives "bill", "a*b[c]" gives "a-b-c". */
const subgroupOf = (name: string): string =>
  name
    .replace(/\.(?:py|js|mjs|cjs|ts|rb|pl|php|sh|jar|war|dll|exe|service)$/, '')
    .replace(/[^\w.-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 60) || 'unnamed';

function isSound(toml: string, unmatched: readonly Identity[], matched: readonly MatchedProcess[]): boolean {
  try {
    const rules = parseRules(parse(toml), 'suggestion');
    const classifier = new Classifier(rules, []);
    const takes = (other: Identity) => classifier.classify(other).rule === rules[0]!.name;
    const fallback = rules[0]!.fallback;
    return (
      unmatched.every(takes) &&
      lint(rules, []).length === 0 &&
      !matched.some((other) => (other.fallback || !fallback) && takes(other.identity))
    );
  } catch (error) {
    // A name may contain characters that no rule can have.
    if (error instanceof RuleError || error instanceof TomlError) return false;
    throw error;
  }
}
