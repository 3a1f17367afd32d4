// What each key of a web file, and each limit of the server, does to the running program: headers, passwords, rates,
// versions and suites, client policies, and what is left in force when the file changes.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { hashSync } from 'bcryptjs';
import { Authority } from './certificates.ts';
import { need, runBundle, scratch } from './harness.ts';
import { sendRequest, serve } from './web-server.ts';

const slow = ['--interval', '10m', '--cache-ttl', '10m'];
const basic = (user: string, password: string) => ({ auth: `${user}:${password}` });

test('check validates a web file without starting', async (t) => {
  if (!need(t, 'openssl')) return;
  const cwd = scratch();
  const { cert, key } = new Authority('ca').issue('localhost');
  const check = (web: string) => {
    writeFileSync(`${cwd}/web.yml`, web);
    return runBundle(t, ['check', '--web.config.file', 'web.yml'], { cwd });
  };
  const users = `basic_auth_users:\n  dave: ${hashSync('x', 10)}\n`;
  const good = await check(`tls_server_config:\n  cert_file: ${cert}\n  key_file: ${key}\n${users}`);
  assert.equal(good.code, 0, good.stderr);
  assert.match(good.stdout, /^web: +ok, TLS, passwords of 1 user$/m);
  const bad = await check(`tls_server_config:\n  cert_filse: ${cert}\n${users}a: b\n`);
  assert.equal(bad.code, 2);
  assert.match(
    bad.stderr,
    /web\.yml:2: tls_server_config\.cert_filse is no key .*did you mean cert_file\?\n.*web\.yml:5: a is no key/,
  );
  const none = await runBundle(t, ['--web.config.file', '/none.yml']);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /^herakles-node-exporter: \/none\.yml: no such file; correct the path, or create it\n$/);
});

test('headers of a web file are sent, in place of our own', async (t) => {
  const csp = "default-src 'self' *.test.example.net";
  const headers = `X-Frame-Options: sameorigin\n    X-XSS-Protection: 1\n    Strict-Transport-Security: max-age=1\n    Content-Security-Policy: "${csp}"`;
  const server = await serve(t, `http_server_config:\n  headers:\n    ${headers}\n`);
  for (const path of ['/metrics', '/', '/none']) {
    const { headers } = await sendRequest(server.url + path);
    assert.equal(headers['x-frame-options'], 'sameorigin');
    assert.equal(headers['x-xss-protection'], '1');
    assert.equal(headers['strict-transport-security'], 'max-age=1');
    assert.equal(headers['content-security-policy'], csp);
    assert.equal(headers['x-content-type-options'], 'nosniff', 'ours where the file says nothing');
  }
  await server.rewrite('http_server_config:\n  headers:\n    Content-Security-Policy: ""\n');
  assert.equal((await sendRequest(`${server.url}/`)).headers['content-security-policy'], undefined);
});

