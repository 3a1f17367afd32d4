// import process-exporter FILE: its configuration as a rule file on standard output; what has no equivalent as comments
// in it, and on standard error.
import { stringify } from 'smol-toml';
import { MalformedFileError } from '../../config/formats.ts';
import { ConfigError } from '../../config/load.ts';
import { OperatorFileError, readOperatorText } from '../../config/operator-files.ts';
import type { Invocation } from '../arguments.ts';
import { harmless } from '../table.ts';
import { type Entry, flagEntries, type Imported, importEntries, readEntries } from './process-exporter.ts';

type Asked = Extract<Invocation, { verb: 'import process-exporter' }>;

/** @throws ConfigError for what process-exporter refuses too */
export async function importProcessExporter(asked: Asked): Promise<RuleFileText> {
  return ruleFile(asked.path, importEntries(await entriesOf(asked)));
}

interface RuleFileText {
  readonly output: string;
  /** One line each, with its place. */
  readonly notes: string;
}

/** @param path of the configuration, for the places of notes; undefined where flags gave the entries */
export function ruleFile(path: string | undefined, imported: readonly Imported[]): RuleFileText {
  const [blocks, notes]: [string[], string[]] = [[], []];
  for (const { line, rules, notes: said } of imported) {
    const place = line === undefined ? (path ?? 'flags') : `${path}:${line}`;
    const told = said.map((note) => harmless(`${place}: ${note}`));
    notes.push(...told);
    blocks.push([...told.map((note) => `# ${note}`), ...rules.map(ruleText), ''].join('\n'));
  }
  return {
    output: `${HEAD}${stringify({ group: 'process-exporter' })}\n${blocks.join('\n')}`,
    notes: notes.map((note) => `${note}\n`).join(''),
  };
}

const HEAD = `# Rules that put processes where a configuration of process-exporter put them: groupname is the subgroup here.
# Different for all of them: a process that no rule takes is not dropped, nor its parent's: the catalogue decides, and with
# inherit_group: true an ancestor where that knows nothing; a name that was cut or written over is completed, so that
# "gunicorn" takes "gunicorn: master" as well; kernel threads are system/kernel.
# (?-s) keeps a dot from matching a newline, as it does there.
`;

const ruleText = (rule: object): string => `[[rule]]\n${stringify(rule).trimEnd()}`;

async function entriesOf({ path, procnames, namemapping }: Asked): Promise<Entry[]> {
  try {
    return path === undefined
      ? flagEntries(procnames, namemapping)
      : await readEntries(readOperatorText(path, 'processExporter'));
  } catch (error) {
    if (error instanceof OperatorFileError) throw new ConfigError([error.message]);
    if (!(error instanceof MalformedFileError)) throw error;
    throw new ConfigError([path === undefined ? error.message : `${path}:${error.line}: ${error.message}`]);
  }
}
