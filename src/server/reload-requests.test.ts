import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Reload } from '../agent/agent.ts';
import { ReloadRequests } from './reload-requests.ts';

/** Reloads by a clock that only they and their pauses move; `pauses` are the pauses before each, in milliseconds. */
function simulated(t: TestContext, reload: () => Reload, tookMs: () => number) {
  let nowMs = 0;
  t.mock.method(performance, 'now', () => nowMs);
  const pauses: number[] = [];
  const began: number[] = [];
  const reloads = new ReloadRequests(
    async () => {
      began.push(nowMs);
      nowMs += tookMs();
      return reload();
    },
    async (ms) => {
      pauses.push(ms);
      nowMs += ms;
    },
  );
  return { reloads, pauses, began };
}

test('reloads leave a second between them; requests that come meanwhile share the next one', async (t) => {
  const { reloads, pauses, began } = simulated(
    t,
    () => ({ ok: true, faults: [] }),
    () => 0,
  );
  assert.deepEqual(await reloads.request(), { ok: true, faults: [] });
  const waiting = [1, 2, 3, 4].map(() => reloads.request());
  assert.equal(reloads.request(), undefined, 'a fifth request cannot wait for the same reload');
  await Promise.all(waiting);
  assert.deepEqual(
    [began, pauses],
    [
      [0, 1000],
      [0, 1000],
    ],
  );
});

test('a reload that takes long is followed by a pause of nine times as long; one that fails as well', async (t) => {
  let fails = false;
  let tookMs = 3000;
  const answer = (): Reload => {
    if (fails) throw new Error('no');
    return { ok: false, faults: ['x'] };
  };
  const { reloads, pauses } = simulated(t, answer, () => tookMs);
  assert.deepEqual(await reloads.request(), { ok: false, faults: ['x'] });
  fails = true;
  await assert.rejects(reloads.request()!, /^Error: no$/);
  fails = false;
  tookMs = 600_000;
  assert.ok(await reloads.request());
  assert.ok(await reloads.request());
  assert.deepEqual(pauses, [0, 27_000, 27_000, 60_000]);
});
