// What clients can make the exporter hold, log and refuse, on the real program: bytes for readers that do not read, lines
// of the log, descriptors, comparisons of passwords, and pages for the browser of somebody else.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, type RequestOptions } from 'node:http';
import { connect, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { hashSync } from 'bcryptjs';
import { formatCapture } from '../src/kernel/capture.ts';
import { Authority } from './certificates.ts';
import { bundle, eventually, need, needRoot, Started, scratch } from './harness.ts';
import { frameOf } from './kernel-text.ts';
import { sendRequest, serve, type WebServer } from './web-server.ts';

const slow = ['--interval', '10m', '--cache-ttl', '10m'];

/** Anonymous memory, bytes. */
const memory = ({ pid }: WebServer) =>
  Number(/^Anonymous:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))![1]) * 1024;
/** Changes how many descriptors a server may have; its hard limit stays. */
const limitOf = ({ pid }: WebServer) => {
  const hard = /^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'latin1'))![1]!;
  return (files: string) =>
    execFileSync('prlimit', ['--pid', String(pid), `--nofile=${files === 'hard' ? hard : files}:`]);
};
const openFiles = ({ pid }: WebServer) => readdirSync(`/proc/${pid}/fd`).length;

test('a host name that is not ours gets 403, except for scrapes and probes', async (t) => {
  const server = await serve(t, '', [...slow, '--web-allowed-hosts', 'metrics.example', '--web-enable-lifecycle']);
  const at = `http://127.0.0.1:${server.port}`;
  const get = (path: string, host: string, options: RequestOptions = {}) =>
    sendRequest(at + path, { ...options, headers: { host, ...options.headers } });
  const evil = `evil.example:${server.port}`;
  for (const path of ['/', '/config', '/subgroups', '/explain?pid=1', '/nowhere'])
    assert.equal((await get(path, evil)).status, 403, path);
  assert.match((await get('/', evil)).body, /^this exporter is not known as evil\.example; .* web_allowed_hosts\n$/);
  assert.equal((await get('/-/reload', evil, { method: 'POST' })).status, 403);
  for (const path of ['/metrics', '/health', '/-/healthy', '/-/ready'])
    assert.equal((await get(path, evil)).status, 200, path);
  const names = ['localhost', `LOCALHOST.:${server.port}`, hostname(), '127.0.0.1', '[::1]:1', 'Metrics.Example:1'];
  for (const host of names) assert.equal((await get('/config', host)).status, 200, host);
  const raw = async (...lines: string[]) => {
    const socket = await server.socket();
    socket.write(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`);
    await new Promise((resolve) => socket.once('close', resolve));
    return Number(/^HTTP\/1\.1 (\d+)/.exec(socket.text)?.[1]);
  };
  assert.equal(await raw('GET / HTTP/1.0'), 200, 'no host, no browser');
  assert.equal(await raw('GET / HTTP/1.1'), 400);
  assert.equal(await raw('GET / HTTP/1.1', 'Host: localhost', 'Host: evil.example'), 400);
  assert.equal(await raw('GET /metrics HTTP/1.1', 'Host: localhost', 'Host: localhost'), 400);
  assert.equal(await raw('GET http://evil.example/ HTTP/1.1', 'Host: localhost'), 403);
  assert.equal(await raw('GET http://localhost/config HTTP/1.1', 'Host: localhost'), 200);
  for (const headers of [{ origin: 'http://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }])
    assert.equal(
      (await get('/-/reload', 'localhost', { method: 'POST', headers })).status,
      403,
      JSON.stringify(headers),
    );
  assert.equal((await get('/-/reload', 'localhost', { method: 'POST' })).status, 200);
});

test('sixteen addresses of one network with wrong passwords do not keep out the right one', async (t) => {
  const server = await serve(t, `basic_auth_users:\n  prometheus: ${hashSync('right', 10)}\n`, slow);
  let flooding = true;
  const flood = async (client: number) => {
    for (let i = 0; flooding; i++) {
      const options = { auth: `u${client}:${i}`, localAddress: `127.0.0.${2 + (client % 16)}`, family: 4 };
      await sendRequest(`${server.url}/metrics`, options).catch(() => {});
    }
  };
  const floods = Array.from({ length: 64 }, (_, i) => flood(i));
  t.after(() => {
    flooding = false;
  });
  await server.logs(/a password was not compared.*too many wait/);
  const began = performance.now();
  const { status } = await sendRequest(`http://[::1]:${server.port}/metrics`, { auth: 'prometheus:right' });
  t.diagnostic(`answered after ${(performance.now() - began).toFixed(0)} ms`);
  assert.equal(status, 200);
  flooding = false;
  await Promise.all(floods);
  assert.ok(server.stderr.split('\n').length < 12, server.stderr);
});

test('1,024 networks with wrong passwords do not keep out the right one', async (t) => {
  if (!needRoot(t) || !need(t, 'ip', 'unshare')) return;
  // In a network of its own every address of 10.0.0.0/8 is this host's, and each is a network for the server.
  const wrap = [
    ...['unshare', '--net', 'sh', '-c'],
    ...['ip link set lo up && ip route add local 10.0.0.0/8 dev lo && exec "$@"', 'sh'],
  ];
  const web = `basic_auth_users:\n  prometheus: ${hashSync('right', 6)}\n`;
  const server = await serve(t, web, slow, process.execPath, wrap);
  const program = `${scratch()}/clients.cjs`;
  writeFileSync(
    program,
    `const { get } = require('node:http');
const statuses = {};
const ask = (auth, localAddress, timeout) => new Promise((resolve) => {
  const options = { host: '127.0.0.1', port: ${server.port}, path: '/metrics', auth, localAddress, agent: false, timeout };
  const request = get(options, (response) => response.resume().on('end', () => resolve(response.statusCode)).on('error', () => resolve(0)));
  request.on('timeout', () => request.destroy()).on('error', () => resolve(0));
});
async function flood(i) {
  for (let n = 0; ; n++) {
    const status = await ask('u:' + i + '.' + n, '10.1.' + (i >> 8) + '.' + (i & 255), 60_000);
    statuses[status] = (statuses[status] ?? 0) + 1;
    if (status !== 401) await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
for (let i = 0; i < 1024; i++) void flood(i);
setTimeout(async () => {
  const tries = [];
  const began = Date.now();
  // As a scraper does it: ten seconds of patience, and then a pause.
  while (tries.at(-1) !== 200 && tries.length < 12) {
    tries.push(await ask('prometheus:right', '10.9.9.9', 10_000));
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  console.log('tries', tries.join(), Date.now() - began, JSON.stringify(statuses));
  process.exit();
}, 3000);
`,
  );
  const inside = ['nsenter', `--net=/proc/${server.pid}/ns/net`, process.execPath, program];
  const [tries, ms, statuses] = await new Started(t, inside).line('tries', 0, 180_000);
  t.diagnostic(`${tries} after ${ms} ms; the others: ${statuses}`);
  assert.match(tries!, /(?:^|,)200$/);
});

test('clients that do not read hold a few pages, over HTTP and over TLS', async (t) => {
  const tools = need(t, 'openssl', 'openmetrics-parser');
  if (!tools) return;
  const { cert, key } = new Authority('ca').issue('localhost');
  // A page that is larger than what the kernel's buffers between the two take.
  const processes = Array.from({ length: 6000 }, (_, i) => ({
    pid: i + 1,
    comm: `worker-${i}`,
    startTicks: i,
    memory: {},
  }));
  const capture = `${scratch()}/host.capture`;
  writeFileSync(capture, formatCapture([frameOf({}, processes)]));
  for (const scheme of ['http', 'https']) {
    const tls = scheme === 'https' ? `tls_server_config:\n  cert_file: ${cert}\n  key_file: ${key}\n` : '';
    const server = await serve(t, tls, [
      '--capture',
      capture,
      '--cache-ttl',
      '0s',
      '--send-timeout',
      '1h',
      '--max-series',
      '1000000',
    ]);
    const url = `${server.url}/metrics`;
    const options = { rejectUnauthorized: false };
    let length = 0;
    for (let i = 0; i < 5; i++) length = (await sendRequest(url, options)).body.length;
    const before = memory(server);
    const program = [
      'import socket, ssl, time',
      'context = ssl._create_unverified_context()',
      'kept = []',
      'for i in range(60):',
      '  s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)',
      `  s.connect(('127.0.0.1', ${server.port}))`,
      ...(tls ? ['  s = context.wrap_socket(s)'] : []),
      "  s.sendall(b'GET /metrics HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'); kept.append(s)",
      '  time.sleep(0.2)', // a collection each
      "print('asked all', flush=True); time.sleep(600)",
    ].join('\n');
    const reader = new Started(t, [tools['openmetrics-parser'], '-c', program]);
    await reader.line('asked');
    let most = 0;
    for (let i = 0; i < 20; i++) {
      assert.equal((await sendRequest(url, options)).status, 200);
      most = Math.max(most, memory(server));
    }
    const grown = (most - before) / 2 ** 20;
    t.diagnostic(
      `${scheme}: page of ${(length / 2 ** 20).toFixed(1)} MiB, ${grown.toFixed(1)} MiB more for 60 readers`,
    );
    assert.ok(grown < 90, `${grown} MiB`);
    await reader.kill();
    await server.kill();
  }
});

test('a broken rule file and clients that reload write a short log and get short answers', async (t) => {
  const dir = scratch();
  const rules = `${dir}/rules.toml`;
  writeFileSync(rules, '[[rule]]\ngroup = "a"\nsubgroup = "b"\ncomm = "c"\n');
  const server = await serve(t, '', [...slow, '--web-enable-lifecycle', '--subgroups', rules]);
  writeFileSync(rules, '[[rule]]\nuint = "a"\n'.repeat(5000));
  await server.logs(/… and \d+ more/);
  const length = server.stderr.length;
  assert.ok(length < 30_000, `${length} bytes`);
  const end = performance.now() + 5000;
  const statuses = new Map<number, number>();
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      while (performance.now() < end) {
        const { status, body } = await sendRequest(`${server.url}/-/reload`, { method: 'POST' });
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        assert.ok(body.length < 15_000, `${body.length} bytes`);
      }
    }),
  );
  t.diagnostic(`${JSON.stringify([...statuses])}; ${server.stderr.length - length} bytes logged`);
  assert.ok(server.stderr.length - length < 1000, server.stderr.slice(length));
  const { status, body } = await sendRequest(`${server.url}/health`);
  assert.ok(status === 200 && body.length < 15_000 && /… and \d+ more/.test(body), `${body.length} bytes`);
  const check = new Started(t, [process.execPath, bundle, 'check', '--subgroups', rules]);
  await check.ended;
  assert.match(check.stderr, /… and \d+ more\n$/);
  assert.equal(check.stderr.split('\n').length, 52);
});

