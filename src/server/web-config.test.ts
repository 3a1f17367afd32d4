// Good and bad web files, one line a case, hostile input first: what exporter-toolkit refuses is refused, what it takes
// is taken, and every fault names its line and what to do.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { Authority, selfSigned } from '../../test/certificates.ts';
import { ConfigError } from '../config/load.ts';
import { type Config, defaults } from '../config/options.ts';
import { loadWebConfig, type WebConfig } from './web-config.ts';
import { parseWebConfigFile } from './web-config-file.ts';

const dir = mkdtempSync(join(tmpdir(), 'herakles-web-'));
after(() => rmSync(dir, { recursive: true }));
const authority = new Authority('ca');
const server = authority.issue('localhost');
const other = selfSigned(dir, 'other');
const place = (name: string, text: string) => writeFileSync(join(dir, name), text);
place('server.crt', readFileSync(server.cert, 'utf8'));
place('server.key', readFileSync(server.key, 'utf8'));
place('ca.crt', readFileSync(authority.cert, 'utf8'));
place('empty.crt', '');
place('garbage.crt', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
place('garbage.key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n');

const inline = (path: string) => `|\n${readFileSync(path, 'utf8').trimEnd().replace(/^/gm, '      ')}\n`;
const tls = 'tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n';
const dave = '$2y$10$2UXri9cIDdgeKjBo4Rlpx.U3ZLDV8X1IxKmsfOvhcM5oXQt/mLmXq';

async function load(text: string | Buffer, changes: Partial<Config> = {}): Promise<WebConfig | readonly string[]> {
  const file = join(dir, 'web.yml');
  writeFileSync(file, text);
  try {
    return await loadWebConfig({ ...defaults, web_config_file: file, ...changes }, []);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.faults.map((fault) => fault.replaceAll(`${dir}/`, ''));
  }
}

// biome-ignore format: one line a case
const bad: [what: string, text: string, ...faults: RegExp[]][] = [
  ['junk', 'hWkNKCp3fvIx3jKnsaBI\nTuEjdwNS8A2vYdFbiKqr\n', /^web\.yml:1: the file is no mapping; write lines/],
  ['a list', '- a\n', /^web\.yml:1: the file is no mapping/],
  ['broken YAML', 'tls_server_config: {\n', /^web\.yml:\d: is not valid YAML/],
  ['two documents', `${tls}---\n${tls}`, /^web\.yml:4: starts a second YAML document/],
  ['an unknown section', 'tls_config:\n  cert_file: x\n', /^web\.yml:1: tls_config is no key.*did you mean|^web\.yml:1: tls_config is no key.*remove it/],
  ['an unknown key', 'tls_server_config:\n  cert_filse: server.crt\n', /^web\.yml:2: tls_server_config\.cert_filse is no key of a web configuration file; did you mean cert_file\?$/],
  ['a key that objects have', `${tls}  constructor: x\n`, /constructor is no key/],
  ['__proto__', `${tls}  __proto__: x\n`, /__proto__ is no key/],
  ['a key given twice', `${tls}  key_file: other.key\n`, /^web\.yml:4: tls_server_config\.key_file is set again/],
  ['a section given twice', `${tls}${tls}`, /^web\.yml:4: tls_server_config is set again/],
  ['a section that is text', 'tls_server_config: on\n', /tls_server_config is no mapping/],
  ['an alias', 'a: &a x\nbasic_auth_users: *a\n', /^web\.yml:1: a is no key/, /no mapping|no plain/],
  ['cert_file empty', 'tls_server_config:\n  cert_file: ""\n  key_file: server.key\n', /neither cert nor cert_file/],
  ['cert empty', 'tls_server_config:\n  cert: ""\n  key_file: server.key\n', /neither cert nor cert_file/],
  ['key_file empty', 'tls_server_config:\n  cert_file: server.crt\n  key_file: ""\n', /neither key nor key_file/],
  ['key empty', 'tls_server_config:\n  cert_file: server.crt\n  key: ""\n', /neither key nor key_file/],
  ['both empty, and a bad policy', 'tls_server_config:\n  cert_file: ""\n  key_file: ""\n  client_auth_type: x\n', /client_auth_type is "x"/],
  ['only a policy', 'tls_server_config:\n  client_auth_type: RequireAnyClientCert\n', /neither cert/, /neither key/],
  ['cert_file that is not there', 'tls_server_config:\n  cert_file: somefile\n  key_file: server.key\n', /^somefile: no such file; correct the path/],
  ['key_file that is not there', 'tls_server_config:\n  cert_file: server.crt\n  key_file: somefile\n', /^somefile: no such file/],
  ['neither there', 'tls_server_config:\n  cert_file: some\n  key_file: file\n', /^some: no such file/, /^file: no such file/],
  ['a folder for a certificate', 'tls_server_config:\n  cert_file: /tmp\n  key_file: server.key\n', /^\/tmp: is a directory; put a PEM file in its place$/],
  ['a device for a certificate', 'tls_server_config:\n  cert_file: /dev/zero\n  key_file: server.key\n', /^\/dev\/zero: is a device; put a PEM file in its place$/],
  ['an empty certificate', 'tls_server_config:\n  cert_file: empty.crt\n  key_file: server.key\n', /^empty\.crt: has no PEM certificate/],
  ['a certificate that is none', 'tls_server_config:\n  cert_file: garbage.crt\n  key_file: server.key\n', /^garbage\.crt: is no certificate/],
  ['a key that is none', 'tls_server_config:\n  cert_file: server.crt\n  key_file: garbage.key\n', /^garbage\.key: cannot be used/],
  ['a key for a certificate', 'tls_server_config:\n  cert_file: server.key\n  key_file: server.key\n', /^server\.key: has no PEM certificate/],
  ['the key of another certificate', `tls_server_config:\n  cert_file: server.crt\n  key_file: ${other.key}\n`, /other\.key: is not the key of server\.crt/],
  ['a client CA without a policy', `${tls}  client_ca_file: ca.crt\n`, /asks for no client certificate; set client_auth_type/],
  ['a client CA with NoClientCert', `${tls}  client_ca_file: ca.crt\n  client_auth_type: NoClientCert\n`, /asks for no client certificate/],
  ['a client CA that is not there', `${tls}  client_ca_file: somefile\n  client_auth_type: RequireAndVerifyClientCert\n`, /^somefile: no such file/],
  ['an empty client CA, which would trust the world', `${tls}  client_ca_file: empty.crt\n  client_auth_type: RequireAndVerifyClientCert\n`, /^empty\.crt: has no PEM certificate/],
  ['a policy in other letters', `${tls}  client_auth_type: requireandverifyclientcert\n`, /is unknown; choose one of NoClientCert/],
  ['an invented suite', `${tls}  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA2048]\n`, /SHA2048", which is unknown/],
  ['an insecure suite', `${tls}  cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]\n`, /which is unknown/],
  ['a suite in OpenSSL’s name', `${tls}  cipher_suites: [ECDHE-RSA-AES128-GCM-SHA256]\n`, /which is unknown/],
  ['suites that are no list', `${tls}  cipher_suites: TLS_AES_128_GCM_SHA256\n`, /is no list; write one item a line/],
  ['a suite list that HTTP/2 forbids', `${tls}  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]\n  max_version: TLS12\n`, /lacks the suite that HTTP\/2 demands/],
  ['an invented curve', `${tls}  curve_preferences: [CurveP257]\n`, /CurveP257", which is unknown; choose one of CurveP256/],
  ['an invented version', `${tls}  min_version: TLS111\n`, /^web\.yml:4: tls_server_config\.min_version is "TLS111", which is unknown; choose one of TLS10, TLS11, TLS12, TLS13$/],
  ['SSL', `${tls}  min_version: SSL30\n`, /which is unknown/],
  ['versions crossed', `${tls}  min_version: TLS13\n  max_version: TLS12\n`, /min_version TLS13 is above max_version TLS12/],
  ['sans that are no list', `${tls}  client_auth_type: RequireAnyClientCert\n  client_allowed_sans: x\n`, /client_allowed_sans is no list/],
  ['a preference that is no boolean', `${tls}  prefer_server_cipher_suites: 1\n`, /is neither true nor false/],
  ['http2 that is no boolean', 'http_server_config:\n  http2: "maybe"\n', /^web\.yml:2: http_server_config\.http2 is neither true nor false/],
  ['a header that cannot be set', 'http_server_config:\n  headers:\n    Content-Type: foo\n', /^web\.yml:3: http_server_config\.headers\.Content-Type is a header that cannot be configured; choose one of Content-Security-Policy/],
  ['a header in other letters', 'http_server_config:\n  headers:\n    x-frame-options: deny\n', /cannot be configured; did you mean X-Frame-Options\?/],
  ['a bad X-Frame-Options', 'http_server_config:\n  headers:\n    X-Frame-Options: foo\n', /X-Frame-Options is "foo"; give deny or sameorigin/],
  ['a bad X-Content-Type-Options', 'http_server_config:\n  headers:\n    X-Content-Type-Options: sniff\n', /give nosniff/],
  ['a header that ends the header', 'http_server_config:\n  headers:\n    X-XSS-Protection: "1\\r\\nSet-Cookie: a=b"\n', /has characters that no header may have/],
  ['a password in plain', `${tls}basic_auth_users:\n  john: doe\n`, /^web\.yml:5: basic_auth_users\.john is no bcrypt hash; make one with htpasswd/],
  ['a hash that takes a second', `basic_auth_users:\n  bob: ${dave.replace('$10$', '$14$')}\n`, /^web\.yml:2: basic_auth_users\.bob has a bcrypt cost of 14: .*make another hash, with cost 10: htpasswd/],
  ['a hash cut short', `basic_auth_users:\n  dave: ${dave.slice(0, -1)}\n`, /is no bcrypt hash/],
  ['a hash of another kind', 'basic_auth_users:\n  dave: $6$abc$def\n', /is no bcrypt hash/],
  ['a cost of 3', `basic_auth_users:\n  dave: ${dave.replace('$10$', '$03$')}\n`, /is no bcrypt hash/],
  ['a cost of 32', `basic_auth_users:\n  dave: ${dave.replace('$10$', '$32$')}\n`, /is no bcrypt hash/],
  ['a user with a colon', `basic_auth_users:\n  "a:b": ${dave}\n`, /has a colon/],
  ['users as a list', 'basic_auth_users: [dave]\n', /basic_auth_users is no mapping/],
  ['an interval that is none', 'rate_limit:\n  interval: soon\n', /rate_limit\.interval is no duration; give one such as 1s/],
  ['a negative interval', 'rate_limit:\n  interval: -1s\n', /is no duration/],
  ['a negative burst', 'rate_limit:\n  interval: 1s\n  burst: -1\n', /burst is no whole number/],
  ['half a burst', 'rate_limit:\n  interval: 1s\n  burst: 0.5\n', /burst is no whole number/],
  ['many faults at once', 'a: 1\nrate_limit:\n  b: 2\nbasic_auth_users:\n  c: d\n', /^web\.yml:1: a /, /^web\.yml:3: rate_limit\.b/, /^web\.yml:5: basic_auth_users\.c/],
  ['a mapping ten thousand deep', '{a: '.repeat(10_000), /nested too deep|not valid YAML/],
];

for (const [what, text, ...faults] of bad) {
  test(`refuses ${what}`, async () => {
    const found = await load(text);
    assert.ok(Array.isArray(found), 'it was taken');
    for (const fault of faults)
      assert.ok(
        found.some((one) => fault.test(one)),
        `${fault} is not in ${found.join('\n')}`,
      );
    for (const one of found) assert.doesNotMatch(one, /[\n\r]|undefined|\[object/);
  });
}

// biome-ignore format: one line a case
const good: [what: string, text: string, about: (web: WebConfig) => unknown, expected: unknown][] = [
  ['an empty file', '', (web) => [web.tls, web.users.size, web.headers.size, web.rateLimit], [undefined, 0, 0, undefined]],
  ['comments alone', '# nothing\n', (web) => web.tls, undefined],
  ['empty sections', 'tls_server_config:\nhttp_server_config: {}\nbasic_auth_users:\nrate_limit: null\n', (web) => web.tls, undefined],
  ['files beside it', tls, (web) => web.tls?.policy.asked, false],
  ['a certificate and key inline', `tls_server_config:\n  cert: ${inline(server.cert)}  key: ${inline(server.key)}`, (web) => web.tls !== undefined, true],
  ['a file and an inline key', `tls_server_config:\n  cert_file: server.crt\n  key: ${inline(server.key)}`, (web) => web.tls !== undefined, true],
  ['the file before the inline text', `${tls}  cert: nonsense\n`, (web) => web.tls !== undefined, true],
  ['defaults', tls, (web) => [web.tls!.context.minVersion, web.tls!.context.maxVersion, web.tls!.context.honorCipherOrder, web.tls!.context.ecdhCurve], ['TLSv1.2', 'TLSv1.3', true, 'auto']],
  ['settings without a certificate turn nothing on', 'tls_server_config:\n  min_version: TLS13\n', (web) => web.tls, undefined],
  ['NoClientCert', `${tls}  client_auth_type: NoClientCert\n`, (web) => web.tls!.policy, { asked: false, required: false, verified: false }],
  ['RequestClientCert', `${tls}  client_auth_type: RequestClientCert\n`, (web) => web.tls!.policy, { asked: true, required: false, verified: false }],
  ['RequireAnyClientCert', `${tls}  client_auth_type: RequireAnyClientCert\n`, (web) => web.tls!.policy, { asked: true, required: true, verified: false }],
  ['RequireClientCert, its older name', `${tls}  client_auth_type: RequireClientCert\n`, (web) => web.tls!.policy, { asked: true, required: true, verified: false }],
  ['VerifyClientCertIfGiven', `${tls}  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.crt\n`, (web) => web.tls!.policy, { asked: true, required: false, verified: true }],
  ['RequireAndVerifyClientCert', `${tls}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n`, (web) => web.tls!.policy, { asked: true, required: true, verified: true }],
  ['a client CA inline', `tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: RequireAndVerifyClientCert\n  client_ca: ${inline(authority.cert)}`, (web) => typeof web.tls!.context.ca, 'string'],
  ['allowed names', `${tls}  client_auth_type: RequireAnyClientCert\n  client_allowed_sans: [one, 127.0.0.1]\n`, (web) => web.tls!.allowedSans, ['one', '127.0.0.1']],
  ['all suites', `${tls}  cipher_suites:\n${['ECDSA', 'RSA'].flatMap((key) => ['AES_128_GCM_SHA256', 'AES_256_GCM_SHA384', 'CHACHA20_POLY1305_SHA256', 'AES_128_CBC_SHA', 'AES_256_CBC_SHA'].map((rest) => `    - TLS_ECDHE_${key}_WITH_${rest}\n`)).join('')}    - TLS_AES_128_GCM_SHA256\n    - TLS_AES_256_GCM_SHA384\n    - TLS_CHACHA20_POLY1305_SHA256\n`, (web) => web.tls!.context.ciphers!.split(':').length, 13],
  ['TLS 1.3 suites stay on, as in Go', `${tls}  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n`, (web) => web.tls!.context.ciphers, 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE-RSA-AES128-GCM-SHA256'],
  ['a suite list without HTTP/2', `${tls}  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]\n  max_version: TLS12\nhttp_server_config:\n  http2: false\n`, (web) => web.tls!.context.maxVersion, 'TLSv1.2'],
  ['the client’s order', `${tls}  prefer_server_cipher_suites: false\n`, (web) => web.tls!.context.honorCipherOrder, false],
  ['all curves', `${tls}  curve_preferences: [CurveP256, CurveP384, CurveP521, X25519]\n`, (web) => web.tls!.context.ecdhCurve, 'P-256:P-384:P-521:X25519'],
  ['old versions', `${tls}  min_version: TLS10\n`, (web) => [web.tls!.context.minVersion, /SECLEVEL=0$/.test(web.tls!.context.ciphers!)], ['TLSv1', true]],
  ['yes and off, as Go reads YAML', `${tls}  prefer_server_cipher_suites: off\nhttp_server_config:\n  http2: yes\n`, (web) => web.tls!.context.honorCipherOrder, false],
  ['headers, a number among them', 'http_server_config:\n  headers:\n    X-Frame-Options: deny\n    Strict-Transport-Security: max-age=31536000; includeSubDomains\n    X-Content-Type-Options: nosniff\n    X-XSS-Protection: 1\n    Content-Security-Policy: "default-src \'self\' *.test.example.net"\n', (web) => [...web.headers.values()], ['deny', 'max-age=31536000; includeSubDomains', 'nosniff', '1', "default-src 'self' *.test.example.net"]],
  ['a header that is not to be sent', 'http_server_config:\n  headers:\n    Content-Security-Policy:\n', (web) => [...web.headers], [['Content-Security-Policy', '']]],
  ['users, with and without TLS', `basic_auth_users:\n  dave: ${dave}\n  carol: ${dave.replace('$2y', '$2b')}\n  __proto__: ${dave}\n`, (web) => [...web.users.keys()], ['dave', 'carol', '__proto__']],
  ['no rate limit', 'rate_limit:\n  interval: 0\n  burst: 0\n', (web) => web.rateLimit, undefined],
  ['a rate limit', 'rate_limit:\n  interval: 1s\n  burst: 5\n', (web) => web.rateLimit, { interval: 1, burst: 5 }],
  ['a composed duration', 'rate_limit:\n  interval: 1m1.5s\n  burst: 1\n', (web) => web.rateLimit!.interval, 61.5],
  ['nanoseconds, as Go takes a bare number', 'rate_limit:\n  interval: 1000000000\n  burst: 1\n', (web) => web.rateLimit!.interval, 1],
];

for (const [what, text, about, expected] of good) {
  test(`takes ${what}`, async () => {
    const found = await load(text);
    assert.ok('trust' in found, `refused: ${found}`);
    assert.deepEqual(about(found), expected);
  });
}

// biome-ignore format: one line a case
const doubtful: [what: string, text: string, warning: RegExp][] = [
  ['a rate limit without burst', 'rate_limit:\n  interval: 1s\n', /refuses every request/],
  ['allowed names nobody is asked for', `${tls}  client_allowed_sans: [x]\n`, /has no effect without client_auth_type/],
];
for (const [what, text, warning] of doubtful) {
  test(`warns of ${what}`, async () => {
    const found = await load(text);
    assert.ok('trust' in found);
    assert.match(found.warnings.join('\n'), warning);
  });
}

test('warns of a certificate that has expired', async () => {
  const expired = authority.issue('old', { days: -1 });
  const found = await load(`tls_server_config:\n  cert_file: ${expired.cert}\n  key_file: ${expired.key}\n`);
  assert.ok('trust' in found);
  assert.match(found.warnings.join('\n'), /expired on/);
});

test('the short form turns on TLS, and with a CA mutual TLS', async () => {
  const short = { web_config_file: '', enable_tls: true, tls_cert_path: server.cert, tls_key_path: server.key };
  const plain = await load('', short);
  assert.ok('trust' in plain && plain.tls && !plain.tls.policy.asked);
  const mutual = await load('', { ...short, tls_client_ca_path: authority.cert });
  assert.ok('trust' in mutual && mutual.tls?.policy.required && mutual.tls.policy.verified);
  assert.deepEqual(await load('', { web_config_file: '', enable_tls: true }), [
    'enable_tls: tls_cert_path is not set; name the PEM file, or use web_config_file',
    'enable_tls: tls_key_path is not set; name the PEM file, or use web_config_file',
  ]);
  const twice = await load(tls, { enable_tls: true, tls_cert_path: server.cert, tls_key_path: server.key });
  assert.match(String(twice), /tls_server_config and enable_tls both turn TLS on; keep one of them/);
});

test('a new certificate is no change of trust; another CA, policy or version is', async () => {
  const trust = async (text: string) => {
    const web = await load(text);
    assert.ok('trust' in web, String(web));
    return web.trust;
  };
  const renewed = authority.issue('localhost');
  const policy = '  client_auth_type: RequireAndVerifyClientCert\n';
  assert.equal(
    await trust(tls),
    await trust(`tls_server_config:\n  cert_file: ${renewed.cert}\n  key_file: ${renewed.key}\n`),
  );
  const all = [
    '',
    tls,
    `${tls}${policy}  client_ca_file: ca.crt\n`,
    `${tls}${policy}  client_ca_file: ${server.cert}\n`,
  ];
  all.push(`${tls}  min_version: TLS13\n`, `${tls}${policy}  client_ca_file: ca.crt\n  client_allowed_sans: [a]\n`);
  const found = new Set<string>();
  for (const text of all) found.add(await trust(text));
  assert.equal(found.size, all.length);
});

test('what docs/web-configuration.md shows is taken as it stands, and it names every key', async () => {
  const text = readFileSync(new URL('../../docs/web-configuration.md', import.meta.url), 'utf8');
  const blocks = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block]) => block!);
  place('clients.crt', readFileSync(authority.cert, 'utf8'));
  const web = await load(blocks.find((block) => block.startsWith('tls_server_config:'))!);
  assert.ok('trust' in web && web.tls && web.users.size === 1 && web.rateLimit, String(web));
  const source = readFileSync(new URL('web-config-file.ts', import.meta.url), 'utf8');
  const keys = [...source.matchAll(/^ +(\w+): \((?:node|value)\) =>|^ +(\w+): (?:text|place|version),$/gm)].map(
    ([, a, b]) => a ?? b!,
  );
  assert.ok(keys.length > 18, `${keys}`);
  for (const key of keys) assert.match(text, new RegExp(`\\b${key}\\b`), key);
});

test('no fault shows a key or a hash', async () => {
  const secret = 'S3cretS3cretS3cret';
  const texts = [`tls_server_config:\n  cert: x\n  key: ${secret}\n`, `basic_auth_users:\n  dave: ${secret}\n`];
  texts.push(
    `tls_server_config:\n  key: |-\n${secret}\n x\n`,
    `basic_auth_users:\n  dave: "${secret}\n`,
    `${secret}\n`,
  );
  texts.push(
    `tls_server_config:\n  key: [${secret}]\n`,
    `basic_auth_users: ${secret}\n`,
    `a: b: ${secret}\n`,
    `a: @${secret}\n`,
  );
  for (const text of texts) {
    const faults = await load(text);
    assert.ok(Array.isArray(faults), text);
    assert.doesNotMatch(faults.join('\n'), new RegExp(secret), text);
  }
});

test('any text gives settings or faults with a line, and nothing else', async () => {
  const words = [
    'tls_server_config',
    'cert',
    'key_file',
    'headers',
    'http_server_config',
    ': ',
    '\n',
    '  ',
    '- ',
    '&a',
    '*a',
    '|',
    '"',
    "'",
    '{',
    '}',
    '[',
    ']',
    '!!binary ',
    '<<',
    '?',
    '#',
    '\0',
    '\t',
    dave,
    'rate_limit',
    'interval',
    '1s',
    '~',
  ];
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom(...words)).map((parts) => parts.join('')),
  );
  await fc.assert(
    fc.asyncProperty(texts, async (text) => {
      const faults: string[] = [];
      await parseWebConfigFile('/w', text, faults);
      for (const fault of faults) assert.match(fault, /^\/w:\d+: [^\n]+$/);
    }),
    { numRuns: 1000 },
  );
});

test('a file that is long enough for a thread is read like a short one', async () => {
  const users = Array.from({ length: 400 }, (_, i) => `  user${i}: ${dave}\n`);
  const loaded = await load(`basic_auth_users:\n${users.join('')}`);
  assert.ok('users' in loaded, String(loaded));
  assert.deepEqual([loaded.users.size, loaded.users.get('user399')], [400, dave]);
  users[399] = '  user399: x\n';
  const refused = await load(`basic_auth_users:\n${users.join('')}`);
  assert.deepEqual(refused, [
    'web.yml:401: basic_auth_users.user399 is no bcrypt hash; make one with htpasswd -nBC 10 ""',
  ]);
});
