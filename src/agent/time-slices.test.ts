import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clock, inSlices, within } from './time-slices.ts';

test('during long work other events are handled, and its result is returned', async () => {
  let others = 0;
  const timer = setInterval(() => others++, 1);
  const value = await inSlices(
    (function* () {
      for (const end = clock() + 10; others < 3 && clock() < end; ) yield;
      return 'found';
    })(),
  );
  clearInterval(timer);
  assert.equal(value, 'found');
  assert.ok(others >= 3, `${others} others came in between`);
});

test('pieces of work that follow each other share one slice, and the loop turns between slices', async () => {
  const piece = function* (seconds: number) {
    for (const end = clock() + seconds; clock() < end; ) yield;
  };
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await inSlices(piece(0));
  for (let i = 0; i < 20; i++) await inSlices(piece(0.003)); // each is shorter than a slice
  clearInterval(timer);
  assert.ok(turns >= 10, `the loop turned ${turns} times in 60 ms of work`);
});

test('an error of the work is thrown to the caller', async () => {
  const work = (function* (): Generator<void> {
    yield;
    throw new Error('broken');
  })();
  await assert.rejects(inSlices(work), /broken/);
});

test('waiting ends when the work ends, fails, or takes too long', async () => {
  const began = clock();
  await within(60, Promise.resolve());
  await assert.rejects(within(60, Promise.reject(new Error('broken'))), /broken/);
  await within(0.02, new Promise(() => {}));
  assert.ok(clock() - began < 5);
});

test('work that fails after the wait has ended is no unhandled rejection', async () => {
  let fail = (_: Error) => {};
  await within(0.001, new Promise<void>((_, reject) => (fail = reject)));
  fail(new Error('late'));
  await new Promise(setImmediate); // an unhandled rejection would fail this test
});
