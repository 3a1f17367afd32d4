// The route table: every address this exporter answers, and nothing else. A handler turns a request into a reply.
import type { IncomingMessage } from 'node:http';
import type { Agent } from '../agent/agent.ts';
import { acceptsGzip, CONTENT_TYPES, negotiate } from '../exposition/encode.ts';
import { configDocument, subgroupsDocument } from './documents.ts';
import { configPage, landingPage, subgroupsPage } from './pages.ts';

export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Route {
  /** The path, or the setting that holds it. */
  readonly path: string | 'web_telemetry_path';
  readonly help: string;
  readonly handle: (agent: Agent, request: IncomingMessage) => Reply | Promise<Reply>;
}

const TEXT = 'text/plain; charset=utf-8';
const HTML = 'text/html; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';

export const text = (status: number, body: string): Reply => ({ status, type: TEXT, body: `${body}\n` });

export const routes: readonly Route[] = [
  { path: '/', help: 'What this exporter sees, as a page.', handle: (agent) => html(landingPage(agent)) },
  { path: 'web_telemetry_path', help: 'The metrics, in the format that is asked for.', handle: metrics },
  {
    path: '/health',
    help: '200 while collections succeed, 503 when none did for three intervals; with the reason.',
    handle: (agent) => health(agent),
  },
  { path: '/-/healthy', help: '200 while the exporter runs.', handle: () => text(200, 'healthy') },
  {
    path: '/-/ready',
    help: '200 once a collection has succeeded, 503 before.',
    handle: (agent) => (agent.snapshot ? text(200, 'ready') : text(503, 'no collection has succeeded yet')),
  },
  {
    path: '/config',
    help: 'The configuration in force and where each value comes from; secrets are not shown. HTML, or JSON by Accept.',
    handle: (agent, request) => (wantsJson(request) ? json(configDocument(agent)) : html(configPage(agent))),
  },
  {
    path: '/subgroups',
    help: 'The rules and what matched them now. HTML, or JSON by Accept.',
    handle: (agent, request) => (wantsJson(request) ? json(subgroupsDocument(agent)) : html(subgroupsPage(agent))),
  },
];

/** The route of a request's path; the query is not looked at. */
export function find(agent: Agent, url: string): Route | undefined {
  const path = url.split('?', 1)[0];
  return routes.find((route) => pathOf(route, agent) === path);
}

export const pathOf = (route: Route, agent: Agent): string =>
  route.path === 'web_telemetry_path' ? agent.config.web_telemetry_path : route.path;

/** Part of a scraper's patience that is kept for sending the response, seconds. */
const SENDING = 0.5;

async function metrics(agent: Agent, request: IncomingMessage): Promise<Reply> {
  const format = negotiate(request.headers.accept);
  const gzip = acceptsGzip(header(request, 'accept-encoding'));
  const stated = Number(header(request, 'x-prometheus-scrape-timeout-seconds'));
  const patience = stated > 0 ? Math.max(stated / 2, stated - SENDING) : agent.config.scrape_timeout;
  const body = await agent.metrics(format, gzip, Math.min(patience, 3600));
  const headers = { vary: 'accept, accept-encoding', ...(gzip && { 'content-encoding': 'gzip' }) };
  return { status: 200, type: CONTENT_TYPES[format], body, headers };
}

function health(agent: Agent): Reply {
  if (agent.unhealthy) return text(503, agent.unhealthy);
  const { ok, faults } = agent.lastReload;
  return text(200, ok ? 'ok' : `ok, but the configuration could not be loaded anew: ${faults.join('; ')}`);
}

const html = (body: string): Reply => ({ status: 200, type: HTML, body });
const json = (document: unknown): Reply => ({
  status: 200,
  type: JSON_TYPE,
  body: `${JSON.stringify(document, undefined, 2)}\n`,
});

const header = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
};

/** JSON where it is named and HTML is not: a browser names HTML. */
function wantsJson(request: IncomingMessage): boolean {
  const accept = request.headers.accept ?? '';
  return accept.includes('application/json') && !accept.includes('text/html');
}
