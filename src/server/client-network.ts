// Which clients count as one. Every limit that is kept for each client (connections, requests, passwords, memory) counts
// by network, because a client may choose freely among the addresses of its network: a limit for each address would be
// no limit. The log still names the address.
//
// Networks are told apart as they are given out: an IPv4 address belongs to one client; an IPv6 client gets a /64
// (RFC 6177, RFC 7421); every process of this host can connect from every address of 127.0.0.0/8.
//   10.1.2.3 and ::ffff:10.1.2.3 → 10.1.2.3      2001:db8:1:2:aaaa::7 → 2001:db8:1:2::/64
import type { Socket } from 'node:net';

/** The address of a client, for people; 'local' for a Unix socket, which has none. */
export const addressOf = (socket: Socket): string => socket.remoteAddress ?? 'local';

/** The network of a client: the key under which every limit counts it. */
export const networkOf = (socket: Socket): string => clientNetworkOf(addressOf(socket));

/** IPv4 inside IPv6: mapped (RFC 4291, 2.5.5.2), and translated by a gateway (RFC 6052, 2.1). */
const EMBEDDED_IPV4 = /^(?:::ffff:|64:ff9b::)(\d+\.\d+\.\d+\.\d+)$/i;
/** The same with the IPv4 address as two groups of hexadecimal digits: Node writes a translated address so. */
const EMBEDDED_GROUPS = /^(?:::ffff:|64:ff9b::)([\da-f]{1,4}):([\da-f]{1,4})$/i;

/** @param address as Node writes it: IPv4, or IPv6 with its longest run of zero groups shortened to "::" */
export function clientNetworkOf(address: string): string {
  if (!address.includes(':')) return address.startsWith('127.') ? '127.0.0.0/8' : address;
  const dotted = EMBEDDED_IPV4.exec(address)?.[1] ?? dottedOf(EMBEDDED_GROUPS.exec(address));
  if (dotted) return clientNetworkOf(dotted);
  const [plain = '', zone] = address.toLowerCase().split('%');
  const [before = '', after] = plain.split('::');
  const groups = before === '' ? [] : before.split(':');
  if (after !== undefined) {
    const last = after === '' ? [] : after.split(':');
    // A dotted end stands for two groups. It lies in the last 64 bits, so only its length matters.
    const length = groups.length + last.length + Number(last.at(-1)?.includes('.') ?? false);
    groups.push(...new Array<string>(Math.max(0, 8 - length)).fill('0'), ...last);
  }
  const prefix = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${prefix.join(':')}::/64${zone === undefined ? '' : `%${zone}`}`;
}

/** Two groups of 16 bits as a dotted IPv4 address. */
function dottedOf(groups: RegExpExecArray | null): string | undefined {
  if (!groups) return undefined;
  const [high, low] = groups.slice(1).map((group) => Number.parseInt(group, 16)) as [number, number];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
