// explain PID: which rule put a process into its group, why, what else matched, what its footprint is, and what the
// running exporter knows of that. explain --all is in explain-all.ts.

import { KernelFileError, type KernelFiles } from '../../kernel/files.ts';
import { FootprintReading, readSmapsRollup } from '../../kernel/pid.ts';
import type { Process } from '../../process/process.ts';
import { type ClassificationExplanation, Classifier, type RuleResult } from '../../rules/classifier.ts';
import type { Identity } from '../../rules/identity.ts';
import { inheritedClassification } from '../../rules/inheritance.ts';
import { escapeForTerminal } from '../../text/hostile.ts';
import { formatBytes } from '../../text/units.ts';
import type { Invocation } from '../arguments.ts';
import { loadSetup, NotFound, openHost, sourcesOf } from '../load-host.ts';
import { scrub, scrubText } from '../scrub.ts';
import { type Asked, askExporter } from './ask.ts';
import { Examiner, identityDocument, KERNEL, verdictDocument, wantedOf } from './examine.ts';
import { sampleLines } from './sample.ts';

/** @throws NotFound where no such process runs */
export async function explain(asked: Extract<Invocation, { verb: 'explain' }>): Promise<string> {
  const { pid, json, url } = asked;
  const setup = await loadSetup(sourcesOf(asked));
  const files = openHost(setup.config);
  if (pid === 'all') return (await import('./explain-all.ts')).explainAll(setup, files, json);
  files.begin();
  const examiner = new Examiner(files);
  const proc = look(examiner, pid);
  const identity = examiner.identity(proc);
  if (proc.kernelThread) {
    return json ? text({ pid, name: identity.name, ...KERNEL }) : `process ${pid} is a kernel thread: system/kernel\n`;
  }
  const classifier = new Classifier(setup.rules, setup.catalogue);
  const explanation = classifier.explain(identity);
  const heir = setup.config.inherit_group && !explanation.winner;
  const source = heir ? examiner.source(proc, identity, classifier) : undefined;
  const classification = source ? inheritedClassification(source) : explanation.classification;
  const footprint = read(files, proc);
  const age = examiner.age(proc);
  const exporter = await askExporter(setup.config, pid, url);
  if (json) return text(documentOf(pid, identity, { ...explanation, classification }, footprint, exporter));
  const { winner, otherMatches: others, nearMisses } = explanation;
  const { group, subgroup, rule } = classification;
  const why = winner ? `because of rule ${rule}` : source ? rule : 'because no rule matches it';
  return [
    `process ${pid} is in ${group}/${subgroup}, ${why}`,
    ...(winner ? winner.held.map(evidence) : []),
    '',
    ...describe(identity),
    memory(footprint),
    ...section('would match as well', others),
    ...section('nearly match', nearMisses),
    ...examiner.unreadable.counts().map(({ file, reason }) => `not readable: /proc/${pid}/${file} (${reason})`),
    '',
    ...sampleLines(exporter, { pid, startTime: examiner.startTime(proc), age, group, subgroup }),
    '',
  ].join('\n');
}

function look(examiner: Examiner, pid: number): Process {
  try {
    const proc = examiner.look(pid);
    if (proc) return proc;
  } catch (error) {
    if (error instanceof KernelFileError) throw new NotFound(`process ${pid}: ${error.message}`);
    throw error;
  }
  throw new NotFound(`process ${pid}: no such process runs`);
}

/** The footprint as it is now, or why it cannot be read. */
function read(files: KernelFiles, proc: Process): FootprintReading | KernelFileError {
  const reading = new FootprintReading();
  try {
    readSmapsRollup(files, proc.files, reading);
    return reading;
  } catch (error) {
    if (error instanceof KernelFileError) return error;
    throw error;
  }
}

function memory(footprint: FootprintReading | KernelFileError): string {
  if (footprint instanceof KernelFileError) return `  memory    PSS and USS cannot be read (${footprint.reason})`;
  const { rss, pss, uss, swap } = footprint;
  return `  memory    RSS ${formatBytes(rss)}, PSS ${formatBytes(pss)}, USS ${formatBytes(uss)}, swap ${formatBytes(swap)}`;
}

/** The command line is shown because the operator asks for it, and scrubbed. */
function describe({ name, exe, argv, user, unit, container, podUid }: Identity): string[] {
  const lines = { name, exe, argv: scrub(argv).join(' ').slice(0, 500), user, unit, container, pod: podUid };
  return Object.entries(lines)
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `  ${key.padEnd(10)}${escapeForTerminal(value)}`);
}

const evidence = ({ key, wanted, value }: RuleResult['held'][number]): string =>
  `  ${key} ${escapeForTerminal(key === 'argv' ? 'matches' : `is ${scrubText(value)}, and matches`)} ${wanted.join(' or ')}`;

function section(title: string, verdicts: readonly RuleResult[]): string[] {
  if (verdicts.length === 0) return [];
  const line = ({ rule, failed }: RuleResult): string => {
    const misses = failed.map(({ key, wanted }) => `${key} is not ${wanted.join(' or ')}`).join('; ');
    return `  ${rule.group}/${rule.subgroup} (${rule.name})${misses && `: ${misses}`}`;
  };
  return ['', `rules that ${title}:`, ...verdicts.slice(0, 10).map(line)];
}

const text = (document: unknown): string => `${JSON.stringify(document, undefined, 2)}\n`;

function documentOf(
  pid: number,
  identity: Identity,
  { classification, winner, otherMatches: others, nearMisses }: ClassificationExplanation,
  footprint: FootprintReading | KernelFileError,
  { from, ...exporter }: Asked,
) {
  const read = footprint instanceof KernelFileError ? undefined : footprint;
  return {
    pid,
    ...identityDocument(identity),
    ...classification,
    held: (winner?.held ?? []).map(wantedOf),
    would_match: others.map(verdictDocument),
    nearly_match: nearMisses.map(verdictDocument),
    ...(read && { rss_bytes: read.rss, pss_bytes: read.pss, uss_bytes: read.uss, swap_bytes: read.swap }),
    exporter: {
      address: from,
      ...('told' in exporter && exporter.told),
      ...('unseenFor' in exporter && { error: 'not seen', collection_age_seconds: exporter.unseenFor }),
      ...('why' in exporter && { error: exporter.why }),
    },
  };
}