test('without a descriptor, scrapes get the last snapshot, and the log has two lines', async (t) => {
  const server = await serve(t, '', ['--cache-ttl', '0s', '--interval', '1h', '--log-level', 'info']);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const scrape = () => sendRequest(`${server.url}/metrics`, { agent });
  await eventually(async () => assert.match((await scrape()).body, /herakles_mem_group_rss_bytes\{/));
  const limit = limitOf(server);
  const from = server.stderr.length;
  limit('3');
  for (let i = 0; i < 10; i++) {
    const { status, body } = await scrape();
    assert.equal(status, 200, server.stderr);
    assert.match(body, /herakles_mem_group_rss_bytes\{/);
    assert.match(body, /herakles_exporter_cache_update_success 0/);
    for (const path of ['/', '/config', '/subgroups', '/health'])
      assert.equal((await sendRequest(server.url + path, { agent })).status, 200, path);
  }
  limit('hard');
  await eventually(async () => assert.match((await scrape()).body, /herakles_exporter_cache_update_success 1/));
  const lines = await eventually(() => {
    const found = server.stderr.slice(from).trim().split('\n');
    assert.equal(found.length, 2, found.join('\n'));
    return found;
  });
  assert.match(lines[0]!, /level=error msg="collection failed.*EMFILE/);
  assert.match(lines[1]!, /level=info msg="collections succeed again" after=10/);
});

test('without a descriptor no password is compared, and nothing ends', async (t) => {
  const server = await serve(t, `basic_auth_users:\n  a: ${hashSync('b', 4)}\n`, slow);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const status = async (auth?: string) =>
    (await sendRequest(`${server.url}/metrics`, { agent, ...(auth && { auth }) })).status;
  assert.equal(await status(), 401); // opens the connection; the thread for passwords is not started yet
  const limit = limitOf(server);
  limit('3');
  for (let i = 0; i < 5; i++) assert.equal(await status('a:b'), 503);
  limit('hard');
  assert.equal(await status('a:c'), 401);
  assert.equal(await status('a:b'), 200);
  assert.equal(server.stderr.match(/a password was not compared/g)?.length, 1, server.stderr);
});

test('TLS handshakes count as requests', async (t) => {
  if (!need(t, 'openssl')) return;
  const { cert, key } = new Authority('ca').issue('localhost');
  const web = `tls_server_config:\n  cert_file: ${cert}\n  key_file: ${key}\n`;
  const server = await serve(t, web, [...slow, '--max-request-rate', '5']);
  let [shaken, closed] = [0, 0];
  const began = performance.now();
  const sockets = Array.from({ length: 60 }, (_, i) => {
    const at = { port: server.port, host: '127.0.0.1', localAddress: `127.0.0.${2 + i}`, rejectUnauthorized: false };
    const socket = connectTls(at).on('error', () => {});
    socket.once('secureConnect', () => shaken++);
    return socket.once('close', () => closed++);
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  await eventually(() => assert.equal(shaken + closed, 60));
  const allowed = 5 + (5 * (performance.now() - began)) / 1000;
  assert.ok(shaken >= 5 && shaken <= allowed + 1, `${shaken} handshakes, ${allowed} allowed`);
  const other = `https://[::1]:${server.port}/-/healthy`;
  assert.equal((await sendRequest(other, { rejectUnauthorized: false })).status, 200);
});

test('requests of one client in flight do not keep out another', async (t) => {
  const server = await serve(t, '', ['--max-requests-in-flight', '1', '--cache-ttl', '0s', '--smaps', 'exact']);
  let [flooding, refused] = [true, 0];
  const flood = async () => {
    while (flooding) if ((await sendRequest(`http://127.0.0.1:${server.port}/metrics`)).status === 503) refused++;
  };
  const floods = Array.from({ length: 10 }, flood);
  t.after(() => {
    flooding = false;
  });
  await eventually(() => assert.ok(refused > 5));
  for (let i = 0; i < 10; i++) assert.equal((await sendRequest(`http://[::1]:${server.port}/metrics`)).status, 200);
  flooding = false;
  await Promise.all(floods);
});

test('connections leave descriptors for everything else', async (t) => {
  const server = await serve(t, '', ['--cache-ttl', '0s', '--max-connections', '10000'], process.execPath, [
    'prlimit',
    '--nofile=256',
  ]);
  await eventually(async () => assert.equal((await sendRequest(`${server.url}/-/ready`)).status, 200));
  const sockets: Socket[] = [];
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (let i = 0; i < 400; i++) {
    const socket = connect({ port: server.port, host: '127.0.0.1', localAddress: '127.0.0.2' }).on('error', () => {});
    sockets.push(socket);
    await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  }
  const used = openFiles(server);
  t.diagnostic(`${used} descriptors of 256`);
  assert.ok(used < 256);
  const { body } = await sendRequest(`http://[::1]:${server.port}/metrics`);
  assert.match(body, /herakles_exporter_cache_update_success 1/);
  assert.doesNotMatch(server.stderr, /EMFILE|level=error/);
});

test('a client cannot renegotiate TLS 1.2', async (t) => {
  if (!need(t, 'openssl')) return;
  const { cert, key } = new Authority('ca').issue('localhost');
  const server = await serve(t, `tls_server_config:\n  cert_file: ${cert}\n  key_file: ${key}\n`, slow);
  const client = new Started(t, ['openssl', 's_client', '-tls1_2', '-connect', `127.0.0.1:${server.port}`]);
  await eventually(() => assert.match(client.stdout, /Verify return code/));
  client.say('R');
  await eventually(() => assert.match(client.stdout + client.stderr, /RENEGOTIATING[\s\S]*no renegotiation/i), 10_000);
  assert.equal((await sendRequest(`${server.url}/-/healthy`, { rejectUnauthorized: false })).status, 200);
});

test('a page that is costly to make is made once a second, however often it is requested', async (t) => {
  const dir = scratch();
  const rules = `${dir}/rules.toml`;
  const rule = (i: number) => `[[rule]]\ngroup = "g${i % 100}"\nsubgroup = "s${i}"\ncomm = "c${i}"\n`;
  writeFileSync(rules, Array.from({ length: 9000 }, (_, i) => rule(i)).join(''));
  const server = await serve(t, '', [...slow, '--subgroups', rules, '--max-request-rate', '0']);
  const cpu = () =>
    readFileSync(`/proc/${server.pid}/stat`, 'latin1')
      .split(') ')[1]!
      .split(' ')
      .slice(11, 13)
      .reduce((sum, ticks) => sum + Number(ticks) / 100, 0);
  await sendRequest(`${server.url}/subgroups`);
  await pause(1100);
  let began = cpu();
  await sendRequest(`${server.url}/subgroups`);
  const one = cpu() - began;
  await pause(1100);
  began = cpu();
  const start = performance.now();
  for (let i = 0; i < 20; i++) await sendRequest(`${server.url}/subgroups`, { method: 'HEAD' });
  const seconds = (performance.now() - start) / 1000;
  const twenty = cpu() - began;
  t.diagnostic(`one page ${one.toFixed(2)} s of CPU, twenty ${twenty.toFixed(2)} s within ${seconds.toFixed(1)} s`);
  assert.ok(twenty < one * (2 + seconds) + 0.1, `${twenty} s`);
});
