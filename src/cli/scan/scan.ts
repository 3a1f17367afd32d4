// scan: the groups and the largest processes as tables for people, or as JSON for programs: what the running exporter knows,
// else a collection of this program.
import { setTimeout } from 'node:timers/promises';
import { SORTS } from '../../server/api-v1/documents.ts';
import type { GroupEntry, HostDocument, ProcessesDocument } from '../../server/api-v1/schema.ts';
import { escapedJson, escapeForTerminal } from '../../text/hostile.ts';
import { formatBytes, formatDuration } from '../../text/units.ts';
import { countedProcesses } from '../counted.ts';
import { HostApi } from '../exporter/host-api.ts';
import { askRunning, type Said, sourceLine } from '../exporter/running.ts';
import { groupColumns, type ListColumn, ordered, processColumns } from '../host-lists.ts';
import { hungLines } from '../hung-lines.ts';
import { loadSetup, sourcesOf } from '../load-host.ts';
import { memoryPartsOf } from '../memory-parts.ts';
import { print } from '../output.ts';
import { layOutTable } from '../table.ts';
import { outputHasColours, outputWidth, painter } from '../terminal.ts';
import type { GivenSettings, Outcome } from '../verb.ts';
import type { ScanGiven } from './verb.ts';

/** The host at one moment. */
interface Picture {
  readonly host: HostDocument;
  readonly groups: readonly GroupEntry[];
  readonly processes: ProcessesDocument;
  readonly hung: readonly number[];
  readonly source: string;
  /** Whether it is the running exporter's, whose numbers may be as old as its interval. */
  readonly asked: boolean;
}

/** Processes in JSON, and the most that the API gives. */
const ALL = 10_000;
/** Clears the screen of a terminal, and begins at its top (console_codes(4)). */
const CLEAR = '\x1b[H\x1b[2J';

export async function scan(settings: GivenSettings, given: ScanGiven): Promise<Outcome> {
  const look = await lookerOf(settings, given);
  for (;;) {
    const picture = await look();
    const output = given.json ? jsonOf(picture, given) : textOf(picture, given);
    if (given.watch === undefined) return { output };
    const clear = !given.json && outputWidth() < Number.POSITIVE_INFINITY;
    const status = await print({ output: `${clear ? CLEAR : ''}${output}` });
    if (status !== 0) return { status: 1 };
    await setTimeout(given.watch * 1000);
  }
}

/** A function that takes a picture at each call. */
async function lookerOf(settings: GivenSettings, given: ScanGiven): Promise<() => Promise<Picture>> {
  const setup = await loadSetup(sourcesOf(settings));
  const said: Said<unknown> = given.exact
    ? { silent: '--exact' }
    : await askRunning(setup.config, settings, given.url, (client) => new HostApi(client).ask('host', 'host'));
  if ('client' in said) {
    const api = new HostApi(said.client);
    return async () => ({ ...(await picture(api, given, [], sourceLine(said))), asked: true });
  }
  const { OwnAgent } = await import('../exporter/own-agent.ts');
  const own = await OwnAgent.collected(setup, given.exact);
  const api = new HostApi(own);
  let first = true;
  return async () => {
    if (!first) await own.collect();
    first = false;
    return { ...(await picture(api, given, own.hung, sourceLine(said))), asked: false };
  };
}

async function picture(
  api: HostApi,
  { sort, of, top, json }: ScanGiven,
  hung: readonly number[],
  source: string,
): Promise<Omit<Picture, 'asked'>> {
  const query = new URLSearchParams({
    sort: (SORTS as readonly string[]).includes(sort) ? sort : 'footprint',
    limit: String(json ? ALL : top),
  });
  if (of) query.set('group', of.group);
  if (of?.subgroup) query.set('subgroup', of.subgroup);
  const host = await api.ask('host', 'host');
  const groups = await api.ask('groups', 'groups');
  const processes = await api.ask('processes', `processes?${query}`);
  return {
    host: host!,
    groups: groups!.groups.filter((group) => isOf(group, of)),
    processes: processes!,
    hung,
    source,
  };
}

const isOf = ({ group, subgroup }: GroupEntry, of: ScanGiven['of']): boolean =>
  of === undefined || (group === of.group && (of.subgroup === undefined || subgroup === of.subgroup));

function textOf({ host, groups, processes, hung, source, asked }: Picture, { sort }: ScanGiven): string {
  const { total_bytes = Number.NaN, available_bytes = Number.NaN } = host.memory;
  const shown = groups.filter(({ processes }) => processes > 0);
  const more = processes.total - processes.processes.length;
  const by = { by: sort, reversed: false };
  return [
    `${countedProcesses(host.processes)}; ${formatBytes(total_bytes)} of memory, of which ${formatBytes(available_bytes)} are available`,
    ...balanceLine(host),
    ...host.problems.map(({ severity, what, remedy }) =>
      escapeForTerminal(`${severity}: ${what}${remedy ? `; ${remedy}` : ''}`),
    ),
    ...hungLines(hung),
    '',
    ...table(groupColumns(), ordered(shown, groupColumns(), by)),
    '',
    ...table(processColumns(host.at), processes.processes),
    ...(more > 0 ? [`… and ${more} more; --top N prints more of them, --json all`] : []),
    '',
    escapeForTerminal(asked ? `${source}, which collected ${formatDuration(host.collection.age_seconds)} ago` : source),
    '',
  ].join('\n');
}

/** Where all of the host's memory is, and whether processes and kernel agree. Parts of less than 1 MiB are left out. */
function balanceLine({ memory, attributed_ratio: ratio }: HostDocument): string[] {
  const parts = memoryPartsOf(memory.kinds).filter(({ bytes }) => bytes >= 1 << 20);
  if (parts.length === 0) return [];
  const attributed =
    ratio === undefined ? '' : `; the processes have ${(100 * ratio).toFixed(1)} % of what the kernel counts for them`;
  return [`${parts.map(({ name, bytes }) => `${name} ${formatBytes(bytes)}`).join(', ')}${attributed}`];
}

/** A table as wide as the terminal, its head in bold where that has colours; without columns of which nothing is known. */
function table<Row>(columns: readonly ListColumn<Row>[], rows: readonly Row[]): string[] {
  const known = columns.filter(({ text, rank }) => rank === undefined || rows.some((row) => text(row) !== '–'));
  const [head = '', ...lines] = layOutTable(known, rows, outputWidth());
  return [painter(outputHasColours())('bold', head), ...lines];
}

function jsonOf({ host, groups, processes, source }: Picture, { watch }: ScanGiven): string {
  const document = { source, at: host.at, host, groups, processes: processes.processes };
  return watch === undefined ? escapedJson(document, 2) : `${escapedJson(document)}\n`;
}
