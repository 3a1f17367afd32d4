// Where the running exporter can be asked: the address of --url, or those at which `serve` listens with this configuration.
import { type Config, optionOf } from '../../config/options.ts';
import { listenAddressesOf } from '../../server/listeners.ts';
import type { GivenSettings } from '../verb.ts';

export interface Endpoint {
  /** The address as a person may read it: without credentials. */
  readonly shown: string;
  readonly to: { readonly host: string; readonly port: number } | { readonly path: string };
  readonly secure: boolean;
  /** The path in front of every route, where a proxy serves the exporter below a path. */
  readonly prefix: string;
  readonly authorization?: string;
}

/** The exporter cannot be asked. The message says why, and what to do. */
export class AskError extends Error {}

/** Settings that change only where and how the exporter answers, not what it collects. */
const OF_THE_ADDRESS = ['Listening', 'TLS and authentication', 'Limits of the server', 'Log'];

/**
 * Whether the command line sets what is collected. The running exporter knows nothing of that, so its answer would be an
 * answer to another question: `scan --search-groups db` collects by itself.
 */
export const changesCollection = ({ flags }: GivenSettings): boolean =>
  flags.some(({ key }) => !OF_THE_ADDRESS.includes(optionOf(key).section));

/** The addresses of the configuration. @param secure whether TLS is configured @throws AskError where none can be known */
export function configuredEndpoints(config: Config, secure: boolean): Endpoint[] {
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

/** The URL of --url; it may also be that of the metrics. @param secure whether TLS is configured, for a socket */
export function endpointOf(text: string, { web_telemetry_path }: Config, secure: boolean): Endpoint {
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
