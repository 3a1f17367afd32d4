// The pages, rendered without any script. What an operator wants to know first comes first: troubles, then the totals, then
// the groups by size. Links are relative, so that they also work behind a proxy that serves this exporter below a path.
import type { Agent } from '../agent/agent.ts';
import { accessTo, lastingFailures, UNIT_SETTING } from '../agent/capabilities.ts';
import type { Snapshot } from '../agent/sampler.ts';
import { describeUnknownName, NAMES_LISTED_MAX } from '../agent/unknown-names.ts';
import { formatBytes, formatDuration, formatPercent } from '../text/units.ts';
import { configDocument, groupsBySize, subgroupsDocument } from './api.ts';
import { escapeHtml, htmlTable, page } from './html.ts';

export { styleSource } from './html.ts';

/** A path of this server, and what it answers. */
export interface Link {
  readonly path: string;
  readonly help: string;
}

export function landingPage(agent: Agent, links: readonly Link[]): string {
  const { snapshot } = agent;
  const parts = [heading(agent), navigation(links), ...troubles(agent)];
  if (snapshot)
    parts.push(
      cards(agent, snapshot),
      groups(agent),
      agent.processesHidden ? HIDDEN : '',
      unreadable(snapshot, agent.processesHidden),
    );
  else parts.push('<p>No collection has succeeded yet. Load this page again in a few seconds.</p>');
  parts.push(addresses(links));
  return page('Herakles Process Memory Exporter', parts.join('\n'));
}

export function configPage(agent: Agent): string {
  const rows = configDocument(agent).map(({ key, value, origin }) => [key, JSON.stringify(value), origin]);
  return subpage('Configuration in force', htmlTable(['Key', 'Value', 'From'], rows));
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

const subpage = (title: string, body: string): string =>
  page(title, `<p><a href="./">Overview</a></p><h1>${escapeHtml(title)}</h1>${body}`);

const anchor = (path: string, text: string): string => `<a href="${escapeHtml(`.${path}`)}">${escapeHtml(text)}</a>`;

function heading(agent: Agent): string {
  const { version, revision } = agent.program;
  const up = formatDuration(Date.now() / 1000 - agent.startTime);
  return `<h1>Herakles Process Memory Exporter</h1>
<p class="dim">Version ${escapeHtml(version)} (${escapeHtml(revision)}), running for ${up}</p>`;
}

const navigation = (links: readonly Link[]): string =>
  `<nav>${links.map(({ path }) => anchor(path, path)).join('')}</nav>`;

function troubles(agent: Agent): string[] {
  const parts: string[] = [];
  if (agent.unhealthy) parts.push(`<p class="bad"><strong>Unhealthy:</strong> ${escapeHtml(agent.unhealthy)}</p>`);
  if (!agent.lastReload.ok) {
    const faults = agent.lastReload.faults.map((fault) => `<li>${escapeHtml(fault)}</li>`).join('');
    parts.push(
      `<p class="bad"><strong>The configuration could not be loaded again; the old one is in force.</strong></p><ul>${faults}</ul>`,
    );
  }
  const unknown = agent.unknownNames.slice(0, NAMES_LISTED_MAX);
  if (unknown.length > 0) {
    const names = unknown.map((name) => `<li>${escapeHtml(describeUnknownName(name))}</li>`).join('');
    const more = agent.unknownNames.length - unknown.length;
    parts.push(
      `<p class="bad"><strong>Settings name groups that exist nowhere.</strong></p><ul>${names}${more > 0 ? `<li>… and ${more} more</li>` : ''}</ul>`,
    );
  }
  return parts;
}

function cards(agent: Agent, { view, duration }: Snapshot): string {
  const { interval } = agent.config;
  const often = interval === 'auto' ? 'one before each scrape, else one a minute' : `every ${formatDuration(interval)}`;
  const { total, available } = view.host.memory;
  const rss = view.groups.reduce((sum, group) => sum + group.rss, 0);
  const fresh = view.groups.reduce((sum, group) => sum + (group.coverage > 0 ? group.coverage * group.rss : 0), 0);
  const footprint = view.groups.reduce((sum, group) => sum + (group.footprint || 0), 0);
  const shown = [
    ['Last collection', `${formatDuration(agent.age)} ago`, `took ${formatDuration(duration)}, ${often}`],
    ['Processes', String(view.seen), `in ${groupsBySize(agent).length} subgroups`],
    ['Footprint of all', formatBytes(footprint), `of ${formatBytes(total)}; ${formatBytes(available)} available`],
    ['Coverage', formatPercent(fresh / rss), 'of RSS is of processes whose PSS is measured and up to date'],
  ];
  const card = ([name, value, note]: string[]) => `<div><dt>${name}</dt><dd>${value}<small>${note}</small></dd></div>`;
  return `<dl class="cards">${shown.map(card).join('\n')}</dl>`;
}

function groups(agent: Agent): string {
  const sorted = groupsBySize(agent);
  const largest = Math.max(1, sorted[0]?.footprint ?? 0);
  const rows = sorted.map((row) => [
    row.counters.group,
    row.counters.subgroup,
    { number: String(row.processes) },
    { number: formatBytes(row.footprint) },
    { share: row.footprint / largest },
    { number: formatBytes(row.rss) },
    { number: formatPercent(row.coverage) },
    { number: formatPercent(row.usage / 100, 1) },
  ]);
  const numbers = (...heads: string[]) => heads.map((number) => ({ number }));
  const heads = ['Group', 'Subgroup', ...numbers('Processes', 'Footprint'), '', ...numbers('RSS', 'Measured', 'CPU')];
  return `<h2>Groups by footprint</h2>
<p class="dim">The footprint is the memory that a group really occupies; memory that its processes share counts once. 100 % CPU is one core.</p>
${htmlTable(heads, rows)}`;
}

/** @param hidden whether processes of other users are hidden: then what is readable is not all there is */
function unreadable({ view }: Snapshot, hidden: boolean): string {
  const denied = lastingFailures(view.unreadable);
  if (denied.length === 0 && hidden) return '';
  if (denied.length === 0)
    return '<h2>Readable</h2><p class="good">This exporter can read everything that it looks at.</p>';
  const rows = denied.map(({ file, reason, processes }) => {
    const known = accessTo(file);
    const grant = reason === 'denied' ? known?.requires : undefined;
    return [`/proc/<pid>/${file}`, reason, { number: String(processes) }, known?.neededFor ?? '–', grant ?? '–'];
  });
  return `<h2>Not readable</h2>
${htmlTable(['File', 'Reason', { number: 'Processes' }, 'Missing because of it', 'What to grant'], rows)}
<p class="dim">With systemd: <code>${UNIT_SETTING}</code> in the <code>[Service]</code> section.
<code>herakles-node-exporter check</code> explains it.</p>`;
}

const HIDDEN = `<h2>Hidden</h2>
<p>/proc is mounted with hidepid: this exporter cannot see the processes of other users. Grant CAP_SYS_PTRACE, or mount
/proc with gid=GROUP and run the exporter in that group.</p>`;

function addresses(links: readonly Link[]): string {
  const lines = links.map(
    ({ path, help }) => `<tr><td>${anchor(path, path)}</td><td class="dim">${escapeHtml(help)}</td></tr>`,
  );
  return `<h2>Addresses</h2><div class="wide"><table><tbody>\n${lines.join('\n')}\n</tbody></table></div>`;
}
