// Where the server listens, and how it is told to load anew: addresses, Unix sockets, sockets of systemd, POST
// /-/reload, and a configuration file that turns TLS and passwords on while it runs.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import type { RequestOptions } from 'node:https';
import { test } from 'node:test';
import { hashSync } from 'bcryptjs';
import { Authority } from './certificates.ts';
import { bundle, eventually, freePort, need, replace, runBundle, Started, scratch } from './harness.ts';
import { sendRequest, serve } from './web-server.ts';

test('a Unix socket, its leftover, and a file that is none', async (t) => {
  const dir = scratch();
  const socketPath = `${dir}/herakles.sock`;
  const args = ['--web.listen-address', `unix:${socketPath}`];
  const start = async () => {
    const run = new Started(t, [process.execPath, bundle, ...args], { cwd: dir, env: { HOME: dir } });
    await eventually(() => assert.match(run.stderr, /url=unix:/), 30_000, 30);
    return run;
  };
  const status = () =>
    new Promise((resolve, reject) => {
      const asked = request({ socketPath, path: '/-/healthy' }, (answer) => resolve(answer.resume().statusCode));
      asked.on('error', reject).end();
    });
  const first = await start();
  assert.equal(await status(), 200);
  const second = await runBundle(t, args, { cwd: dir });
  assert.equal(second.code, 2);
  assert.match(second.stderr, /cannot listen on .*herakles\.sock: the socket is in use/);
  await first.kill();
  assert.ok(existsSync(socketPath), 'left behind by a kill');
  const third = await start();
  assert.equal(await status(), 200);
  third.signal('SIGTERM');
  await third.ended;
  assert.ok(!existsSync(socketPath), 'removed in the end');
  writeFileSync(socketPath, 'precious');
  assert.equal((await runBundle(t, args, { cwd: dir })).code, 2);
  assert.equal(readFileSync(socketPath, 'utf8'), 'precious');
});

test('several addresses at once, or none of them', async (t) => {
  const server = await serve(t, '');
  for (const host of ['127.0.0.1', '[::1]'])
    assert.equal((await sendRequest(`http://${host}:${server.port}/-/healthy`)).status, 200, host);
  const free = await freePort();
  const both = await runBundle(t, ['--web.listen-address', `127.0.0.1:${free},127.0.0.1:${server.port}`]);
  assert.equal(both.code, 2);
  assert.match(both.stderr, new RegExp(`cannot listen on 127.0.0.1:${server.port}: the port is in use`));
  assert.equal((await runBundle(t, ['--web.listen-address', ':99999'])).code, 2);
});

test('sockets that systemd hands over', async (t) => {
  const python = need(t, 'openmetrics-parser')?.['openmetrics-parser'];
  if (!python) return;
  const dir = scratch();
  // What systemd does: descriptors from 3 on, and LISTEN_PID of the program itself.
  const program = [
    'import os, socket, sys',
    "tcp, unix = socket.create_server(('127.0.0.1', 0)), socket.socket(socket.AF_UNIX)",
    `unix.bind('${dir}/s.sock'); unix.listen()`,
    "print('port', tcp.getsockname()[1], flush=True)",
    'os.dup2(tcp.fileno(), 10); os.dup2(unix.fileno(), 11); os.dup2(10, 3); os.dup2(11, 4)',
    "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='2')",
    'os.execv(sys.argv[1], sys.argv[1:])',
  ].join('\n');
  const command = [python, '-c', program, process.execPath, bundle, '--web.systemd-socket'];
  const run = new Started(t, command, { cwd: dir, env: { HOME: dir } });
  const [port] = await run.line('port');
  await eventually(() => assert.equal(run.stderr.split('msg=serving').length, 3, run.stderr), 30_000, 30);
  assert.match(run.stderr, new RegExp(`url=http://127.0.0.1:${port}/metrics`));
  assert.equal((await sendRequest(`http://127.0.0.1:${port}/-/healthy`)).status, 200);
  assert.equal((await sendRequest('http://localhost/-/healthy', { socketPath: `${dir}/s.sock` })).status, 200);
  const without = await runBundle(t, ['--web.systemd-socket']);
  assert.equal(without.code, 2);
  assert.match(without.stderr, /systemd passed no socket; start the exporter through its \.socket unit/);
});

test('POST /-/reload loads anew where it is allowed', async (t) => {
  const closed = await serve(t, '');
  const post = (url: string, options: RequestOptions = {}) =>
    sendRequest(`${url}/-/reload`, { method: 'POST', ...options });
  assert.equal((await post(closed.url)).status, 403);
  const open = await serve(t, 'rate_limit:\n  interval: 0\n', ['--web-enable-lifecycle']);
  const get = await sendRequest(`${open.url}/-/reload`);
  assert.deepEqual([get.status, get.headers.allow], [405, 'POST, PUT']);
  assert.equal((await post(open.url)).status, 200);
  assert.equal((await post(open.url, { headers: { origin: 'http://evil.example' } })).status, 403);
  assert.equal((await post(open.url, { headers: { origin: open.url } })).status, 200);
  writeFileSync(`${open.dir}/web.yml`, 'nonsense: 1\n');
  const bad = await post(open.url);
  assert.equal(bad.status, 500);
  assert.match(bad.body, /old configuration is in force:\n.*web\.yml:1: nonsense is no key/);
  assert.match((await sendRequest(`${open.url}/health`)).body, /could not be loaded again/);
});

test('a web file named by the configuration, TLS turned on and off while it runs', async (t) => {
  if (!need(t, 'openssl')) return;
  const { cert, key } = new Authority('ca').issue('localhost');
  const dir = scratch();
  const write = (text: string) => replace(`${dir}/config.yaml`, text);
  const tls = `tls_cert_path: ${cert}\ntls_key_path: ${key}\n`;
  write(tls);
  const server = await serve(t, '', ['--config', `${dir}/config.yaml`]);
  const change = async (text: string) => {
    const from = server.stderr.length;
    write(text);
    await server.logs(/configuration loaded/, from);
  };
  const status = async (scheme: string) =>
    (await sendRequest(`${scheme}://127.0.0.1:${server.port}/-/healthy`, { rejectUnauthorized: false })).status;
  assert.equal(await status('http'), 200);
  await change(`enable_tls: true\n${tls}`);
  assert.equal(await status('https'), 200);
  assert.equal(await status('http'), 400);
  writeFileSync(`${dir}/web.yml`, `basic_auth_users:\n  a: ${hashSync('b', 4)}\n`);
  await change('web_config_file: web.yml\n');
  assert.equal(await status('http'), 401);
});
