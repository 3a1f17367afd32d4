// import process-exporter: prints the rule file. What has no equivalent stands in it as comments, and on standard error.
import { stringify } from 'smol-toml';
import { ConfigError } from '../../config/load.ts';
import { MalformedFileError } from '../../config/malformed-file.ts';
import { OperatorFileError, readOperatorText } from '../../config/operator-files.ts';
import { escapeForTerminal } from '../../text/hostile.ts';
import { program } from '../program.ts';
import { type Entry, parseEntries, parseNameFlags } from './process-exporter-config.ts';
import { type ImportedEntry, importEntries } from './process-exporter-rules.ts';
import type { ProcessExporterGiven } from './verb.ts';

/** @throws ConfigError for a configuration that process-exporter refuses too */
export async function importProcessExporter(given: ProcessExporterGiven): Promise<RuleFileText> {
  return ruleFileText(given.path, importEntries(await entriesOf(given)));
}

interface RuleFileText {
  readonly output: string;
  /** One line for each note, with its file and line; the last line says what to do next. */
  readonly notes: string;
}

/** @param path of the configuration, which notes name; undefined where flags gave the entries */
export function ruleFileText(path: string | undefined, imported: readonly ImportedEntry[]): RuleFileText {
  const blocks: string[] = [];
  const allNotes: string[] = [];
  for (const { line, rules, notes } of imported) {
    const place = line === undefined ? (path ?? 'flags') : `${path}:${line}`;
    const lines = notes.map((note) => escapeForTerminal(`${place}: ${note}`));
    allNotes.push(...lines);
    blocks.push([...lines.map((note) => `# ${note}`), ...rules.map(ruleText), ''].join('\n'));
  }
  return {
    output: `${HEAD}${stringify({ group: 'process-exporter' })}\n${blocks.join('\n')}`,
    notes: [...allNotes, imported.some(({ rules }) => rules.length > 0) ? NEXT : NEXT_WITHOUT_RULES]
      .map((note) => `${note}\n`)
      .join(''),
  };
}

const NEXT =
  'Next: save these rules as /etc/herakles/subgroups.toml, or name their file with --subgroups. ' +
  `"${program.name} subgroups lint" finds rules that never decide, "${program.name} scan" shows the groups.`;
const NEXT_WITHOUT_RULES =
  'Next: there is no rule to save, because the catalogue decides. ' +
  `"${program.name} scan" shows the groups of this host, "${program.name} explain --all" the programs that no rule ` +
  'matches, with rules for them.';

const HEAD = `# Rules that group processes as a configuration of process-exporter does. Its groupname is the subgroup here. Differences:
# * A process that no rule matches is not left out, and does not get the group of its parent: the catalogue decides. With
#   inherit_group: true it gets the group of its nearest ancestor that has one, where the catalogue does not know it.
# * A name that was cut or written over is completed, so that "gunicorn" matches "gunicorn: master" as well.
# * Kernel threads are in system/kernel.
# (?-s) in an expression means that a dot does not match a newline, as in process-exporter.
`;

const ruleText = (rule: object): string => `[[rule]]\n${stringify(rule).trimEnd()}`;

async function entriesOf({ path, procnames, namemapping }: ProcessExporterGiven): Promise<Entry[]> {
  try {
    return path === undefined
      ? parseNameFlags(procnames, namemapping)
      : await parseEntries(readOperatorText(path, 'processExporter'));
  } catch (error) {
    if (error instanceof OperatorFileError) throw new ConfigError([error.message]);
    if (!(error instanceof MalformedFileError)) throw error;
    throw new ConfigError([path === undefined ? error.message : `${path}:${error.line}: ${error.message}`]);
  }
}
