// Listens, and answers every request from the route table within limits. No request can end the process.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Agent } from '../agent/agent.ts';
import { find, type Reply, text } from './routes.ts';

/** The address cannot be listened on; the message says why and what to do. */
export class ListenError extends Error {}

export interface Listening {
  /** Where it listens, as a URL a person can open. */
  readonly url: string;
  /** Stops taking connections, ends idle ones, and waits for requests under way, not longer than half a second. */
  close(): Promise<void>;
}

const HEADERS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/** Longest request line and headers, bytes; longest time for a client to send them, milliseconds. */
const LIMITS = { maxHeaderSize: 16 << 10, headersTimeout: 10_000, requestTimeout: 15_000, keepAliveTimeout: 75_000 };
/** How long requests under way may take when the exporter ends, milliseconds. */
const FAREWELL = 500;

/** @throws ListenError */
export async function listen(agent: Agent): Promise<Listening> {
  let inFlight = 0;
  const server = createServer(LIMITS, async (request, response) => {
    if (inFlight >= agent.config.max_requests_in_flight) {
      send(agent, request, response, 'busy', BUSY);
      return;
    }
    inFlight++;
    try {
      await answer(agent, request, response);
    } finally {
      inFlight--;
    }
  });
  server.on('clientError', (_, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
  });
  await bind(server, agent.config.bind, agent.config.port);
  return { url: urlOf(server.address() as AddressInfo), close: () => close(server) };
}

const BUSY: Reply = { ...text(503, 'too many requests in flight; try again later'), headers: { 'retry-after': '1' } };

async function answer(agent: Agent, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const route = find(agent, request.url ?? '/');
  if (!route) return send(agent, request, response, 'other', text(404, 'not found; see / for what there is'));
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    const reply = { ...text(405, 'only GET and HEAD are answered here'), headers: { allow: 'GET, HEAD' } };
    return send(agent, request, response, route.path, reply);
  }
  try {
    send(agent, request, response, route.path, await route.handle(agent, request));
  } catch (error) {
    agent.log.error('request failed', { path: route.path, err: (error as Error).stack });
    send(agent, request, response, route.path, text(500, 'this request failed; the log says why'));
  }
}

function send(agent: Agent, request: IncomingMessage, response: ServerResponse, path: string, reply: Reply): void {
  agent.countRequest(path === 'web_telemetry_path' ? agent.config.web_telemetry_path : path, reply.status);
  const body = typeof reply.body === 'string' ? Buffer.from(reply.body) : reply.body;
  response.writeHead(reply.status, {
    ...HEADERS,
    'content-type': reply.type,
    'content-length': body.length,
    ...reply.headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** An empty address is every address: IPv6 and IPv4 in one socket, IPv4 alone on a host without IPv6. */
function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new ListenError(explain(error, host, port))));
    server.listen({ port, ...(host && { host }) }, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): string {
  const where = `${host || '*'}:${port}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return `cannot listen on ${where}: the port is taken, perhaps by another exporter; stop it, or choose another with --port`;
    case 'EACCES':
      return `cannot listen on ${where}: not permitted; choose a port from 1024 on with --port`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `cannot listen on ${where}: this host has no such address; choose another with --bind`;
    default:
      return `cannot listen on ${where}: ${error.message}; choose another address with --bind and --port`;
  }
}

function urlOf({ address, port }: AddressInfo): string {
  const host =
    address === '::' || address === '0.0.0.0' ? 'localhost' : address.includes(':') ? `[${address}]` : address;
  return `http://${host}:${port}`;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), FAREWELL);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
