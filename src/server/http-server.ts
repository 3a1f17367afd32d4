// The server: accepts connections and keeps them within limits, authenticates clients, and answers from the route table.
// Why one http.Server behind listeners of its own: docs/decisions/0004. No request can end the process. A reload puts
// another web configuration in force while requests are being answered.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Server as NetServer, Socket } from 'node:net';
import { hostname } from 'node:os';
import type { Agent, Reload } from '../agent/agent.ts';
import { clock } from '../agent/time-slices.ts';
import { OperatorFileError, readOperatorText } from '../config/operator-files.ts';
import type { Authenticator } from './auth.ts';
import { addressOf, networkOf } from './client-network.ts';
import { Connections } from './connections.ts';
import { allowedHostsOf, hostRefusal } from './host-check.ts';
import { listenAddressesOf, listenOn, urlOf } from './listeners.ts';
import { ClientGoneError, QueueFullError } from './passwords.ts';
import { ClientTokenBuckets, TokenBucket } from './rate-limit.ts';
import { RecentPages } from './recent-pages.ts';
import { ReloadRequests } from './reload-requests.ts';
import { type RouteResponse, retryLater, textResponse } from './responses.ts';
import { type Route, type RouteContext, respond, routeOf } from './routes.ts';
import { UnreadResponses } from './unread-responses.ts';
import type { WebConfig } from './web-config.ts';

const contentSecurityPolicy = (allowed: string): string =>
  `default-src 'none'; frame-ancestors 'none'; base-uri 'none'; ${allowed}`;

