// The server: takes connections, keeps them within limits, asks who is there, and answers from the route table.
// No request can end the process; what is in force can be exchanged while requests are under way.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Server as NetServer, Socket } from 'node:net';
import { clock } from '../agent/time-slices.ts';
import type { Authenticator } from './auth.ts';
import { Connections } from './connections.ts';
import { listenAddressesOf, listenOn, urlOf } from './listeners.ts';
import { QueueFullError } from './passwords.ts';
import { ClientTokenBuckets, TokenBucket } from './rate-limit.ts';
import { type Route, type RouteContext, type RouteResponse, respond, routeOf, textResponse } from './routes.ts';
import type { WebConfig } from './web-config.ts';

const HEADERS: ReadonlyMap<string, string> = new Map([
  ['x-content-type-options', 'nosniff'],
  ['x-frame-options', 'deny'],
  ['referrer-policy', 'no-referrer'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['cache-control', 'no-store'],
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"],
]);

/** How long requests under way may take when the exporter ends, milliseconds. */
const FAREWELL = 500;
/** How often Node looks for clients that are too slow, milliseconds. */
const CHECK = 1000;

/** What requests for no route are counted as. */
const OTHER = 'other';

export class HttpServer {
  readonly #site: RouteContext;
  readonly #http: Server;
  readonly #connections = new Connections();
  readonly #clients = new ClientTokenBuckets();
  #listening: NetServer[] = [];
  #web: WebConfig;
  #everybody = new TokenBucket(0, 0);
  #headers: ReadonlyMap<string, string> = HEADERS;
  #secure: ((raw: Socket) => void) | undefined;
  #authenticator: Authenticator | undefined;
  #inFlight = 0;

  private constructor(site: RouteContext, web: WebConfig) {
    this.#site = site;
    this.#web = web;
    const options = { maxHeaderSize: site.agent.config.max_header_size, connectionsCheckingInterval: CHECK };
    this.#http = createServer(options, (request, response) => {
      this.#answer(request, response).catch((error: Error) => {
        site.agent.log.error('answer failed', { err: error.stack });
        request.socket.destroy();
      });
    });
    this.#http.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#malformed(error, socket as Socket));
    this.#http.emit('listening'); // it does not listen itself, and yet has to watch over slow clients
  }

  /** @throws ListenError */
  static async start(site: RouteContext, web: WebConfig): Promise<HttpServer> {
    const server = new HttpServer(site, web);
    await server.configure(web);
    server.#listening = await listenOn(listenAddressesOf(site.agent.config, process.env, process.pid), (socket) =>
      server.#take(socket),
    );
    return server;
  }

  /** Where it listens, as URLs a person can open. */
  get urls(): string[] {
    return this.#listening.map((server) => urlOf(server, this.#web.tls ? 'https' : 'http'));
  }

  /** Puts other settings in force. A new certificate serves new connections; those there are stay, unless trust changed. */
  async configure(web: WebConfig): Promise<void> {
    const { config, log } = this.#site.agent;
    const http = this.#http;
    http.headersTimeout = http.requestTimeout = config.read_timeout * 1000;
    http.keepAliveTimeout = config.idle_timeout * 1000;
    this.#secure = web.tls && (await this.#encryption(web.tls));
    if (web.users.size > 0) this.#authenticator ??= await newAuthenticator();
    if (web.rateLimit?.burst !== this.#web.rateLimit?.burst || web === this.#web)
      this.#everybody = new TokenBucket(web.rateLimit?.burst ?? 0, clock());
    const headers = new Map(HEADERS);
    for (const [name, value] of web.headers) headers.set(name.toLowerCase(), value);
    this.#headers = headers;
    const trusted = this.#web.trust === web.trust;
    this.#web = web;
    if (!trusted) this.#connections.endIdle();
    for (const warning of web.warnings) log.warn('web configuration', { warning });
  }

  /** Stops taking connections, ends idle ones, and waits for requests under way, not longer than half a second. */
  async close(): Promise<void> {
    for (const server of this.#listening) server.close();
    this.#connections.endIdle();
    const end = clock() + FAREWELL / 1000;
    while (this.#connections.size > 0 && clock() < end) await new Promise((resolve) => setTimeout(resolve, 20));
    this.#connections.endAll();
    this.#http.close();
  }

  async #encryption(tls: NonNullable<WebConfig['tls']>): Promise<(raw: Socket) => void> {
    const { agent } = this.#site;
    const { createTlsAcceptor: secure } = await import('./tls.ts');
    return secure(tls, agent.config.read_timeout, {
      accepted: (socket) => this.#http.emit('connection', socket),
      refused: (client, reason) => agent.log.seldom('connection refused', { client, reason }),
    });
  }

  #take(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    this.#connections.add(socket, this.#site.agent.config.max_connections);
    if (this.#secure) this.#secure(socket);
    else this.#http.emit('connection', socket);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { agent } = this.#site;
    const { socket } = request;
    request.on('error', () => {}); // hung up in the middle of its body
    response.on('error', () => {});
    if (!this.#connections.requestBegan(socket)) return;
    response.once('close', () => this.#connections.responseEnded(socket));
    const route = routeOf(agent, request.url ?? '/');
    let reply: RouteResponse;
    try {
      reply = (await this.#refusal(request)) ?? (await this.#within(request, route));
    } catch (error) {
      agent.log.error('request failed', { path: route?.path, err: (error as Error).stack });
      reply = textResponse(500, 'this request failed; the log says why');
    }
    this.#send(request, response, route, reply);
  }

  /** Why a request is not even looked at; undefined where it is. */
  async #refusal(request: IncomingMessage): Promise<RouteResponse | undefined> {
    const { config, log } = this.#site.agent;
    const { users, rateLimit } = this.#web;
    const client = request.socket.remoteAddress ?? 'local';
    if ((request.url ?? '').length > config.max_url_length)
      return textResponse(414, 'the URL is longer than max_url_length');
    const now = clock();
    if (!this.#clients.take(client, config.max_request_rate, now))
      return later(429, 'too many requests of this client');
    if (rateLimit && !this.#everybody.take(rateLimit.interval, rateLimit.burst, now))
      return later(429, 'too many requests', Math.ceil(rateLimit.interval));
    if (users.size === 0) return undefined;
    try {
      if (await this.#authenticator!.admits(request.headers.authorization, users, client)) return undefined;
    } catch (error) {
      if (!(error instanceof QueueFullError)) throw error;
      log.seldom('too many passwords to compare', { client });
      return later(503, 'too many passwords to compare');
    }
    if (request.headers.authorization) log.seldom('wrong user or password', { client });
    const headers = { 'www-authenticate': 'Basic realm="herakles", charset="UTF-8"' };
    return { ...textResponse(401, 'a user and the password are needed'), headers };
  }

  async #within(request: IncomingMessage, route: Route | undefined): Promise<RouteResponse> {
    if (this.#inFlight >= this.#site.agent.config.max_requests_in_flight)
      return later(503, 'too many requests in flight');
    this.#inFlight++;
    try {
      return await respond(this.#site, route, request);
    } finally {
      this.#inFlight--;
    }
  }

  #send(request: IncomingMessage, response: ServerResponse, route: Route | undefined, reply: RouteResponse): void {
    const { agent } = this.#site;
    const { socket } = request;
    const path = route?.path ?? OTHER;
    agent.countRequest(path === 'web_telemetry_path' ? agent.config.web_telemetry_path : path, reply.status);
    if (socket.destroyed) return;
    const body = typeof reply.body === 'string' ? [Buffer.from(reply.body)] : reply.body;
    const length = body.reduce((sum, piece) => sum + piece.length, 0);
    const headers = new Map(this.#headers);
    if (reply.style && !this.#web.headers.has('Content-Security-Policy'))
      headers.set('content-security-policy', `${headers.get('content-security-policy')}; style-src ${reply.style}`);
    for (const [name, value] of headers) if (value !== '') response.setHeader(name, value);
    // Whatever follows an unread body could be taken for a request.
    const unread =
      request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
    if (unread || this.#connections.endsAfterResponse(socket)) response.setHeader('connection', 'close');
    response.writeHead(reply.status, { 'content-type': reply.type, 'content-length': length, ...reply.headers });
    if (request.method !== 'HEAD') for (const piece of body) response.write(piece);
    response.end();
    const slow = setTimeout(() => socket.destroy(), agent.config.send_timeout * 1000).unref();
    response.once('close', () => clearTimeout(slow));
  }

  /** What is no request gets an answer that says so, and the connection ends. */
  #malformed(error: NodeJS.ErrnoException, socket: Socket): void {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    const status = MALFORMED[error.code ?? ''] ?? '400 Bad Request';
    this.#site.agent.countRequest(OTHER, Number(status.slice(0, 3)));
    socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    setTimeout(() => socket.destroy(), FAREWELL).unref();
  }
}

const MALFORMED: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
};

const later = (status: number, what: string, seconds = 1): RouteResponse => ({
  ...textResponse(status, `${what}; try again later`),
  headers: { 'retry-after': String(Math.max(1, seconds)) },
});

/** Loaded only where there are users. */
async function newAuthenticator(): Promise<Authenticator> {
  const [{ Authenticator }, { Passwords }] = await Promise.all([import('./auth.ts'), import('./passwords.ts')]);
  return new Authenticator(new Passwords());
}
