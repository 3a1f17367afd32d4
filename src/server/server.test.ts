// The small parts of the server: which connection is evicted, how many requests a client may send, how passwords are
// compared, for which names a certificate is, and where to listen. The end-to-end tests of them are in test/*.e2e.ts.
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { compareSync, hashSync } from 'bcryptjs';
import { defaults } from '../config/options.ts';
import { Authenticator } from './auth.ts';
import { Connections } from './connections.ts';
import { escapeHtml } from './html.ts';
import { ListenError, listenAddressesOf } from './listeners.ts';
import type { Passwords } from './passwords.ts';
import { ClientTokenBuckets, TokenBucket } from './rate-limit.ts';
import { sansOf } from './tls.ts';

// biome-ignore format: one line a case
const names: [subjectAltName: string, expected: string[]][] = [
  ['DNS:localhost, IP Address:127.0.0.1, email:a@b.c, URI:spiffe://x/y', ['localhost', '127.0.0.1', 'a@b.c', 'spiffe://x/y']],
  ['IP Address:0:0:0:0:0:0:0:1', ['::1']],
  ['IP Address:2001:DB8:0:0:0:0:0:A', ['2001:db8::a']],
  ['DNS:"a, DNS:b"', ['a, DNS:b']],
  ['DNS:"a\\u0000b", DNS:c', ['a\0b', 'c']],
  ['othername:UPN:me, DirName:"CN = x", DNS:y', ['y']],
  ['', []],
];
for (const [subjectAltName, expected] of names)
  test(`a certificate for ${subjectAltName || 'nobody'}`, () => assert.deepEqual(sansOf({ subjectAltName }), expected));

test('a name cannot hide another one in quotes', () => {
  assert.ok(!sansOf({ subjectAltName: 'URI:"http://x, DNS:prometheus"' }).includes('prometheus'));
});

test('a bucket lets a burst pass, then one an interval', () => {
  const bucket = new TokenBucket(2, 0);
  const taken = [0, 0, 0, 0.5, 1, 1.5, 2, 100, 100, 100].map((now) => bucket.take(1, 2, now));
  assert.deepEqual(taken, [true, true, false, false, true, false, true, true, true, false]);
});

test('a bucket without burst lets no request pass, as in Go', () =>
  assert.equal(new TokenBucket(0, 0).take(1, 0, 1e6), false));

test('each client has a bucket of its own, and there are never more than a thousand', () => {
  const clients = new ClientTokenBuckets();
  assert.ok(clients.take('a', 1, 0));
  assert.ok(!clients.take('a', 1, 0));
  assert.ok(clients.take('b', 1, 0));
  assert.ok(clients.take('a', 0, 0), '0 is no limit');
  for (let i = 0; i < 5000; i++) clients.take(`x${i}`, 1, 0);
  assert.ok(clients.take('a', 1, 0), 'forgotten, since others came');
});

