// The names of TLS versions, cipher suites, curves and client policies in a web configuration file, and OpenSSL's names for
// them. The file uses the names of Go's crypto/tls, as exporter-toolkit does. Suites that Go calls insecure are left out.

/** In rising order; the names compare as text. */
export const VERSIONS = { TLS10: 'TLSv1', TLS11: 'TLSv1.1', TLS12: 'TLSv1.2', TLS13: 'TLSv1.3' } as const;
export type VersionName = keyof typeof VERSIONS;

export const CURVES: Readonly<Record<string, string>> = {
  CurveP256: 'P-256',
  CurveP384: 'P-384',
  CurveP521: 'P-521',
  X25519: 'X25519',
};

/** The suites of TLS 1.3, which are always on, as in Go. */
export const SUITES_13 = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

const AUTHENTICATED = [
  ['AES_128_GCM_SHA256', 'AES128-GCM-SHA256'],
  ['AES_256_GCM_SHA384', 'AES256-GCM-SHA384'],
  ['CHACHA20_POLY1305_SHA256', 'CHACHA20-POLY1305'],
] as const;
const OLDER = [
  ['AES_128_CBC_SHA', 'AES128-SHA'],
  ['AES_256_CBC_SHA', 'AES256-SHA'],
] as const;

const named = (suites: readonly (readonly [string, string])[]): [string, string][] =>
  suites.flatMap(([name, openssl]) =>
    ['ECDSA', 'RSA'].map((key): [string, string] => [`TLS_ECDHE_${key}_WITH_${name}`, `ECDHE-${key}-${openssl}`]),
  );

/** OpenSSL's name of every suite that a file may name. */
export const SUITES: ReadonlyMap<string, string> = new Map([
  ...named([...AUTHENTICATED, ...OLDER]),
  ...SUITES_13.map((name): [string, string] => [name, name]),
]);

/** The suites where the file names none: authenticated encryption, and the older ones only where TLS 1.0 or 1.1 is allowed. */
export const defaultSuites = (least: VersionName): string[] =>
  named(least < 'TLS12' ? [...AUTHENTICATED, ...OLDER] : AUTHENTICATED).map(([, openssl]) => openssl);

/** Whether a client is asked for a certificate, must have one, and whether a CA that we trust must have signed it. */
export const CLIENT_POLICIES = {
  NoClientCert: { asked: false, required: false, verified: false },
  RequestClientCert: { asked: true, required: false, verified: false },
  RequireAnyClientCert: { asked: true, required: true, verified: false },
  VerifyClientCertIfGiven: { asked: true, required: false, verified: true },
  RequireAndVerifyClientCert: { asked: true, required: true, verified: true },
} as const;
export type ClientPolicy = keyof typeof CLIENT_POLICIES;