test('passwords: right, wrong, unknown, changed, taken away', async (t) => {
  const [dave, carol] = [hashSync('dave123', 10), hashSync('carol123', 4).replace('$2b$', '$2y$')];
  const server = await serve(t, `basic_auth_users:\n  dave: ${dave}\n  carol: ${carol}\n`, slow);
  const status = async (options: RequestOptions = {}, path = '/metrics') =>
    (await sendRequest(server.url + path, options)).status;
  for (const path of ['/', '/metrics', '/health', '/-/healthy', '/config', '/none'])
    assert.equal(await status({}, path), 401, path);
  assert.match((await sendRequest(server.url)).headers['www-authenticate'] ?? '', /^Basic realm=/);
  assert.equal(await status(basic('dave', 'dave123')), 200);
  assert.equal(await status(basic('carol', 'carol123')), 200);
  for (const wrong of [basic('dave', 'dave124'), basic('dave', ''), basic('nobody', 'dave123'), basic('', '')])
    assert.equal(await status(wrong), 401, wrong.auth);

  await t.test('an unknown user takes as long as a wrong password', async () => {
    const time = async (options: RequestOptions) => {
      const began = performance.now();
      assert.equal(await status(options), 401);
      return performance.now() - began;
    };
    await server.rewrite(`basic_auth_users:\n  dave: ${dave}\n`);
    let [a, b, c] = [Infinity, Infinity, Infinity]; // the least of each: what disturbs only adds
    const alike = () => Math.abs(a - b) < 0.3 * a && a > 5 * c;
    for (let i = 0; i < 15 || (i < 60 && !alike()); i++) {
      a = Math.min(a, await time(basic('dave', `wrong${i}`)));
      b = Math.min(b, await time(basic('nobody', `wrong${i}`)));
      c = Math.min(c, await time({}));
    }
    t.diagnostic(
      `wrong password ${a.toFixed(1)} ms, unknown user ${b.toFixed(1)} ms, no credentials ${c.toFixed(1)} ms`,
    );
    assert.ok(Math.abs(a - b) < 0.3 * a, `${a} ms and ${b} ms`);
    assert.ok(a > 5 * c, 'a comparison is what takes the time');
  });

  await t.test('a comparison does not hold up others', async () => {
    const costly = hashSync('x', 10).replace('$10$', '$13$'); // half a second and more
    await server.rewrite(`basic_auth_users:\n  slow: ${costly}\n  dave: ${dave}\n`);
    await status(basic('dave', 'dave123'));
    const comparing = sendRequest(server.url, basic('slow', 'wrong'));
    const waits: number[] = [];
    let over = false;
    void comparing.finally(() => {
      over = true;
    });
    while (!over) {
      const began = performance.now();
      assert.equal(await status(basic('dave', 'dave123')), 200);
      waits.push(performance.now() - began);
      await pause(10); // without it, this is more than max_request_rate, and a long comparison ends in 429
    }
    assert.equal((await comparing).status, 401);
    waits.sort((a, b) => a - b);
    const [median, longest] = [waits[waits.length >> 1]!, waits.at(-1)!];
    const found = `${waits.length} scrapes meanwhile, half within ${median.toFixed(1)} ms, the slowest ${longest.toFixed(1)} ms`;
    t.diagnostic(found);
    assert.ok(waits.length >= 5 && median < 500, found);
  });

  await server.rewrite(`basic_auth_users:\n  dave: ${hashSync('new', 4)}\n`);
  assert.equal(await status(basic('dave', 'dave123')), 401, 'the old password');
  assert.equal(await status(basic('dave', 'new')), 200);
  assert.equal(await status(basic('carol', 'carol123')), 401, 'a user that was removed');
  await server.rewrite('{}\n');
  assert.equal(await status(), 200, 'no users, no password');
  for (const secret of ['dave123', 'carol123', dave, carol])
    assert.ok(!server.stderr.includes(secret), 'a secret in the log');
});

test('rates: of a web file for everybody, of a setting for each client', async (t) => {
  const limited = await serve(t, 'rate_limit:\n  interval: 1h\n  burst: 3\n');
  const statuses = async (url: string, count: number, localAddress = '127.0.0.1') => {
    const found: number[] = [];
    for (let i = 0; i < count; i++)
      found.push(
        (await sendRequest(`${url}/-/healthy`, { localAddress, family: localAddress === '::1' ? 6 : 4 })).status,
      );
    return found;
  };
  assert.deepEqual(await statuses(limited.url, 5), [200, 200, 200, 429, 429]);
  assert.equal((await sendRequest(`${limited.url}/-/healthy`)).headers['retry-after'], '3600');
  await limited.rewrite('rate_limit:\n  interval: 1s\n  burst: 0\n');
  assert.deepEqual(await statuses(limited.url, 2), [429, 429]);
  await limited.rewrite('rate_limit:\n  interval: 0\n');
  assert.deepEqual(await statuses(limited.url, 2), [200, 200]);
  const each = await serve(t, '', ['--max-request-rate', '5']);
  const first = await statuses(each.url, 12);
  assert.equal(first.slice(0, 5).join(), '200,200,200,200,200');
  assert.ok(first.includes(429), `${first}`);
  const neighbours = await Promise.all(Array.from({ length: 40 }, (_, i) => statuses(each.url, 1, `127.0.0.${2 + i}`)));
  assert.ok(neighbours.flat().includes(429), 'addresses of one network have one rate together');
  assert.deepEqual(await statuses(`http://[::1]:${each.port}`, 2, '::1'), [200, 200], 'others are not held to it');
});

