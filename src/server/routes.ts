// The route table: every address this exporter answers, and nothing else. A handler turns a request into a reply.
import type { IncomingMessage } from 'node:http';
import type { Agent, Reload } from '../agent/agent.ts';
import { CONTENT_TYPES } from '../exposition/encode.ts';
import { configDocument, explanationDocument, subgroupsDocument } from './api.ts';
import { acceptsGzip, chooseFormat, chooseMediaType } from './negotiation.ts';
import type { Link } from './pages.ts';

export interface RouteResponse {
  readonly status: number;
  readonly type: string;
  /** Text, or bytes in pieces. */
  readonly body: string | readonly Buffer[];
  readonly headers?: Readonly<Record<string, string>>;
  /** What its content security policy has to allow as a style. */
  readonly style?: string;
}

/** What handlers answer for. */
export interface RouteContext {
  readonly agent: Agent;
  reload(): Promise<Reload>;
}

export interface Route {
  /** The path, or the setting that holds it. */
  readonly path: string | 'web_telemetry_path';
  readonly help: string;
  /** What has to be asked behind `?`; a bare link would not do. */
  readonly query?: string;
  /** GET and HEAD unless given. */
  readonly methods?: readonly string[];
  /** What it can be had as, best first; unless given, the handler decides. */
  readonly types?: readonly string[];
  /** @param type the one of `types` that the client takes */
  readonly handle: (
    site: RouteContext,
    request: IncomingMessage,
    type: string,
  ) => RouteResponse | Promise<RouteResponse>;
}

const TEXT = 'text/plain; charset=utf-8';
const HTML = 'text/html; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';
const READING = ['GET', 'HEAD'];

export const textResponse = (status: number, body: string): RouteResponse => ({
  status,
  type: TEXT,
  body: `${body}\n`,
});

export const routes: readonly Route[] = [
  {
    path: '/',
    help: 'What this exporter sees, as a page.',
    types: [HTML],
    handle: ({ agent }) => htmlResponse(({ landingPage }) => landingPage(agent, linksOf(agent))),
  },
  { path: 'web_telemetry_path', help: 'The metrics, in the format that is asked for.', handle: metrics },
  {
    path: '/health',
    help: '200 while collections succeed, 503 when none did for three intervals; with the reason.',
    handle: ({ agent }) => health(agent),
  },
  { path: '/-/healthy', help: '200 while the exporter runs.', handle: () => textResponse(200, 'healthy') },
  {
    path: '/-/ready',
    help: '200 once a collection has succeeded, 503 before.',
    handle: ({ agent }) =>
      agent.snapshot ? textResponse(200, 'ready') : textResponse(503, 'no collection has succeeded yet'),
  },
  {
    path: '/-/reload',
    help: 'POST loads the configuration anew, where web_enable_lifecycle is set; 500 with what is wrong with it.',
    methods: ['POST', 'PUT'],
    handle: reload,
  },
  {
    path: '/config',
    help: 'The configuration in force and where each value comes from; secrets are not shown. HTML, or JSON by Accept.',
    types: [HTML, JSON_TYPE],
    handle: ({ agent }, _, type) =>
      type === HTML ? htmlResponse(({ configPage }) => configPage(agent)) : jsonResponse(configDocument(agent)),
  },
  {
    path: '/subgroups',
    help: 'The rules and what matched them now. HTML, or JSON by Accept.',
    types: [HTML, JSON_TYPE],
    handle: ({ agent }, _, type) =>
      type === HTML
        ? htmlResponse(({ subgroupsPage }) => subgroupsPage(agent))
        : jsonResponse(subgroupsDocument(agent)),
  },
  {
    path: '/explain',
    query: 'pid=N',
    help: 'How old the PSS of process N is, and why it was or was not read at the last collection. JSON.',
    types: [JSON_TYPE],
    handle: explain,
  },
];

/** What a route table has to say to any request. */
export async function respond(
  site: RouteContext,
  route: Route | undefined,
  request: IncomingMessage,
): Promise<RouteResponse> {
  if (!route) return textResponse(404, 'not found; see / for what there is');
  const { methods = READING, types } = route;
  if (!methods.includes(request.method ?? ''))
    return {
      ...textResponse(405, `only ${methods.join(' and ')} are answered here`),
      headers: { allow: methods.join(', ') },
    };
  const type = types ? chooseMediaType(request.headers.accept, types) : '';
  if (type === undefined) return textResponse(406, `this can be had as ${types!.join(' or ')}; ask for one of them`);
  const answered = await route.handle(site, request, type);
  return types && types.length > 1 ? { ...answered, headers: { ...answered.headers, vary: 'accept' } } : answered;
}

