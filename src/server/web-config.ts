// How clients reach the server: TLS, passwords, headers and request rate, from the web configuration file or from the
// keys enable_tls, tls_… of our own configuration. All of it is loaded and tried out, or all of it is refused with every
// fault: no half of a web configuration is ever in force.
import type { SecureContextOptions } from 'node:tls';
import { ConfigError } from '../config/load.ts';
import {
  OperatorFileError,
  type OperatorFileUse,
  readOperatorFile,
  readOperatorText,
} from '../config/operator-files.ts';
import type { Config } from '../config/options.ts';
import { CLIENT_POLICIES, CURVES, defaultSuites, SUITES, SUITES_13, VERSIONS } from './tls-options.ts';
import { type PemSource, parseWebConfigFile, type TlsSettings, type WebConfigFile } from './web-config-file.ts';

/** TLS settings for node:tls, already tried out. */
export interface TlsMaterial {
  readonly context: SecureContextOptions;
  readonly policy: (typeof CLIENT_POLICIES)[keyof typeof CLIENT_POLICIES];
  readonly allowedSans: readonly string[] | undefined;
}

export interface WebConfig {
  readonly tls: TlsMaterial | undefined;
  readonly users: WebConfigFile['users'];
  readonly headers: WebConfigFile['headers'];
  readonly rateLimit: WebConfigFile['rateLimit'];
  readonly warnings: readonly string[];
  /** Everything that decides who may connect, as text. When it changes, open connections end; a new certificate ends none. */
  readonly trust: string;
}

/**
 * @param paths gets every path that it looked at, also when it throws: what to watch
 * @throws ConfigError with every fault
 */
export async function loadWebConfig(config: Config, paths: string[]): Promise<WebConfig> {
  const faults: string[] = [];
  const load = (path: string, use: OperatorFileUse) => {
    paths.push(path);
    return read(path, use, faults);
  };
  let file: WebConfigFile | undefined;
  if (config.web_config_file) {
    const text = load(config.web_config_file, 'web');
    if (text !== undefined) file = await parseWebConfigFile(config.web_config_file, text, faults);
  }
  const short = config.enable_tls ? shortForm(config, faults) : undefined;
  if (short && file?.tls)
    faults.push(`${config.web_config_file}: tls_server_config and enable_tls both turn TLS on; keep one of them`);
  const warnings = [...(file?.warnings ?? [])];
  const settings = short ?? file?.tls;
  const tls = settings && (await materialOf(settings, (path) => load(path, 'pem'), faults, warnings));
  if (faults.length > 0) throw new ConfigError(faults);
  const { cert, key, ...rest } = tls?.context ?? {};
  return {
    tls,
    users: file?.users ?? new Map(),
    headers: file?.headers ?? new Map(),
    rateLimit: file?.rateLimit,
    warnings,
    trust: JSON.stringify(tls && [rest, tls.policy, tls.allowedSans]) ?? '',
  };
}

/** One line for `check`. */
export function describeWebConfig({ tls, users, rateLimit }: WebConfig): string {
  const { asked = false, required = false, verified = false } = tls?.policy ?? {};
  const clients = `client certificates ${required ? 'required' : 'requested'}${verified ? ' and verified' : ''}`;
  const parts = [tls ? 'TLS' : 'plain HTTP'];
  if (asked) parts.push(clients);
  parts.push(users.size === 0 ? 'no password' : `passwords of ${users.size} user${users.size > 1 ? 's' : ''}`);
  if (rateLimit) parts.push(`a request every ${rateLimit.interval} s, bursts of ${rateLimit.burst}`);
  return parts.join(', ');
}

function shortForm(config: Config, faults: string[]): TlsSettings | undefined {
  const { tls_cert_path, tls_key_path, tls_client_ca_path } = config;
  for (const key of ['tls_cert_path', 'tls_key_path'] as const)
    if (!config[key]) faults.push(`enable_tls: ${key} is not set; name the PEM file, or use web_config_file`);
  if (!tls_cert_path || !tls_key_path) return undefined;
  return {
    cert: { path: tls_cert_path },
    key: { path: tls_key_path },
    clientCa: tls_client_ca_path ? { path: tls_client_ca_path } : undefined,
    clientAuth: tls_client_ca_path ? 'RequireAndVerifyClientCert' : 'NoClientCert',
    allowedSans: undefined,
    minVersion: 'TLS12',
    maxVersion: 'TLS13',
    cipherSuites: [],
    preferServerOrder: true,
    curves: [],
  };
}

