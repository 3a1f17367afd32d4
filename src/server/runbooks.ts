// The page /runbooks: what each alert of deploy/prometheus means and what to do, from docs/alerting.md. The alerts link to
// it, so that a link works wherever Prometheus reaches an exporter, without a repository or a wiki. The text is part of the
// program; nothing in it comes from a request or from the host.
//
// Of Markdown it knows what that document has: headings, paragraphs, tables and blocks of code; bold, code and links in a
// line. A link to a heading stays a link; one to another file of the repository becomes plain text, because it would lead
// nowhere here.
import alerting from '../../docs/alerting.md';
import { escapeHtml, page } from './html.ts';

/** A heading, and the text below it up to the next one. */
export interface Runbook {
  /** As in the fragment of a runbook_url: "heraklesmemorylow". */
  readonly anchor: string;
  readonly title: string;
  readonly markdown: string;
}

/** The sections about alerts; what stands before the first one is about the file of rules. */
export function runbooksOf(document: string): Runbook[] {
  return document
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const end = section.indexOf('\n');
      const title = section.slice(0, end).trim();
      return { anchor: title.toLowerCase(), title, markdown: section.slice(end + 1) };
    })
    .filter(({ title }) => /^Herakles\w+$/.test(title));
}

export function runbooksPage(document = alerting): string {
  const runbooks = runbooksOf(document);
  const links = runbooks.map(({ anchor, title }) => `<a href="#${anchor}">${title}</a>`).join('');
  const sections = runbooks.map(
    ({ anchor, title, markdown }) => `<section id="${anchor}"><h2>${title}</h2>\n${htmlOf(markdown)}</section>`,
  );
  const body = `<p><a href="./">Overview</a></p><h1>Runbooks</h1>\n<nav>${links}</nav>\n${sections.join('\n')}`;
  return page('Runbooks', body);
}

/** The blocks of a section: code between fences, and between empty lines tables and paragraphs. */
function htmlOf(markdown: string): string {
  const parts = markdown.split(/^```.*\n([\s\S]*?)^```$/m);
  return parts
    .map((part, index) =>
      index % 2 === 1 ? `<pre tabindex="0"><code>${escapeLines(part)}</code></pre>` : blocksOf(part),
    )
    .join('\n');
}

const blocksOf = (text: string): string =>
  text
    .split(/\n{2,}/)
    .map((block) => block.trim())
    .filter((block) => block !== '')
    .map((block) => (block.startsWith('|') ? tableOf(block) : `<p>${inlineOf(block)}</p>`))
    .join('\n');

function tableOf(block: string): string {
  const [head = [], , ...rows] = block.split('\n').map((line) => line.slice(1, -1).split('|'));
  const line = (tag: string, cells: readonly string[]) =>
    `<tr>${cells.map((cell) => `<${tag}>${inlineOf(cell.trim())}</${tag}>`).join('')}</tr>`;
  return `<div class="wide" tabindex="0"><table><thead>${line('th', head)}</thead><tbody>${rows.map((row) => line('td', row)).join('')}</tbody></table></div>`;
}

/** Code first: nothing inside of it is markup. */
const inlineOf = (text: string): string =>
  text
    .split(/`([^`]*)`/)
    .map((part, index) => (index % 2 === 1 ? `<code>${escapeLines(part)}</code>` : markedOf(part)))
    .join('');

const markedOf = (text: string): string =>
  escapeLines(text)
    .replace(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>')
    .replace(/\[([^\]]+)\]\((#[\w-]+)\)/g, '<a href="$2">$1</a>')
    .replace(/\[([^\]]+)\]\([^)]*\)/g, '$1');

/** escapeHtml() takes a line feed for a forged line; here it is the layout of the document. */
const escapeLines = (text: string): string => text.split('\n').map(escapeHtml).join('\n');
