// The pages, rendered without any script. What an operator wants to know first comes first: troubles, then the totals, then
// the groups by size. Links are relative, so that they also work behind a proxy that serves this exporter below a path.
import { hostname } from 'node:os';
import type { Agent } from '../agent/agent.ts';
import { accessTo, grantFor, hiddenAdvice, lastingFailures, UNIT_SETTING } from '../agent/capabilities.ts';
import { coverageOf, problemsOf } from '../agent/problems.ts';
import type { Snapshot } from '../agent/sampler.ts';
import { optionOf } from '../config/options.ts';
import { formatBytes, formatDuration, formatPercent } from '../text/units.ts';
import { configDocument, groupsBySize, subgroupsDocument } from './api.ts';
import { escapeHtml, htmlTable, type Liveness, page } from './html.ts';

export { contentPolicy } from './html.ts';

/** A path of this server, and what it answers. */
export interface Link {
  readonly path: string;
  readonly help: string;
}

export function landingPage(agent: Agent, links: readonly Link[]): string {
  const { snapshot } = agent;
  const parts = [heading(agent), navigation(links), troubles(agent, snapshot)];
  if (snapshot) parts.push(cards(agent, snapshot), groups(agent, snapshot), hidden(agent), unreadable(agent, snapshot));
  else parts.push('<p>No collection has succeeded yet. Load this page again in a few seconds.</p>');
  parts.push(addresses(links));
  return page('Herakles Process Memory Exporter', parts.join('\n'), 'live');
}

/** Settings that somebody changed come first: they are what an operator looks for. */
export function configPage(agent: Agent): string {
  const entries = configDocument(agent);
  const table = (some: typeof entries) =>
    htmlTable(
      ['Key', 'Value', 'From', 'Meaning'],
      some.map(({ key, value, origin }) => [key, JSON.stringify(value), origin, optionOf(key).help]),
    );
  const changed = entries.filter(({ origin }) => origin !== 'default');
  const others = entries.filter(({ origin }) => origin === 'default');
  const own = changed.length > 0 ? `<h2>Changed</h2>${table(changed)}` : '<p>Every setting has its default.</p>';
  return subpage('Configuration in force', `${own}<h2>Defaults</h2>${table(others)}`);
}

export function subgroupsPage(agent: Agent): string {
  const rows = subgroupsDocument(agent).map(({ group, subgroup, processes, rules }) => [
    group,
    subgroup,
    { number: String(processes) },
    rules.join(', '),
  ]);
  return subpage('Subgroups', htmlTable(['Group', 'Subgroup', { number: 'Processes' }, 'Rules'], rows));
}

/** @param trail what stands between the overview and this page, as HTML */
export const subpage = (title: string, body: string, liveness: Liveness = 'plain', trail = ''): string =>
  page(title, `<p><a href="./">Overview</a>${trail}</p><h1>${escapeHtml(title)}</h1>${body}`, liveness);

const anchor = (path: string, text: string): string => `<a href="${escapeHtml(`.${path}`)}">${escapeHtml(text)}</a>`;

function heading({ program: { version, revision }, startTime, config }: Agent): string {
  const up = formatDuration(Date.now() / 1000 - startTime);
  return `<h1>${escapeHtml(config.capture || hostname())}</h1>
<p class="dim">Herakles Process Memory Exporter. Version ${escapeHtml(version)} (${escapeHtml(revision)}), running for ${up}</p>`;
}

const navigation = (links: readonly Link[]): string =>
  `<nav>${links.map(({ path }) => anchor(path, path)).join('')}</nav>`;

function troubles(agent: Agent, snapshot: Snapshot | undefined): string {
  const sentences = problemsOf(agent, snapshot).filter(({ severity }) => severity !== 'info');
  const lines = sentences.map(({ what, remedy }) => {
    const help = remedy ? ` <small>${escapeHtml(remedy)}</small>` : '';
    return `<li><strong class="bad">${escapeHtml(what)}</strong>${help}</li>`;
  });
  return lines.length > 0 ? `<ul>${lines.join('')}</ul>` : '';
}

