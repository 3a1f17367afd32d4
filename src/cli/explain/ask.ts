// Asks the exporter that runs how it stands with a process: where `serve` listens with this configuration, or at --url.
// What cannot be asked comes back as a sentence and never as an error; what is answered is hostile input.
import { X509Certificate } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectSecurely, type TLSSocket } from 'node:tls';
import { ConfigError } from '../../config/load.ts';
import type { Config } from '../../config/options.ts';
import type { ExplanationDocument } from '../../server/api.ts';
import { listenAddressesOf } from '../../server/listeners.ts';
import { loadWebConfig } from '../../server/web-config.ts';

/** What an exporter said of a process, or why it said nothing of it. */
export type Asked = { readonly from: string } & (
  | { readonly told: ExplanationDocument }
  | { readonly unseenFor: number }
  | { readonly why: string }
);

interface Place {
  /** As a person may read it: without credentials. */
  readonly shown: string;
  readonly to: { readonly host: string; readonly port: number } | { readonly path: string };
  readonly secure: boolean;
  /** In front of /explain, where a proxy serves the exporter below a path. */
  readonly prefix: string;
  readonly authorization?: string;
}

/** Longest answer that is read, bytes; ours has some 700. */
const LONGEST = 64 << 10;
/** The exporter may wait for a collection under way: so much longer than that is waited for it, seconds. */
const MARGIN = 2;

/** The message says what is wrong, and what to do instead. */
class Unasked extends Error {}

/** @param url http:, https: or unix:/path as given by --url; undefined: where the configuration says */
export async function askExporter(config: Config, pid: number, url: string | undefined): Promise<Asked> {
  let certificate: string | undefined;
  let places: Place[];
  try {
    const web = await loadWebConfig(config, []).catch((error) => {
      if (url && error instanceof ConfigError) return undefined;
      throw error;
    });
    certificate = web?.tls && String(web.tls.context.cert);
    places = url ? [placeOf(url, config, certificate !== undefined)] : placesFrom(config, certificate !== undefined);
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof Unasked)) throw error;
    return { from: 'the running exporter', why: error.message.replaceAll('\n', '; ') };
  }
  const failures: string[] = [];
  for (const place of places) {
    try {
      return { from: place.shown, ...(await ask(place, pid, certificate, config.scrape_timeout + MARGIN)) };
    } catch (error) {
      if (!(error instanceof Unasked)) throw error;
      failures.push(places.length > 1 ? `${place.shown}: ${error.message}` : error.message);
    }
  }
  return { from: places.map(({ shown }) => shown).join(', '), why: failures.join('; ') };
}

function placesFrom(config: Config, secure: boolean): Place[] {
  // systemd's own address is not known here; the socket unit that ships with the exporter has the usual port.
  const listening = listenAddressesOf({ ...config, web_systemd_socket: false }, {}, 0);
  return listening.map((to) => {
    if ('path' in to) return { shown: `unix:${to.path}`, to, secure, prefix: '' };
    if (!('port' in to) || to.port === 0)
      throw new Unasked('port is 0, which takes any free one; say where it listens with --url');
    const host = ['', '0.0.0.0', '::'].includes(to.host) ? 'localhost' : to.host;
    const shown = `${secure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${to.port}`;
    return { shown, to: { host, port: to.port }, secure, prefix: '' };
  });
}

/** The address may be that of the metrics themselves. */
function placeOf(text: string, { web_telemetry_path }: Config, secure: boolean): Place {
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

/** What is no percent-encoding stands for itself. */
const decoded = (text: string): string =>
  text.replace(/(?:%[\da-f]{2})+/gi, (bytes) => Buffer.from(bytes.replaceAll('%', ''), 'hex').toString());

type Told = { readonly told: ExplanationDocument } | { readonly unseenFor: number } | { readonly why: string };

/** @throws Unasked where there is nobody who answers */
async function ask(place: Place, pid: number, certificate: string | undefined, patience: number): Promise<Told> {
  let socket: Socket | undefined;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    socket?.destroy(new Error('late'));
  }, patience * 1000);
  try {
    socket = open(place);
    await opened(socket, place, certificate);
    const { status, body } = await answerOf(socket, place, pid);
    return judge(place, pid, status, body);
  } catch (error) {
    if (error instanceof Unasked) throw error;
    throw new Unasked(late ? `no answer within ${patience} s` : reasonOf(error as NodeJS.ErrnoException, place));
  } finally {
    clearTimeout(timer);
    socket?.destroy();
  }
}

