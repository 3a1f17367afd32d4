import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SlowReads } from './slow-reads.ts';

const hang = () => new Promise<never>(() => {});

test('one at a time', async () => {
  const lane = new SlowReads(() => 0);
  const running = lane.run(async () => 'done');
  assert.equal(lane.free, false);
  assert.equal(await running, 'done');
  assert.equal(lane.free, true);
});

test('a read that fails gives the lane back', async () => {
  const lane = new SlowReads(() => 0);
  await assert.rejects(lane.run(() => Promise.reject(new Error('gone'))));
  assert.equal(lane.free, true);
});

test('a read that hangs is left behind, and the next ones do not wait for it again', async () => {
  let now = 0;
  const lane = new SlowReads(() => now);
  void lane.run(hang);
  now = 9;
  assert.equal(lane.free, false);
  now = 11;
  for (let i = 0; i < 5; i++) {
    assert.equal(lane.free, true);
    await lane.run(async () => {});
  }
});

test('with two reads left behind it serves on one thread; with three it is closed until one of them ends', async () => {
  let now = 0;
  let end = () => {};
  const lane = new SlowReads(() => now);
  const first = lane.run(() => new Promise<void>((resolve) => (end = resolve)));
  for (now = 11; now < 30; now += 11) void lane.run(hang);
  now = 100;
  assert.equal(lane.free, false);
  end();
  await first;
  assert.equal(lane.free, true);
});
