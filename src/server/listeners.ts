// Where to listen: TCP addresses, Unix sockets, and sockets that systemd passes (socket activation). An address that
// cannot be listened on gives an error that says why and what to do.
import { lstatSync, unlinkSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Config } from '../config/options.ts';

/** The address cannot be listened on; the message says why and what to do. */
export class ListenError extends Error {}

type ListenAddress =
  | { readonly host: string; readonly port: number }
  | { readonly path: string }
  | { readonly fd: number };

/** The first descriptor that systemd passes (sd_listen_fds(3)). */
const FIRST_DESCRIPTOR = 3;

/** @throws ListenError */
export function listenAddressesOf(config: Config, env: NodeJS.ProcessEnv, pid: number): ListenAddress[] {
  if (config.web_systemd_socket) return passedBySystemd(env, pid);
  if (config.web_listen_address.length === 0) return [{ host: config.bind, port: config.port }];
  return config.web_listen_address.map((text) => {
    if (text.startsWith('unix:')) return { path: text.slice(5) };
    const colon = text.lastIndexOf(':');
    const host = text.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
    return { host, port: Number(text.slice(colon + 1)) };
  });
}

function passedBySystemd({ LISTEN_PID, LISTEN_FDS }: NodeJS.ProcessEnv, pid: number): ListenAddress[] {
  const count = Number(LISTEN_FDS ?? 0);
  if (Number(LISTEN_PID) !== pid || !Number.isInteger(count) || count < 1)
    throw new ListenError(
      'web_systemd_socket is set, but systemd passed no socket; start the exporter through its .socket unit, or leave this key out',
    );
  return Array.from({ length: count }, (_, i) => ({ fd: FIRST_DESCRIPTOR + i }));
}

/** Listens on all of these addresses, or on none. @param accept gets every connection @throws ListenError */
export async function listenOn(
  addresses: readonly ListenAddress[],
  accept: (socket: Socket) => void,
): Promise<Server[]> {
  const servers: Server[] = [];
  try {
    for (const address of addresses) {
      if ('path' in address) await removeLeftover(address.path);
      servers.push(await listen(address, accept));
    }
    return servers;
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
}

/** The address as a person can open it: http://host:port, or unix: and a path. */
export function urlOf(server: Server, scheme: 'http' | 'https'): string {
  const at = server.address() as AddressInfo | string | null;
  if (at === null) return 'unix:(passed by systemd)'; // Node does not know the path of such a socket
  if (typeof at === 'string') return `unix:${at}`;
  const everywhere = at.address === '::' || at.address === '0.0.0.0';
  const host = everywhere ? 'localhost' : at.address.includes(':') ? `[${at.address}]` : at.address;
  return `${scheme}://${host}:${at.port}`;
}

/** An empty host is every address: IPv6 and IPv4 in one socket, IPv4 alone on a host without IPv6. */
function listen(address: ListenAddress, accept: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, accept);
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new ListenError(explain(error, address))));
    const { host, ...rest } = 'host' in address ? address : { ...address, host: '' };
    server.listen({ ...rest, ...(host && { host }) }, () => {
      server.removeAllListeners('error');
      // No descriptor is left: new connections wait until one is free, and open ones stay.
      server.on('error', () => {});
      resolve(server);
    });
  });
}

/** Removes a Unix socket on which nobody listens: a process that was killed has left it. */
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

function explain({ code, message }: NodeJS.ErrnoException, address: ListenAddress): string {
  if ('fd' in address)
    return `cannot listen on descriptor ${address.fd}: it is no listening socket (${message}); correct the .socket unit`;
  const unix = 'path' in address;
  const where = unix ? address.path : `${address.host || '*'}:${address.port}`;
  const [what, remedy] = unix ? ['socket', '--web.listen-address'] : ['port', '--port'];
  switch (code) {
    case 'EADDRINUSE':
      return `cannot listen on ${where}: the ${what} is in use, perhaps by another exporter; stop it, or choose another one with ${remedy}`;
    case 'EACCES':
      return `cannot listen on ${where}: not permitted; choose ${unix ? 'a folder in which this user may write' : 'a port from 1024 on'} with ${remedy}`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `cannot listen on ${where}: this host has no such address; choose another with --bind`;
    default:
      return `cannot listen on ${where}: ${message}; choose another address with --web.listen-address`;
  }
}
