// The route table: every path that this exporter answers. A handler turns a request into a response. To add a page, add
// its route here: the landing page, the test of documents and the metric of requests read this table.
import type { IncomingMessage } from 'node:http';
import type { Agent } from '../agent/agent.ts';
import { describeBalance } from '../agent/balance.ts';
import { CONTENT_TYPES } from '../exposition/encode.ts';
import { configDocument, explanationDocument, subgroupsDocument } from './api.ts';
import { API, type DocumentName, documents } from './api-v1/documents.ts';
import { collectorChoice } from './collector-choice.ts';
import { isFromOtherSite } from './host-check.ts';
import { acceptsGzip, chooseFormat, chooseMediaType } from './negotiation.ts';
import { HTML, htmlResponse, PAGE_WAIT_SECONDS, pageRoutes } from './page-routes.ts';
import type { Link } from './pages.ts';
import type { RecentPages } from './recent-pages.ts';
import type { ReloadRequests } from './reload-requests.ts';
import { JSON_TYPE, jsonResponse, type RouteResponse, retryLater, textResponse } from './responses.ts';

/** What handlers respond from. */
export interface RouteContext {
  readonly agent: Agent;
  readonly pages: RecentPages;
  readonly reloads: ReloadRequests;
}

export interface Route {
  /** The path, or the key of the setting that has it. */
  readonly path: string | 'web_telemetry_path';
  readonly help: string;
  /** The query that the route needs; the landing page has no link to such a route. */
  readonly query?: string;
  /** A document of the API: the landing page links to their list only. */
  readonly listed?: false;
  /** Its path goes on with a value: /api/v1/processes/4711. */
  readonly goesOn?: true;
  /** Allowed methods; GET and HEAD unless given. */
  readonly methods?: readonly string[];
  /** It is answered under every host name: scrapers and probes use the name of a service (host-check.ts). */
  readonly anyHost?: true;
  /** Every client gets the same body, so it is made at most once a second (recent-pages.ts). */
  readonly shared?: true;
  /** Media types it can respond with, best first; unless given, the handler decides. */
  readonly types?: readonly string[];
  /** @param type the one of `types` that the client prefers; '' without `types` */
  readonly handle: (
    context: RouteContext,
    request: IncomingMessage,
    type: string,
  ) => RouteResponse | Promise<RouteResponse>;
}

const READ_METHODS = ['GET', 'HEAD'];

export const routes: readonly Route[] = [
  {
    path: '/',
    help: 'What this exporter sees, as a page.',
    types: [HTML],
    shared: true,
    handle: async ({ agent }) => {
      await agent.reading(PAGE_WAIT_SECONDS);
      return htmlResponse(({ landingPage }) => landingPage(agent, linksOf(agent)), 'live');
    },
  },
  {
    path: 'web_telemetry_path',
    help: 'The metrics, in the format that the client prefers; ?collect[]=NAME or ?exclude[]=NAME chooses collectors.',
    anyHost: true,
    handle: metrics,
  },
  {
    path: '/health',
    help: "200 while collections succeed, with the balance of the host's memory; 503, with the reason, after three intervals without one, or three minutes with interval auto.",
    anyHost: true,
    handle: ({ agent }) => health(agent),
  },
  {
    path: '/-/healthy',
    help: '200 while the exporter runs.',
    anyHost: true,
    handle: () => textResponse(200, 'healthy'),
  },
  {
    path: '/-/ready',
    help: '200 after the first collection that succeeded, 503 before.',
    anyHost: true,
    handle: ({ agent }) =>
      agent.snapshot ? textResponse(200, 'ready') : textResponse(503, 'no collection has succeeded yet'),
  },
  {
    path: '/-/reload',
    help: 'POST loads the configuration again, if web_enable_lifecycle is true; 500, with every fault, if that fails.',
    methods: ['POST', 'PUT'],
    handle: reload,
  },
  {
    path: '/config',
    help: 'The configuration in force, and where each value comes from, without secrets. HTML, or JSON by Accept.',
    types: [HTML, JSON_TYPE],
    shared: true,
    handle: ({ agent }, _, type) =>
      type === HTML ? htmlResponse(({ configPage }) => configPage(agent)) : jsonResponse(configDocument(agent)),
  },
  {
    path: '/subgroups',
    help: 'The subgroups, their rules, and how many processes match now. HTML, or JSON by Accept.',
    types: [HTML, JSON_TYPE],
    shared: true,
    handle: async ({ agent }, _, type) => {
      await agent.reading(PAGE_WAIT_SECONDS);
      return type === HTML
        ? htmlResponse(({ subgroupsPage }) => subgroupsPage(agent))
        : jsonResponse(subgroupsDocument(agent));
    },
  },
  {
    path: '/runbooks',
    help: 'What each alert means, and what to do: runbook_url of the alerts leads here.',
    types: [HTML],
    anyHost: true,
    shared: true,
    handle: async () => {
      const { runbooksPage } = await import('./runbooks.ts');
      return htmlResponse(() => runbooksPage());
    },
  },
  {
    path: '/explain',
    query: 'pid=N',
    help: 'The age of the PSS of process N, and why the last collection read it or did not read it. JSON.',
    types: [JSON_TYPE],
    handle: explain,
  },
  ...pageRoutes,
  {
    path: API,
    help: 'The documents of the API: what this exporter knows, as JSON.',
    types: [JSON_TYPE],
    handle: () => jsonResponse(Object.values(documents)),
  },
  ...Object.entries(documents).map(
    ([name, { path, help }]): Route => ({
      path: path.replace(/<.*/, ''),
      help,
      types: [JSON_TYPE],
      listed: false,
      ...(path.includes('<') && { goesOn: true }),
      handle: async ({ agent }, request) => {
        const { answer } = await import('./api-v1/answer.ts');
        return answer(name as DocumentName, agent, request);
      },
    }),
  ),
];

