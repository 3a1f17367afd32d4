// Finds rules that cannot do what their writer meant: never reached, hidden by another, contradicting one, catching
// strangers, or failing their own examples. Pure; a sound set of rules gives no findings.

import { Classifier } from './classifier.ts';
import { COMM_BYTES, truncateComm } from './full-name.ts';
import type { Identity } from './identity.ts';
import type { Matcher } from './matcher.ts';
import { byPrecedence, SPECIFICITY_LEVELS, specificityOf } from './precedence.ts';
import type { Rule, RuleKey } from './rule.ts';

export interface Finding {
  /** Name of the rule the finding is about. */
  readonly rule: string;
  /** error: the rule does not do what it says; warning: it may do more. */
  readonly severity: 'error' | 'warning';
  readonly message: string;
}

type Report = (severity: Finding['severity'], message: string) => void;

/** Programs everybody runs for something else, and names that say nothing about whose they are. */
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
const GENERAL =
  'agent app arch archiver backend broker client cluster collector controller core daemon exporter frontend gateway go ' +
  'helper init ipa iris java launcher logger main manager master monitor node ost perl php proxy python python3 ruby ' +
  'run runner scheduler server service sh start supervisor sync test update vector watchdog web worker ' +
  'app.js app.py index.js main.js main.py manage.py server.js run.sh app.jar main.jar server.jar agent.jar Main';
const GENERAL_NAMES = new Set([...INTERPRETERS, ...GENERAL.split(' ')]);
/** A name, or what a glob says besides its wildcards, shorter than this lets strangers in. */
const MIN_LETTERS = 3;

const UNIT_END = /(?:\.(?:service|scope|mount|socket|swap)|[*\]])$/;

/**
 * @param userRules the user's own, in file order
 * @param catalogue the rules that ship with the product
 * A user's rule that hides one of the catalogue is meant to, and is no finding.
 */
export function lint(userRules: readonly Rule[], catalogue: readonly Rule[]): Finding[] {
  const findings: Finding[] = [];
  const ranked = byPrecedence(userRules, catalogue);
  const ofUser = new Set(userRules);
  const classifier = new Classifier(userRules, catalogue);
  for (const [rank, rule] of ranked.entries()) {
    const report: Report = (severity, message) => findings.push({ rule: rule.name, severity, message });
    for (const [key, matchers] of rule.keys) for (const matcher of matchers) unreachable(key, matcher, report);
    contradiction(rule, report);
    tooGeneral(rule, report);
    const rivals = ranked.slice(0, rank).filter((earlier) => ofUser.has(rule) || !ofUser.has(earlier));
    hidden(rule, rivals, !ofUser.has(rule), report);
    const called = (name: string) =>
      named(
        ranked.find((one) => one.name === name),
        name,
      );
    examples(rule, classifier, called, report);
  }
  return findings;
}

/** A rule's name, with its line where that is known: the name counts rules, not lines. */
const named = (rule: Rule | undefined, name = rule?.name ?? ''): string =>
  rule?.line === undefined ? name : `${name} (line ${rule.line})`;

/**
 * A comm of more than 15 bytes is only ever seen completed: from a base name, so it holds no slash, and without a
 * title's tail, so it holds no ": ".
 */
