// The documents of the API as pages, for browsers without script: a group, its processes, one process, the rules. The
// addresses are those of the live page, which takes the place of the first three where scripts run.
import type { Agent } from '../agent/agent.ts';
import { formatBytes, formatDuration, formatPercent } from '../text/units.ts';
import { type ApiDocument, documents, SORTS } from './api-v1/documents.ts';
import { groupsDocument } from './api-v1/groups.ts';
import { processDocument } from './api-v1/process.ts';
import { processesDocument } from './api-v1/processes.ts';
import { ApiFault, ApiQuery } from './api-v1/query.ts';
import { rulesDocument } from './api-v1/rules.ts';
import { type Cell, escapeHtml, filterForm, htmlTable, type Liveness } from './html.ts';
import { subpage } from './pages.ts';
import { SnapshotCache } from './snapshot-cache.ts';

export interface DocumentPage {
  readonly status: number;
  readonly html: string;
}

/** Longer tables say how many rows are left out. */
const ROWS_MAX = 1000;
/** Processes that are listed first: a browser lays out a thousand rows in most of a second, though the live page takes their place at once. */
const PROCESSES_FIRST = 100;

const number = (text: string): Cell => ({ number: text });
const bytes = (value: number | undefined, estimated = false): Cell =>
  number(`${estimated && value !== undefined ? '~' : ''}${formatBytes(value ?? Number.NaN)}`);
const percent = (value: number | undefined): Cell => number(formatPercent((value ?? Number.NaN) / 100, 1));

/** What a document is made from. @param parameters its query */
const requestOf = (agent: Agent, document: ApiDocument, parameters: Readonly<Record<string, string>>, value = '') => ({
  agent,
  snapshot: agent.snapshot!,
  query: new ApiQuery(document, `?${new URLSearchParams(parameters)}`),
  value,
});

const found = (title: string, body: string, liveness: Liveness, trail = ''): DocumentPage => ({
  status: 200,
  html: subpage(title, body, liveness, trail),
});

/** The way up to a group, or to one of its subgroups. */
const trailTo = (place: { readonly group: string; readonly subgroup?: string }): string =>
  ` › <a href="${escapeHtml(`./groups?${new URLSearchParams({ ...place })}`)}">${escapeHtml(place.subgroup ?? place.group)}</a>`;

export async function groupsPage(agent: Agent, query: URLSearchParams): Promise<DocumentPage> {
  const group = query.get('group') ?? '';
  const subgroup = query.get('subgroup');
  if (subgroup !== null) return processesPage(agent, group, subgroup, query);
  const { groups } = groupsDocument(requestOf(agent, documents.groups, {}));
  const rows = groups
    .filter((entry) => entry.group === group)
    .map((entry): Cell[] => [
      { text: entry.subgroup, address: `./groups?${new URLSearchParams({ group, subgroup: entry.subgroup })}` },
      number(String(entry.processes)),
      bytes(entry.footprint_bytes, entry.estimated),
      bytes(entry.pss_bytes, entry.estimated),
      bytes(entry.rss_bytes),
      bytes(entry.swap_bytes),
      percent(entry.cpu_percent),
    ]);
  const heads = ['Subgroup', ...['Processes', 'Footprint', 'PSS', 'RSS', 'Swap', 'CPU'].map(number)];
  const body = rows.length > 0 ? htmlTable(heads, rows) : '<p>No process is in this group.</p>';
  return found(`Group ${group}`, body, 'live');
}

