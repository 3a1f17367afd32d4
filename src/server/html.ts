// The HTML that the pages are made of. Everything that is shown is escaped: the names of processes are hostile input. All
// pages have one style, light and dark. The content security policy names it by its digest, so no other style applies.
import { createHash } from 'node:crypto';
import { replaceHostile } from '../text/hostile.ts';

/** Text for HTML, in an element or a quoted attribute. Control characters and changes of direction become visible. */
export const escapeHtml = (text: string): string =>
  replaceHostile(
    text.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`),
    () => '\ufffd',
  );

const STYLE = `
:root{color-scheme:light dark;--page:#fff;--text:#1b1f24;--dim:#5b6570;--line:#dfe3e8;--card:#f6f8fa;--accent:#0b6bcb;--bad:#b3261e;--good:#1a7f37}
@media(prefers-color-scheme:dark){:root{--page:#14171a;--text:#e4e7ea;--dim:#9aa4ae;--line:#2d333a;--card:#1c2126;--accent:#6cb2ff;--bad:#ff8a80;--good:#6fd08c}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem 1.25rem 3rem;max-width:70rem;background:var(--page);color:var(--text);font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.45rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .4rem}p{margin:.4rem 0}
a{color:var(--accent)}nav{display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;margin:.6rem 0 0}
code{font:.92em ui-monospace,monospace;overflow-wrap:anywhere}
pre{overflow-x:auto;padding:.6rem .8rem;background:var(--card);border:1px solid var(--line);border-radius:.5rem}
section:target h2{color:var(--accent)}
.dim{color:var(--dim)}.bad{color:var(--bad)}.good{color:var(--good)}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.7rem;margin:1.2rem 0;padding:0}
.cards div{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.6rem .8rem}
.cards dt{color:var(--dim);font-size:.85rem}.cards dd{margin:0;font-size:1.2rem;font-weight:600;overflow-wrap:anywhere}
.cards small{display:block;font-size:.8rem;font-weight:400;color:var(--dim)}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{padding:.28rem .6rem;text-align:left;border-bottom:1px solid var(--line);overflow-wrap:break-word;vertical-align:top}
th{font-size:.85rem;color:var(--dim);font-weight:600;white-space:nowrap}
tbody tr:hover{background:var(--card)}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
meter{width:6rem;height:.8rem}`;

let digest: string | undefined;

/** The source that the style-src directive of a page has to allow. */
export function styleSource(): string {
  digest ??= `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;
  return digest;
}

/** @param body HTML in which every value is escaped already */
export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body>${body}
</body></html>
`;
}

/** Text; a number, aligned to the right; or a share from 0 to 1, drawn as a bar. */
export type Cell = string | { readonly number: string } | { readonly share: number };

export function htmlTable(heads: readonly Cell[], rows: readonly (readonly Cell[])[]): string {
  const line = (tag: 'th' | 'td', cells: readonly Cell[]) => `<tr>${cells.map((one) => cell(tag, one)).join('')}</tr>`;
  const body = rows.map((row) => line('td', row)).join('\n');
  return `<div class="wide"><table><thead>${line('th', heads)}</thead><tbody>\n${body}\n</tbody></table></div>`;
}

function cell(tag: 'th' | 'td', content: Cell): string {
  if (typeof content === 'string') return `<${tag}>${escapeHtml(content)}</${tag}>`;
  if ('number' in content) return `<${tag} class="n">${escapeHtml(content.number)}</${tag}>`;
  return `<${tag} aria-hidden="true"><meter value="${content.share.toFixed(4)}"></meter></${tag}>`;
}
