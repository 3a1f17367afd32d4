// Finds rules that cannot do what their author meant: rules that no process reaches, that another rule hides or
// contradicts, that match unrelated programs, or that fail their own examples. Each finding says what to do. Example:
//   unit = "nginx"  →  error: unit "nginx" is never seen: a unit ends in .service, …; write all of its name
// Pure. hiding-rules.ts keeps the time nearly linear in the number of rules.

import { Classifier } from './classifier.ts';
import { COMM_BYTES, truncateComm } from './full-name.ts';
import { coveredValues, HidingRules } from './hiding-rules.ts';
import type { Classification, Identity } from './identity.ts';
import type { Matcher } from './matcher.ts';
import { byPrecedence, specificityOf } from './precedence.ts';
import type { Rule, RuleKey } from './rule.ts';

export interface Finding {
  /** Name of the rule that the finding is about. */
  readonly rule: string;
  /** error: the rule does not do what it says. warning: it may do more than was meant. */
  readonly severity: 'error' | 'warning';
  readonly message: string;
}

type Classify = (identity: Identity) => Classification;
type Report = (severity: Finding['severity'], message: string) => void;

/** Programs that are run for the sake of another program. */
const INTERPRETERS = [
  'java',
  'python3',
  'python3.11',
  'node',
  'perl',
  'ruby',
  'php',
  'bash',
  'sh',
  'dotnet',
  'beam.smp',
];
/** Names that programs of many authors have. */
const GENERAL =
  'agent app arch archiver backend broker client cluster collector controller core daemon exporter frontend gateway go ' +
  'helper init ipa iris java launcher logger main manager master monitor node ost perl php proxy python python3 ruby ' +
  'run runner scheduler server service sh start supervisor sync test update vector watchdog web worker ' +
  'app.js app.py index.js main.js main.py manage.py server.js run.sh app.jar main.jar server.jar agent.jar Main';
const GENERAL_NAMES = new Set([...INTERPRETERS, ...GENERAL.split(' ')]);
/** A shorter name, or a glob of fewer letters besides its wildcards, matches unrelated programs. */
const LETTERS_MIN = 3;
/** Findings of one rule about other rules: more of the same say nothing new. */
const PAIRS_MAX = 5;

const UNIT_END = /(?:\.(?:service|scope|mount|socket|swap)|[*\]])$/;

/**
 * The findings of the user's rules, in order of precedence. A user's rule that hides one of the catalogue's is no finding,
 * because that is what users' rules are for.
 * @param userRules the user's own, in the order of their files
 * @param catalogue the rules that ship with the product
 */
export const lint = (userRules: readonly Rule[], catalogue: readonly Rule[]): Finding[] =>
  userRules.length > 0 ? findingsOf(userRules, catalogue) : [];

/** The findings of the rules that ship with the product, where the user has none. */
export const lintCatalogue = (catalogue: readonly Rule[]): Finding[] => findingsOf([], catalogue);

/** Of the user's rules; where there are none, of the catalogue's. */
function findingsOf(userRules: readonly Rule[], catalogue: readonly Rule[]): Finding[] {
  const findings: Finding[] = [];
  const ranked = byPrecedence(userRules, catalogue);
  const ranks = new Map(ranked.map((rule, rank) => [rule, rank]));
  const ofUser = new Set(userRules);
  const byName = new Map(ranked.toReversed().map((rule) => [rule.name, rule]));
  const labelOf = (name: string) => ruleLabel(byName.get(name), name);
  let classifier: Classifier | undefined;
  // Made for the first example: to make it takes longer than all the rest, and many rules have none.
  const classify: Classify = (example) => {
    classifier ??= new Classifier(userRules, catalogue);
    return classifier.classify(example);
  };
  const [earlierOfUser, earlierShipped] = [new HidingRules(userRules), new HidingRules(catalogue)];
  for (const rule of ranked) {
    const isUsers = ofUser.has(rule);
    if (!isUsers && userRules.length > 0) {
      earlierShipped.add(rule);
      continue;
    }
    const report: Report = (severity, message) => findings.push({ rule: rule.name, severity, message });
    for (const [key, matchers] of rule.keys.list) for (const matcher of matchers) unreachable(key, matcher, report);
    contradiction(rule, report);
    tooGeneral(rule, report);
    const earlier = [...earlierShipped.of(rule), ...(isUsers ? earlierOfUser.of(rule) : [])];
    earlier.sort((a, b) => ranks.get(a)! - ranks.get(b)!);
    hidden(rule, earlier, !isUsers, report);
    examples(rule, classify, labelOf, report);
    (isUsers ? earlierOfUser : earlierShipped).add(rule);
  }
  return findings;
}

/** A rule's name, with its line where that is known: the number in the name counts rules, not lines. */
const ruleLabel = (rule: Rule | undefined, name = rule?.name ?? ''): string =>
  rule?.line === undefined ? name : `${name} (line ${rule.line})`;

/**
 * Values that no process can have. A comm of more than 15 bytes is only met when full-name.ts completed it: from a base
 * name, so that it holds no slash, and without what follows a title's colon, so that it holds no ": ".
 */
