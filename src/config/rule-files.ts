// Reads the user's rule files: those that were named, then ./subgroups.toml, then /etc/herakles/subgroups.toml.
// A named file has to be there. What the rules mean is for process/rules.ts to say.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from './load.ts';
import { tableLines } from './table-lines.ts';

export interface RuleFile {
  /** As it goes by in messages and in the names of rules. */
  readonly file: string;
  readonly document: unknown;
  /** Where its lists of tables have their tables; see tableLines(). */
  readonly lines: ReadonlyMap<string, readonly number[]>;
}

/** Longest rule file that is read, bytes. */
const LONGEST = 4 << 20;

/** Every path a rule file is looked for at, in the order in which rules decide. */
export const ruleFilePlaces = (named: readonly string[], cwd: string): string[] => [
  ...named,
  join(cwd, 'subgroups.toml'),
  '/etc/herakles/subgroups.toml',
];

/** @throws ConfigError with a fault for every file that cannot be read or parsed */
export const loadRuleFiles = (named: readonly string[], cwd: string): Promise<RuleFile[]> =>
  readRuleFiles(ruleFilePlaces(named, cwd), named);

/** The files of these paths, in their order; those that are named have to be there. @throws ConfigError as above */
export async function readRuleFiles(paths: readonly string[], named: readonly string[]): Promise<RuleFile[]> {
  const faults: string[] = [];
  const files: RuleFile[] = [];
  for (const path of new Set(paths)) {
    const text = readRuleText(path, named.includes(path), faults);
    if (text === undefined) continue;
    const { parse, TomlError } = await import('smol-toml');
    try {
      files.push({ file: path, document: parse(text), lines: tableLines(text) });
    } catch (error) {
      if (!(error instanceof TomlError)) throw error;
      const what = error.message.split('\n')[0]!.replace(/^Invalid TOML document: /, '');
      faults.push(`${path}:${error.line}: is not valid TOML (${what}); correct this line`);
    }
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return files;
}

/** The text of a file of rules, ours or another program's; undefined where it cannot be had, which is a fault if named. */
export function readRuleText(path: string, named: boolean, faults: string[]): string | undefined {
  try {
    const bytes = readFileSync(path);
    if (bytes.length <= LONGEST) return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    faults.push(`${path}: is larger than ${LONGEST >> 20} MiB; name a file of rules`);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      if (named) faults.push(`${path}: there is no such file; correct its name, or create it`);
    } else if (code === 'EACCES') faults.push(`${path}: may not be read by this user; change its mode or owner`);
    else if (error instanceof TypeError) faults.push(`${path}: is not UTF-8 text; save it as UTF-8`);
    else faults.push(`${path}: cannot be read (${message}); name a file of rules`);
  }
  return undefined;
}
