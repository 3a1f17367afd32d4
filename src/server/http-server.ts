// The server: accepts connections and keeps them within limits, authenticates clients, and answers from the route table.
// Why one http.Server behind listeners of its own: docs/decisions/0004. No request can end the process. A reload puts
// another web configuration in force while requests are being answered.
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

/** Time that requests may still take when the exporter ends, and a malformed one to read its answer, milliseconds. */
const SHUTDOWN_GRACE_MS = 500;
/** How often Node looks for clients that are too slow, milliseconds. */
const SLOW_CLIENT_CHECK_MS = 1000;

/** The path under which the metrics count requests that no route answers. */
const OTHER = 'other';

export class HttpServer {
  readonly #context: RouteContext;
  readonly #http: Server;
  readonly #connections = new Connections();
  readonly #clientBuckets = new ClientTokenBuckets();
  #listening: NetServer[] = [];
  #web: WebConfig;
  #sharedBucket = new TokenBucket(0, 0);
  #headers: ReadonlyMap<string, string> = HEADERS;
  #acceptTls: ((raw: Socket) => void) | undefined;
  #authenticator: Authenticator | undefined;
  #inFlight = 0;

  private constructor(context: RouteContext, web: WebConfig) {
    this.#context = context;
    this.#web = web;
    const options = {
      maxHeaderSize: context.agent.config.max_header_size,
      connectionsCheckingInterval: SLOW_CLIENT_CHECK_MS,
    };
    this.#http = createServer(options, (request, response) => {
      this.#respond(request, response).catch((error: Error) => {
        context.agent.log.error('answer failed', { err: error.stack });
        request.socket.destroy();
      });
    });
    this.#http.on('clientError', (error: NodeJS.ErrnoException, socket) =>
      this.#answerMalformed(error, socket as Socket),
    );
    this.#http.emit('listening'); // never listens, but Node looks for slow clients only after this event
  }

  /** @throws ListenError */
  static async start(context: RouteContext, web: WebConfig): Promise<HttpServer> {
    const server = new HttpServer(context, web);
    await server.configure(web);
    server.#listening = await listenOn(listenAddressesOf(context.agent.config, process.env, process.pid), (socket) =>
      server.#accept(socket),
    );
    return server;
  }

  /** The addresses it listens on, as URLs that a person can open. */
  get urls(): string[] {
    return this.#listening.map((server) => urlOf(server, this.#web.tls ? 'https' : 'http'));
  }

  /** Puts a web configuration in force. Open connections stay, unless the rules for who may connect have changed. */
  async configure(web: WebConfig): Promise<void> {
    const { config, log } = this.#context.agent;
    const http = this.#http;
    http.headersTimeout = http.requestTimeout = config.read_timeout * 1000;
    http.keepAliveTimeout = config.idle_timeout * 1000;
    this.#acceptTls = web.tls && (await this.#tlsAcceptor(web.tls));
    if (web.users.size > 0) this.#authenticator ??= await newAuthenticator();
    if (web.rateLimit?.burst !== this.#web.rateLimit?.burst || web === this.#web)
      this.#sharedBucket = new TokenBucket(web.rateLimit?.burst ?? 0, clock());
    const headers = new Map(HEADERS);
    for (const [name, value] of web.headers) headers.set(name.toLowerCase(), value);
    this.#headers = headers;
    const trusted = this.#web.trust === web.trust;
    this.#web = web;
    if (!trusted) this.#connections.endIdle();
    for (const warning of web.warnings) log.warn('web configuration', { warning });
  }

  /** Accepts no more connections, ends idle ones, and waits for the others, for SHUTDOWN_GRACE_MS at most. */
  async close(): Promise<void> {
    for (const server of this.#listening) server.close();
    this.#connections.endIdle();
    const end = clock() + SHUTDOWN_GRACE_MS / 1000;
    while (this.#connections.size > 0 && clock() < end) await new Promise((resolve) => setTimeout(resolve, 20));
    this.#connections.endAll();
    this.#http.close();
  }

  async #tlsAcceptor(tls: NonNullable<WebConfig['tls']>): Promise<(raw: Socket) => void> {
    const { agent } = this.#context;
    const { createTlsAcceptor: secure } = await import('./tls.ts');
    return secure(tls, agent.config.read_timeout, {
      accepted: (socket) => this.#http.emit('connection', socket),
      refused: (client, reason) => agent.log.warnRateLimited('connection refused', { client, reason }),
    });
  }

  #accept(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    this.#connections.add(socket, this.#context.agent.config.max_connections);
    if (this.#acceptTls) this.#acceptTls(socket);
    else this.#http.emit('connection', socket);
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { agent } = this.#context;
    const { socket } = request;
    request.on('error', () => {}); // the client hung up in the middle of its body
    response.on('error', () => {});
    if (!this.#connections.requestBegan(socket)) return;
    response.once('close', () => this.#connections.responseEnded(socket));
    const route = routeOf(agent, request.url ?? '/');
    let result: RouteResponse;
    try {
      result = (await this.#refusal(request)) ?? (await this.#respondWithinLimit(request, route));
    } catch (error) {
      agent.log.error('request failed', { path: route?.path, err: (error as Error).stack });
      result = textResponse(500, 'this request failed; the log says why');
    }
    this.#send(request, response, route, result);
  }

  /** The response to a request that no route gets to see: limits, passwords. Undefined where a route answers. */
  async #refusal(request: IncomingMessage): Promise<RouteResponse | undefined> {
    const { config, log } = this.#context.agent;
    const { users, rateLimit } = this.#web;
    const client = request.socket.remoteAddress ?? 'local';
    if ((request.url ?? '').length > config.max_url_length)
      return textResponse(414, 'the URL is longer than max_url_length');
    const now = clock();
    if (!this.#clientBuckets.take(client, config.max_request_rate, now))
      return retryLater(429, 'this client sends too many requests');
    if (rateLimit && !this.#sharedBucket.take(rateLimit.interval, rateLimit.burst, now))
      return retryLater(429, 'too many requests', Math.ceil(rateLimit.interval));
    if (users.size === 0) return undefined;
    try {
      if (await this.#authenticator!.admits(request.headers.authorization, users, client)) return undefined;
    } catch (error) {
      if (!(error instanceof QueueFullError)) throw error;
      log.warnRateLimited('too many passwords to compare', { client });
      return retryLater(503, 'too many passwords to compare');
    }
    if (request.headers.authorization) log.warnRateLimited('wrong user or password', { client });
    const headers = { 'www-authenticate': 'Basic realm="herakles", charset="UTF-8"' };
    return { ...textResponse(401, 'a user name and its password are needed'), headers };
  }

  async #respondWithinLimit(request: IncomingMessage, route: Route | undefined): Promise<RouteResponse> {
    if (this.#inFlight >= this.#context.agent.config.max_requests_in_flight)
      return retryLater(503, 'too many requests in flight');
    this.#inFlight++;
    try {
      return await respond(this.#context, route, request);
    } finally {
      this.#inFlight--;
    }
  }

  #send(request: IncomingMessage, response: ServerResponse, route: Route | undefined, result: RouteResponse): void {
    const { agent } = this.#context;
    const { socket } = request;
    const path = route?.path ?? OTHER;
    agent.countRequest(path === 'web_telemetry_path' ? agent.config.web_telemetry_path : path, result.status);
    if (socket.destroyed) return;
    const body = typeof result.body === 'string' ? [Buffer.from(result.body)] : result.body;
    const length = body.reduce((sum, piece) => sum + piece.length, 0);
    const headers = new Map(this.#headers);
    if (result.style && !this.#web.headers.has('Content-Security-Policy'))
      headers.set('content-security-policy', `${headers.get('content-security-policy')}; style-src ${result.style}`);
    for (const [name, value] of headers) if (value !== '') response.setHeader(name, value);
    // A body is never read, and its bytes must not be parsed as the next request.
    const unread =
      request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
    if (unread || this.#connections.endsAfterResponse(socket)) response.setHeader('connection', 'close');
    response.writeHead(result.status, { 'content-type': result.type, 'content-length': length, ...result.headers });
    if (request.method !== 'HEAD') for (const piece of body) response.write(piece);
    response.end();
    const slow = setTimeout(() => socket.destroy(), agent.config.send_timeout * 1000).unref();
    response.once('close', () => clearTimeout(slow));
  }

  /** Answers what is no HTTP request, and ends the connection. */
  #answerMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    const status = STATUS_OF_PARSE_ERROR[error.code ?? ''] ?? '400 Bad Request';
    this.#context.agent.countRequest(OTHER, Number(status.slice(0, 3)));
    socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    setTimeout(() => socket.destroy(), SHUTDOWN_GRACE_MS).unref();
  }
}

/** By the code of Node's clientError event; every other code is 400. */
const STATUS_OF_PARSE_ERROR: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
};

const retryLater = (status: number, what: string, seconds = 1): RouteResponse => ({
  ...textResponse(status, `${what}; try again later`),
  headers: { 'retry-after': String(Math.max(1, seconds)) },
});

/** bcrypt is loaded only where there are users. */
async function newAuthenticator(): Promise<Authenticator> {
  const [{ Authenticator }, { Passwords }] = await Promise.all([import('./auth.ts'), import('./passwords.ts')]);
  return new Authenticator(new Passwords());
}