/** The paths that no setting changes. */
export const fixedPaths: readonly string[] = routes.map(({ path }) => path).filter((path) => path.startsWith('/'));

/** The response to any request: of its route, or why there is none. @param route what routeOf() found */
export async function respond(
  context: RouteContext,
  route: Route | undefined,
  request: IncomingMessage,
): Promise<RouteResponse> {
  if (!route) return textResponse(404, 'not found; / lists the pages there are');
  const { methods = READ_METHODS, types } = route;
  if (!methods.includes(request.method ?? ''))
    return {
      ...textResponse(405, `this path takes ${methods.join(' and ')} only`),
      headers: { allow: methods.join(', ') },
    };
  const type = types ? chooseMediaType(request.headers.accept, types) : '';
  if (type === undefined) return textResponse(406, `this path has ${types!.join(' and ')}; accept one of them`);
  const make = async () => route.handle(context, request, type);
  const response = route.shared ? await context.pages.get(`${route.path} ${type}`, make) : await make();
  return types && types.length > 1 ? { ...response, headers: { ...response.headers, vary: 'accept' } } : response;
}

/** The route of a request, whatever its query. A proxy may send the whole URL (RFC 9112, 3.2.2). */
export function routeOf(agent: Agent, url: string): Route | undefined {
  const path = url.replace(/^https?:\/\/[^/?#]*/i, '').split('?', 1)[0] || '/';
  const exact = routes.find((route) => pathOf(route, agent) === path && !route.goesOn);
  return exact ?? routes.find((route) => route.goesOn && path.startsWith(route.path));
}

export const pathOf = (route: Route, agent: Agent): string =>
  route.path === 'web_telemetry_path' ? agent.config.web_telemetry_path : route.path;

/** The pages and documents that the landing page links to. */
const linksOf = (agent: Agent): Link[] =>
  routes
    .filter(
      ({ path, query, listed = true, methods = READ_METHODS }) =>
        path !== '/' && !query && listed && methods === READ_METHODS,
    )
    .map((route) => ({ path: pathOf(route, agent), help: route.help }));

/** Part of the scraper's timeout that is kept for sending the response, seconds. */
const SENDING_SECONDS = 0.5;
/** Longest timeout of a scraper that is believed, seconds. */
const TIMEOUT_MAX_SECONDS = 3600;

async function metrics({ agent }: RouteContext, request: IncomingMessage): Promise<RouteResponse> {
  const { chosen, fault } = collectorChoice(request.url ?? '', agent.collectors);
  if (fault !== undefined) return textResponse(400, fault);
  const format = chooseFormat(request.headers.accept);
  const gzip = acceptsGzip(header(request, 'accept-encoding'));
  const scraperTimeout = Number(header(request, 'x-prometheus-scrape-timeout-seconds'));
  const timeout =
    scraperTimeout > 0 ? Math.max(scraperTimeout / 2, scraperTimeout - SENDING_SECONDS) : agent.config.scrape_timeout;
  const { pieces, parts } = await agent.metrics(format, gzip, Math.min(timeout, TIMEOUT_MAX_SECONDS), chosen);
  const headers = { vary: 'accept, accept-encoding', ...(gzip && { 'content-encoding': 'gzip' }) };
  return { status: 200, type: CONTENT_TYPES[format], body: pieces, shared: parts, headers };
}

function health(agent: Agent): RouteResponse {
  if (agent.unhealthy) return textResponse(503, agent.unhealthy);
  const { ok, faults } = agent.lastReload;
  const state = ok ? 'ok' : `ok, but the configuration could not be loaded again: ${faults.join('; ')}`;
  if (!agent.snapshot) return textResponse(200, state);
  const { memory, processes } = describeBalance(agent.snapshot.view);
  return textResponse(200, `${state}\nmemory: ${memory}\nprocesses: ${processes}`);
}

/** The largest pid there can be (proc_sys_kernel(5), pid_max). */
const PID_MAX = 4_194_304;

async function explain({ agent }: RouteContext, { url = '' }: IncomingMessage): Promise<RouteResponse> {
  const pids = new URLSearchParams(url.split('?', 2)[1]).getAll('pid');
  const pid = pids.length === 1 && /^[1-9]\d{0,6}$/.test(pids[0]!) ? Number(pids[0]) : 0;
  if (pid === 0 || pid > PID_MAX)
    return textResponse(400, `ask for one process: ?pid=N, an integer from 1 to ${PID_MAX}`);
  await agent.reading(agent.config.scrape_timeout);
  await agent.settled();
  const observed = agent.observed(pid);
  if (observed) return jsonResponse(explanationDocument(agent, observed));
  if (!agent.snapshot) return textResponse(503, 'no collection has succeeded yet; try again later');
  const error = `process ${pid} was not seen at the last collection, ${agent.age.toFixed(1)} s ago; it has ended, or it began after that`;
  return { ...jsonResponse({ error, collection_age_seconds: agent.age }), status: 404 };
}

async function reload(context: RouteContext, request: IncomingMessage): Promise<RouteResponse> {
  if (!context.agent.config.web_enable_lifecycle)
    return textResponse(403, 'a reload over HTTP is not enabled; set web_enable_lifecycle to true, or send SIGHUP');
  if (isFromOtherSite(request))
    return textResponse(403, 'the request comes from a page of another site; send it from here');
  const result = context.reloads.request();
  if (!result) return retryLater(429, 'many requests wait for the next reload');
  const { ok, faults } = await result;
  return ok
    ? textResponse(200, 'reloaded')
    : textResponse(500, `not reloaded; the old configuration is in force:\n${faults.join('\n')}`);
}

const header = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
};
