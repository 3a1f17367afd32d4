// Asks the running exporter about a process: how old its footprint is, and why. The address is that of --url, or the one
// at which `serve` listens with this configuration. Where the exporter cannot be asked, the result is a sentence and not an
// error, because explain has more to say. The answer may come from any program, so it is checked like hostile input.
import { X509Certificate } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectSecurely, type TLSSocket } from 'node:tls';
import { ConfigError } from '../../config/load.ts';
import type { Config } from '../../config/options.ts';
import type { ExplanationDocument } from '../../server/api.ts';
import { listenAddressesOf } from '../../server/listeners.ts';
import { loadWebConfig } from '../../server/web-config.ts';

/** What an exporter knows of a process, or why it is not known. */
export type ExporterAnswer =
  | { readonly explanation: ExplanationDocument }
  /** The exporter did not see the process at its last collection, so many seconds ago. */
  | { readonly unseenSince: number }
  | { readonly error: string };

/** With the address that was asked, as a person may read it: without credentials. */
export type AddressedAnswer = ExporterAnswer & { readonly address: string };

interface Endpoint {
  /** The address as a person may read it: without credentials. */
  readonly shown: string;
  readonly to: { readonly host: string; readonly port: number } | { readonly path: string };
  readonly secure: boolean;
  /** The path in front of /explain, where a proxy serves the exporter below a path. */
  readonly prefix: string;
  readonly authorization?: string;
}

/** Longest answer that is read, bytes. An exporter's own has about 700. */
const ANSWER_MAX = 64 << 10;
/** The exporter may wait `scrape_timeout` for a collection. This program waits so much longer, seconds. */
const MARGIN = 2;

/** The exporter cannot be asked. The message says why, and what to do. */
class AskError extends Error {}

/** @param url http:, https: or unix:/path, as given with --url; undefined: the addresses of the configuration */
export async function askExporter(config: Config, pid: number, url: string | undefined): Promise<AddressedAnswer> {
  let certificate: string | undefined;
  let endpoints: Endpoint[];
  try {
    const web = await loadWebConfig(config, []).catch((error) => {
      if (url && error instanceof ConfigError) return undefined;
      throw error;
    });
    certificate = web?.tls && String(web.tls.context.cert);
    endpoints = url
      ? [endpointOf(url, config, certificate !== undefined)]
      : configuredEndpoints(config, certificate !== undefined);
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof AskError)) throw error;
    return { address: 'the running exporter', error: error.message.replaceAll('\n', '; ') };
  }
  const failures: string[] = [];
  for (const endpoint of endpoints) {
    try {
      return { address: endpoint.shown, ...(await ask(endpoint, pid, certificate, config.scrape_timeout + MARGIN)) };
    } catch (error) {
      if (!(error instanceof AskError)) throw error;
      failures.push(endpoints.length > 1 ? `${endpoint.shown}: ${error.message}` : error.message);
    }
  }
  return { address: endpoints.map(({ shown }) => shown).join(', '), error: failures.join('; ') };
}

function configuredEndpoints(config: Config, secure: boolean): Endpoint[] {
  // The address of a socket unit is not known here. The unit that ships with the exporter has the configured port.
  const listening = listenAddressesOf({ ...config, web_systemd_socket: false }, {}, 0);
  return listening.map((to) => {
    if ('path' in to) return { shown: `unix:${to.path}`, to, secure, prefix: '' };
    if (!('port' in to) || to.port === 0)
      throw new AskError('port is 0, so it listens on any free port; give its address with --url');
    const host = ['', '0.0.0.0', '::'].includes(to.host) ? 'localhost' : to.host;
    const shown = `${secure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${to.port}`;
    return { shown, to: { host, port: to.port }, secure, prefix: '' };
  });
}

/** The URL of --url; it may also be that of the metrics. */
function endpointOf(text: string, { web_telemetry_path }: Config, secure: boolean): Endpoint {
  if (text.startsWith('unix:')) return { shown: text, to: { path: text.slice(5) }, secure, prefix: '' };
  const url = new URL(text);
  const { protocol, hostname, username, password } = url;
  const path = url.pathname.replace(/\/+$/, '');
  const prefix = path.endsWith(web_telemetry_path) ? path.slice(0, -web_telemetry_path.length) : path;
  const encrypted = protocol === 'https:';
  const port = Number(url.port || (encrypted ? 443 : 80));
  const credentials = `${decoded(username)}:${decoded(password)}`;
  return {
    shown: `${protocol}//${url.host}${prefix}`,
    to: { host: hostname.replace(/^\[(.*)\]$/, '$1'), port },
    secure: encrypted,
    prefix,
    ...(credentials !== ':' && { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }),
  };
}

