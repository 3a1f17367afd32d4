// Where to listen: TCP addresses, Unix sockets, sockets that systemd hands over. What can not be had is told in words.
import { lstatSync, unlinkSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Config } from '../config/options.ts';

/** The address cannot be listened on; the message says why and what to do. */
export class ListenError extends Error {}

type Place = { readonly host: string; readonly port: number } | { readonly path: string } | { readonly fd: number };

/** First descriptor that systemd hands over (sd_listen_fds(3)). */
const FIRST_DESCRIPTOR = 3;

/** @throws ListenError */
export function listenAddressesOf(config: Config, env: NodeJS.ProcessEnv, pid: number): Place[] {
  if (config.web_systemd_socket) return handedOver(env, pid);
  if (config.web_listen_address.length === 0) return [{ host: config.bind, port: config.port }];
  return config.web_listen_address.map((address) => {
    if (address.startsWith('unix:')) return { path: address.slice(5) };
    const colon = address.lastIndexOf(':');
    const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
    return { host, port: Number(address.slice(colon + 1)) };
  });
}

function handedOver({ LISTEN_PID, LISTEN_FDS }: NodeJS.ProcessEnv, pid: number): Place[] {
  const count = Number(LISTEN_FDS ?? 0);
  if (Number(LISTEN_PID) !== pid || !Number.isInteger(count) || count < 1)
    throw new ListenError(
      'web_systemd_socket is set, but systemd handed over no socket; start it by its .socket unit, or leave this key out',
    );
  return Array.from({ length: count }, (_, i) => ({ fd: FIRST_DESCRIPTOR + i }));
}

/** Listens on every one of these, or on none. @throws ListenError */
export async function listenOn(places: readonly Place[], take: (socket: Socket) => void): Promise<Server[]> {
  const servers: Server[] = [];
  try {
    for (const place of places) {
      if ('path' in place) await removeLeftover(place.path);
      servers.push(await listen(place, take));
    }
    return servers;
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
}

/** As a person can use it: http://host:port, or unix: and a path. */
export function urlOf(server: Server, scheme: 'http' | 'https'): string {
  const at = server.address() as AddressInfo | string | null;
  if (at === null) return 'unix:(handed over)'; // Node can not tell the path of such a socket
  if (typeof at === 'string') return `unix:${at}`;
  const { address, port } = at;
  const everywhere = address === '::' || address === '0.0.0.0';
  const host = everywhere ? 'localhost' : address.includes(':') ? `[${address}]` : address;
  return `${scheme}://${host}:${port}`;
}

/** An empty host is every address: IPv6 and IPv4 in one socket, IPv4 alone on a host without IPv6. */
function listen(place: Place, take: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, take);
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new ListenError(explain(error, place))));
    const { host, ...rest } = 'host' in place ? place : { ...place, host: '' };
    server.listen({ ...rest, ...(host && { host }) }, () => {
      server.removeAllListeners('error');
      // Out of descriptors: nobody is taken in for the moment, those who are in stay.
      server.on('error', () => {});
      resolve(server);
    });
  });
}

/** A Unix socket nobody listens on any more was left behind by a process that was killed. */
async function removeLeftover(path: string): Promise<void> {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSocket()) return;
  const code = await new Promise<string | undefined>((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(undefined);
    });
    probe.on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
  });
  if (code === 'ECONNREFUSED') unlinkSync(path);
}

function explain({ code, message }: NodeJS.ErrnoException, place: Place): string {
  if ('fd' in place)
    return `cannot listen on descriptor ${place.fd}: it is no listening socket (${message}); correct the .socket unit`;
  const unix = 'path' in place;
  const where = unix ? place.path : `${place.host || '*'}:${place.port}`;
  const [what, remedy] = unix ? ['socket', '--web.listen-address'] : ['port', '--port'];
  switch (code) {
    case 'EADDRINUSE':
      return `cannot listen on ${where}: the ${what} is taken, perhaps by another exporter; stop it, or choose another with ${remedy}`;
    case 'EACCES':
      return `cannot listen on ${where}: not permitted; choose ${unix ? 'a folder that may be written' : 'a port from 1024 on'} with ${remedy}`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `cannot listen on ${where}: this host has no such address; choose another with --bind`;
    default:
      return `cannot listen on ${where}: ${message}; choose another address with --web.listen-address`;
  }
}
