// The pages: rendered here, readable without script, light and dark. Everything that is shown is escaped; names of
// processes are hostile.
import type { Agent } from '../agent/agent.ts';
import { configDocument, groupsBySize, subgroupsDocument } from './documents.ts';
import { pathOf, routes } from './routes.ts';

/** Text for HTML, in an element or a quoted attribute. */
export const escapeHtml = (text: string): string =>
  text
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '\ufffd');

const STYLE = `
:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}
body{max-width:64rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}
th,td{padding:.25rem .6rem;text-align:left;border-bottom:1px solid #8884;overflow-wrap:anywhere}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
code{font-family:ui-monospace,monospace}.dim{opacity:.7}.bad{color:#c33}`;

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body><h1>${escapeHtml(title)}</h1>
${body}
</body></html>
`;
}

type Cell = string | { readonly number: string };

function table(heads: readonly Cell[], rows: readonly (readonly Cell[])[]): string {
  const cell = (tag: string) => (content: Cell) =>
    typeof content === 'string'
      ? `<${tag}>${escapeHtml(content)}</${tag}>`
      : `<${tag} class="n">${escapeHtml(content.number)}</${tag}>`;
  const line = (tag: string, cells: readonly Cell[]) => `<tr>${cells.map(cell(tag)).join('')}</tr>`;
  return `<table><thead>${line('th', heads)}</thead><tbody>\n${rows.map((row) => line('td', row)).join('\n')}\n</tbody></table>`;
}

/** Bytes as a person reads them: 1.5 GiB. */
export function bytes(value: number): string {
  if (Number.isNaN(value)) return '–';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let rest = value;
  while (rest >= 1024 && unit < units.length - 1) {
    rest /= 1024;
    unit++;
  }
  return `${unit === 0 ? rest : rest.toFixed(1)} ${units[unit]}`;
}

const seconds = (value: number): string => (value < 10 ? `${value.toFixed(2)} s` : `${Math.round(value)} s`);

export function landingPage(agent: Agent): string {
  const { snapshot } = agent;
  const { version, revision } = agent.program;
  const links = routes
    .map((route) => ({ path: pathOf(route, agent), help: route.help }))
    .filter(({ path }) => path !== '/')
    .map(
      ({ path, help }) =>
        `<li><a href="${escapeHtml(path)}">${escapeHtml(path)}</a> <span class="dim">${escapeHtml(help)}</span></li>`,
    );
  const parts = [
    `<p>Version ${escapeHtml(version)} (${escapeHtml(revision)}), running for ${seconds(Date.now() / 1000 - agent.startTime)}.</p>`,
  ];
  if (agent.unhealthy) parts.push(`<p class="bad">${escapeHtml(agent.unhealthy)}</p>`);
  if (!agent.lastReload.ok) {
    const faults = agent.lastReload.faults.map((fault) => `<li>${escapeHtml(fault)}</li>`).join('');
    parts.push(
      `<p class="bad">The configuration could not be loaded anew; the old one is in force.</p><ul>${faults}</ul>`,
    );
  }
  parts.push(`<ul>${links.join('\n')}</ul>`);
  if (snapshot) parts.push(collection(agent), groups(agent), absences(agent));
  else parts.push('<p>No collection has succeeded yet.</p>');
  return page('Herakles Process Memory Exporter', parts.join('\n'));
}

function collection(agent: Agent): string {
  const { view, duration } = agent.snapshot!;
  const { total, available } = view.host.memory;
  return `<p>Last collection ${seconds(agent.age)} ago, took ${seconds(duration)}: ${view.seen} processes on a host with
${bytes(total)} of memory, ${bytes(available)} of it available.</p>`;
}

function groups(agent: Agent): string {
  const rows = groupsBySize(agent).map((row) => [
    row.ledger.group,
    row.ledger.subgroup,
    { number: String(row.processes) },
    { number: bytes(row.footprint) },
    { number: bytes(row.rss) },
    { number: Number.isNaN(row.coverage) ? '–' : `${Math.round(row.coverage * 100)} %` },
    { number: `${row.usage.toFixed(1)} %` },
  ]);
  const heads = [
    'Group',
    'Subgroup',
    ...['Processes', 'Footprint', 'RSS', 'Measured', 'CPU'].map((number) => ({ number })),
  ];
  return `<h2>Groups</h2>${table(heads, rows)}`;
}

function absences(agent: Agent): string {
  const denied = agent.snapshot!.view.unreadable.filter(
    ({ reason, processes }) => reason === 'denied' && processes > 0,
  );
  if (denied.length === 0) return '';
  const rows = denied.map(({ file, processes }) => [`/proc/<pid>/${file}`, { number: String(processes) }]);
  return `<h2>Not readable</h2><p>Run <code>herakles-node-exporter check</code> to see which capability would make these readable.</p>
${table(['File', { number: 'Processes' }], rows)}`;
}

export function configPage(agent: Agent): string {
  const rows = configDocument(agent).map(({ key, value, origin }) => [key, JSON.stringify(value), origin]);
  return page('Configuration in force', table(['Key', 'Value', 'From'], rows));
}

export function subgroupsPage(agent: Agent): string {
  const rows = subgroupsDocument(agent).map(({ group, subgroup, processes, rules }) => [
    group,
    subgroup,
    { number: String(processes) },
    rules.join(', '),
  ]);
  return page('Subgroups', table(['Group', 'Subgroup', { number: 'Processes' }, 'Rules'], rows));
}
