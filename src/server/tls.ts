// TLS on a connection: handshake, and the client's certificate judged before anything it says is parsed. Loaded only
// where TLS is on. Who is turned away learns why, in an HTTP response of its own.
import type { X509Certificate } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import type { TlsMaterial } from './web-config.ts';

export interface TlsEvents {
  /** The connection is encrypted, and the client is who it has to be. */
  accepted(socket: TLSSocket): void;
  /** The client was turned away, or the handshake failed. */
  refused(client: string, reason: string): void;
}

/** First byte of a TLS record that begins a handshake (RFC 8446, 5.1). */
const HANDSHAKE = 0x16;
/** How long a client that was turned away may take to read why, milliseconds. */
const FAREWELL = 1000;

/**
 * Returns what takes over raw connections.
 * @param patience longest time from the connection to the end of the handshake, seconds
 */
export function createTlsAcceptor(material: TlsMaterial, patience: number, events: TlsEvents): (raw: Socket) => void {
  const { policy } = material;
  const server = createServer({
    ...material.context,
    requestCert: policy.asked,
    rejectUnauthorized: false, // judge() does, and says why
    handshakeTimeout: patience * 1000,
    ALPNProtocols: ['http/1.1'],
  });
  server.on('secureConnection', (socket) => {
    const reason = refusalReasonOf(socket, material);
    if (reason === undefined) return events.accepted(socket);
    events.refused(clientOf(socket), reason);
    refuse(socket, 403, `client certificate refused: ${reason}`);
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException & { reason?: string }, socket) => {
    events.refused(clientOf(socket), `handshake failed: ${error.reason ?? error.message}`);
    socket.destroy();
  });
  return (raw) => {
    const late = () => raw.destroy();
    raw.setTimeout(patience * 1000, late);
    raw.on('end', late);
    raw.once('readable', () => {
      const first: Buffer | null = raw.read();
      if (!first) return raw.destroy();
      if (first[0] !== HANDSHAKE) {
        events.refused(clientOf(raw), 'spoke no TLS');
        return refuse(raw, 400, 'this port speaks HTTPS; ask again with https://');
      }
      raw.setTimeout(0);
      raw.off('timeout', late).off('end', late);
      raw.unshift(first);
      server.emit('connection', raw);
    });
  };
}

export const clientOf = (socket: Socket): string => socket.remoteAddress ?? 'local';

/** Why this client may not connect; undefined where it may. */
function refusalReasonOf(socket: TLSSocket, { policy, allowedSans }: TlsMaterial): string | undefined {
  const certificate = policy.asked ? socket.getPeerX509Certificate() : undefined;
  if (!certificate) return policy.required ? 'none was presented' : undefined;
  if (policy.verified && !socket.authorized)
    return String(socket.authorizationError).toLowerCase().replaceAll('_', ' ');
  if (!allowedSans || sansOf(certificate).some((san) => allowedSans.includes(san))) return undefined;
  return 'it has no subject alternative name that is allowed';
}

/** DNS names, addresses, mail addresses and URIs, written as Go writes them. */
export function sansOf({ subjectAltName = '' }: Pick<X509Certificate, 'subjectAltName'>): string[] {
  const names: string[] = [];
  // Node puts a value in JSON's quotes where it could be taken for several.
  for (const [, kind, value] of subjectAltName.matchAll(/(?:^|, )([^:,"]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?=,|$)/g)) {
    const plain = value!.startsWith('"') ? (JSON.parse(value!) as string) : value!;
    if (kind === 'IP Address')
      names.push(isIP(plain) === 6 ? new URL(`http://[${plain}]`).hostname.slice(1, -1) : plain);
    else if (kind === 'DNS' || kind === 'email' || kind === 'URI') names.push(plain);
  }
  return names;
}

/** Answers whatever comes, unparsed, and hangs up. */
function refuse(socket: Socket, status: 400 | 403, reason: string): void {
  const body = `${reason}\n`;
  const head = [
    `HTTP/1.1 ${status} ${status === 400 ? 'Bad Request' : 'Forbidden'}`,
    'content-type: text/plain; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  const answer = () => {
    socket.resume().end(`${head.join('\r\n')}\r\n\r\n${body}`);
    setTimeout(() => socket.destroy(), FAREWELL).unref();
  };
  socket.on('error', () => socket.destroy());
  socket.setTimeout(FAREWELL * 5, () => socket.destroy());
  if (status === 400) answer();
  else socket.once('data', answer);
}
