// explain PID: which rule put a process into its group and why, which other rules match, how much memory it has, and what
// the running exporter knows of that. explain --all is in explain-all.ts.

import type { Config } from '../../config/options.ts';
import { KernelFileError } from '../../kernel/files.ts';
import type { Process } from '../../process/process.ts';
import { type ClassificationExplanation, Classifier, type RuleResult } from '../../rules/classifier.ts';
import { type Classification, type Identity, KERNEL_THREAD, NO_RULE, SERVICE_RULE } from '../../rules/identity.ts';
import { inheritedClassification } from '../../rules/inheritance.ts';
import type { LookKind } from '../../rules/other-looks.ts';
import { ServiceGroups } from '../../rules/service-groups.ts';
import { escapedJson, escapeForTerminal } from '../../text/hostile.ts';
import { loadSetup, openHost, sourcesOf } from '../load-host.ts';
import { withoutSecrets } from '../scrub/scrub.ts';
import { type GivenSettings, VerbError } from '../verb.ts';
import { footprintLines } from './footprint-lines.ts';
import { type FootprintNow, footprintNow, memoryLines } from './footprint-now.ts';
import { identityDocument, keyResultDocument, ProcessInspector, ruleResultDocument } from './process-inspector.ts';
import { type AddressedAnswer, askExporter } from './running-exporter.ts';
import type { ExplainGiven } from './verb.ts';

/** So many other rules are shown. */
const SHOWN_MAX = 10;

/** @throws VerbError where no such process runs */
export async function explainProcess(
  settings: GivenSettings,
  pid: number,
  { json, url, showValues }: Omit<ExplainGiven, 'of'>,
): Promise<string> {
  const setup = await loadSetup(sourcesOf(settings));
  const files = await openHost(setup.config);
  files.begin();
  const inspector = new ProcessInspector(files);
  const proc = await find(inspector, pid);
  const identity = await inspector.identityOf(proc);
  if (proc.kernelThread)
    return json
      ? escapedJson({ pid, name: identity.name, ...KERNEL_THREAD }, 2)
      : `process ${pid} is a kernel thread: ${KERNEL_THREAD.group}/${KERNEL_THREAD.subgroup}\n`;
  const classifier = new Classifier(setup.rules, setup.catalogue);
  const explanation = classifier.explain(identity);
  const inherits = setup.config.inherit_group && !explanation.winner;
  const ancestor = inherits ? await inspector.ancestorOf(proc, identity, classifier) : undefined;
  const service = explanation.winner ? undefined : serviceOf(identity, setup.config);
  const classification = ancestor ? inheritedClassification(ancestor) : (service ?? explanation.classification);
  const local = { pid, startTime: inspector.startTimeOf(proc), age: inspector.ageOf(proc), ...classification };
  const exporter = await askExporter(setup.config, pid, url);
  const footprint = await footprintNow(files, proc, setup.config, exporter);
  if (json) return escapedJson(documentOf(pid, identity, { ...explanation, classification }, footprint, exporter), 2);
  const unreadable = inspector.unreadable.counts();
  const shown = showValues ? identity : withoutSecrets(identity, [classifier]);
  return [
    ...reasonLines(pid, { ...explanation, classification }, shown, classifier),
    '',
    ...identityLines(shown),
    ...valueLines(identity, shown, showValues),
    ...memoryLines(footprint),
    ...ruleLines('rules that would match as well:', explanation.otherMatches),
    ...ruleLines('rules that nearly match:', explanation.nearMisses),
    ...unreadable.map(({ file, reason }) => `cannot be read: /proc/${pid}/${file} (${reason})`),
    '',
    ...footprintLines(exporter, local),
    '',
  ].join('\n');
}

/** The group of its service for a process that no rule matches; the exporter may have given all of its names already. */
function serviceOf(identity: Identity, { service_groups, max_services }: Config): Classification | undefined {
  const services = new ServiceGroups();
  services.max = service_groups ? max_services : 0;
  return services.of(identity);
}

/** @param shown what may be shown of the process; the rule that decides matches it as well */
function reasonLines(
  pid: number,
  { classification: { group, subgroup, rule }, winner, cutShort }: ClassificationExplanation,
  shown: Identity,
  classifier: Classifier,
): string[] {
  const why = winner ? `because of rule ${rule}` : whyWithoutRule(rule, shown.unit);
  const { result, look } = winner
    ? classifier.compareDecision(winner.rule, shown)
    : { result: undefined, look: undefined };
  return [
    `process ${pid} is in ${group}/${subgroup}, ${why}`,
    ...(look ? [`  ${LOOKS[look.kind]} ${escapeForTerminal(look.identity.name)}`] : []),
    ...(result?.held ?? []).map(keyResultLine),
    ...(cutShort ? [CUT_SHORT] : []),
  ];
}

