// The web configuration file of Prometheus' exporters (exporter-toolkit): the same keys, defaults and strictness.
// Text → settings, or all faults at once, each with its line. Pure: web-config.ts reads the files that it names. Any text
// gives settings or faults, and nothing else.
import { dirname, resolve } from 'node:path';
import { MalformedFileError } from '../config/malformed-file.ts';
import { parseText } from '../config/parser-thread.ts';
import { isMap, isScalar, isSeq, type YamlNode } from '../config/yaml-tree.ts';
import { nearestName } from '../text/did-you-mean.ts';
import { escapedJson } from '../text/hostile.ts';
import { CLIENT_POLICIES, type ClientPolicy, CURVES, SUITES, VERSIONS, type VersionName } from './tls-options.ts';

/** A PEM text: in the file itself, or in a file of its own (absolute path). */
export type PemSource = { readonly text: string } | { readonly path: string };

export interface TlsSettings {
  readonly cert: PemSource;
  readonly key: PemSource;
  readonly clientCa: PemSource | undefined;
  readonly clientAuth: ClientPolicy;
  /** A client certificate must have one of these subject alternative names; undefined: any. */
  readonly allowedSans: readonly string[] | undefined;
  readonly minVersion: VersionName;
  readonly maxVersion: VersionName;
  /** Names as in the file, in order of preference; empty: our default suites. */
  readonly cipherSuites: readonly string[];
  readonly preferServerOrder: boolean;
  readonly curves: readonly string[];
}

export interface RateLimit {
  /** Seconds between two requests. */
  readonly interval: number;
  readonly burst: number;
}

export interface WebConfigFile {
  readonly tls: TlsSettings | undefined;
  /** bcrypt hash by user name. */
  readonly users: ReadonlyMap<string, string>;
  /** Response headers, by name; '' turns a header off. */
  readonly headers: ReadonlyMap<string, string>;
  readonly rateLimit: RateLimit | undefined;
  /** Settings that are in force, but probably not intended. */
  readonly warnings: readonly string[];
}

/** Headers that a file may set, and the values they may have; undefined: any value. */
const HEADERS: ReadonlyMap<string, readonly string[] | undefined> = new Map([
  ['Content-Security-Policy', undefined],
  ['Strict-Transport-Security', undefined],
  ['X-Content-Type-Options', ['nosniff']],
  ['X-Frame-Options', ['deny', 'sameorigin']],
  ['X-XSS-Protection', undefined],
]);

/**
 * Largest cost of a bcrypt hash. One more doubles the time of a comparison, which any client can cause: 0.1 s of CPU time
 * at cost 10, 0.6 s at 13, 1.2 s at 14, measured on a core of a server.
 */
const COST_MAX = 13;

/** What is wrong with one value, and what to do; completes "path:line: key". */
class ValueFault extends Error {}

type Node = YamlNode | null;

/** @param path of the file; relative paths in it start at its folder @param faults gets "path:line: what; what to do" */
export async function parseWebConfigFile(path: string, text: string, faults: string[]): Promise<WebConfigFile> {
  try {
    return new Reader(path, await parseText('yaml', text, 8, 'YAML 1.1'), faults).file();
  } catch (error) {
    if (!(error instanceof MalformedFileError)) throw error;
    faults.push(`${path}:${error.line}: ${error.message}`);
    return EMPTY;
  }
}

const EMPTY: WebConfigFile = {
  tls: undefined,
  users: new Map(),
  headers: new Map(),
  rateLimit: undefined,
  warnings: [],
};

class Reader {
  readonly #path: string;
  readonly #root: Node;
  readonly #faults: string[];
  readonly #warnings: string[] = [];

  constructor(path: string, root: Node, faults: string[]) {
    this.#path = path;
    this.#root = root;
    this.#faults = faults;
  }

