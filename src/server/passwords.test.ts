import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { compareSync, hashSync } from 'bcryptjs';
import { Authenticator } from './auth.ts';
import { ClientGoneError, Passwords, QueueFullError } from './passwords.ts';

const hash = hashSync('right', 4);

type Compare = (password: string, hash: string) => boolean;

/** A thread as the bundle has it, in this one. */
const startWith = (compare: Compare) => async () => {
  const thread = Object.assign(new EventEmitter(), {
    postMessage: ({ password, hash }: { password: string; hash: string }) =>
      void setImmediate(() => thread.emit('message', compare(password, hash))),
    terminate: () => {},
  });
  return thread;
};
const startThread = startWith(compareSync);
/** Compares at once, for tests with thousands of comparisons in which only the order matters. */
const startQuickThread = startWith((password) => password === 'right');

/** Asks as this client and notes how it ends, in the order of the ends. */
function asking(passwords: Passwords) {
  const ends: string[] = [];
  const ask = (client: string, password = 'wrong', signal?: AbortSignal) =>
    passwords
      .compare(password, hash, client, signal)
      .then(String, (error: Error) => (error instanceof QueueFullError ? 'full' : error.constructor.name))
      .then((end) => {
        ends.push(`${client} ${end}`);
        return end;
      });
  return { ends, ask };
}

const PLACES = 64;

test('a newcomer takes the place of a waiting job where one client has several, and comes first', async () => {
  const { ends, ask } = asking(new Passwords(startThread, PLACES));
  const clients = PLACES / 4 + 1;
  const flood = [];
  for (let i = 0; i < 5; i++) for (let client = 0; client < clients; client++) flood.push(ask(`c${client}`));
  // One is compared, all places are taken; the rest was refused at once.
  assert.equal(await ask('scraper', 'right'), 'true');
  const before = ends.slice(0, ends.indexOf('scraper true'));
  assert.ok(before.filter((end) => !end.endsWith('full')).length <= clients + 1, `${before.length}`);
  const results = await Promise.all(flood);
  assert.equal(results.filter((end) => end === 'false').length, PLACES, 'one compared, one of the others gave way');
});

test('1,024 networks that ask all the time keep nobody out, also after the client has gone and comes again', async () => {
  const { ends, ask } = asking(new Passwords(startQuickThread));
  let flooding = true;
  const networks = Array.from({ length: 1024 }, async (_, i) => {
    while (flooding) await ask(`n${i}`);
  });
  // It goes away long before its turn, as a scraper does after its timeout, and keeps the turn.
  const gone = new AbortController();
  const first = ask('scraper', 'right', gone.signal);
  gone.abort();
  assert.equal(await first, ClientGoneError.name);
  while (ends.length < 1025) await new Promise(setImmediate);
  const from = ends.length;
  assert.equal(await ask('scraper', 'right'), 'true');
  assert.ok(ends.indexOf('scraper true') - from <= 2, `${ends.indexOf('scraper true') - from} came before it`);
  // One that comes now for the first time waits for the comparison that runs, not for a thousand.
  const since = ends.length;
  assert.equal(await ask('later', 'right'), 'true');
  assert.ok(ends.indexOf('later true') - since <= 2, `${ends.indexOf('later true') - since} came before it`);
  flooding = false;
  await Promise.all(networks);
});

test('where every place is taken by another client, a newcomer takes that of the one whose turn is last', async () => {
  const { ask } = asking(new Passwords(startThread, PLACES));
  const compared = Array.from({ length: PLACES }, (_, i) => `n${i}`);
  await Promise.all(compared.map((client) => ask(client)));
  const running = ask('other');
  const flood = compared.map((client) => ask(client));
  assert.equal(await ask('other'), 'full', "one that was compared takes nobody's place");
  assert.equal(await ask('scraper', 'right'), 'true');
  assert.equal(await running, 'false');
  const results = await Promise.all(flood);
  assert.deepEqual(
    results.flatMap((end, i) => (end === 'full' ? [i] : [])),
    [PLACES - 1],
  );
});

test('a client that was compared waits for clients that were not', async () => {
  const { ends, ask } = asking(new Passwords(startThread));
  await ask('old');
  await Promise.all([ask('busy'), ask('old'), ask('new'), ask('old'), ask('newer')]);
  assert.deepEqual(ends, ['old false', 'busy false', 'new false', 'newer false', 'old false', 'old false']);
});

test('the jobs of clients that have gone are not compared', async () => {
  const { ask } = asking(new Passwords(startThread));
  const running = ask('first');
  const gone = new AbortController();
  const waiting = [1, 2, 3].map(() => ask('gone', 'wrong', gone.signal));
  gone.abort();
  assert.deepEqual(
    await Promise.all(waiting),
    [1, 2, 3].map(() => ClientGoneError.name),
  );
  assert.equal(await running, 'false');
});

test('credentials that several clients sent are compared until the last of them has gone', async () => {
  const passwords = new Passwords(startThread);
  const { ask } = asking(passwords);
  const authenticator = new Authenticator(passwords);
  const users = new Map([['dave', hash]]);
  const header = `Basic ${Buffer.from('dave:right').toString('base64')}`;
  const [one, two] = [new EventEmitter(), new EventEmitter()];
  const running = ask('other');
  const admitted = [one, two].map((socket) => authenticator.admits(header, users, 'scraper', socket));
  one.emit('close');
  assert.deepEqual(await Promise.all(admitted), [true, true]);
  assert.deepEqual(
    [one, two].map((socket) => socket.listenerCount('close')),
    [0, 0],
  );
  await running;
  const busy = ask('other');
  const wrong = `Basic ${Buffer.from('dave:wrong').toString('base64')}`;
  const left = authenticator.admits(wrong, users, 'scraper', one);
  one.emit('close');
  const later = authenticator.admits(wrong, users, 'scraper', two);
  await assert.rejects(left, ClientGoneError);
  assert.equal(await later, false, 'a request that comes after that is compared');
  await busy;
});
