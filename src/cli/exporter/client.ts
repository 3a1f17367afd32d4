// Asks the running exporter. Any program may answer at its address, so that every answer is bounded in time and size, and
// its reader treats it like hostile input. A certificate is right where it is the configured one, whatever its names.
import { X509Certificate } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectSecurely, type TLSSocket } from 'node:tls';
import { ConfigError } from '../../config/load.ts';
import type { Config } from '../../config/options.ts';
import { loadWebConfig } from '../../server/web-config.ts';
import { AskError, configuredEndpoints, type Endpoint, endpointOf } from './endpoints.ts';

export interface Answer {
  readonly status: number;
  readonly body: string;
  /** The tag of what was sent; '' where there is none. */
  readonly etag: string;
}

export interface Question {
  /** Path and query below the address. */
  readonly path: string;
  /** Longest answer that is read, bytes. */
  readonly bytesMax: number;
  /** The tag of what is known already; the answer then may have status 304. */
  readonly known?: string;
}

/** The exporter may wait `scrape_timeout` for a collection. This program waits so much longer, seconds. */
const MARGIN = 2;

export class ExporterClient {
  /** The addresses that are tried in turn; first the one that answered last. */
  #endpoints: readonly Endpoint[];
  readonly #certificate: string | undefined;
  /** Of one exchange, seconds. */
  readonly #timeout: number;

  private constructor(endpoints: readonly Endpoint[], certificate: string | undefined, timeout: number) {
    this.#endpoints = endpoints;
    this.#certificate = certificate;
    this.#timeout = timeout;
  }

  /** @param url http:, https: or unix:/path, as given with --url; undefined: the configured addresses @throws AskError */
  static async of(config: Config, url: string | undefined): Promise<ExporterClient> {
    try {
      const web = await loadWebConfig(config, []).catch((error) => {
        if (url && error instanceof ConfigError) return undefined;
        throw error;
      });
      const certificate = web?.tls && String(web.tls.context.cert);
      const secure = certificate !== undefined;
      const endpoints = url ? [endpointOf(url, config, secure)] : configuredEndpoints(config, secure);
      return new ExporterClient(endpoints, certificate, config.scrape_timeout + MARGIN);
    } catch (error) {
      if (error instanceof ConfigError) throw new AskError(error.message.replaceAll('\n', '; '));
      throw error;
    }
  }

  /** The addresses as a person may read them; only the one that answers, once one did. */
  get address(): string {
    return this.#endpoints.map(({ shown }) => shown).join(', ');
  }

  /** @throws AskError where none of the addresses answers */
  async get(question: Question): Promise<Answer> {
    const failures: string[] = [];
    for (const endpoint of this.#endpoints) {
      try {
        const answer = await ask(endpoint, question, this.#certificate, this.#timeout);
        this.#endpoints = [endpoint];
        return answer;
      } catch (error) {
        if (!(error instanceof AskError)) throw error;
        failures.push(this.#endpoints.length > 1 ? `${endpoint.shown}: ${error.message}` : error.message);
      }
    }
    throw new AskError(failures.join('; '));
  }

  /** Why an answer that is not the wanted one was given, and what to do. */
  complaint({ status, body }: Answer): string {
    const { shown, authorization } = this.#endpoints[0]!;
    if (status === 401) {
      const how = `give --url ${shown.startsWith('unix:') ? 'http://USER:PASSWORD@HOST:PORT' : shown.replace('//', '//USER:PASSWORD@')}`;
      return authorization ? 'it refused the user and password of --url' : `it wants a user and password; ${how}`;
    }
    if (status === 200 || status === 404) return 'the program that answers is not an exporter of this version';
    const firstLine = body.split('\n', 1)[0]!.slice(0, 200);
    return `it answered with status ${status}${firstLine && `: ${firstLine}`}`;
  }
}

/** @param timeout of the whole exchange, seconds @throws AskError where no exporter answers */
async function ask(
  endpoint: Endpoint,
  question: Question,
  certificate: string | undefined,
  timeout: number,
): Promise<Answer> {
  let socket: Socket | undefined;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    socket?.destroy(new Error('late'));
  }, timeout * 1000);
  try {
    socket = open(endpoint);
    await opened(socket, endpoint, certificate);
    return await get(socket, endpoint, question);
  } catch (error) {
    if (error instanceof AskError) throw error;
    throw new AskError(late ? `no answer within ${timeout} s` : reasonOf(error as NodeJS.ErrnoException, endpoint));
  } finally {
    clearTimeout(timer);
    socket?.destroy();
  }
}

/** opened() judges the certificate before a request is sent. */
function open({ to, secure }: Endpoint): Socket {
  if (!secure) return connect(to);
  const host = 'host' in to ? to.host : 'localhost';
  return connectSecurely({ ...to, servername: isIP(host) ? '' : host, rejectUnauthorized: false });
}

/** Waits for the connection. @throws AskError where its certificate is not right */
async function opened(socket: Socket, { secure }: Endpoint, certificate: string | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once(secure ? 'secureConnect' : 'connect', resolve);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('it hung up')));
  });
  const { authorized, authorizationError } = socket as TLSSocket;
  if (!secure || authorized || (certificate && shows(socket as TLSSocket, certificate))) return;
  throw new AskError(
    `its certificate is neither the configured one nor trusted (${String(authorizationError).toLowerCase().replaceAll('_', ' ')}); run this with its configuration, or name its CA in NODE_EXTRA_CA_CERTS`,
  );
}

/** Whether the server has exactly the configured certificate. Then the names in it do not matter. */
const shows = (socket: TLSSocket, certificate: string): boolean =>
  socket.getPeerX509Certificate()?.raw.equals(new X509Certificate(certificate).raw) === true;

function get(socket: Socket, endpoint: Endpoint, { path, bytesMax, known }: Question): Promise<Answer> {
  const headers = {
    host: 'host' in endpoint.to ? endpoint.shown.split('/')[2]! : 'localhost',
    accept: 'application/json',
    connection: 'close',
    ...(known && { 'if-none-match': known }),
    ...(endpoint.authorization && { authorization: endpoint.authorization }),
  };
  const options = { createConnection: () => socket, path: endpoint.prefix + path, headers };
  return new Promise((resolve, reject) => {
    const sent = request(options, (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > bytesMax) reject(new AskError('its answer is too long to come from this exporter'));
        else chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode: status = 0, headers: received } = response;
        resolve({ status, body: Buffer.concat(chunks).toString(), etag: received.etag ?? '' });
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}

function reasonOf({ code, message }: NodeJS.ErrnoException, { to, secure }: Endpoint): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'no program listens there; start the exporter, or give its address with --url';
    case 'ENOENT':
      return 'there is no such socket; start the exporter, or give its address with --url';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'there is no such host; correct --url';
    case 'EACCES':
      return `${'path' in to ? 'this user may not open the socket' : 'not permitted'}; run this as the user of the exporter`;
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
      return 'it does not speak TLS, but TLS is configured here; run this with its configuration, or give --url http://…';
    default:
      return `it did not answer (${code ?? message})${secure ? '; perhaps it does not speak TLS' : '; perhaps it speaks TLS'}`;
  }
}

/** An answer as a JSON object; undefined where it is none. */
export function parseObject(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