  file(): WebConfigFile {
    const parts = this.#map(this.#root, '', {
      tls_server_config: (node) => this.#tls(node),
      http_server_config: (node) => this.#http(node),
      basic_auth_users: (node) => this.#users(node),
      rate_limit: (node) => this.#rate(node),
    });
    const http = parts.http_server_config ?? { http2: true, headers: new Map() };
    if (parts.tls_server_config && http.http2) this.#needsSuiteOfHttp2(parts.tls_server_config);
    return {
      tls: parts.tls_server_config,
      users: parts.basic_auth_users ?? new Map(),
      headers: http.headers,
      rateLimit: parts.rate_limit,
      warnings: this.#warnings,
    };
  }

  #tls(node: Node): TlsSettings | undefined {
    const text = (value: Node) => this.#text(value);
    const place = (value: Node) => {
      const given = this.#text(value);
      return given && resolve(dirname(this.#path), given);
    };
    const version = (value: Node) => this.#oneOf(value, Object.keys(VERSIONS) as VersionName[]);
    const given = this.#map(node, 'tls_server_config.', {
      cert: text,
      key: text,
      client_ca: text,
      cert_file: place,
      key_file: place,
      client_ca_file: place,
      client_auth_type: (value) => this.#clientAuth(value),
      client_allowed_sans: (value) => this.#list(value, text),
      min_version: version,
      max_version: version,
      cipher_suites: (value) => this.#list(value, (item) => this.#oneOf(item, [...SUITES.keys()])),
      prefer_server_cipher_suites: (value) => this.#boolean(value),
      curve_preferences: (value) => this.#list(value, (item) => this.#oneOf(item, Object.keys(CURVES))),
    });
    const pem = (file?: string, inline?: string): PemSource | undefined =>
      file ? { path: file } : inline ? { text: inline } : undefined;
    const cert = pem(given.cert_file, given.cert);
    const key = pem(given.key_file, given.key);
    const clientCa = pem(given.client_ca_file, given.client_ca);
    if (!cert && !key && !clientCa && !given.client_auth_type) return undefined;
    if (!cert) this.#fault(node, 'tls_server_config has neither cert nor cert_file; name the certificate');
    if (!key) this.#fault(node, 'tls_server_config has neither key nor key_file; name the private key');
    const clientAuth = given.client_auth_type || 'NoClientCert';
    const { asked } = CLIENT_POLICIES[clientAuth];
    if (clientCa && !asked) {
      const what = 'tls_server_config names a client CA but asks for no client certificate';
      this.#fault(node, `${what}; set client_auth_type, to RequireAndVerifyClientCert as a rule`);
    }
    const allowedSans = given.client_allowed_sans;
    if (allowedSans && !asked)
      this.#warn(node, 'client_allowed_sans has no effect without client_auth_type: no client shows a certificate');
    const [minVersion, maxVersion] = [given.min_version ?? 'TLS12', given.max_version ?? 'TLS13'];
    if (minVersion > maxVersion) this.#fault(node, `min_version ${minVersion} is above max_version ${maxVersion}`);
    if (!cert || !key) return undefined;
    return {
      ...{ cert, key, clientCa, clientAuth, allowedSans, minVersion, maxVersion },
      cipherSuites: given.cipher_suites ?? [],
      preferServerOrder: given.prefer_server_cipher_suites ?? true,
      curves: given.curve_preferences ?? [],
    };
  }

  /** Go refuses such a file; the same file has to be right for every exporter. */
  #needsSuiteOfHttp2({ cipherSuites, minVersion }: TlsSettings): void {
    const required = /^TLS_ECDHE_(RSA|ECDSA)_WITH_AES_128_GCM_SHA256$/;
    if (cipherSuites.length === 0 || minVersion === 'TLS13' || cipherSuites.some((name) => required.test(name))) return;
    const what =
      'cipher_suites lacks the suite that HTTP/2 demands, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 or its ECDSA';
    this.#fault(this.#root, `${what} form; add it, or set http_server_config.http2 to false`);
  }

  #clientAuth(node: Node): ClientPolicy | '' {
    const given = this.#text(node);
    if (given === '') return '';
    if (given === 'RequireClientCert') return 'RequireAnyClientCert'; // an older name of it
    return this.#oneOf(node, Object.keys(CLIENT_POLICIES) as ClientPolicy[]);
  }

  #http(node: Node): { http2: boolean; headers: ReadonlyMap<string, string> } {
    const { http2 = true, headers = new Map<string, string>() } = this.#map(node, 'http_server_config.', {
      http2: (value) => this.#boolean(value),
      headers: (value) => this.#entries(value, 'http_server_config.headers.', (name, held) => this.#header(name, held)),
    });
    return { http2, headers };
  }

  #header(name: string, node: Node): string {
    if (!HEADERS.has(name)) {
      const near = nearestName(name, HEADERS.keys());
      const known = [...HEADERS.keys()].join(', ');
      throw new ValueFault(
        `is a header that cannot be configured; ${near ? `did you mean ${near}?` : `choose one of ${known}`}`,
      );
    }
    const value = this.#text(node);
    const values = HEADERS.get(name);
    if (values && !values.includes(value)) throw new ValueFault(`is ${show(value)}; give ${values.join(' or ')}`);
    if (!/^[\t\x20-\x7e]*$/.test(value)) throw new ValueFault('has characters that no header may have; remove them');
    return value;
  }

  #users(node: Node): ReadonlyMap<string, string> {
    return this.#entries(node, 'basic_auth_users.', (name, value) => {
      const hash = this.#text(value);
      if (name.includes(':'))
        throw new ValueFault(
          'has a colon, which basic authentication does not allow in a user name; choose another name',
        );
      const cost = Number(/^\$2[aby]?\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(hash)?.[1] ?? 0);
      if (cost < 4 || cost > 31) throw new ValueFault('is no bcrypt hash; make one with htpasswd -nBC 10 ""');
      if (cost > COST_MAX)
        throw new ValueFault(
          `has a bcrypt cost of ${cost}: while one such password is compared, all other clients wait; make another hash, with cost 10: htpasswd -nBC 10 ""`,
        );
      return hash;
    });
  }

  #rate(node: Node): RateLimit | undefined {
    const { interval = 0, burst = 0 } = this.#map(node, 'rate_limit.', {
      interval: (value) => this.#duration(value),
      burst: (value) => this.#integer(value),
    });
    if (interval === 0) return undefined;
    if (burst === 0) this.#warn(node, 'rate_limit without burst refuses every request; set burst to 1 or more');
    return { interval, burst };
  }

  // --- values

  /** Reads a mapping with these keys and no other. A fault of one value does not keep the others from being read. */
  #map<Readers extends Record<string, (node: Node) => unknown>>(node: Node, prefix: string, readers: Readers) {
    const values: Record<string, unknown> = {};
    const entries = this.#entries(node, prefix, (name, value) => {
      const read = Object.hasOwn(readers, name) ? readers[name] : undefined;
      if (!read) {
        const near = nearestName(name, Object.keys(readers));
        throw new ValueFault(`is no key of a web configuration file; ${near ? `did you mean ${near}?` : 'remove it'}`);
      }
      return read(value);
    });
    for (const [name, value] of entries) values[name] = value;
    return values as { [K in keyof Readers]?: ReturnType<Readers[K]> };
  }

  #entries<T>(node: Node, prefix: string, read: (name: string, value: Node) => T): Map<string, T> {
    const found = new Map<string, T>();
    if (node === null || (isScalar(node) && node.value === null)) return found;
    if (!isMap(node)) {
      this.#fault(node, `${prefix.replace(/\.$/, '') || 'the file'} is no mapping; write lines of the form key: value`);
      return found;
    }
    const seen = new Set<string>();
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.source ?? key.value) : '';
      const what = `${prefix}${/^[\w.-]{1,64}$/.test(name) ? name : show(name)}`;
      try {
        if (!isScalar(key)) throw new ValueFault('is no plain key; write key: value');
        if (seen.has(name)) throw new ValueFault('is set again; keep one of them');
        seen.add(name);
        found.set(name, read(name, value));
      } catch (error) {
        if (!(error instanceof ValueFault)) throw error;
        this.#fault(key, `${what} ${error.message}`);
      }
    }
    return found;
  }

  /** Any scalar as it is written, as in Go; '' where there is none. */
  #text(node: Node): string {
    if (node === null || (isScalar(node) && node.value === null)) return '';
    if (!isScalar(node)) throw new ValueFault('is no plain text; give text');
    return String(node.source ?? node.value);
  }

  #boolean(node: Node): boolean {
    if (isScalar(node) && typeof node.value === 'boolean') return node.value;
    throw new ValueFault('is neither true nor false; give one of them');
  }

  #integer(node: Node): number {
    const value = isScalar(node) ? node.value : undefined;
    if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 1e9) return value as number;
    throw new ValueFault('is no whole number from 0 to 1000000000; give one');
  }

  /** Seconds. As Go writes them (1m30s, 100ms, 1.5s); a bare number counts nanoseconds. */
  #duration(node: Node): number {
    const text = this.#text(node);
    if (/^\d{1,18}$/.test(text)) return Number(text) / 1e9;
    if (!/^(\d{1,12}(\.\d{1,9})?(ns|us|µs|ms|s|m|h))+$/.test(text))
      throw new ValueFault('is no duration; give one such as 1s or 100ms, or 0');
    let seconds = 0;
    for (const [, value, unit] of text.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g))
      seconds += Number(value) * UNITS[unit!]!;
    return seconds;
  }

  #list<T>(node: Node, read: (item: Node) => T): T[] | undefined {
    if (node === null || (isScalar(node) && node.value === null)) return undefined;
    if (!isSeq(node)) throw new ValueFault('is no list; write one item a line, each after a dash');
    return node.items.map((item) => read(item));
  }

  #oneOf<const T extends string>(node: Node, names: readonly T[]): T {
    const given = this.#text(node);
    const found = names.find((name) => name === given);
    if (found) return found;
    throw new ValueFault(`is ${show(given)}, which is unknown; choose one of ${names.join(', ')}`);
  }

  #fault(node: Node, message: string): void {
    this.#faults.push(`${this.#path}:${node ? node.line : 1}: ${message}`);
  }

  #warn(node: Node, message: string): void {
    this.#warnings.push(`${this.#path}:${node ? node.line : 1}: ${message}`);
  }
}

const UNITS: Readonly<Record<string, number>> = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };

const show = (text: string): string =>
  text === '' ? 'empty' : escapedJson(text.length > 60 ? `${text.slice(0, 60)}…` : text);
