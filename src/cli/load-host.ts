// What every verb that looks at a host starts from: the configuration, the rules and the kernel's files.
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
import { parseCatalogue, parseRuleDocument, type RuleDocument, RuleError } from '../rules/rule-parser.ts';
import type { Invocation } from './arguments.ts';

/** What was asked for is not there. */
export class NotFound extends Error {}

/** The rules that ship with the product; they are the same for as long as the program runs. */
export const shipped = parseCatalogue(catalogue);

export const sourcesOf = ({ flags, file }: Pick<Invocation, 'flags' | 'file'>): Sources => ({
  flags,
  file,
  env: process.env,
  cwd: process.cwd(),
  home: homedir(),
});

/** Every path the setup was, or could be, loaded from: what to watch. */
export const watchedFilesOf = (sources: Sources, config: Config): string[] => [
  ...configPaths(sources),
  ...ruleFilePaths(config.subgroups, sources.cwd),
];

/** @throws ConfigError that lists every fault */
export async function loadSetup(sources: Sources): Promise<Setup & Loaded> {
  const loaded = await load(sources);
  const files = await loadRuleFiles(loaded.config.subgroups, sources.cwd);
  return { ...loaded, rules: readDocuments(files).flatMap(({ rules }) => rules), catalogue: shipped };
}

/** What each of the files says. @throws ConfigError with every fault of all of them */
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

/** This host, or the capture that stands for one. @throws ConfigError where neither can be read */
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
    if (error instanceof OperatorFileError) throw new ConfigError([error.message]);
    if (!(error instanceof CaptureError)) throw error;
    throw new ConfigError([`${path}: ${error.message}; record one with herakles-node-exporter capture -o FILE`]);
  }
}