function unreachable(key: RuleKey, { text, form, path }: Matcher, report: Report): void {
  if (key === 'comm' && form === 'literal' && Buffer.byteLength(text) > COMM_BYTES && /\/|: /.test(text))
    report(
      'error',
      `comm "${text}" is never seen: the kernel keeps 15 bytes ("${truncateComm(text)}"), and a completed name has no "/" or ": "; write "${truncateComm(text)}"`,
    );
  if ((key === 'comm' || key === 'exe') && form === 'literal' && /[-_]$/.test(text) && text.length < COMM_BYTES)
    report(
      'warning',
      `${key} "${text}" is compared with the whole name; for names that begin with it write "${text}*" in a [[rule]]`,
    );
  if (path && !/^(?:\/|\*|\[|\?)/.test(text) && key === 'exe')
    report(
      'error',
      `exe "${text}" is never seen: a path starts with a slash; write the whole path, or the base name alone`,
    );
  if (path && text.endsWith('/'))
    report('error', `${key} "${text}" is never seen: the path of a file does not end in a slash; write "${text}**"`);
  if (key === 'unit' && !UNIT_END.test(text))
    report(
      'error',
      `unit "${text}" is never seen: a unit ends in .service, .scope, .mount, .socket or .swap; write all of its name`,
    );
  if ((key === 'python_module' || key === 'jvm_main') && /[\s/]/.test(text))
    report('error', `${key} "${text}" is never seen: it has neither spaces nor slashes; write the name alone`);
}

/** Keys for which a process has one value at most. */
function contradiction({ keys }: Rule, report: Report): void {
  const exclusive = ['jvm_main', 'python_module', 'script'].filter((key) => keys.has(key as RuleKey));
  if (exclusive.length > 1)
    report('error', `no process has both ${exclusive.join(' and ')}; write one rule for each of them`);
}

/** Rules of one key whose values unrelated programs have too. */
function tooGeneral({ keys, fallback }: Rule, report: Report): void {
  if (fallback) return;
  const only = keys.size === 1;
  if (only && keys.has('argv'))
    report(
      'warning',
      'argv alone also matches an editor, shell or grep whose command line names the program; add comm or exe',
    );
  for (const key of ['comm', 'exe', 'argv0', 'unit', 'script', 'jvm_main'] as const) {
    for (const matcher of only ? (keys.get(key) ?? []) : []) {
      const { text, form } = matcher;
      const letters = text.replace(/[*?[\\/]/g, '');
      if (form === 'literal' && (GENERAL_NAMES.has(text) || text.length < LETTERS_MIN))
        report('warning', `${key} "${text}" alone is a name that many programs have; add another key`);
      if (form === 'glob' && (letters.length < LETTERS_MIN || INTERPRETERS.some((name) => matcher.test(name))))
        report(
          'warning',
          `${key} "${text}" alone matches unrelated programs; write more of the name, or add another key`,
        );
    }
  }
}

/** Reports the rules that hide this one or contradict it: one that hides all of it, or the first few of the others. */
function hidden(rule: Rule, earlier: readonly Rule[], inCatalogue: boolean, report: Report): void {
  let reported = 0;
  const counted: Report = (severity, message) => {
    reported++;
    report(severity, message);
  };
  for (const other of earlier) {
    if (reported === PAIRS_MAX) return;
    const shared = other.keys.list.map(([key, wide]) => coveredValues(rule.keys.get(key) ?? [], wide));
    if (shared.some((values) => values.length === 0)) continue;
    const whole = other.keys.list.every(([key], i) => shared[i]!.length === rule.keys.get(key)!.length);
    if (whole)
      counted(
        'error',
        `is never reached: ${ruleLabel(other)} matches every process that this rule matches, and decides first; ` +
          'delete this rule, or place it before the other, or give it more keys',
      );
    else if (rule.group !== other.group || rule.subgroup !== other.subgroup)
      conflict(rule, other, shared, inCatalogue, counted);
  }
}

/**
 * Reports values that a rule of another subgroup has too. Of two catalogue rules of one level and number of keys,
 * nothing but their place in the file would decide, which is an error.
 */
function conflict(rule: Rule, other: Rule, shared: readonly Matcher[][], inCatalogue: boolean, report: Report): void {
  const sameLevel = specificityOf(rule) === specificityOf(other) && rule.keys.size === other.keys.size;
  if (inCatalogue && !sameLevel) return;
  const values = other.keys.list.map(([key], i) => `${key} ${shared[i]!.map(({ text }) => `"${text}"`).join(', ')}`);
  const owner = `${ruleLabel(other)}, for ${other.group}/${other.subgroup}`;
  const remedy = 'take it out of one of them';
  if (inCatalogue) report('error', `${values.join(' with ')} is claimed by ${owner} as well; ${remedy}`);
  else report('warning', `${values.join(' with ')} is decided earlier by ${owner}; ${remedy}`);
}

function examples(rule: Rule, classify: Classify, labelOf: (name: string) => string, report: Report): void {
  for (const example of rule.examples) {
    const got = classify(example);
    if (got.rule !== rule.name)
      report(
        'error',
        `its example ${describeExample(example)} is decided by ${labelOf(got.rule)}; correct the example or the rule`,
      );
  }
  for (const example of rule.notExamples) {
    const got = classify(example);
    if (got.group === rule.group && got.subgroup === rule.subgroup)
      report(
        'error',
        `its not_example ${describeExample(example)} is put into its subgroup by ${labelOf(got.rule)}; add a key that excludes it`,
      );
  }
}

/** The process of an example, for people: "vim" (vim postgresql.conf). */
export const describeExample = ({ name, argv, exe }: Identity) =>
  `"${name}" (${argv.join(' ') || exe || 'no command line'})`;