/** A connection to a server of this test, both ends. */
async function connected(t: { after(fn: () => void): void }, count: number): Promise<Socket[]> {
  const taken: Socket[] = [];
  const server = createServer((socket) => taken.push(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  for (let i = 0; i < count; i++) {
    const client = connect({ port, host: '127.0.0.1' }).on('error', () => {});
    await new Promise((resolve) => client.once('connect', resolve));
    t.after(() => client.destroy());
    while (taken.length <= i) await new Promise(setImmediate);
  }
  t.after(() => server.close());
  return taken;
}

test('first a connection without a request is evicted, then the one idle for longest, then one that is being answered', async (t) => {
  const [busy, idle, later, silent, ...newcomers] = (await connected(t, 8)) as [
    Socket,
    Socket,
    Socket,
    Socket,
    ...Socket[],
  ];
  const connections = new Connections();
  for (const socket of [busy, idle, later, silent]) connections.add(socket, 4, 0);
  for (const socket of [busy, idle, later]) {
    connections.requestBegan(socket);
    connections.requestAdmitted(socket);
  }
  for (const socket of [idle, later]) connections.responseEnded(socket);
  const gone = () => [busy, idle, later, silent].map((socket) => socket.destroyed);
  const admit = () => {
    const socket = newcomers.shift()!;
    connections.add(socket, 4, 0);
    connections.requestBegan(socket);
    connections.requestAdmitted(socket);
  };
  admit();
  assert.deepEqual(gone(), [false, false, false, true]);
  admit();
  assert.deepEqual(gone(), [false, true, false, true]);
  admit();
  assert.deepEqual(gone(), [false, true, true, true]);
  admit();
  assert.deepEqual(gone(), [true, true, true, true]);
  assert.equal(connections.size, 4);
});

test('a connection whose password is not compared yet is evicted before one that was admitted', async (t) => {
  const [admitted, waiting, refused, next, another] = (await connected(t, 5)) as [
    Socket,
    Socket,
    Socket,
    Socket,
    Socket,
  ];
  const connections = new Connections();
  for (const socket of [admitted, refused, waiting]) connections.add(socket, 3, 0);
  for (const socket of [admitted, refused, waiting]) connections.requestBegan(socket);
  connections.requestAdmitted(admitted);
  for (const socket of [admitted, refused]) connections.responseEnded(socket);
  const gone = () => [admitted, waiting, refused].map((socket) => socket.destroyed);
  connections.add(next, 3, 0);
  assert.deepEqual(gone(), [false, true, false]);
  connections.add(another, 3, 0);
  assert.deepEqual(gone(), [false, true, true]);
});

test('a client that takes all connections loses its own, whatever it sends', async (t) => {
  const crowd = await connected(t, 6);
  const [scraper] = (await connected(t, 1)) as [Socket];
  Object.defineProperty(scraper, 'remoteAddress', { value: '10.0.0.1' });
  const connections = new Connections();
  connections.add(scraper, 4, 0);
  for (const socket of crowd) {
    connections.add(socket, 4, 0);
    connections.requestBegan(socket);
  }
  assert.equal(scraper.destroyed, false);
  assert.equal(crowd.filter(({ destroyed }) => destroyed).length, 3);
  await Promise.all(crowd.slice(-3).map((socket) => once(socket.destroy(), 'close')));
  assert.equal(connections.size, 1);
  const [stranger, another] = (await connected(t, 2)) as [Socket, Socket];
  for (const socket of [stranger, another]) connections.add(socket, 2, 0);
  assert.deepEqual([scraper.destroyed, stranger.destroyed], [true, false], 'connections that have ended do not count');
});

test('clients that connect all the time end each other, not a client that connects once', async (t) => {
  const connections = new Connections();
  let address = 0;
  /** A connection of the next of ten addresses, or of this one. */
  const open = async (now: number, remoteAddress = `10.0.0.${address++ % 10}`) => {
    const [socket] = (await connected(t, 1)) as [Socket];
    Object.defineProperty(socket, 'remoteAddress', { value: remoteAddress });
    connections.add(socket, 8, now);
    connections.requestBegan(socket);
    return socket;
  };
  for (let i = 0; i < 60; i++) await open(i / 20);
  const scraper = await open(4.5, '10.1.1.1');
  for (let i = 0; i < 30; i++) await open(4.5 + i / 20);
  assert.equal(scraper.destroyed, false);
  // After a while without connections nobody connects often: the one that has been answered for longest comes first.
  for (let i = 0; i < 8; i++) await open(60);
  assert.equal(scraper.destroyed, true);
});

test('a connection with too many unanswered requests ends', async (t) => {
  const [socket] = (await connected(t, 1)) as [Socket];
  const connections = new Connections();
  connections.add(socket, 9, 0);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => connections.requestBegan(socket)),
    [true, true, true, true],
  );
  connections.responseEnded(socket);
  assert.ok(connections.requestBegan(socket));
  assert.ok(!connections.requestBegan(socket) && socket.destroyed);
  assert.ok(!connections.requestBegan(socket), 'nor is what came with it answered');
});

test('when trust changes, waiting connections end at once, and busy connections end after their response', async (t) => {
  const [waiting, busy, sent] = (await connected(t, 3)) as [Socket, Socket, Socket];
  const connections = new Connections();
  for (const socket of [waiting, busy, sent]) connections.add(socket, 9, 0);
  for (const socket of [busy, sent]) connections.requestBegan(socket);
  assert.equal(connections.endsAfterResponse(busy), false);
  connections.endIdle();
  assert.deepEqual([waiting.destroyed, busy.destroyed, connections.endsAfterResponse(busy)], [true, false, true]);
  connections.responseEnded(sent);
  if (!sent.destroyed) await once(sent, 'close');
  assert.equal(busy.destroyed, false);
  connections.endAll();
  assert.deepEqual([busy.destroyed, connections.size], [true, 0]);
});

