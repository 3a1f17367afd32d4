// TLS on accepted connections: the handshake, then the check of the client's certificate, before any byte of a request is
// parsed. A client that is refused gets an HTTP response that says why (Node cannot send a TLS alert of its own;
// docs/decisions/0004). Loaded only where TLS is on.
import type { X509Certificate } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import { createSecureContext, createServer, type TLSSocket } from 'node:tls';
import { addressOf } from './client-network.ts';
import type { TlsMaterial } from './web-config.ts';

export interface TlsEvents {
  /** The connection is encrypted, and the client may connect. */
  accepted(socket: TLSSocket): void;
  /** The client may not connect, or the handshake failed. */
  refused(client: string, reason: string): void;
}

/** First byte of a TLS record that begins a handshake (RFC 8446, 5.1). */
const HANDSHAKE_RECORD = 0x16;
/** Time that a refused client has to read the response, milliseconds. */
const REFUSAL_GRACE_MS = 1000;

/**
 * Returns a function to call with each raw connection: it performs the handshake and reports to `events`.
 * @param timeout from the connection to the end of the handshake, seconds
 */
export function createTlsAcceptor(material: TlsMaterial, timeout: number, events: TlsEvents): (raw: Socket) => void {
  const { policy } = material;
  const server = createServer({
    ...material.context,
    requestCert: policy.asked,
    rejectUnauthorized: false, // refusalReasonOf() decides, and gives the reason
    handshakeTimeout: timeout * 1000,
    ALPNProtocols: ['http/1.1'],
  });
  // A certificate of the client CA file is trusted whether it signed itself or not, as in Go: an intermediate authority may
  // stand there alone. Node 20 does not hand the option from createServer on to the context, so the context is set.
  const context = createSecureContext({ ...material.context, allowPartialTrustChain: true });
  Object.assign(server, { _sharedCreds: context });
  server.on('secureConnection', (socket) => {
    const reason = refusalReasonOf(socket, material);
    if (reason === undefined) return events.accepted(socket);
    events.refused(addressOf(socket), reason);
    refuse(socket, 403, `client certificate refused: ${reason}`);
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException & { reason?: string }, socket) => {
    events.refused(addressOf(socket), `handshake failed: ${error.reason ?? error.message}`);
    socket.destroy();
  });
  return (raw) => {
    const late = () => raw.destroy();
    raw.setTimeout(timeout * 1000, late);
    raw.on('end', late);
    raw.once('readable', () => {
      const first: Buffer | null = raw.read();
      if (!first) return raw.destroy();
      if (first[0] !== HANDSHAKE_RECORD) {
        events.refused(addressOf(raw), 'the client did not speak TLS');
        return refuse(raw, 400, 'this port speaks HTTPS; use https://');
      }
      raw.setTimeout(0);
      raw.off('timeout', late).off('end', late);
      raw.unshift(first);
      server.emit('connection', raw);
    });
  };
}

/** Why this client may not connect; undefined where it may. */
export function refusalReasonOf(socket: TLSSocket, { policy, allowedSans }: TlsMaterial): string | undefined {
  const certificate = policy.asked ? socket.getPeerX509Certificate() : undefined;
  if (!certificate) return policy.required ? 'none was presented' : undefined;
  if (policy.verified && !socket.authorized)
    return String(socket.authorizationError).toLowerCase().replaceAll('_', ' ');
  if (!allowedSans || sansOf(certificate).some((san) => allowedSans.includes(san))) return undefined;
  return 'none of its subject alternative names is allowed';
}

/** The subject alternative names of a certificate: DNS names, IP addresses, mail addresses and URIs, written as in Go. */
export function sansOf({ subjectAltName = '' }: Pick<X509Certificate, 'subjectAltName'>): string[] {
  const names: string[] = [];
  // Node writes a value as a JSON string where it could be read as several names.
  for (const [, kind, value] of subjectAltName.matchAll(/(?:^|, )([^:,"]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?=,|$)/g)) {
    const plain = value!.startsWith('"') ? (JSON.parse(value!) as string) : value!;
    if (kind === 'IP Address')
      names.push(isIP(plain) === 6 ? new URL(`http://[${plain}]`).hostname.slice(1, -1) : plain);
    else if (kind === 'DNS' || kind === 'email' || kind === 'URI') names.push(plain);
  }
  return names;
}

/** Responds without parsing any request, and ends the connection. */
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
    setTimeout(() => socket.destroy(), REFUSAL_GRACE_MS).unref();
  };
  socket.on('error', () => socket.destroy());
  socket.setTimeout(REFUSAL_GRACE_MS * 5, () => socket.destroy());
  if (status === 400) answer();
  else socket.once('data', answer);
}