/** Text that is not a percent-encoding stands for itself. */
const decoded = (text: string): string =>
  text.replace(/(?:%[\da-f]{2})+/gi, (bytes) => Buffer.from(bytes.replaceAll('%', ''), 'hex').toString());

/** @param timeout of the whole exchange, seconds @throws AskError where no exporter answers */
async function ask(
  endpoint: Endpoint,
  pid: number,
  certificate: string | undefined,
  timeout: number,
): Promise<ExporterAnswer> {
  let socket: Socket | undefined;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    socket?.destroy(new Error('late'));
  }, timeout * 1000);
  try {
    socket = open(endpoint);
    await opened(socket, endpoint, certificate);
    const { status, body } = await get(socket, endpoint, pid);
    return answerOf(endpoint, pid, status, body);
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

function get(socket: Socket, endpoint: Endpoint, pid: number): Promise<{ status: number; body: string }> {
  const headers = {
    host: 'host' in endpoint.to ? endpoint.shown.split('/')[2]! : 'localhost',
    accept: 'application/json',
    connection: 'close',
    ...(endpoint.authorization && { authorization: endpoint.authorization }),
  };
  const path = `${endpoint.prefix}/explain?pid=${pid}`;
  return new Promise((resolve, reject) => {
    const sent = request({ createConnection: () => socket, path, headers }, (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > ANSWER_MAX) reject(new AskError('its answer is too long for one of this exporter'));
        else chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** Takes the answer apart. */
function answerOf({ shown, authorization }: Endpoint, pid: number, status: number, body: string): ExporterAnswer {
  const document = parseObject(body);
  if (status === 200 && document?.pid === pid && isExplanation(document)) return { explanation: document };
  if (status === 404 && typeof document?.collection_age_seconds === 'number')
    return { unseenSince: document.collection_age_seconds };
  if (status === 401) {
    const how = `give --url ${shown.startsWith('unix:') ? 'http://USER:PASSWORD@HOST:PORT' : shown.replace('//', '//USER:PASSWORD@')}`;
    return {
      error: authorization ? 'it refused the user and password of --url' : `it wants a user and password; ${how}`,
    };
  }
  const firstLine = body.split('\n', 1)[0]!.slice(0, 200);
  if (status === 200 || status === 404) return { error: 'the program that answers is not an exporter of this version' };
  return { error: `it answered with status ${status}${firstLine && `: ${firstLine}`}` };
}

/** Undefined where the text is not a JSON object. */
function parseObject(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Fields that an answer must have. */
const NUMBERS = ['collection_age_seconds', 'start_time_seconds'];
const SMAPS_NUMBERS = ['next_turn_seconds', 'max_read_seconds', 'max_age_seconds'];
/** Fields that may be missing, by their type. */
const OPTIONAL = {
  number: [
    ...['rss_bytes', 'pss_bytes', 'uss_bytes', 'moved_bytes', 'moved_by_relatives_bytes', 'worth_bytes'],
    ...['age_seconds', 'predicted_seconds', 'counted_with_pid'],
  ],
  string: ['name', 'group', 'subgroup', 'rule', 'mode', 'state', 'need', 'failure', 'source'],
  boolean: ['series', 'over_max_read'],
};

/** Whether every field that is used here has its type. */
function isExplanation(document: Record<string, unknown>): document is ExplanationDocument & Record<string, unknown> {
  const smaps = document.smaps as Record<string, unknown> | null | undefined;
  return typeof smaps === 'object' && smaps !== null && holds(document, NUMBERS) && holds(smaps, SMAPS_NUMBERS);
}

const holds = (fields: Record<string, unknown>, numbers: readonly string[]): boolean =>
  numbers.every((key) => typeof fields[key] === 'number') &&
  Object.entries(OPTIONAL).every(([type, keys]) =>
    keys.every((key) => fields[key] === undefined || typeof fields[key] === type),
  );

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
