// What most verbs need first: the configuration, the rules and the kernel's files of the host.
import { homedir } from 'node:os';
import { catalogue } from '../../catalogue/index.ts';
import type { Setup } from '../agent/agent.ts';
import { ConfigError, configPaths, type Loaded, load, type Sources } from '../config/load.ts';
import { OperatorFileError, readOperatorText } from '../config/operator-files.ts';
import type { Config } from '../config/options.ts';
import { loadRuleFiles, type RuleFile, ruleFilePaths } from '../config/rule-files.ts';
import { CaptureError, framedFiles, parseCapture } from '../kernel/capture.ts';
import { KernelFileError, type KernelFiles, liveFiles } from '../kernel/files.ts';
import { readBoot, readUptime } from '../kernel/host.ts';
import type { RuleDocument } from '../rules/rule.ts';
import { parseCatalogue, parseRuleDocument, RuleError } from '../rules/rule-parser.ts';
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
  cwd: process.cwd(),
  home: homedir(),
  isForeign: process.geteuid?.() === 0 ? isForeignFile : undefined,
});

/** Every path from which the setup was or could be loaded: the paths to watch. */
export const watchedFilesOf = (sources: Sources, config: Config): string[] => [
  ...configPaths(sources),
  ...ruleFilePaths(config.subgroups, sources.cwd),
];

/** The configuration and the rules in force. @throws ConfigError that lists every fault */
export async function loadSetup(sources: Sources): Promise<Setup & Loaded> {
  const loaded = await load(sources);
  const files = await loadRuleFiles(loaded.config.subgroups, sources);
  return { ...loaded, rules: readDocuments(files).flatMap(({ rules }) => rules), catalogue: catalogueRules };
}

/** The rules and expectations of each file. @throws ConfigError that lists every fault of every file */
export function readDocuments(files: readonly RuleFile[]): RuleDocument[] {
  const faults: string[] = [];
  const documents = files.flatMap(({ file, document, lines }) => {
    try {
      return [parseRuleDocument(document, file, lines)];
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      faults.push(...error.messages);
      return [];
    }
  });
  if (faults.length > 0) throw new ConfigError(faults);
  return documents;
}

/** The files of this host's kernel, or of the capture that is configured. @throws ConfigError where they cannot be read */
export function openHost(config: Config): KernelFiles {
  if (config.capture) return openCapture(config.capture);
  const files = liveFiles(config.path_procfs);
  try {
    readUptime(files);
    readBoot(files);
    return files;
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