/** Why a process is compared with rules under another name. */
const LOOKS: Readonly<Record<LookKind, string>> = {
  launched: 'no rule names it; it is a launcher, and it runs',
  script: 'no rule names it; it is a launcher, and it runs',
  called: 'no rule names it; it is a start script, and is called after',
  release: 'no rule names it; without version and platform its name is',
  name: 'no rule names it; its executable or title says',
  cut: 'no rule names it; the only known name that the kernel cuts to this one is',
  installed: 'no rule names its interpreter; its script is in a folder of programs, and is called',
  folder: 'no rule names it; it is installed in the folder of',
  unit: 'no rule names it; its system unit is named',
};

/** @param rule NO_RULE, SERVICE_RULE, or the ancestor that the process inherits from */
function whyWithoutRule(rule: string, unit: string): string {
  if (rule === NO_RULE) return 'because no rule matches it';
  return rule === SERVICE_RULE ? `because no rule matches it; its system unit is ${escapeForTerminal(unit)}` : rule;
}

/** Tells the operator what the line above leaves out, or that it leaves out nothing. */
function valueLines(identity: Identity, shown: Identity, showValues: boolean): string[] {
  if (showValues) return ['  values    are all shown, because of --show-values; they may be secret'];
  const isHidden = shown.argv.some((word, i) => word !== identity.argv[i]);
  return isHidden ? ['  values    that could be secret are hidden as ***; --show-values shows them'] : [];
}

const CUT_SHORT =
  '  not every rule was compared with it: the work of patterns for one process is limited; write fewer patterns that ' +
  'begin with a wildcard, or give their rules comm or exe as well';

/** @throws VerbError where no such process runs */
async function find(inspector: ProcessInspector, pid: number): Promise<Process> {
  try {
    const proc = await inspector.find(pid);
    if (proc) return proc;
  } catch (error) {
    if (error instanceof KernelFileError) throw new VerbError(`process ${pid}: ${error.message}`);
    throw error;
  }
  throw new VerbError(`process ${pid}: no such process runs`);
}

/** The operator asks for this process, so its command line is shown. */
function identityLines({ name, exe, argv, user, unit, container, podUid }: Identity): string[] {
  const lines = { name, exe, argv: argv.join(' ').slice(0, 500), user, unit, container, pod: podUid };
  return Object.entries(lines)
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `  ${key.padEnd(10)}${escapeForTerminal(value)}`);
}

/** What a rule asked for, and what the process has. */
const keyResultLine = ({ key, wanted, value }: RuleResult['held'][number]): string =>
  `  ${key} ${escapeForTerminal(key === 'argv' ? 'matches' : `is ${value}, and matches`)} ${wanted.join(' or ')}`;

function ruleLines(heading: string, results: readonly RuleResult[]): string[] {
  if (results.length === 0) return [];
  const lineOf = ({ rule, failed }: RuleResult): string => {
    const misses = failed.map(({ key, wanted }) => `${key} is not ${wanted.join(' or ')}`).join('; ');
    return `  ${rule.group}/${rule.subgroup} (${rule.name})${misses && `: ${misses}`}`;
  };
  return ['', heading, ...results.slice(0, SHOWN_MAX).map(lineOf)];
}

function documentOf(
  pid: number,
  identity: Identity,
  { classification, winner, otherMatches, nearMisses, cutShort }: ClassificationExplanation,
  footprint: FootprintNow,
  { address, ...exporter }: AddressedAnswer,
) {
  const read = 'pss' in footprint ? footprint : undefined;
  const { rss } = footprint;
  return {
    pid,
    ...identityDocument(identity),
    ...classification,
    held: (winner?.held ?? []).map(keyResultDocument),
    would_match: otherMatches.map(ruleResultDocument),
    nearly_match: nearMisses.map(ruleResultDocument),
    ...(cutShort && { cut_short: true }),
    ...(rss >= 0 && { rss_bytes: rss }),
    ...(read && { pss_bytes: read.pss, uss_bytes: read.uss, swap_bytes: read.swap }),
    exporter: {
      address,
      ...('explanation' in exporter && exporter.explanation),
      ...('unseenSince' in exporter && { error: 'not seen', collection_age_seconds: exporter.unseenSince }),
      ...('error' in exporter && { error: exporter.error }),
    },
  };
}