async function processesPage(agent: Agent, group: string, subgroup: string, asked: URLSearchParams) {
  const sort = SORTS.find((one) => one === asked.get('sort')?.replace('-', '')) ?? 'footprint';
  const limit = asked.has('all') ? ROWS_MAX : PROCESSES_FIRST;
  const request = requestOf(agent, documents.processes, { group, subgroup, sort, limit: String(limit) });
  const { at, total, hidden, unlisted, processes } = await processesDocument(request);
  const rows = processes.map((entry): Cell[] => [
    number(String(entry.pid)),
    { text: entry.name, address: `./processes?pid=${entry.pid}` },
    entry.user ?? '–',
    entry.unit ?? entry.container_id ?? '–',
    number(formatDuration(Math.max(0, at - entry.start_time_seconds))),
    bytes(entry.footprint_bytes, entry.estimated),
    bytes(entry.pss_bytes, entry.estimated),
    bytes(entry.uss_bytes, entry.estimated),
    bytes(entry.rss_bytes),
    bytes(entry.swap_bytes),
    percent(entry.cpu_percent),
  ]);
  const numbers = ['Age', 'Footprint', 'PSS', 'USS', 'RSS', 'Swap', 'CPU'].map(number);
  const table = htmlTable([number('PID'), 'Name', 'User', 'Unit or container', ...numbers], rows);
  const left = total - processes.length;
  const address = `./groups?${new URLSearchParams({ group, subgroup, sort, all: '' })}`;
  const more = asked.has('all') ? '' : `: <a href="${escapeHtml(address)}">show up to ${ROWS_MAX}</a>`;
  const notes = [
    left > 0 && `${left} more are not shown${more}.`,
    hidden > 0 && `${hidden} are hidden by the settings.`,
    unlisted > 0 && `${unlisted} more are kernel threads or zombies.`,
    '~ marks an estimate.',
  ].filter((note) => note !== false);
  const body = `<p class="dim">${total} ${total === 1 ? 'process' : 'processes'}, by ${sort}. ${notes.join(' ')}</p>${table}`;
  return found(`${group}/${subgroup}`, body, 'live', trailTo({ group }));
}

export async function processPage(agent: Agent, query: URLSearchParams): Promise<DocumentPage> {
  try {
    await agent.settled();
    const { process, explanation } = processDocument(requestOf(agent, documents.process, {}, query.get('pid') ?? ''));
    const { parts, estimated, ...about } = process;
    const { group, subgroup } = process;
    const entries = Object.entries({ ...about, ...explanation.smaps });
    const shown = [
      ...entries.map(([key, value]) => [key, value] as const),
      ...Object.entries(parts).map(([kind, value]) => [`${kind}_bytes`, value] as const),
    ];
    const rows = shown.flatMap(([key, value]): Cell[][] =>
      value === undefined ? [] : [[wordOf(key), textOf(key, value)]],
    );
    return found(
      `${process.name} ${process.pid}`,
      htmlTable(['What', 'Value'], rows),
      'live',
      trailTo({ group }) + trailTo({ group, subgroup }),
    );
  } catch (error) {
    if (!(error instanceof ApiFault)) throw error;
    return {
      status: error.status,
      html: subpage('Process', `<p class="bad">${escapeHtml(error.message)}</p>`, 'live'),
    };
  }
}

/** "footprint_bytes" as words. */
const wordOf = (key: string): string => key.replace(/_(bytes|seconds|percent)$/, '').replaceAll('_', ' ');

function textOf(key: string, value: unknown): string {
  if (key.endsWith('_bytes')) return formatBytes(Number(value));
  if (key === 'start_time_seconds') return new Date(Number(value) * 1000).toISOString();
  if (key.endsWith('_seconds')) return formatDuration(Number(value));
  if (key.endsWith('_percent')) return formatPercent(Number(value) / 100, 1);
  return String(value);
}

/** A list of thousands of rules takes milliseconds to make. */
const rulesPages = new SnapshotCache<DocumentPage>(4);

export function rulesPage(agent: Agent, query: URLSearchParams): Promise<DocumentPage> {
  const filter = query.get('filter') ?? '';
  return rulesPages.get(agent.snapshot!, `${agent.reloads} ${filter}`, () => makeRulesPage(agent, filter));
}

async function makeRulesPage(agent: Agent, filter: string): Promise<DocumentPage> {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const { rules } = await rulesDocument(requestOf(agent, documents.rules, {}));
  const matching = rules.filter(({ rule, group, subgroup }) => {
    const text = `${rule} ${group}/${subgroup}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const bySize = matching.sort((a, b) => b.footprint_bytes - a.footprint_bytes || a.order - b.order);
  const rows = bySize
    .slice(0, ROWS_MAX)
    .map(({ rule, group, subgroup, order, processes, footprint_bytes }): Cell[] => [
      number(String(order)),
      rule,
      { text: `${group}/${subgroup}`, address: `./groups?${new URLSearchParams({ group, subgroup })}` },
      number(String(processes)),
      bytes(footprint_bytes),
    ]);
  const heads = [number('Order'), 'Rule', 'Group', number('Processes'), number('Footprint')];
  const left = matching.length - rows.length;
  const note = `${matching.length} of ${rules.length} rules; the largest come first${left > 0 ? `, and ${left} are not shown` : ''}. The first rule that matches a process decides, in the order of the first column.`;
  return found('Rules', `${filterForm(filter)}<p class="dim">${note}</p>${htmlTable(heads, rows)}`, 'plain');
}