function unreachable(key: RuleKey, { text, form, path }: Matcher, report: Report): void {
  if (key === 'comm' && form === 'literal' && Buffer.byteLength(text) > COMM_BYTES && /\/|: /.test(text))
    report(
      'error',
      `comm "${text}" is never seen: the kernel keeps 15 bytes ("${truncateComm(text)}"), and a completed name has no "/" or ": "; say "${truncateComm(text)}"`,
    );
  if ((key === 'comm' || key === 'exe') && form === 'literal' && /[-_]$/.test(text) && text.length < COMM_BYTES)
    report(
      'warning',
      `${key} "${text}" is compared with the whole name; for names that begin with it say "${text}*" in a [[rule]]`,
    );
  if (path && !/^(?:\/|\*|\[|\?)/.test(text) && key === 'exe')
    report('error', `exe "${text}" is never seen: a path starts with a slash; write all of it, or the base name alone`);
  if (path && text.endsWith('/'))
    report('error', `${key} "${text}" is never seen: a file does not end in a slash; say "${text}**"`);
  if (key === 'unit' && !UNIT_END.test(text))
    report('error', `unit "${text}" is never seen: a unit ends in .service, .scope, .mount, .socket or .swap; say so`);
  if ((key === 'python_module' || key === 'jvm_main') && /[\s/]/.test(text))
    report('error', `${key} "${text}" is never seen: it has neither blanks nor slashes; write the name alone`);
}

function contradiction({ keys }: Rule, report: Report): void {
  const runs = ['jvm_main', 'python_module', 'script'].filter((key) => keys.has(key as RuleKey));
  if (runs.length > 1) report('error', `no process has all of ${runs.join(' and ')}; make it one rule each`);
}

function tooGeneral({ keys, fallback }: Rule, report: Report): void {
  if (fallback) return;
  const only = keys.size === 1;
  if (only && keys.has('argv'))
    report('warning', 'argv alone also finds editors, shells and greps that name the program; add comm or exe');
  for (const key of ['comm', 'exe', 'argv0', 'unit', 'script', 'jvm_main'] as const) {
    for (const matcher of only ? (keys.get(key) ?? []) : []) {
      const { text, form } = matcher;
      const said = text.replace(/[*?[\\/]/g, '');
      if (form === 'literal' && (GENERAL_NAMES.has(text) || text.length < MIN_LETTERS))
        report('warning', `${key} "${text}" alone is a name many programs have; add another key`);
      if (form === 'glob' && (said.length < MIN_LETTERS || INTERPRETERS.some((name) => matcher.test(name))))
        report('warning', `${key} "${text}" alone catches strangers; say more of the name, or add another key`);
    }
  }
}

/** Whether everything the one matches, the other does too: decided for literals and simple starts, denied in doubt. */
function covers(wide: Matcher, narrow: Matcher): boolean {
  const expressions = [wide, narrow].some(({ form }) => form === 'regex' || form === 'regexes');
  if (expressions || wide.path !== narrow.path) return wide.text === narrow.text;
  if (narrow.form === 'literal') return wide.test(narrow.text);
  if (wide.text === narrow.text) return true;
  const head = /^([^*?[\\]*)\*$/.exec(wide.text)?.[1];
  return head !== undefined && !wide.path && narrow.text.startsWith(head);
}

/** The values of a key that another rule's values cover. */
function covered(narrow: readonly Matcher[], wide: readonly Matcher[] | undefined): Matcher[] {
  return wide ? narrow.filter((value) => wide.some((other) => covers(other, value))) : [];
}

/** Compares a rule with every one that decides before it. */
function hidden(rule: Rule, earlier: readonly Rule[], ranked: boolean, report: Report): void {
  for (const other of earlier) {
    const shared = [...other.keys].map(([key, wide]) => covered(rule.keys.get(key) ?? [], wide));
    if (shared.some((values) => values.length === 0)) continue;
    const whole = [...other.keys.keys()].every((key, i) => shared[i]!.length === rule.keys.get(key)!.length);
    if (whole)
      report(
        'error',
        `is never reached: ${named(other)} matches whenever it would, and decides first; delete this one, or make it ` +
          'decide before by place or by more keys',
      );
    else if (rule.group !== other.group || rule.subgroup !== other.subgroup)
      conflict(rule, other, shared, ranked, report);
  }
}

/** Some values are claimed by a rule of another subgroup too: in the catalogue only the order of the file decides. */
function conflict(rule: Rule, other: Rule, shared: readonly Matcher[][], ranked: boolean, report: Report): void {
  const sameRank =
    SPECIFICITY_LEVELS.indexOf(specificityOf(rule)) === SPECIFICITY_LEVELS.indexOf(specificityOf(other)) &&
    rule.keys.size === other.keys.size;
  if (ranked && !sameRank) return;
  const values = [...other.keys.keys()].map(
    (key, i) => `${key} ${shared[i]!.map(({ text }) => `"${text}"`).join(', ')}`,
  );
  const rival = `${named(other)}, for ${other.group}/${other.subgroup}`;
  const remedy = 'take it out of one of them';
  if (ranked) report('error', `${values.join(' with ')} is claimed by ${rival} as well; ${remedy}`);
  else report('warning', `${values.join(' with ')} is decided before by ${rival}; ${remedy}`);
}

function examples(rule: Rule, classifier: Classifier, called: (name: string) => string, report: Report): void {
  for (const example of rule.examples) {
    const got = classifier.classify(example);
    if (got.rule !== rule.name)
      report(
        'error',
        `its example ${describeExample(example)} is decided by ${called(got.rule)}; correct it, or the rule`,
      );
  }
  for (const example of rule.notExamples) {
    const got = classifier.classify(example);
    if (got.group === rule.group && got.subgroup === rule.subgroup)
      report(
        'error',
        `the stranger ${describeExample(example)} is taken for one of its own by ${called(got.rule)}; add a key that tells it apart`,
      );
  }
}

/** A process of an example, for people. */
export const describeExample = ({ name, argv, exe }: Identity) =>
  `"${name}" (${argv.join(' ') || exe || 'no command line'})`;
