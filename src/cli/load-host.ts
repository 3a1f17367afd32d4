// What most verbs need first: the configuration, the rules and the kernel's files of the host.
import { homedir } from 'node:os';
import { catalogue } from '../../catalogue/index.ts';
import type { Setup } from '../agent/agent.ts';
import { clock, inSlices } from '../agent/time-slices.ts';
import { ConfigError, configPaths, type Loaded, load, type Sources } from '../config/load.ts';
import { OperatorFileError, readOperatorText } from '../config/operator-files.ts';
import type { Config } from '../config/options.ts';
import { loadRuleFiles, type RuleFile, ruleFilePaths } from '../config/rule-files.ts';
import { bpfFiles } from '../kernel/bpf-files.ts';
import { CaptureError, framedFiles, parseCapture } from '../kernel/capture.ts';
import { KernelFileError, type KernelFiles } from '../kernel/files.ts';
import { guardedFiles } from '../kernel/guarded-files.ts';
import { readUptime } from '../kernel/host.ts';
import type { RuleDocument } from '../rules/rule.ts';
import { parseCatalogue, RULES_MAX, RuleError, ruleDocumentSteps, tooManyRules } from '../rules/rule-parser.ts';
import { runToEnd } from '../rules/run-to-end.ts';
import { fixedPaths } from '../server/routes.ts';
import { isForeignFile } from './foreign-files.ts';
import { program } from './program.ts';
import type { GivenSettings } from './verb.ts';

/** The rules that ship with the product. They stay the same while the program runs, so they are parsed once. */
export const catalogueRules = parseCatalogue(catalogue);

/** Everything that load() takes settings from: the command line, and the environment of this program. */
export const sourcesOf = ({ flags, file }: GivenSettings): Sources => ({
  flags,
  file,
  env: process.env,
  cwd: workingFolder(),
  home: homedir(),
  servedPaths: fixedPaths,
  isForeign: process.geteuid?.() === 0 ? isForeignFile : undefined,
});

/** The working folder; a name that leads there, and finds nothing, where it was removed (getcwd(2), ENOENT). */
function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    return '/proc/self/cwd';
  }
}

/** Every path from which the setup was or could be loaded: the paths to watch. */
export const watchedFilesOf = (sources: Sources, config: Config): string[] => [
  ...configPaths(sources),
  ...ruleFilePaths(config.subgroups, sources.cwd),
];

/** The configuration and the rules in force. @throws ConfigError that lists every fault */
export async function loadSetup(sources: Sources): Promise<Setup & Loaded> {
  const loaded = await load(sources);
  const files = await loadRuleFiles(loaded.config.subgroups, sources);
  // In slices, because the exporter may be serving: it loads its rules again when they change.
  const documents = await inSlices(documentSteps(files));
  return { ...loaded, rules: documents.flatMap(({ rules }) => rules), catalogue: catalogueRules };
}

/** The rules and expectations of each file. @throws ConfigError that lists the faults of every file */
export const readDocuments = (files: readonly RuleFile[]): RuleDocument[] => runToEnd(documentSteps(files));

function* documentSteps(files: readonly RuleFile[]): Generator<void, RuleDocument[], void> {
  const faults: string[] = [];
  const documents: RuleDocument[] = [];
  for (const { file, document, lines } of files) {
    try {
      documents.push(yield* ruleDocumentSteps(document, file, lines));
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      for (const message of error.messages) faults.push(message); // there may be more than a call can have arguments
    }
  }
  const count = documents.reduce((sum, { rules }) => sum + rules.length, 0);
  if (count > RULES_MAX) faults.push(`${files.map(({ file }) => file).join(', ')}: ${tooManyRules(count)}`);
  if (faults.length > 0) throw new ConfigError(faults);
  return documents;
}

/** The files of this host's kernel, or of the capture that is configured. @throws ConfigError where they cannot be read */
export async function openHost(config: Config): Promise<KernelFiles> {
  if (config.capture) return openCapture(config.capture);
  const files = await guardedFiles(config.path_procfs, clock);
  try {
    readUptime(files);
    if (config.source === 'procfs') return files;
    return bpfFiles(files, config.bpf_file, clock, config.source === 'bpf');
  } catch (error) {
    if (!(error instanceof KernelFileError)) throw error;
    const what = `${config.path_procfs}: no procfs can be read there (${error.message})`;
    throw new ConfigError([`${what}; mount it, or say where it is with --path-procfs`]);
  }
}

function openCapture(path: string): KernelFiles {
  try {
    return framedFiles(parseCapture(readOperatorText(path, 'capture')));
  } catch (error) {
    const remedy = `record one with ${program.name} capture -o FILE`;
    if (error instanceof CaptureError) throw new ConfigError([`${path}: ${error.message}; ${remedy}`]);
    throw error instanceof OperatorFileError ? new ConfigError([error.message]) : error;
  }
}
