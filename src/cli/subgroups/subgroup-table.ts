// subgroups: a table of the rules in force, with the number of processes that each subgroup has now: as the running exporter
// sees it, else by a collection that reads no footprints.
import { Classifier } from '../../rules/classifier.ts';
import type { SubgroupEntry } from '../../server/api.ts';
import { escapeForTerminal } from '../../text/hostile.ts';
import { collectOnce } from '../collect-once.ts';
import { counted } from '../counted.ts';
import type { ExporterClient } from '../exporter/client.ts';
import { AskError } from '../exporter/endpoints.ts';
import { askRunning, sourceLine } from '../exporter/running.ts';
import { loadSetup, openHost, sourcesOf } from '../load-host.ts';
import { textTable } from '../table.ts';
import type { GivenSettings } from '../verb.ts';
import type { SubgroupsGiven } from './verb.ts';

/** Longest answer that is read, bytes: the catalogue has 60 kB. */
const ANSWER_MAX = 16 << 20;

export async function subgroupTable(settings: GivenSettings, { all, url }: SubgroupsGiven): Promise<string> {
  const setup = await loadSetup(sourcesOf(settings));
  const said = await askRunning(setup.config, settings, url, askSubgroups);
  const entries = 'client' in said ? said.answer : await ownEntries(setup);
  const shown = all ? entries : entries.filter(({ processes }) => processes > 0);
  const rest = entries.length - shown.length;
  return [
    textTable(
      [
        { head: 'GROUP', text: ({ group }) => group },
        { head: 'SUBGROUP', text: ({ subgroup }) => subgroup },
        { head: 'PROCESSES', text: ({ processes }) => String(processes), right: true },
        { head: 'RULES', text: ({ rules }) => rules.join(', ') },
      ],
      shown,
    ),
    '',
    ...(rest > 0 ? [`${counted(rest, 'more subgroup')} without a process; --all prints them`] : []),
    escapeForTerminal(sourceLine(said)),
    '',
  ].join('\n');
}

async function askSubgroups(client: ExporterClient): Promise<readonly SubgroupEntry[]> {
  const answer = await client.get({ path: '/subgroups', bytesMax: ANSWER_MAX });
  const entries = answer.status === 200 ? parseEntries(answer.body) : undefined;
  if (!entries) throw new AskError(client.complaint(answer));
  return entries;
}

/** Undefined where the answer is not that of an exporter. */
function parseEntries(body: string): SubgroupEntry[] | undefined {
  try {
    const entries: unknown = JSON.parse(body);
    return Array.isArray(entries) && entries.every(isEntry) ? entries : undefined;
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is SubgroupEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { group, subgroup, processes, rules } = value as Record<string, unknown>;
  const named = typeof group === 'string' && typeof subgroup === 'string' && typeof processes === 'number';
  return named && Array.isArray(rules) && rules.every((rule) => typeof rule === 'string');
}

async function ownEntries(setup: Awaited<ReturnType<typeof loadSetup>>): Promise<SubgroupEntry[]> {
  const classifier = new Classifier(setup.rules, setup.catalogue);
  const { view } = await collectOnce(setup, await openHost(setup.config), { classifier, footprints: 'none' });
  const seen = view.groups.map(({ counters: { group, subgroup }, processes }) => ({ group, subgroup, processes }));
  const found = new Map(seen.map((entry) => [`${entry.group}/${entry.subgroup}`, entry]));
  const named = classifier.subgroups().map(({ group, subgroup, rules }) => {
    const processes = found.get(`${group}/${subgroup}`)?.processes ?? 0;
    found.delete(`${group}/${subgroup}`);
    return { group, subgroup, processes, rules: rules.map(({ name }) => name) };
  });
  return [...named, ...[...found.values()].map((entry) => ({ ...entry, rules: [] }))];
}
