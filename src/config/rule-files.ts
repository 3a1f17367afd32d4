// Reads the operator's rule files: the ones that the configuration names, then ./subgroups.toml, then
// /etc/herakles/subgroups.toml. A file that is named has to exist. What the rules mean is said in rules/rule-parser.ts.
import { join } from 'node:path';
import { ConfigError, type Sources } from './load.ts';
import { MalformedFileError } from './malformed-file.ts';
import { OperatorFileError, readOperatorText } from './operator-files.ts';
import { parseText } from './parser-thread.ts';
import type { RuleText } from './rule-text.ts';

export interface RuleFile extends RuleText {
  /** Its path, as messages and the names of rules show it. */
  readonly file: string;
}

/** Every path a rule file is looked for at, in the order in which rules decide. */
export const ruleFilePaths = (named: readonly string[], cwd: string): string[] => [
  ...named,
  join(cwd, 'subgroups.toml'),
  '/etc/herakles/subgroups.toml',
];

/**
 * @param isForeign of Sources; asked about ./subgroups.toml unless it is named
 * @throws ConfigError with a fault for every file that cannot be read or parsed
 */
export function loadRuleFiles(named: readonly string[], { cwd, isForeign }: Sources): Promise<RuleFile[]> {
  const ambient = join(cwd, 'subgroups.toml');
  const skipped = !named.includes(ambient) && isForeign?.(ambient);
  return readRuleFiles(
    ruleFilePaths(named, cwd).filter((path) => path !== ambient || !skipped),
    named,
    ambient,
  );
}

/**
 * The files at these paths, in their order; the ones that are named have to exist.
 * @param ambient the path in the working folder, which the operator did not choose: this user need not be able to enter it
 * @throws ConfigError as above
 */
export async function readRuleFiles(
  paths: readonly string[],
  named: readonly string[],
  ambient?: string,
): Promise<RuleFile[]> {
  const faults: string[] = [];
  const files: RuleFile[] = [];
  for (const path of new Set(paths)) {
    const text = read(path, named.includes(path), path === ambient, faults);
    if (text === undefined) continue;
    try {
      files.push({ file: path, ...(await parseText('rules', text)) });
    } catch (error) {
      if (!(error instanceof MalformedFileError)) throw error;
      faults.push(`${path}:${error.line}: ${error.message}`);
    }
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return files;
}

/** The text of a rule file; undefined where there is none to use, which is a fault unless a file may be missing. */
function read(path: string, named: boolean, ambient: boolean, faults: string[]): string | undefined {
  try {
    return readOperatorText(path, 'rules');
  } catch (error) {
    if (!(error instanceof OperatorFileError)) throw error;
    const optional = error.reason === 'missing' || (error.reason === 'unreachable' && ambient);
    if (named || !optional) faults.push(error.message);
    return undefined;
  }
}