/** The route of a request; the query is not looked at. Proxies may state the whole URL (RFC 9112, 3.2.2). */
export function routeOf(agent: Agent, url: string): Route | undefined {
  const path = url.replace(/^https?:\/\/[^/?#]*/i, '').split('?', 1)[0] || '/';
  return routes.find((route) => pathOf(route, agent) === path);
}

export const pathOf = (route: Route, agent: Agent): string =>
  route.path === 'web_telemetry_path' ? agent.config.web_telemetry_path : route.path;

/** Every other page and document that can be looked at. */
const linksOf = (agent: Agent): Link[] =>
  routes
    .filter(({ path, query, methods = READING }) => path !== '/' && !query && methods === READING)
    .map((route) => ({ path: pathOf(route, agent), help: route.help }));

/** Part of a scraper's patience that is kept for sending the response, seconds. */
const SENDING = 0.5;

async function metrics({ agent }: RouteContext, request: IncomingMessage): Promise<RouteResponse> {
  const format = chooseFormat(request.headers.accept);
  const gzip = acceptsGzip(header(request, 'accept-encoding'));
  const stated = Number(header(request, 'x-prometheus-scrape-timeout-seconds'));
  const patience = stated > 0 ? Math.max(stated / 2, stated - SENDING) : agent.config.scrape_timeout;
  const body = await agent.metrics(format, gzip, Math.min(patience, 3600));
  const headers = { vary: 'accept, accept-encoding', ...(gzip && { 'content-encoding': 'gzip' }) };
  return { status: 200, type: CONTENT_TYPES[format], body, headers };
}

function health(agent: Agent): RouteResponse {
  if (agent.unhealthy) return textResponse(503, agent.unhealthy);
  const { ok, faults } = agent.lastReload;
  return textResponse(200, ok ? 'ok' : `ok, but the configuration could not be loaded anew: ${faults.join('; ')}`);
}

/** Most a pid can be (proc_sys_kernel(5), pid_max). */
const LAST_PID = 4_194_304;

async function explain({ agent }: RouteContext, { url = '' }: IncomingMessage): Promise<RouteResponse> {
  const asked = new URLSearchParams(url.split('?', 2)[1]).getAll('pid');
  const pid = asked.length === 1 && /^[1-9]\d{0,6}$/.test(asked[0]!) ? Number(asked[0]) : 0;
  if (pid === 0 || pid > LAST_PID)
    return textResponse(400, `ask for one process: ?pid=N, an integer from 1 to ${LAST_PID}`);
  const standing = await agent.standing(pid);
  if (standing) return jsonResponse(explanationDocument(agent, standing));
  if (!agent.snapshot) return textResponse(503, 'no collection has succeeded yet; try again later');
  const error = `process ${pid} was not seen at the last collection, ${agent.age.toFixed(1)} s ago; it ended, or began since then`;
  return { ...jsonResponse({ error, collection_age_seconds: agent.age }), status: 404 };
}

async function reload(site: RouteContext, request: IncomingMessage): Promise<RouteResponse> {
  if (!site.agent.config.web_enable_lifecycle)
    return textResponse(403, 'reloading over HTTP is not enabled; set web_enable_lifecycle, or send SIGHUP');
  // A page of somebody else's, open in an operator's browser, may not reload either.
  const origin = request.headers.origin;
  if (origin !== undefined && origin.replace(/^https?:\/\//, '') !== request.headers.host)
    return textResponse(403, 'another site asked for this; reload from here');
  const { ok, faults } = await site.reload();
  return ok
    ? textResponse(200, 'reloaded')
    : textResponse(500, `not reloaded, the old configuration is in force:\n${faults.join('\n')}`);
}

/** Pages are loaded when one is asked for: most exporters never are. */
async function htmlResponse(render: (pages: typeof import('./pages.ts')) => string): Promise<RouteResponse> {
  const pages = await import('./pages.ts');
  return { status: 200, type: HTML, body: render(pages), style: pages.styleSource() };
}

const jsonResponse = (document: unknown): RouteResponse => ({
  status: 200,
  type: JSON_TYPE,
  body: `${JSON.stringify(document, undefined, 2)}\n`,
});

const header = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
};
