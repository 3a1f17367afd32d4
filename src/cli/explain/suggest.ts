// Proposes rules for processes that none matches, as TOML to paste into subgroups.toml. A proposal is read back by the
// engine itself before it is shown: it is sound, matches its process, and takes none away from rules that match now.

import { parse, TomlError } from 'smol-toml';
import { Classifier } from '../../rules/classifier.ts';
import { fullName } from '../../rules/full-name.ts';
import type { Identity } from '../../rules/identity.ts';
import { baseName, InterpretedProgram } from '../../rules/interpreter.ts';
import { lint } from '../../rules/linter.ts';
import type { RuleKey } from '../../rules/rule.ts';
import { parseRules, RuleError } from '../../rules/rule-parser.ts';
import { escapedJson } from '../../text/hostile.ts';
import { scrubText } from '../scrub.ts';

/** A process that some rule matches now. */
export interface Settled {
  readonly identity: Identity;
  /** By a rule that waits until no other matches. */
  readonly fallback: boolean;
}

/** Group of what is proposed: the operator knows better, and is told so. */
export const PROPOSED_GROUP = 'local';

/** Sessions and what runs for a moment have units of no lasting name. */
const LASTING = /^(?!user@|run-|session-).*\.service$/;

interface Candidate {
  readonly subgroup: string;
  /** As they are, not as globs. */
  readonly keys: Partial<Record<RuleKey, string>>;
  readonly fallback?: boolean;
}

/** What rules can tell a process by. */
function looksOf({ name, exe: link, argv, unit }: Identity) {
  const run = InterpretedProgram.of(argv, link);
  const first = argv[0] ?? '';
  const exe = link || (first.startsWith('/') ? first : '');
  const full = fullName(name, argv, link);
  return {
    module: run?.pythonModule() ?? '',
    main: run?.jvmMain() ?? '',
    script: run?.script() ?? '',
    exe,
    // A thread's name or a title says little of the program; what it was started as does.
    name: exe === '' || baseName(exe) === full || baseName(first) === full ? full : '',
    full,
    unit: LASTING.test(unit) ? unit : '',
  };
}

/** Equal for processes that one rule should take. */
export function sameProgramKey(identity: Identity): string {
  const { module, main, script, name, exe } = looksOf(identity);
  return [module, main, script, name, exe].join('\0');
}

/**
 * One `[[rule]]` as TOML for processes of one kind; undefined where none would do.
 * @param settled processes that some rule matches now
 */
export function suggest(kind: readonly Identity[], settled: readonly Settled[]): string | undefined {
  return candidates(kind[0]!)
    .map(tomlOf)
    .find((toml) => toml !== undefined && accepts(toml, kind, settled));
}

/** What a person would write, best first: what an interpreter runs, the name, the executable, the unit. */
function candidates(identity: Identity): Candidate[] {
  const { module, main, script, name, full, exe, unit } = looksOf(identity);
  const [program, base] = [baseName(script), baseName(exe)];
  const interprets = InterpretedProgram.of([], exe) !== undefined;
  const all: Candidate[] = [
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
  return all.filter(({ keys }) => Object.values(keys).every((value) => value !== ''));
}

/** Undefined where a value holds what looks like a secret. */
function tomlOf({ subgroup, keys, fallback = false }: Candidate): string | undefined {
  const entries = Object.entries(keys);
  if (entries.some(([, value]) => scrubText(value) !== value)) return undefined;
  return [
    '[[rule]]',
    `group = ${quoted(PROPOSED_GROUP)}`,
    `subgroup = ${quoted(labelOf(subgroup))}`,
    ...entries.map(([key, value]) => `${key} = ${quoted(value.replace(/[*?[\\]/g, '\\$&'))}`),
    ...(fallback ? ['fallback = true'] : []),
  ].join('\n');
}

/** A TOML string: JSON's escapes are TOML's too. */
const quoted = escapedJson;

const labelOf = (name: string): string =>
  name
    .replace(/\.(?:py|js|mjs|cjs|ts|rb|pl|php|sh|jar|war|dll|exe|service)$/, '')
    .replace(/[^\w.-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 60) || 'unnamed';

function accepts(toml: string, kind: readonly Identity[], settled: readonly Settled[]): boolean {
  try {
    const rules = parseRules(parse(toml), 'suggestion');
    const classifier = new Classifier(rules, []);
    const takes = (other: Identity) => classifier.classify(other).rule === rules[0]!.name;
    const fallback = rules[0]!.fallback;
    return (
      kind.every(takes) &&
      lint(rules, []).length === 0 &&
      !settled.some((other) => (other.fallback || !fallback) && takes(other.identity))
    );
  } catch (error) {
    // A name may hold what no rule can say.
    if (error instanceof RuleError || error instanceof TomlError) return false;
    throw error;
  }
}