test('versions, suites and curves are those of the file', async (t) => {
  if (!need(t, 'openssl')) return;
  const authority = new Authority('ca');
  const { cert, key } = authority.issue('localhost', { key: 'rsa' });
  const ca = readFileSync(authority.cert);
  const file = (rest: string) => `tls_server_config:\n  cert_file: ${cert}\n  key_file: ${key}\n${rest}`;
  const server = await serve(t, file(''), slow);
  const seen = async (options: RequestOptions = {}) => {
    const { protocol, cipher } = await sendRequest(`${server.url}/-/healthy`, { ca, ...options });
    return `${protocol} ${cipher}`;
  };
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
  assert.match(await seen(), /^TLSv1\.3 /);
  assert.match(await seen({ maxVersion: 'TLSv1.2' }), /^TLSv1\.2 TLS_ECDHE_RSA_WITH_/);
  await assert.rejects(seen(old));
  await server.rewrite(file('  min_version: TLS10\n'));
  assert.match(await seen(old), /^TLSv1\.1 /);
  await server.rewrite(file('  min_version: TLS13\n'));
  await assert.rejects(seen({ maxVersion: 'TLSv1.2' }));
  await server.rewrite(file('  max_version: TLS12\n'));
  assert.match(await seen(), /^TLSv1\.2 /);
  const suites = '[TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]';
  const two = 'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384';
  await server.rewrite(file(`  cipher_suites: ${suites}\n`));
  const v12 = { maxVersion: 'TLSv1.2' } as const;
  assert.match(await seen({ ...v12, ciphers: two }), /AES_256_GCM/, 'our order');
  await server.rewrite(file(`  cipher_suites: ${suites}\n  prefer_server_cipher_suites: false\n`));
  assert.match(await seen({ ...v12, ciphers: two }), /AES_128_GCM/, 'the client’s order');
  await assert.rejects(seen({ ...v12, ciphers: 'ECDHE-RSA-CHACHA20-POLY1305' }), 'no suite in common');
  await server.rewrite(file('  curve_preferences: [CurveP521]\n'));
  assert.match(await seen({ ecdhCurve: 'P-521' }), /^TLSv1/);
  await assert.rejects(seen({ ecdhCurve: 'P-384' }), 'no curve in common');
});

test('all five policies for client certificates, and names', async (t) => {
  if (!need(t, 'openssl')) return;
  const [authority, strangers] = [new Authority('ca'), new Authority('strangers')];
  const { cert, key } = authority.issue('localhost');
  const ca = readFileSync(authority.cert);
  const present = (signer: Authority, san: string) => {
    const pair = signer.issue('client', { san });
    return { cert: readFileSync(pair.cert), key: readFileSync(pair.key) };
  };
  const ours = present(authority, 'DNS:one,IP:10.0.0.1,IP:2001:db8::a,email:a@b.example,URI:spiffe://x/y');
  const theirs = present(strangers, 'DNS:one');
  const server = await serve(t, `tls_server_config:\n  cert_file: ${cert}\n  key_file: ${key}\n`, slow);
  const status = async (client: object) => (await sendRequest(`${server.url}/-/healthy`, { ca, ...client })).status;
  // biome-ignore format: one line a case
  const cases: [policy: string, rest: string, none: number, stranger: number, ours: number][] = [
    ['NoClientCert', '', 200, 200, 200],
    ['RequestClientCert', '', 200, 200, 200],
    ['RequireAnyClientCert', '', 403, 200, 200],
    ['VerifyClientCertIfGiven', `  client_ca_file: ${authority.cert}\n`, 200, 403, 200],
    ['RequireAndVerifyClientCert', `  client_ca_file: ${authority.cert}\n`, 403, 403, 200],
    ['RequireAndVerifyClientCert', '', 403, 403, 403], // without a CA it is the public ones that count
    ['RequireAnyClientCert', '  client_allowed_sans: [one]\n', 403, 200, 200],
    ['RequireAnyClientCert', '  client_allowed_sans: [two]\n', 403, 403, 403],
    ['RequireAnyClientCert', '  client_allowed_sans: []\n', 403, 403, 403],
    ['RequestClientCert', '  client_allowed_sans: ["2001:db8::a"]\n', 200, 403, 200],
    ['RequireAnyClientCert', '  client_allowed_sans: [10.0.0.1]\n', 403, 403, 200],
    ['RequireAnyClientCert', '  client_allowed_sans: [a@b.example]\n', 403, 403, 200],
    ['RequireAnyClientCert', '  client_allowed_sans: [spiffe://x/y]\n', 403, 403, 200],
  ];
  for (const [policy, rest, ...expected] of cases) {
    const file = `tls_server_config:\n  cert_file: ${cert}\n  key_file: ${key}\n  client_auth_type: ${policy}\n${rest}`;
    const changed = readFileSync(`${server.dir}/web.yml`, 'utf8') !== file;
    if (changed) await server.rewrite(file, /configuration loaded/);
    const found = [await status({}), await status(theirs), await status(ours)];
    assert.deepEqual(found, expected, `${policy} ${rest}`);
  }
});

