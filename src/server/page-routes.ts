// The routes of pages that show what the API has, and of the files that make them live. Pages are loaded with the first
// request for one, which most exporters never get.
import type { IncomingMessage } from 'node:http';
import type { AssetName } from './assets.ts';
import type { Liveness } from './html.ts';
import { acceptsGzip } from './negotiation.ts';
import { type RouteResponse, retryLater } from './responses.ts';
import type { Route, RouteContext } from './routes.ts';

/** Longest wait of a page for a collection, seconds; then it shows the last one. */
export const PAGE_WAIT_SECONDS = 2;
export const HTML = 'text/html; charset=utf-8';

/** @param render makes the page from the pages' code */
export async function htmlResponse(
  render: (pages: typeof import('./pages.ts')) => string | Promise<string>,
  liveness: Liveness = 'plain',
): Promise<RouteResponse> {
  const pages = await import('./pages.ts');
  return { status: 200, type: HTML, body: await render(pages), policy: pages.contentPolicy(liveness) };
}

type DocumentPages = typeof import('./document-pages.ts');

/** A page that is made of a document of the API. */
const documentPage =
  (liveness: Liveness, make: (pages: DocumentPages) => DocumentPages['groupsPage']): Route['handle'] =>
  async ({ agent }: RouteContext, { url = '' }: IncomingMessage) => {
    await agent.reading(PAGE_WAIT_SECONDS);
    if (!agent.snapshot) return retryLater(503, agent.unhealthy ?? 'no collection has succeeded yet');
    const pages = await import('./document-pages.ts');
    const query = new URLSearchParams(url.split('?', 2)[1]);
    const { status, html } = await agent.snapshot.view.rows.pinnedFor(() => make(pages)(agent, query));
    return { ...(await htmlResponse(() => html, liveness)), status };
  };

const assetRoute = (path: string, type: string, name: AssetName): Route => ({
  path,
  help: 'A file of the live page.',
  listed: false,
  handle: async (_, { url = '', headers }) => {
    const { assetOf } = await import('./assets.ts');
    const version = new URLSearchParams(url.split('?', 2)[1]).get('v') ?? undefined;
    const gzip = acceptsGzip(String(headers['accept-encoding'] ?? ''));
    return { type, ...assetOf(name, version, headers['if-none-match'], gzip) };
  },
});

export const pageRoutes: readonly Route[] = [
  {
    path: '/groups',
    query: 'group=NAME',
    help: 'The subgroups of a group; with &subgroup=NAME its processes.',
    types: [HTML],
    handle: documentPage('live', ({ groupsPage }) => groupsPage),
  },
  {
    path: '/processes',
    query: 'pid=N',
    help: 'One process: what it is, and what its footprint is made of.',
    types: [HTML],
    handle: documentPage('live', ({ processPage }) => processPage),
  },
  {
    path: '/rules',
    help: 'The rules in the order in which they decide, with what they match now; ?filter=WORDS for some of them.',
    types: [HTML],
    handle: documentPage('plain', ({ rulesPage }) => rulesPage),
  },
  assetRoute('/assets/page.js', 'text/javascript; charset=utf-8', 'script'),
  assetRoute('/assets/page.css', 'text/css; charset=utf-8', 'style'),
  assetRoute('/assets/icon.svg', 'image/svg+xml', 'icon'),
];
