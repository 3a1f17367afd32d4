// The HTML that the pages are made of. Everything that is shown is escaped: the names of processes are hostile input. All
// pages have one style, light and dark. The content security policy names it by its digest, so no other style applies.
import { createHash } from 'node:crypto';
import { replaceHostile } from '../text/hostile.ts';
import { assetAddresses } from './assets.ts';

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
meter{width:6rem;height:.8rem}
form{margin:.8rem 0}input,button{font:inherit;color:var(--text);background:var(--card);border:1px solid var(--dim);border-radius:.3rem;padding:.15rem .5rem}`;

let digest: string | undefined;

/** Whether a page has the program of src/web/, which takes its place in a browser that runs scripts. */
export type Liveness = 'live' | 'plain';

/** What the content security policy of a page allows. */
export function contentPolicy(liveness: Liveness): string {
  digest ??= `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;
  const all = `img-src 'self'; style-src ${digest}`;
  const live = `${all} 'self'; script-src 'self'; connect-src 'self'; form-action 'none'`;
  return liveness === 'live' ? live : `${all}; form-action 'self'`;
}

/** @param body HTML in which every value is escaped already */
export function page(title: string, body: string, liveness: Liveness = 'plain'): string {
  const { icon, style, script } = assetAddresses();
  const program =
    liveness === 'live' ? `<link rel="stylesheet" href="${style}"><script src="${script}" defer></script>` : '';
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title><link rel="icon" href="${icon}"><style>${STYLE}</style>${program}</head>
<body><main>${body}</main>
</body></html>
`;
}

/** The words of a filter that stands in the address, and a form that asks for the page again with others. */
export const filterForm = (filter: string): string =>
  `<form><label>Filter <input type="search" name="filter" value="${escapeHtml(filter)}"></label> <button>Show</button></form>`;

/** Text; a number, aligned to the right; a share from 0 to 1, drawn as a bar; or text that leads to a page of ours. */
export type Cell =
  | string
  | { readonly number: string }
  | { readonly share: number }
  | { readonly text: string; readonly address: string };

export function htmlTable(heads: readonly Cell[], rows: readonly (readonly Cell[])[]): string {
  const line = (tag: 'th' | 'td', cells: readonly Cell[]) => `<tr>${cells.map((one) => cell(tag, one)).join('')}</tr>`;
  const body = rows.map((row) => line('td', row)).join('\n');
  return `<div class="wide" tabindex="0"><table><thead>${line('th', heads)}</thead><tbody>\n${body}\n</tbody></table></div>`;
}

function cell(tag: 'th' | 'td', content: Cell): string {
  if (typeof content === 'string') return `<${tag}>${escapeHtml(content)}</${tag}>`;
  if ('number' in content) return `<${tag} class="n">${escapeHtml(content.number)}</${tag}>`;
  if ('address' in content)
    return `<${tag}><a href="${escapeHtml(content.address)}">${escapeHtml(content.text)}</a></${tag}>`;
  return `<${tag} aria-hidden="true"><meter value="${content.share.toFixed(4)}"></meter></${tag}>`;
}