async function materialOf(
  settings: TlsSettings,
  load: (path: string) => string | undefined,
  faults: string[],
  warnings: string[],
): Promise<TlsMaterial | undefined> {
  const pem = (source: PemSource) => ('path' in source ? load(source.path) : source.text);
  const cert = pem(settings.cert);
  const key = pem(settings.key);
  const clientCa = settings.clientCa && pem(settings.clientCa);
  if (cert === undefined || key === undefined || (settings.clientCa && clientCa === undefined)) return undefined;
  const [{ constants, X509Certificate }, { createSecureContext }] = await Promise.all([
    import('node:crypto'),
    import('node:tls'),
  ]);
  const name = (source: PemSource, key: string) => ('path' in source ? source.path : `tls_server_config.${key}`);
  const policy = CLIENT_POLICIES[settings.clientAuth];
  const older = settings.minVersion < 'TLS12';
  const suites = settings.cipherSuites.map((suite) => SUITES.get(suite)!).filter((suite) => !SUITES_13.includes(suite));
  const offered = settings.cipherSuites.length > 0 ? suites : defaultSuites(settings.minVersion);
  const context: SecureContextOptions = {
    cert,
    key,
    // Clients that are not verified need no roots at all. Else, without a CA, Node's own; Go takes the ones of the system.
    ...(clientCa !== undefined ? { ca: clientCa } : policy.verified ? {} : { ca: [] }),
    minVersion: VERSIONS[settings.minVersion],
    maxVersion: VERSIONS[settings.maxVersion],
    // OpenSSL 3 has no TLS before 1.2 above security level 0.
    ciphers: [...SUITES_13, ...offered, ...(older ? ['@SECLEVEL=0'] : [])].join(':'),
    ecdhCurve: settings.curves.map((curve) => CURVES[curve]).join(':') || 'auto',
    honorCipherOrder: settings.preferServerOrder,
    // A resumed session would not notice that the client's certificate has expired or is no longer allowed.
    // With TLS 1.2, a client could start handshakes on an open connection without end, each at our cost.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    sessionIdContext: 'herakles',
  };
  const before = faults.length;
  const leaf = readCertificate(cert, name(settings.cert, 'cert'), X509Certificate, faults);
  if (clientCa !== undefined) readCertificate(clientCa, name(settings.clientCa!, 'client_ca'), X509Certificate, faults);
  if (faults.length > before) return undefined;
  try {
    createSecureContext(context);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const mismatch = code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' || code === 'ERR_OSSL_X509_KEY_TYPE_MISMATCH';
    const what = mismatch ? `is not the key of ${name(settings.cert, 'cert')}` : `cannot be used (${message})`;
    faults.push(`${name(settings.key, 'key')}: ${what}; give the PEM private key of the certificate, without password`);
    return undefined;
  }
  if (Date.parse(leaf!.validTo) < Date.now())
    warnings.push(`${name(settings.cert, 'cert')}: expired on ${leaf!.validTo}; clients will refuse it`);
  return { context, policy, allowedSans: settings.allowedSans };
}

/** The first certificate of a PEM text. Empty text is a fault: with it, OpenSSL would trust every public CA. */
function readCertificate(
  pem: string,
  name: string,
  X509Certificate: typeof import('node:crypto').X509Certificate,
  faults: string[],
): import('node:crypto').X509Certificate | undefined {
  try {
    if (pem.includes('-----BEGIN CERTIFICATE-----')) return new X509Certificate(pem);
    faults.push(`${name}: has no PEM certificate; give a file that begins with -----BEGIN CERTIFICATE-----`);
  } catch (error) {
    faults.push(`${name}: is no certificate (${(error as Error).message}); give a PEM certificate`);
  }
  return undefined;
}

/** Text of a file that the configuration names. The remarks beside a certificate may be in any encoding. */
function read(path: string, use: OperatorFileUse, faults: string[]): string | undefined {
  try {
    return use === 'pem' ? Buffer.from(readOperatorFile(path, use)).toString() : readOperatorText(path, use);
  } catch (error) {
    if (!(error instanceof OperatorFileError)) throw error;
    faults.push(error.message);
    return undefined;
  }
}