test('a connection made under another trust ends when the file changes, one under the same trust stays', async (t) => {
  if (!need(t, 'openssl')) return;
  const authority = new Authority('ca');
  const { cert, key } = authority.issue('localhost');
  const file = `tls_server_config:\n  cert_file: ${cert}\n  key_file: ${key}\n`;
  const server = await serve(t, file, slow);
  const { Agent: SecureAgent } = await import('node:https');
  const agent = new SecureAgent({ keepAlive: true, maxSockets: 1, ca: readFileSync(authority.cert) });
  t.after(() => agent.destroy());
  const asked = async () => {
    const free = once(agent, 'free') as Promise<[TLSSocket]>;
    const [{ status }, [socket]] = await Promise.all([sendRequest(`${server.url}/-/healthy`, { agent }), free]);
    assert.equal(status, 200);
    return socket;
  };
  const first = await asked();
  assert.equal(await asked(), first);
  await server.rewrite(`${file}http_server_config:\n  headers:\n    X-XSS-Protection: 0\n`);
  assert.equal(await asked(), first, 'headers are no matter of trust');
  // A request sent before the end of its connection has arrived would be lost: the end is awaited, as the subject it is.
  const ended = once(first, 'close', { signal: AbortSignal.timeout(10_000) });
  await server.rewrite(`${file}  min_version: TLS13\n`);
  await ended;
  assert.notEqual(await asked(), first);
});

test('limits: URL, headers, requests in flight', async (t) => {
  const server = await serve(t, '', [
    '--max-url-length',
    '100',
    '--max-header-size',
    '2048',
    '--max-requests-in-flight',
    '1',
  ]);
  const get = (path: string, headers = {}) => sendRequest(server.url + path, { headers });
  assert.equal((await get(`/${'a'.repeat(99)}`)).status, 404);
  assert.equal((await get(`/${'a'.repeat(100)}`)).status, 414);
  assert.equal((await get('/-/healthy', { 'x-long': 'a'.repeat(1500) })).status, 200);
  assert.equal((await get('/-/healthy', { 'x-long': 'a'.repeat(3000) })).status, 431);
  const crowd = await serve(t, '', ['--max-requests-in-flight', '1', '--cache-ttl', '0s', '--smaps', 'exact']);
  const answers = await Promise.all(Array.from({ length: 20 }, () => sendRequest(`${crowd.url}/metrics`)));
  const busy = answers.filter(({ status }) => status === 503);
  assert.ok(busy.length > 0 && busy.length < 20, `${busy.length} of 20 were refused`);
  assert.equal(busy[0]!.headers['retry-after'], '1');
});

test('404, 405 and 406 say what to do; HEAD has no body; secrets and command lines are nowhere', async (t) => {
  const hash = hashSync('sesame', 4);
  const server = await serve(t, `basic_auth_users:\n  ali: ${hash}\n`, ['--exclude-names', 'not-secret']);
  const get = (path: string, options: RequestOptions = {}) =>
    sendRequest(server.url + path, { ...basic('ali', 'sesame'), ...options });
  assert.match((await get('/nowhere')).body, /not found; \/ lists the pages/);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH']) {
    const { status, headers } = await get('/metrics', { method });
    assert.deepEqual([status, headers.allow], [405, 'GET, HEAD'], method);
  }
  const image = { headers: { accept: 'image/png' } };
  assert.deepEqual(
    [(await get('/', image)).status, (await get('/config', image)).status, (await get('/metrics', image)).status],
    [406, 406, 200],
  );
  const json = await get('/config', { headers: { accept: 'application/json' } });
  assert.match(json.headers['content-type'] ?? '', /^application\/json/);
  assert.equal(json.headers.vary, 'accept');
  const head = await get('/metrics', { method: 'HEAD' });
  assert.deepEqual([head.status, head.body, Number(head.headers['content-length']) > 100], [200, '', true]);
  assert.equal(
    (await get(`http://localhost:${server.port}/-/healthy`.slice(server.url.length) || '/-/healthy')).status,
    200,
  );
  for (const path of ['/', '/config', '/subgroups', '/metrics', '/health']) {
    const { body } = await get(path);
    assert.ok(!body.includes(hash) && !body.includes('sesame'), `${path} shows a secret`);
    assert.ok(!body.includes('--exclude-names') || path === '/config', `${path} shows a command line`);
  }
});

test('the content security policy names the style of the page by its digest, and else allows only own files', async (t) => {
  const server = await serve(t, '');
  const { headers, body } = await sendRequest(server.url);
  const style = /<style>([^<]*)<\/style>/.exec(body)![1]!;
  const digest = createHash('sha256').update(style).digest('base64');
  const policy = (headers['content-security-policy'] as string).split('; ');
  assert.ok(policy.includes("default-src 'none'"), policy.join());
  assert.ok(policy.includes(`style-src 'sha256-${digest}' 'self'`), policy.join());
  assert.ok(policy.includes("script-src 'self'"), policy.join());
  assert.doesNotMatch(policy.join(), /unsafe|\*|data:|https?:/);
  assert.doesNotMatch(body, /<script(?! src="\.?\/?assets\/)[^>]*>|style="| on\w+=/);
});
