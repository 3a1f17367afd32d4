// explain NAME: the process with this name as `explain PID` explains it; of several each has a line.
import type { ProcessDescription } from '../../process/process.ts';
import { baseName } from '../../rules/interpreter.ts';
import { nearestName } from '../../text/did-you-mean.ts';
import { escapedJson, escapeForTerminal } from '../../text/hostile.ts';
import { formatBytes } from '../../text/units.ts';
import { collectOnce } from '../collect-once.ts';
import { countedProcesses } from '../counted.ts';
import { loadSetup, openHost, sourcesOf } from '../load-host.ts';
import { type Column, textTable } from '../table.ts';
import { type GivenSettings, VerbError } from '../verb.ts';
import { explainProcess } from './explain-process.ts';
import { identityDocument } from './process-inspector.ts';
import type { ExplainGiven } from './verb.ts';

interface Named {
  readonly description: ProcessDescription;
  /** Bytes; NaN where it cannot be read. */
  readonly rss: number;
}

/** @throws VerbError where no process has this name */
export async function explainName(
  settings: GivenSettings,
  name: string,
  how: Omit<ExplainGiven, 'of'>,
): Promise<string> {
  const setup = await loadSetup(sourcesOf(settings));
  const { rows } = (await collectOnce(setup, await openHost(setup.config), { footprints: 'none' })).view;
  const all = [...rows.description.keys()].map((row) => ({ description: rows.description[row]!, rss: rows.rss[row]! }));
  const named = all.filter(({ description }) => isNamed(description, name)).sort((a, b) => b.rss - a.rss);
  if (named.length === 0) throw new VerbError(unknownName(name, all));
  if (named.length === 1) return explainProcess(settings, named[0]!.description.pid, how);
  if (how.json) return escapedJson({ processes: named.map(documentOf) }, 2);
  return [
    `${countedProcesses(named.length)} have this name; explain PID explains one of them`,
    '',
    textTable(COLUMNS, named),
    '',
  ].join('\n');
}

/** By its name, or by the file name of its executable. */
const isNamed = ({ identity }: ProcessDescription, name: string): boolean =>
  identity.name === name || (identity.exe !== '' && baseName(identity.exe) === name);

function unknownName(name: string, all: readonly Named[]): string {
  const near = nearestName(
    name,
    all.map(({ description }) => description.identity.name),
  );
  const remedy = near ? `did you mean ${near}?` : 'give its name as ps -e shows it, or its PID';
  return escapeForTerminal(`${name}: no process has this name; ${remedy}`);
}

const COLUMNS: readonly Column<Named>[] = [
  { head: 'PID', text: ({ description }) => String(description.pid), right: true },
  { head: 'NAME', text: ({ description }) => description.identity.name },
  { head: 'USER', text: ({ description }) => description.identity.user },
  { head: 'RSS', text: ({ rss }) => formatBytes(rss), right: true },
  { head: 'GROUP', text: ({ description: { group, subgroup } }) => `${group}/${subgroup}` },
  { head: 'BECAUSE OF', text: ({ description }) => description.rule },
];

const documentOf = ({ description: { pid, identity, group, subgroup, rule }, rss }: Named) => ({
  pid,
  ...identityDocument(identity),
  ...{ group, subgroup, rule },
  ...(rss >= 0 && { rss_bytes: rss }),
});