/** Certificates are judged in opened(), before anything is said. */
function open({ to, secure }: Place): Socket {
  if (!secure) return connect(to);
  const host = 'host' in to ? to.host : 'localhost';
  return connectSecurely({ ...to, servername: isIP(host) ? '' : host, rejectUnauthorized: false });
}

async function opened(socket: Socket, { secure }: Place, certificate: string | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once(secure ? 'secureConnect' : 'connect', resolve);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('it hung up')));
  });
  const { authorized, authorizationError } = socket as TLSSocket;
  if (!secure || authorized || (certificate && shows(socket as TLSSocket, certificate))) return;
  throw new Unasked(
    `its certificate is neither the configured one nor trusted (${String(authorizationError).toLowerCase().replaceAll('_', ' ')}); run this with its configuration, or name its CA in NODE_EXTRA_CA_CERTS`,
  );
}

/** Whether the server has the very certificate that is configured: whatever its names, it is the one. */
const shows = (socket: TLSSocket, certificate: string): boolean =>
  socket.getPeerX509Certificate()?.raw.equals(new X509Certificate(certificate).raw) === true;

function answerOf(socket: Socket, place: Place, pid: number): Promise<{ status: number; body: string }> {
  const headers = {
    host: 'host' in place.to ? place.shown.split('/')[2]! : 'localhost',
    accept: 'application/json',
    connection: 'close',
    ...(place.authorization && { authorization: place.authorization }),
  };
  const path = `${place.prefix}/explain?pid=${pid}`;
  return new Promise((resolve, reject) => {
    const sent = request({ createConnection: () => socket, path, headers }, (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > LONGEST) reject(new Unasked('what it answered is no answer of this exporter'));
        else chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    sent.on('error', reject);
    sent.end();
  });
}

function judge({ shown, authorization }: Place, pid: number, status: number, body: string): Told {
  const document = parsed(body);
  if (status === 200 && document?.pid === pid && isExplanation(document)) return { told: document };
  if (status === 404 && typeof document?.collection_age_seconds === 'number')
    return { unseenFor: document.collection_age_seconds };
  if (status === 401) {
    const how = `give --url ${shown.startsWith('unix:') ? 'http://USER:PASSWORD@HOST:PORT' : shown.replace('//', '//USER:PASSWORD@')}`;
    return {
      why: authorization ? 'it refused the user and password of --url' : `it wants a user and password; ${how}`,
    };
  }
  const said = body.split('\n', 1)[0]!.slice(0, 200);
  if (status === 200 || status === 404) return { why: 'who answers there is no exporter of this version' };
  return { why: `it answered with status ${status}${said && `: ${said}`}` };
}

function parsed(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

const NUMBERS = ['collection_age_seconds', 'start_time_seconds'];
const SAMPLE_NUMBERS = ['next_turn_seconds', 'max_read_seconds', 'max_age_seconds'];
/** What may be left out, by what it is. */
const OPTIONAL = {
  number: [
    ...['rss_bytes', 'pss_bytes', 'uss_bytes', 'moved_bytes', 'moved_by_relatives_bytes', 'worth_bytes'],
    ...['age_seconds', 'predicted_seconds'],
  ],
  string: ['name', 'group', 'subgroup', 'rule', 'mode', 'state', 'need', 'failure', 'source'],
  boolean: ['series', 'over_max_read'],
};

/** Whether everything is there that is counted on, and all of it what it has to be. */
function isExplanation(document: Record<string, unknown>): document is ExplanationDocument & Record<string, unknown> {
  const smaps = document.smaps as Record<string, unknown> | null | undefined;
  return typeof smaps === 'object' && smaps !== null && holds(document, NUMBERS) && holds(smaps, SAMPLE_NUMBERS);
}

const holds = (fields: Record<string, unknown>, numbers: readonly string[]): boolean =>
  numbers.every((key) => typeof fields[key] === 'number') &&
  Object.entries(OPTIONAL).every(([type, keys]) =>
    keys.every((key) => fields[key] === undefined || typeof fields[key] === type),
  );

function reasonOf({ code, message }: NodeJS.ErrnoException, { to, secure }: Place): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'nobody listens there; start the exporter, or say where it listens with --url';
    case 'ENOENT':
      return 'there is no such socket; start the exporter, or say where it listens with --url';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'there is no such host; correct --url';
    case 'EACCES':
      return `${'path' in to ? 'this user may not open the socket' : 'not permitted'}; run this as the exporter's user`;
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
      return 'it speaks no TLS, though TLS is asked for; run this with its configuration, or give --url http://…';
    default:
      return `it did not answer (${code ?? message})${secure ? '; it may speak no TLS' : '; it may speak TLS'}`;
  }
}