const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

test('credentials are compared once when right, each time when wrong, unknown users like known ones', async () => {
  const users = new Map([
    ['dave', hashSync('dave123', 4)],
    ['carol', hashSync('pass:wörd', 5)],
  ]);
  const costs: string[] = [];
  const compare = async (password: string, hash: string) => {
    costs.push(hash.slice(4, 6));
    return compareSync(password, hash);
  };
  const authenticator = new Authenticator({ compare } as unknown as Passwords);
  const admits = (header: string | undefined, of = users) =>
    authenticator.admits(header, of, 'client', new EventEmitter());
  const compared = () => costs.splice(0).length;
  assert.ok(await admits(basic('dave', 'dave123')));
  assert.equal(compared(), 1);
  assert.ok(await admits(basic('dave', 'dave123').replace('Basic', 'bAsIc')));
  assert.equal(compared(), 0, 'remembered');
  assert.ok(await admits(basic('carol', 'pass:wörd')));
  costs.length = 0;
  for (const wrong of [
    basic('dave', 'dave124'),
    basic('dave', 'dave124'),
    basic('dave', ''),
    basic('nobody', 'dave123'),
    basic('', ''),
    basic('__proto__', 'x'),
  ]) {
    assert.equal(await admits(wrong), false, wrong);
    assert.equal(compared(), 1, `${wrong} costs a comparison`);
  }
  for (let i = 0; i < 20; i++) await admits(basic(`user${i}`, 'x'));
  assert.deepEqual(new Set(costs), new Set(['04', '05']), 'strangers cost what some user costs');
  costs.length = 0;
  for (const none of [
    undefined,
    '',
    'Basic',
    'Basic !!!',
    'Bearer abc',
    'Basic ZGF2ZQ==',
    `Basic ${'A'.repeat(5000)}`,
  ]) {
    assert.equal(await admits(none), false, none);
    assert.equal(compared(), 0, `${none} is no credentials`);
  }
  for (let i = 0; i < 150; i++) await admits(basic('dave', `wrong${i}`));
  costs.length = 0;
  assert.ok(await admits(basic('dave', 'dave123')));
  assert.equal(compared(), 0, 'wrong ones push no right one out');
  const changed = new Map([['dave', hashSync('other', 4)]]);
  assert.equal(await admits(basic('dave', 'dave123'), changed), false, 'the old password ends with the old hash');
  assert.equal(await admits(basic('carol', 'pass:wörd'), changed), false, 'a user that was removed');
});

// biome-ignore format: one line a case
const listening: [string[], object[]][] = [
  [[], [{ host: '', port: 9215 }]],
  [[':9300', '127.0.0.1:1'], [{ host: '', port: 9300 }, { host: '127.0.0.1', port: 1 }]],
  [['[::1]:2', '[fe80::1%eth0]:3'], [{ host: '::1', port: 2 }, { host: 'fe80::1%eth0', port: 3 }]],
  [['host.example:4', 'unix:/run/a b:c.sock'], [{ host: 'host.example', port: 4 }, { path: '/run/a b:c.sock' }]],
];
for (const [addresses, expected] of listening)
  test(`listens on ${addresses.join(' ') || 'bind and port'}`, () =>
    assert.deepEqual(listenAddressesOf({ ...defaults, web_listen_address: addresses }, {}, 1), expected));

test('systemd hands sockets to this very process, or to none', () => {
  const config = { ...defaults, web_systemd_socket: true };
  assert.deepEqual(listenAddressesOf(config, { LISTEN_PID: '7', LISTEN_FDS: '2' }, 7), [{ fd: 3 }, { fd: 4 }]);
  for (const env of [
    {},
    { LISTEN_FDS: '1' },
    { LISTEN_PID: '8', LISTEN_FDS: '1' },
    { LISTEN_PID: '7', LISTEN_FDS: '0' },
  ])
    assert.throws(() => listenAddressesOf(config, env, 7), ListenError);
});

test('nothing that is shown can end an element, an attribute or a line', () => {
  assert.equal(escapeHtml('<script>"\'`&'), '&#60;script&#62;&#34;&#39;&#96;&#38;');
  assert.doesNotMatch(escapeHtml('a\nb\u202ec\u2028d\u0000e\u009bf'), /[\n\u202e\u2028\u0000\u009b]/);
});
