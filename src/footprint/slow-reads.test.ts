import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SlowReads } from './slow-reads.ts';

const hang = () => new Promise<never>(() => {});

test('slow reads run one at a time', async () => {
  const slowReads = new SlowReads(() => 0);
  const running = slowReads.run(async () => 'done');
  assert.equal(slowReads.free, false);
  assert.equal(await running, 'done');
  assert.equal(slowReads.free, true);
});

test('after a read that fails the next one can start', async () => {
  const slowReads = new SlowReads(() => 0);
  await assert.rejects(slowReads.run(() => Promise.reject(new Error('gone'))));
  assert.equal(slowReads.free, true);
});

test('a read that hangs is waited for once, and no longer by the reads after it', async () => {
  let now = 0;
  const slowReads = new SlowReads(() => now);
  void slowReads.run(hang);
  now = 9;
  assert.equal(slowReads.free, false);
  now = 11;
  for (let i = 0; i < 5; i++) {
    assert.equal(slowReads.free, true);
    await slowReads.run(async () => {});
  }
});

test('with two hung reads one thread still serves; with three no read starts until one of them ends', async () => {
  let now = 0;
  let end = () => {};
  const slowReads = new SlowReads(() => now);
  const first = slowReads.run(() => new Promise<void>((resolve) => (end = resolve)));
  for (now = 11; now < 30; now += 11) void slowReads.run(hang);
  now = 100;
  assert.equal(slowReads.free, false);
  end();
  await first;
  assert.equal(slowReads.free, true);
});
