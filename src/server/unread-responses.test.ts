import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type SharedPart, UnreadResponses } from './unread-responses.ts';

const MIB = 1 << 20;

/** A server whose responses are sent by the test, and clients that do not read unless the test lets them. */
async function site(t: TestContext) {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const unread = new UnreadResponses();
  const ask = async (localAddress = '127.0.0.1', requests = 1) => {
    const client = connect({ port, host: localAddress === '::1' ? '::1' : '127.0.0.1', localAddress });
    client.on('error', () => {});
    t.after(() => client.destroy());
    const responses: ServerResponse[] = [];
    const asked = new Promise<void>((resolve) => {
      const take = (_: unknown, response: ServerResponse) => {
        responses.push(response);
        if (responses.length < requests) return;
        server.off('request', take);
        resolve();
      };
      server.on('request', take);
    });
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(requests));
    await asked;
    return { client, responses, response: responses[0]!, socket: responses[0]!.socket as Socket };
  };
  return { unread, ask };
}

test('whole bodies arrive, also one after the other on one connection', async (t) => {
  const { unread, ask } = await site(t);
  const { client, responses, socket } = await ask('127.0.0.1', 3);
  const bodies = [1, 2, 3].map((i) => Buffer.alloc(300_000 * i, String(i)));
  const received: Buffer[] = [];
  client.on('data', (chunk) => received.push(chunk));
  await Promise.all(
    responses.map((response, i) => {
      response.writeHead(200, { 'content-length': bodies[i]!.length });
      return unread.send(socket, response, 'x', [bodies[i]!.subarray(0, 100_001), bodies[i]!.subarray(100_001)]);
    }),
  );
  while (Buffer.concat(received).length < 1_800_000) await once(client, 'data');
  const text = Buffer.concat(received).toString('latin1');
  for (const body of bodies) assert.ok(text.includes(`\r\n\r\n${body.toString('latin1')}`));
});

test('a client that reads no page loses the connection with the oldest one; a reader of the newest keeps its own', async (t) => {
  const { unread, ask } = await site(t);
  const pages = Array.from({ length: 5 }, (): SharedPart & { body: Buffer } => ({
    name: '',
    bytes: 8 * MIB,
    body: Buffer.alloc(8 * MIB),
  }));
  const send = async (page: (typeof pages)[number]) => {
    const { response, socket } = await ask();
    void unread.send(socket, response, 'metrics', [page.body, Buffer.alloc(1000)], [page]);
    return socket;
  };
  const sockets = [];
  for (const page of pages) sockets.push(await send(page), await send(page));
  // The newest does not count, two of the others fit into 16 MiB; with the 10 kB that each has of its own, one does.
  assert.deepEqual(
    sockets.map(({ destroyed }) => destroyed),
    [true, true, true, true, true, true, false, false, false, false],
  );
});

test('the client that holds most loses connections, not the client that came first', async (t) => {
  const { unread, ask } = await site(t);
  const own = async (bytes: number, count: number) => {
    const { response, socket } = await ask();
    const pieces = Array.from({ length: count }, () => Buffer.alloc(bytes / count));
    void unread.send(socket, response, 'page', pieces);
    return socket;
  };
  const before = await ask('127.0.0.1');
  Object.defineProperty(before.socket, 'remoteAddress', { value: '10.0.0.1' });
  void unread.send(before.socket, before.response, 'page', [Buffer.alloc(6 * MIB)]);
  const crowd = [];
  for (let i = 0; i < 6; i++) crowd.push(await own(4 * MIB, 1));
  assert.deepEqual(
    [before.socket.destroyed, ...crowd.map(({ destroyed }) => destroyed)],
    [false, true, true, true, true, false, false],
  );
});

test('a page that everybody has read allows nobody to hold more', async (t) => {
  const { unread, ask } = await site(t);
  const large = { name: 'process', bytes: 12 * MIB, body: Buffer.alloc(12 * MIB) };
  const { client, response, socket } = await ask();
  client.resume();
  await unread.send(socket, response, 'metrics', [large.body], [large]);
  const sockets = [];
  for (let i = 0; i < 3; i++) {
    const slow = await ask();
    void unread.send(slow.socket, slow.response, 'page', [Buffer.alloc(8 * MIB)]);
    sockets.push(slow.socket);
  }
  assert.deepEqual(
    sockets.map(({ destroyed }) => destroyed),
    [true, false, false],
    '16 MiB, and not twice the page',
  );
});

test('a client that takes too long loses the connection', async (t) => {
  const { unread, ask } = await site(t);
  const { response, socket } = await ask();
  await unread.send(socket, response, 'x', [Buffer.alloc(50 * MIB)], undefined, 50);
  assert.ok(socket.destroyed);
});

test('a page in parts: the newest of each part does not count, and an old part counts once', async (t) => {
  const { unread, ask } = await site(t);
  const part = (name: string) => ({ name, bytes: 6 * MIB, body: Buffer.alloc(6 * MIB) });
  const send = async (parts: readonly ReturnType<typeof part>[]) => {
    const { response, socket } = await ask();
    response.writeHead(200, { 'content-length': parts.length * 6 * MIB });
    void unread.send(
      socket,
      response,
      'metrics',
      parts.map(({ body }) => body),
      parts,
    );
    return socket;
  };
  const [process, group] = [part('process'), part('group')];
  const sockets = [await send([process, group]), await send([group]), await send([process])];
  sockets.push(await send([part('process')]), await send([part('process'), part('group')]));
  assert.deepEqual(
    sockets.map((socket) => socket.destroyed),
    [false, false, false, false, false],
    'two pages of 12 MiB',
  );
  sockets.push(await send([part('process'), part('group')]));
  assert.ok(sockets[0]!.destroyed && !sockets.at(-1)!.destroyed);
});
