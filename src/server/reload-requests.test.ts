import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReloadRequests } from './reload-requests.ts';

test('reloads leave a second between them; requests that come meanwhile share the next one', async () => {
  const began: number[] = [];
  const reloads = new ReloadRequests(async () => {
    began.push(performance.now());
    return { ok: true, faults: [] };
  });
  assert.deepEqual(await reloads.request(), { ok: true, faults: [] });
  const waiting = [1, 2, 3, 4].map(() => reloads.request());
  assert.equal(reloads.request(), undefined, 'a fifth one need not wait for the same');
  await Promise.all(waiting);
  assert.equal(began.length, 2);
  assert.ok(began[1]! - began[0]! >= 990, `${began[1]! - began[0]!} ms`);
});

test('a reload that takes long is followed by a pause of nine times as long; one that fails as well', async (t) => {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const waits: number[] = [];
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let fails = false;
  const reloads = new ReloadRequests(async () => {
    waits.push(now);
    now += 3000;
    if (fails) throw new Error('no');
    return { ok: false, faults: ['x'] };
  });
  const first = reloads.request();
  await new Promise(setImmediate);
  t.mock.timers.tick(1);
  assert.deepEqual(await first, { ok: false, faults: ['x'] });
  fails = true;
  const second = reloads.request()!.catch((error: Error) => error.message);
  await new Promise(setImmediate);
  t.mock.timers.tick(26_999);
  await new Promise(setImmediate);
  assert.equal(waits.length, 1);
  t.mock.timers.tick(1);
  assert.equal(await second, 'no');
  fails = false;
  const third = reloads.request();
  await new Promise(setImmediate);
  t.mock.timers.tick(27_000);
  assert.ok(await third);
});
