// Which host names a request may be sent to. A page of another site can point its own name at the address of this exporter
// (DNS rebinding): the browser then treats our pages as that site's, and its scripts may read them and send requests. The
// browser still writes the name of the site into the Host header, so a name that is not ours is refused.
//
// Ours are: IP addresses (a page cannot be served under our address without our doing), localhost, the host name of this
// machine with the other names that /etc/hosts gives to it, names at which the exporter listens, and web_allowed_hosts.
// Example: "Host: web1:9215" is allowed on the machine web1, "Host: evil.example:9215" is not.
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { Config } from '../config/options.ts';
import { listenAddressesOf } from './listeners.ts';

/** Why the host of a request is refused: the status and a sentence that says what to do. */
export interface HostRefusal {
  readonly status: 400 | 403;
  readonly reason: string;
}

/** A name as DNS has it, or an IPv4 address; or an IPv6 address in brackets (RFC 3986, 3.2.2); and perhaps a port. */
const HOST = /^(?:\[([\da-f:.]+)(?:%[\w.%~-]+)?\]|([\w.-]{1,255}))(?::\d*)?$/i;
/** A request target with scheme and host (RFC 9112, 3.2.2), which proxies send. */
const ABSOLUTE_TARGET = /^https?:\/\/([^/?#]*)/i;

/** The host of a Host header in lower case, without port and the dot of the root; undefined where there is none. */
export function hostOf(header: string): string | undefined {
  const [, ipv6, name] = HOST.exec(header) ?? [];
  if (ipv6 !== undefined) return isIP(ipv6) === 6 ? ipv6.toLowerCase() : undefined;
  return name?.toLowerCase().replace(/\.$/, '') || undefined;
}

/** The names under which requests may come. @param hosts text of /etc/hosts; a line that has our name gives others (hosts(5)) */
export function allowedHostsOf(config: Config, ownName = hostname(), hosts = ''): ReadonlySet<string> {
  const own = ownName.toLowerCase();
  const names = hosts
    .toLowerCase()
    .split('\n')
    .map((line) => line.split('#', 1)[0]!.trim().split(/\s+/).slice(1))
    .filter((line) => line.includes(own))
    .flat();
  // Sockets of systemd have no names.
  const listening = listenAddressesOf({ ...config, web_systemd_socket: false }, {}, 0);
  for (const address of listening) if ('host' in address) names.push(address.host);
  const all = ['localhost', own, ...names, ...config.web_allowed_hosts];
  return new Set(all.map((name) => name.toLowerCase().replace(/\.$/, '')).filter((name) => name !== ''));
}

/**
 * Undefined where the request may be answered. A request without a Host comes from no browser (HTTP/1.0).
 * @param allowed what allowedHostsOf() gave
 */
export function hostRefusal(
  { headersDistinct, url = '' }: IncomingMessage,
  allowed: ReadonlySet<string>,
): HostRefusal | undefined {
  const headers = headersDistinct.host ?? [];
  // RFC 9112, 3.2: a server must refuse several Host headers: a proxy in front may have looked at another one.
  if (headers.length > 1) return { status: 400, reason: 'the request has several Host headers; send one' };
  const target = ABSOLUTE_TARGET.exec(url)?.[1];
  for (const header of target === undefined ? headers : [target, ...headers]) {
    if (header === '' && header !== target) continue;
    const host = hostOf(header);
    if (host === undefined) return { status: 403, reason: 'the host of the request is neither a name nor an address' };
    if (isIP(host) === 0 && !allowed.has(host))
      return {
        status: 403,
        reason: `this exporter is not known as ${host}; use its IP address, or add the name to web_allowed_hosts`,
      };
  }
  return undefined;
}

/**
 * Whether a browser sent this request for a page of another site. It says so in Sec-Fetch-Site (W3C Fetch Metadata), and
 * in Origin (RFC 6454), which older browsers send as well; neither can be set by a script.
 */
export function isFromOtherSite({ headers }: IncomingMessage): boolean {
  const { origin, host = '' } = headers;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  return origin !== undefined && origin.replace(/^https?:\/\//i, '').toLowerCase() !== host.toLowerCase();
}
