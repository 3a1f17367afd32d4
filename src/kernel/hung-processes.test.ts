import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HungProcesses } from './hung-processes.ts';
import { CODE_OF } from './reader-frames.ts';

const { stat, statm, smaps_rollup: rollup, cmdline } = CODE_OF;
const all = () => true;
const ended = { exited: true };

/** Begins collections until the process is asked again. @returns the second of that collection */
function askedAgain(hung: HungProcesses, pid: number, from: number): number {
  for (let now = from; now < from + 10_000; now++) {
    hung.begin(now, all);
    if (!hung.isLeftOut(pid, stat)) return now;
  }
  return Number.NaN;
}

test('a process that hangs again and again is tried after 5, 10, 20 … 300 seconds', () => {
  const hung = new HungProcesses();
  const waits: number[] = [];
  hung.begin(0, all);
  for (let now = 0; waits.length < 9; ) {
    hung.note(7, stat, now, ended);
    assert.ok(hung.isLeftOut(7, stat) && hung.isLeftOut(7, cmdline));
    const next = askedAgain(hung, 7, now);
    hung.tries(7);
    waits.push(next - now);
    now = next;
  }
  assert.deepEqual(waits, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
});

test('that it was not asked in a collection is no answer: it waits as long as before when it hangs', () => {
  const hung = new HungProcesses();
  hung.note(7, stat, 0, ended);
  for (const now of [5, 400, 800]) {
    hung.begin(now, all);
    assert.deepEqual([hung.isReadLast(7), hung.pids], [true, [7]], `${now}`);
  }
  hung.tries(7);
  hung.note(7, stat, 800, ended);
  assert.equal(askedAgain(hung, 7, 800), 810);
});

test('one that answers again is read last, and hangs for twice the time when it relapses, until it is forgiven', () => {
  const hung = new HungProcesses();
  hung.note(7, stat, 0, ended);
  hung.begin(5, all);
  hung.tries(7);
  assert.deepEqual([hung.pids, hung.isReadLast(7), hung.isLeftOut(7, stat)], [[], true, false]);
  hung.begin(304, all);
  assert.ok(hung.isReadLast(7));
  hung.note(7, stat, 304, ended);
  assert.deepEqual(hung.pids, [7]);
  assert.equal(askedAgain(hung, 7, 304), 314);
  hung.tries(7);
  hung.begin(614, all);
  assert.ok(!hung.isReadLast(7));
  hung.note(7, stat, 614, ended);
  assert.equal(askedAgain(hung, 7, 614), 619, 'as one that never hung');
});

test('of many that are tried again, one may hang in a collection; the others wait for the next', () => {
  const hung = new HungProcesses();
  for (const pid of [1, 2, 3]) hung.note(pid, stat, 0, ended);
  hung.begin(5, all);
  for (const pid of [1, 2, 3]) assert.ok(!hung.isLeftOut(pid, stat));
  hung.tries(1);
  hung.note(2, stat, 5, ended);
  assert.deepEqual(
    [1, 2, 3].map((pid) => hung.isLeftOut(pid, stat)),
    [true, true, true],
  );
  hung.note(9, stat, 5, ended);
  hung.begin(6, all);
  assert.deepEqual(
    [1, 2, 3, 9].map((pid) => hung.isLeftOut(pid, stat)),
    [false, true, false, true],
  );
  hung.note(9, stat, 6, ended);
  assert.ok(!hung.isLeftOut(1, stat), 'one that was not tried again ends no trials');
});

test('where only files that wait for the memory map hang, the others are read', () => {
  const hung = new HungProcesses();
  hung.note(7, rollup, 0, ended);
  assert.deepEqual(
    [stat, statm, rollup, cmdline].map((code) => hung.isLeftOut(7, code)),
    [false, false, true, true],
  );
  hung.note(7, statm, 1, ended);
  assert.ok(hung.isLeftOut(7, stat));
  hung.note(7, cmdline, 2, ended);
  assert.ok(hung.isLeftOut(7, stat), 'what hung once may hang again');
});

test('it is not tried again while the reader that hung in it cannot be ended', () => {
  const hung = new HungProcesses();
  const reader = { exited: false };
  hung.note(7, stat, 0, reader);
  hung.begin(1000, all);
  assert.ok(hung.isLeftOut(7, stat));
  reader.exited = true;
  hung.begin(1001, all);
  assert.ok(!hung.isLeftOut(7, stat));
});

test('a process that ended is forgotten', () => {
  const hung = new HungProcesses();
  hung.note(7, stat, 0, ended);
  hung.begin(1, (pid) => pid !== 7);
  assert.deepEqual([hung.pids, hung.isLeftOut(7, stat)], [[], false]);
});
