// explain PID: which rule put a process into its group, why, what else matched, and what its footprint is.
import { KernelFileError, type KernelFiles } from '../kernel/files.ts';
import { FootprintReading, readSmapsRollup, readStat, StatReading } from '../kernel/pid.ts';
import { readUnits, readUsers } from '../kernel/system.ts';
import { Classifier, type Verdict } from '../process/classify.ts';
import { Identities } from '../process/identity.ts';
import { type Identity, Process } from '../process/process.ts';
import { scrub } from '../process/scrub.ts';
import { Unreadable } from '../process/unreadable.ts';
import type { Invocation } from './arguments.ts';
import { loadSetup, NotFound, openHost, sourcesOf } from './setup.ts';
import { bytes, harmless } from './table.ts';

/** @throws NotFound where no such process runs */
export async function explain(asked: Invocation & { readonly pid: number }): Promise<string> {
  const setup = await loadSetup(sourcesOf(asked));
  const files = openHost(setup.config);
  files.begin();
  const process = look(files, asked.pid);
  if (process.kernelThread) return `process ${asked.pid} is a kernel thread: system/kernel\n`;
  const unreadable = new Unreadable();
  const identity = new Identities(files, unreadable, readUsers(files)).of(process);
  const { classification, winner, others, nearMisses } = new Classifier(setup.rules, setup.catalogue).explain(identity);
  const { group, subgroup, rule } = classification;
  const why = winner ? `because of rule ${rule}` : 'because no rule matches it';
  return [
    `process ${asked.pid} is in ${group}/${subgroup}, ${why}`,
    ...(winner ? winner.held.map(evidence) : []),
    '',
    ...describe(identity),
    ...footprint(files, process),
    ...section('would match as well', others),
    ...section('nearly match', nearMisses),
    ...unreadable.counts().map(({ file, reason }) => `not readable: /proc/${asked.pid}/${file} (${reason})`),
    '',
  ].join('\n');
}

function look(files: KernelFiles, pid: number): Process {
  const stat = new StatReading();
  const handle = files.process(pid);
  const units = readUnits(files);
  try {
    readStat(files, handle, units, stat);
  } catch (error) {
    if (!(error instanceof KernelFileError)) throw error;
    throw new NotFound(`process ${pid}: ${error.reason === 'gone' ? 'no such process runs' : error.message}`);
  }
  const process = new Process(handle, stat.startTicks, 0, stat.kernelThread);
  process.state = stat.state;
  process.comm = files.buffer.slice(stat.commFrom, stat.commTo);
  return process;
}

/** The command line is shown because the operator asks for it, and scrubbed. */
function describe({ name, exe, argv, user, unit, container, podUid }: Identity): string[] {
  const lines = { name, exe, argv: scrub(argv).join(' ').slice(0, 500), user, unit, container, pod: podUid };
  return Object.entries(lines)
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `  ${key.padEnd(10)}${harmless(value)}`);
}

function footprint(files: KernelFiles, process: Process): string[] {
  const reading = new FootprintReading();
  try {
    readSmapsRollup(files, process.files, reading);
    const { rss, pss, uss, swap } = reading;
    return [`  memory    RSS ${bytes(rss)}, PSS ${bytes(pss)}, USS ${bytes(uss)}, swap ${bytes(swap)}`];
  } catch (error) {
    if (!(error instanceof KernelFileError)) throw error;
    return [`  memory    PSS and USS cannot be read (${error.reason})`];
  }
}

const evidence = ({ key, wanted, value }: Verdict['held'][number]): string =>
  `  ${key} ${harmless(key === 'argv' ? 'matches' : `is ${value}, and matches`)} ${wanted.join(' or ')}`;

function section(title: string, verdicts: readonly Verdict[]): string[] {
  if (verdicts.length === 0) return [];
  const line = ({ rule, failed }: Verdict): string => {
    const misses = failed.map(({ key, wanted }) => `${key} is not ${wanted.join(' or ')}`).join('; ');
    return `  ${rule.group}/${rule.subgroup} (${rule.name})${misses && `: ${misses}`}`;
  };
  return ['', `rules that ${title}:`, ...verdicts.slice(0, 10).map(line)];
}