const HEADERS: ReadonlyMap<string, string> = new Map([
  ['x-content-type-options', 'nosniff'],
  ['x-frame-options', 'deny'],
  ['referrer-policy', 'no-referrer'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['cache-control', 'no-store'],
  ['content-security-policy', contentSecurityPolicy("form-action 'none'")],
]);

/** Time that requests may still take when the exporter ends, and a malformed one to read its answer, milliseconds. */
const SHUTDOWN_GRACE_MS = 500;
/** How often Node looks for clients that are too slow: twice within read_timeout, within these limits; milliseconds. */
const SLOW_CLIENT_CHECK_MS = { min: 1000, max: 5000 };

const FAILED = 'request failed';
/** The path under which the metrics count requests that no route answers. */
const OTHER = 'other';

/** Descriptors of this process that connections leave for everything else, besides the half that /proc may have. */
const DESCRIPTORS_LEFT = 32;
/** Connections that are possible however few descriptors there are. */
const CONNECTIONS_MIN = 8;

/** What the server answers from. */
export interface ServerContext {
  readonly agent: Agent;
  reload(): Promise<Reload>;
}

export class HttpServer {
  readonly #context: RouteContext;
  readonly #http: Server;
  readonly #connections = new Connections();
  readonly #clientBuckets = new ClientTokenBuckets();
  readonly #unread = new UnreadResponses();
  #listening: NetServer[] = [];
  #web: WebConfig;
  #sharedBucket = new TokenBucket(0, 0);
  #headers: ReadonlyMap<string, string> = HEADERS;
  #acceptTls: ((raw: Socket) => void) | undefined;
  #authenticator: Authenticator | undefined;
  #allowedHosts: ReadonlySet<string> = new Set();
  /** Requests that are being answered, by client. */
  readonly #inFlight = new Map<string, number>();
  #inFlightCount = 0;

  private constructor({ agent, reload }: ServerContext, web: WebConfig) {
    const context = { agent, pages: new RecentPages(agent), reloads: new ReloadRequests(reload) };
    this.#context = context;
    this.#web = web;
    this.#http = createServer({ maxHeaderSize: agent.config.max_header_size }, (request, response) => {
      this.#respond(request, response).catch((error: Error) => {
        agent.log.rateLimited('error', 'answer failed', { err: error.stack });
        request.socket.destroy();
      });
    });
    this.#http.on('clientError', (error: NodeJS.ErrnoException, socket) =>
      this.#answerMalformed(error, socket as Socket),
    );
  }

  /** @throws ListenError */
  static async start(context: ServerContext, web: WebConfig): Promise<HttpServer> {
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
    const { min, max } = SLOW_CLIENT_CHECK_MS;
    const connectionsCheckingInterval = Math.min(max, Math.max(min, config.read_timeout * 500));
    Object.assign(http, { connectionsCheckingInterval });
    http.emit('listening'); // it never listens, but with this event Node begins to look for slow clients
    this.#acceptTls = web.tls && (await this.#tlsAcceptor(web.tls));
    if (web.users.size > 0) this.#authenticator ??= await newAuthenticator();
    if (web.rateLimit?.burst !== this.#web.rateLimit?.burst || web === this.#web)
      this.#sharedBucket = new TokenBucket(web.rateLimit?.burst ?? 0, clock());
    const headers = new Map(HEADERS);
    for (const [name, value] of web.headers) headers.set(name.toLowerCase(), value);
    this.#headers = headers;
    this.#allowedHosts = allowedHostsOf(config, hostname(), hostsFile());
    const trusted = this.#web.trust === web.trust;
    const warned = web !== this.#web && this.#web.warnings.join('\n') === web.warnings.join('\n');
    this.#web = web;
    if (!trusted) this.#connections.endIdle();
    if (!warned) for (const warning of web.warnings) log.warn('web configuration', { warning });
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
      refused: (client, reason) => agent.log.rateLimited('warn', 'connection refused', { client, reason }),
    });
  }

  #accept(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    const { config, descriptorsMax } = this.#context.agent;
    const possible = Math.max(CONNECTIONS_MIN, Math.floor(descriptorsMax / 2) - DESCRIPTORS_LEFT);
    this.#connections.add(socket, Math.min(config.max_connections, possible), clock());
    // A TLS handshake costs more than a request, so it takes a token as well.
    if (this.#acceptTls && !this.#clientBuckets.take(networkOf(socket), config.max_request_rate, clock()))
      return void socket.destroy();
    if (this.#acceptTls) this.#acceptTls(socket);
    else this.#http.emit('connection', socket);
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { agent } = this.#context;
    const { socket } = request;
    request.on('error', () => {}); // the client hung up in the middle of its body
    response.on('error', () => {});
    if (!this.#connections.requestBegan(socket)) return;
    // Each unanswered request listens for the end of the connection. There are few, but more than Node warns of in the log.
    socket.setMaxListeners(0);
    response.once('close', () => this.#connections.responseEnded(socket));
    const route = routeOf(agent, request.url ?? '/');
    const client = networkOf(socket); // a socket that has ended does not know it any more
    const condition = `${FAILED} ${route?.path}`;
    let result: RouteResponse;
    try {
      const refusal = await this.#refusal(request, route, client);
      if (!refusal) this.#connections.requestAdmitted(socket);
      result = refusal ?? (await this.#respondWithinLimit(request, route, client));
      if (!refusal) agent.log.ended(condition, 'requests succeed again');
    } catch (error) {
      agent.log.began(condition, 'error', FAILED, { path: route?.path, err: (error as Error).stack });
      result = textResponse(500, 'this request failed; the log says why');
    }
    await this.#send(request, response, route, result);
  }

  /** The response to a request that no route gets to see: limits, host, password. Undefined where a route answers. */
  async #refusal(
    request: IncomingMessage,
    route: Route | undefined,
    client: string,
  ): Promise<RouteResponse | undefined> {
    const { config } = this.#context.agent;
    const { rateLimit } = this.#web;
    if ((request.url ?? '').length > config.max_url_length)
      return textResponse(414, 'the URL is longer than max_url_length');
    const now = clock();
    if (!this.#clientBuckets.take(client, config.max_request_rate, now))
      return retryLater(429, 'this client sends too many requests');
    if (rateLimit && !this.#sharedBucket.take(rateLimit.interval, rateLimit.burst, now))
      return retryLater(429, 'too many requests', Math.ceil(rateLimit.interval));
    const wrongHost = hostRefusal(request, this.#allowedHosts);
    if (wrongHost && (wrongHost.status === 400 || !route?.anyHost))
      return textResponse(wrongHost.status, wrongHost.reason);
    return this.#web.users.size > 0 ? this.#passwordRefusal(request, client) : undefined;
  }

  /** The response to a request without a right password. @param client its network */
  async #passwordRefusal({ headers: { authorization }, socket }: IncomingMessage, client: string) {
    const { log } = this.#context.agent;
    try {
      if (await this.#authenticator!.admits(authorization, this.#web.users, client, socket)) return undefined;
    } catch (error) {
      const full = error instanceof QueueFullError;
      const reason = full ? 'too many wait' : (error as Error).message;
      if (!(error instanceof ClientGoneError))
        log.rateLimited('warn', 'a password was not compared', { client: addressOf(socket), reason });
      return retryLater(503, full ? 'too many passwords to compare' : 'the password cannot be compared now');
    }
    if (authorization) log.rateLimited('warn', 'wrong user or password', { client: addressOf(socket) });
    const headers = { 'www-authenticate': 'Basic realm="herakles", charset="UTF-8"' };
    return { ...textResponse(401, 'a user name and its password are needed'), headers };
  }

  /** A client without any other request is always answered: others cannot take the last place. Connections are limited. */
  async #respondWithinLimit(
    request: IncomingMessage,
    route: Route | undefined,
    client: string,
  ): Promise<RouteResponse> {
    const own = this.#inFlight.get(client) ?? 0;
    if (own > 0 && this.#inFlightCount >= this.#context.agent.config.max_requests_in_flight)
      return retryLater(503, 'too many requests in flight');
    this.#inFlight.set(client, own + 1);
    this.#inFlightCount++;
    try {
      return await respond(this.#context, route, request);
    } finally {
      const rest = this.#inFlight.get(client)! - 1;
      if (rest > 0) this.#inFlight.set(client, rest);
      else this.#inFlight.delete(client);
      this.#inFlightCount--;
    }
  }

  async #send(
    request: IncomingMessage,
    response: ServerResponse,
    route: Route | undefined,
    result: RouteResponse,
  ): Promise<void> {
    const { agent } = this.#context;
    const { socket } = request;
    const path = route?.path ?? OTHER;
    agent.countRequest(path === 'web_telemetry_path' ? agent.config.web_telemetry_path : path, result.status);
    if (socket.destroyed) return;
    const body = typeof result.body === 'string' ? [Buffer.from(result.body)] : result.body;
    const length = body.reduce((sum, piece) => sum + piece.length, 0);
    const headers = new Map(this.#headers);
    if (result.policy && !this.#web.headers.has('Content-Security-Policy'))
      headers.set('content-security-policy', contentSecurityPolicy(result.policy));
    for (const [name, value] of headers) if (value !== '') response.setHeader(name, value);
    // A body is never read, and its bytes must not be parsed as the next request.
    const unread =
      request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
    if (unread || this.#connections.endsAfterResponse(socket)) response.setHeader('connection', 'close');
    // A 304 has no body, and says nothing about that of the 200 (RFC 9110, 8.6).
    const about = result.status === 304 ? {} : { 'content-type': result.type, 'content-length': length };
    response.writeHead(result.status, { ...about, ...result.headers });
    const [pieces, shared] = request.method === 'HEAD' ? [[], undefined] : [body, result.shared];
    const kind = `${path} ${result.type} ${result.headers?.['content-encoding']}`;
    await this.#unread.send(socket, response, kind, pieces, shared, agent.config.send_timeout * 1000);
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

/** Text of /etc/hosts; '' where it cannot be read. */
function hostsFile(): string {
  try {
    return readOperatorText('/etc/hosts', 'hosts');
  } catch (error) {
    if (!(error instanceof OperatorFileError)) throw error;
    return '';
  }
}

/** bcrypt is loaded only where there are users. */
async function newAuthenticator(): Promise<Authenticator> {
  const [{ Authenticator }, { Passwords }] = await Promise.all([import('./auth.ts'), import('./passwords.ts')]);
  return new Authenticator(new Passwords());
}