function cards(agent: Agent, { view, duration }: Snapshot): string {
  const { interval } = agent.config;
  const often = interval === 'auto' ? 'one before each scrape, else one a minute' : `every ${formatDuration(interval)}`;
  const { total, available } = view.host.memory;
  const footprint = view.groups.reduce((sum, group) => sum + (group.footprint || 0), 0);
  const shown = [
    ['Last collection', `${formatDuration(agent.age)} ago`, `took ${formatDuration(duration)}, ${often}`],
    ['Processes', String(view.seen), `in ${groupsBySize(agent).length} subgroups`],
    ['Footprint of all', formatBytes(footprint), `of ${formatBytes(total)}; ${formatBytes(available)} available`],
    ['Coverage', formatPercent(coverageOf(view)), 'of RSS is of processes whose PSS is measured and up to date'],
  ];
  const card = ([name, value, note]: string[]) => `<div><dt>${name}</dt><dd>${value}<small>${note}</small></dd></div>`;
  return `<dl class="cards">${shown.map(card).join('\n')}</dl>`;
}

/** The page of the processes of a subgroup, or of the subgroups of a group. */
const groupAddress = (group: string, subgroup?: string): string =>
  `./groups?${new URLSearchParams(subgroup === undefined ? { group } : { group, subgroup })}`;

function groups(agent: Agent, { view }: Snapshot): string {
  const { total } = view.host.memory;
  const rows = groupsBySize(agent).map((row) => [
    { text: row.counters.group, address: groupAddress(row.counters.group) },
    { text: row.counters.subgroup, address: groupAddress(row.counters.group, row.counters.subgroup) },
    { number: String(row.processes) },
    { number: `${row.estimated ? '~' : ''}${formatBytes(row.footprint)}` },
    { share: total > 0 ? row.footprint / total : 0 },
    { number: formatBytes(row.rss) },
    { number: formatPercent(row.coverage) },
    { number: formatPercent(row.usage / 100, 1) },
  ]);
  const numbers = (...heads: string[]) => heads.map((number) => ({ number }));
  const heads = ['Group', 'Subgroup', ...numbers('Processes', 'Footprint'), '', ...numbers('RSS', 'Measured', 'CPU')];
  return `<h2>Groups by footprint</h2>
<p class="dim">The footprint is the memory that a group really occupies; memory that its processes share counts once; ~ marks an estimate. The bar is its share of the host's memory. 100 % CPU is one core.</p>
${htmlTable(heads, rows)}`;
}

/** Where processes of other users are hidden, what is readable is not all there is. */
function unreadable({ privileges, processesHidden }: Agent, { view }: Snapshot): string {
  const denied = lastingFailures(view.unreadable);
  if (denied.length === 0 && processesHidden) return '';
  if (denied.length === 0)
    return '<h2>Readable</h2><p class="good">This exporter can read everything that it looks at.</p>';
  const grants = denied.map((count) => privileges && grantFor(count, privileges));
  const rows = denied.map(({ file, reason, processes }, index) => {
    const missing = accessTo(file)?.neededFor ?? '–';
    return [`/proc/<pid>/${file}`, reason, { number: String(processes) }, missing, grants[index] ?? '–'];
  });
  const how = grants.some((grant) => grant)
    ? `With systemd: <code>${UNIT_SETTING}</code> in the <code>[Service]</code> section.\n`
    : '';
  return `<h2>Not readable</h2>
${htmlTable(['File', 'Reason', { number: 'Processes' }, 'Missing because of it', 'What to grant'], rows)}
<p class="dim">${how}<code>herakles-node-exporter check</code> explains it.</p>`;
}

function hidden({ privileges }: Agent): string {
  if (!privileges || privileges.hidepid === '') return '';
  const why = `/proc is mounted with hidepid=${privileges.hidepid}: this exporter cannot see the processes of other users.`;
  return `<h2>Hidden</h2>\n<p>${escapeHtml(why)} To see them, ${escapeHtml(hiddenAdvice(privileges))}.</p>`;
}

function addresses(links: readonly Link[]): string {
  const lines = links.map(
    ({ path, help }) => `<tr><td>${anchor(path, path)}</td><td class="dim">${escapeHtml(help)}</td></tr>`,
  );
  return `<h2>Addresses</h2><div class="wide" tabindex="0"><table><tbody>\n${lines.join('\n')}\n</tbody></table></div>`;
}
