// Real Prometheus servers scrape the exporter over TLS: with a private authority, a public-style chain, client
// certificates and passwords; and are refused, with a reason on both sides, where they should be.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from 'node:tls';
import { hashSync } from 'bcryptjs';
import { Authority, chained } from './certificates.ts';
import { eventually, freePort, need, replace, type Scope, Started, scratch } from './harness.ts';
import { sendRequest, serve } from './web-server.ts';

type Target = { labels: { job: string }; health: string; lastError: string; lastScrape: string };
const slow = ['--interval', '10m', '--cache-ttl', '10m'];

/** A Prometheus that scrapes each of these jobs every second; `env` is where it finds public authorities. */
async function prometheus(t: Scope, binary: string, jobs: Record<string, object>, env: object = {}) {
  const dir = scratch();
  const port = await freePort();
  const scrape_configs = Object.entries(jobs).map(([job_name, job]) => ({ job_name, ...job }));
  const config = { global: { scrape_interval: '1s', scrape_timeout: '1s' }, scrape_configs };
  writeFileSync(`${dir}/prometheus.yml`, JSON.stringify(config));
  const flags = [`--config.file=${dir}/prometheus.yml`, `--storage.tsdb.path=${dir}/data`, '--log.level=warn'];
  const proc = new Started(t, [binary, ...flags, `--web.listen-address=127.0.0.1:${port}`], { cwd: dir, env });
  const targets = async (): Promise<Map<string, Target[]>> => {
    if (!proc.running) throw new Error(`Prometheus ended: ${proc.stderr}`);
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/targets`);
    const { data } = (await answer.json()) as { data: { activeTargets: Target[] } };
    const found = new Map<string, Target[]>();
    for (const target of data.activeTargets)
      found.set(target.labels.job, [...(found.get(target.labels.job) ?? []), target]);
    return found;
  };
  /** Waits until every target of a job is up (undefined), or down for this reason. */
  const expect = (job: string, error?: RegExp) =>
    eventually(async () => {
      const of = (await targets()).get(job) ?? [];
      assert.ok(of.length > 0, `no target of ${job} yet`);
      for (const { health, lastError } of of) {
        if (error) assert.match(lastError, error, job);
        else assert.equal(`${health} ${lastError}`, 'up ', job);
      }
    }, 30_000);
  return { expect };
}

const versions = ['prometheus', 'prometheus-forky'] as const;

test('Prometheus over TLS', async (t) => {
  const binaries = need(t, 'openssl', ...versions);
  if (!binaries) return;
  const authority = new Authority('private');
  const root = new Authority('public');
  const between = new Authority('between', root);
  const strangers = new Authority('strangers');
  const section = ({ cert, key }: { cert: string; key: string }) =>
    `tls_server_config:\n  cert_file: ${cert}\n  key_file: ${key}\n`;
  const mutual = `${section(authority.issue('localhost'))}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ${authority.cert}\n`;

  const short = authority.issue('localhost');
  const started = {
    private: await serve(t, '', [...slow, '--enable-tls', '--tls-cert-path', short.cert, '--tls-key-path', short.key]),
    public: await serve(t, section(chained(between.issue('localhost'), between)), slow),
    mutual: await serve(t, mutual, slow),
    named: await serve(t, `${mutual}  client_allowed_sans: [prometheus.example]\n`, slow),
    password: await serve(t, `${section(short)}basic_auth_users:\n  prometheus: ${hashSync('right', 10)}\n`, slow),
    elsewhere: await serve(t, section(authority.issue('x', { san: 'DNS:elsewhere.example' })), slow),
    expired: await serve(t, section(authority.issue('localhost', { days: -1 })), slow),
    newest: await serve(t, `${section(short)}  min_version: TLS13\n`, slow),
    plain: await serve(t, '', slow),
  };
  const job = (server: { port: number }, tls: object | undefined, rest: object = {}) => ({
    static_configs: [{ targets: [`localhost:${server.port}`] }],
    scheme: 'https',
    ...(tls && { tls_config: tls }),
    ...rest,
  });
  const ca = { ca_file: authority.cert };
  const client = (signer: Authority, wish: Parameters<Authority['issue']>[1] = {}) => {
    const { cert, key } = signer.issue('prometheus', { san: 'DNS:prometheus.example', ...wish });
    return { ...ca, cert_file: cert, key_file: key };
  };
  const password = (secret: string) => ({ basic_auth: { username: 'prometheus', password: secret } });
  const { mutual: m } = started;
  // biome-ignore format: one line a case
  const cases: [job: string, config: object, error?: RegExp][] = [
    ['private CA', job(started.private, ca)],
    ['private CA that is not known', job(started.private, undefined), /unknown authority/],
    ['not verified', job(started.private, { insecure_skip_verify: true })],
    ['public chain', job(started.public, undefined)],
    ['mutual', job(m, client(authority))],
    ['mutual, no certificate', job(m, ca), /403 Forbidden/],
    ['mutual, of a stranger', job(m, client(strangers)), /403 Forbidden/],
    ['mutual, expired', job(m, client(authority, { days: -1 })), /403 Forbidden/],
    ['named', job(started.named, client(authority))],
    ['named otherwise', job(started.named, client(authority, { san: 'DNS:other.example' })), /403 Forbidden/],
    ['password', job(started.password, ca, password('right'))],
    ['wrong password', job(started.password, ca, password('wrong')), /401 Unauthorized/],
    ['no password', job(started.password, ca), /401 Unauthorized/],
    ['wrong SAN', job(started.elsewhere, ca), /valid for elsewhere\.example, not localhost/],
    ['expired', job(started.expired, ca), /certificate has expired/],
    ['too old a version', job(started.newest, { ...ca, max_version: 'TLS12' }), /protocol version not supported/],
    ['HTTPS to plain HTTP', job(started.plain, ca), /server gave HTTP response to HTTPS client/],
    ['HTTP to HTTPS', job(started.private, undefined, { scheme: 'http' }), /400 Bad Request/],
  ];
  for (const version of versions) {
    if (!binaries[version]) continue;
    const jobs = Object.fromEntries(cases.map(([name, config]) => [name, config]));
    const { expect } = await prometheus(t, binaries[version], jobs, {
      SSL_CERT_FILE: root.cert,
      SSL_CERT_DIR: scratch(),
    });
    for (const [name, , error] of cases) await t.test(`${version}: ${name}`, () => expect(name, error));
    await t.test(`${version}: taken off the list of names, and put back on`, async () => {
      const names = (san: string) => `${mutual}  client_allowed_sans: [${san}]\n`;
      await started.named.rewrite(names('somebody.example'));
      await expect('named', /403 Forbidden/);
      await started.named.rewrite(names('prometheus.example'));
      await expect('named');
    });
  }
  await t.test('our side says why, too', async () => {
    const said = (name: keyof typeof started, words: RegExp) =>
      eventually(() => assert.match(started[name].stderr, words, name));
    const why = (name: keyof typeof started, reason: RegExp) =>
      said(name, new RegExp(`level=warn msg="connection refused" .*(${reason.source})`));
    await why('mutual', /none was presented/);
    await why('mutual', /unable to verify leaf signature|unable to get issuer cert/);
    await why('mutual', /cert has expired/);
    await why('named', /none of its subject alternative names is allowed/);
    await why('private', /bad certificate|unknown ca/);
    await why('private', /the client did not speak TLS/);
    await why('newest', /unsupported protocol/);
    await said('password', /msg="wrong user or password" client=/);
    await said('expired', /expired on/);
  });

  await t.test('the scrape configurations of the manual', async (t) => {
    // As written there, but for paths, ports and the 60 s between scrapes.
    const quick = { scrape_interval: '1s', scrape_timeout: '1s', scheme: 'https' };
    const at = (...ports: number[]) => [{ targets: ports.map((port) => `localhost:${port}`) }];
    const jobs = {
      'herakles-proc-mem': {
        static_configs: at(started.private.port),
        ...quick,
        tls_config: { ca_file: authority.cert },
      },
      'herakles-proc-mem-testing': {
        static_configs: at(started.private.port),
        ...quick,
        tls_config: { insecure_skip_verify: true },
      },
      'herakles-proc-mem-production': {
        static_configs: at(started.private.port, started.newest.port),
        ...quick,
        tls_config: { ca_file: authority.cert },
        relabel_configs: [
          { source_labels: ['__address__'], target_label: 'instance', regex: '(.+):.*', replacement: '$' + '{1}' },
        ],
      },
    };
    for (const version of versions) {
      if (!binaries[version]) continue;
      const { expect } = await prometheus(t, binaries[version], jobs);
      for (const name of Object.keys(jobs)) await expect(name);
    }
  });
});

test('a certificate is rotated under load, and no scrape fails', async (t) => {
  if (!need(t, 'openssl')) return;
  const authority = new Authority('private');
  const dir = scratch();
  const put = () => {
    const { cert, key } = authority.issue('localhost');
    replace(`${dir}/tls.key`, readFileSync(key));
    replace(`${dir}/tls.crt`, readFileSync(cert));
    return new X509Certificate(readFileSync(cert)).fingerprint256;
  };
  put();
  const server = await serve(t, `tls_server_config:\n  cert_file: ${dir}/tls.crt\n  key_file: ${dir}/tls.key\n`, slow);
  const ca = readFileSync(authority.cert);
  const url = `${server.url}/metrics`;
  await sendRequest(url, { ca });
  const kept = new Agent({ keepAlive: true, maxSockets: 8, ca });
  t.after(() => kept.destroy());
  const shown = new Set<string>();
  const failures: string[] = [];
  const answered: number[] = []; // in each second
  let pending = 0;
  const began = performance.now();
  const second = () => Math.floor((performance.now() - began) / 1000);
  const scrape = async (fresh: boolean) => {
    pending++;
    try {
      const { status, certificate } = await sendRequest(url, fresh ? { ca } : { agent: kept });
      if (status !== 200) failures.push(`status ${status}`);
      if (certificate?.fingerprint256) shown.add(certificate.fingerprint256);
      answered[second()] = (answered[second()] ?? 0) + 1;
    } catch (error) {
      failures.push(String(error));
    }
    pending--;
  };
  let newest = '';
  let rotating = true;
  const rotated = (async () => {
    for (let i = 0; i < 3; i++) {
      await pause(2000);
      newest = put();
      await eventually(() => assert.ok(shown.has(newest), `certificate ${i + 1} is not served`));
    }
  })().finally(() => {
    rotating = false;
  });
  // 300 a second. A stall leaves no debt: what is late by more than a moment is not sent.
  for (let sent = 0, due = began; rotating; await pause(5)) {
    for (due = Math.max(due, performance.now() - 50); due < performance.now(); due += 1000 / 300)
      if (pending < 40) void scrape(sent++ % 3 === 0);
  }
  await rotated;
  const rates = Array.from({ length: second() }, (_, i) => answered[i] ?? 0).sort((a, b) => a - b);
  await eventually(() => assert.equal(pending, 0));
  t.diagnostic(`scrapes a second: ${rates.join(' ')}`);
  assert.deepEqual(failures, []);
  // 300 on a quiet machine: it shows that there was load.
  assert.ok(rates[rates.length >> 1]! >= 5, `only ${rates.join(' ')} scrapes a second`);
  assert.equal((await sendRequest(url, { ca })).certificate?.fingerprint256, newest, 'the newest is served');
});

test('a certificate that does not fit its key is refused, and the old one stays', async (t) => {
  if (!need(t, 'openssl')) return;
  const authority = new Authority('private');
  const [one, two] = [authority.issue('localhost'), authority.issue('localhost')];
  const web = (cert: string, key: string) => `tls_server_config:\n  cert_file: ${cert}\n  key_file: ${key}\n`;
  const server = await serve(t, web(one.cert, one.key), slow);
  const ca = readFileSync(authority.cert);
  const serial = async () => (await sendRequest(`${server.url}/-/healthy`, { ca })).certificate?.serialNumber;
  const first = await serial();
  const line = await server.rewrite(web(two.cert, one.key), /not loaded/);
  assert.match(line, /level=error .*is not the key of/);
  assert.equal(await serial(), first);
  const { body } = await sendRequest(`${server.url}/health`, { ca });
  assert.match(body, /could not be loaded again: .*is not the key of/);
  const gauge = 'herakles_exporter_config_last_reload_successful';
  assert.equal((await server.metrics({ ca })).value(gauge), 0);
  await server.rewrite(web(two.cert, two.key), /configuration loaded/);
  assert.notEqual(await serial(), first);
});

for (const version of ['node22', 'node24'] as const) {
  test(`TLS, a slow client and a password on ${version}`, async (t) => {
    const node = need(t, 'openssl', version)?.[version];
    if (!node) return;
    const authority = new Authority('private');
    const { cert, key } = authority.issue('localhost');
    const web = `tls_server_config:\n  cert_file: ${cert}\n  key_file: ${key}\nbasic_auth_users:\n  a: ${hashSync('b', 4)}\n`;
    const server = await serve(t, web, [...slow, '--read-timeout', '3s'], node);
    const ca = readFileSync(authority.cert);
    assert.equal((await sendRequest(`${server.url}/metrics`, { ca, auth: 'a:b' })).status, 200);
    assert.equal((await sendRequest(`${server.url}/metrics`, { ca, auth: 'a:c' })).status, 401);
    assert.equal((await sendRequest(`http://localhost:${server.port}/`)).status, 400);
    const late = connect({ port: server.port, host: '127.0.0.1', ca, servername: 'localhost' }, () =>
      late.write('GET / HT'),
    );
    const said: Buffer[] = [];
    late.on('data', (chunk) => said.push(chunk));
    await new Promise((resolve) => late.once('close', resolve));
    assert.match(Buffer.concat(said).toString(), /^HTTP\/1\.1 408 /);
  });
}
