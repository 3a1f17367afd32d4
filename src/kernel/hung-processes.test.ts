import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HungProcesses } from './hung-processes.ts';
import { CODE_OF } from './reader-frames.ts';

const { stat, statm, smaps_rollup: rollup, cmdline } = CODE_OF;
const all = () => true;
const ended = { exited: true };

/** @returns the second at which the process is tried again */
function dueAt(hung: HungProcesses, pid: number, from: number): number {
  for (let now = from; now < from + 10_000; now++) if (hung.due(now)?.pid === pid) return now;
  return Number.NaN;
}

test('a process that hangs again and again is tried after 5, 10, 20 … 300 seconds', () => {
  const hung = new HungProcesses();
  const waits: number[] = [];
  for (let now = 0; waits.length < 9; ) {
    hung.note(7, stat, now, ended);
    hung.begin(now, all);
    assert.ok(hung.isLeftOut(7, stat) && hung.isLeftOut(7, cmdline) && !hung.isReadLast(7));
    const next = dueAt(hung, 7, now);
    waits.push(next - now);
    now = next;
  }
  assert.deepEqual(waits, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
});

test('a process that answers again is read last, and waits twice as long when it hangs again, until it is forgiven', () => {
  const hung = new HungProcesses();
  hung.note(7, stat, 0, ended);
  hung.answered(7, 5);
  assert.deepEqual(
    [hung.pids, hung.due(100), hung.isReadLast(7), hung.isLeftOut(7, stat)],
    [[], undefined, true, false],
  );
  hung.begin(304, all);
  assert.ok(hung.isReadLast(7));
  hung.note(7, stat, 304, ended);
  assert.deepEqual(hung.pids, [7]);
  assert.equal(dueAt(hung, 7, 304), 314);
  hung.answered(7, 314);
  hung.begin(614, all);
  assert.ok(!hung.isReadLast(7));
  hung.note(7, stat, 614, ended);
  assert.equal(dueAt(hung, 7, 614), 619, 'as one that never hung');
});

test('the process whose time came first is tried first, with the file that hung', () => {
  const hung = new HungProcesses();
  hung.note(1, stat, 1, ended);
  hung.note(2, rollup, 0, ended);
  assert.deepEqual(
    [hung.due(4), hung.due(5), hung.due(6)],
    [undefined, { pid: 2, code: rollup }, { pid: 2, code: rollup }],
  );
  hung.note(2, rollup, 6, ended);
  hung.note(3, stat, 2, ended);
  assert.deepEqual(hung.due(7), { pid: 1, code: stat });
});

test('after a process that had answered again hangs, the others like it wait for the next collection', () => {
  const hung = new HungProcesses();
  const leftOut = () => [1, 2, 3, 9].map((pid) => hung.isLeftOut(pid, stat));
  for (const pid of [1, 2, 3]) {
    hung.note(pid, stat, 0, ended);
    hung.answered(pid, 5);
  }
  hung.begin(5, all);
  hung.note(9, stat, 5, ended);
  assert.deepEqual(leftOut(), [false, false, false, true], 'that another one hangs changes nothing');
  hung.note(2, stat, 5, ended);
  assert.deepEqual(leftOut(), [true, true, true, true]);
  hung.begin(6, all);
  assert.deepEqual(leftOut(), [false, true, false, true]);
});

test('new processes wait for the next collection when very many hang in this one', () => {
  const hung = new HungProcesses();
  hung.begin(0, all);
  for (let pid = 1; pid <= 32; pid++) {
    assert.ok(!hung.postponesNew, `${pid}`);
    hung.note(pid, stat, 0, ended);
  }
  assert.ok(hung.postponesNew);
  hung.begin(1, all);
  assert.ok(!hung.postponesNew);
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

test('a process is not tried again while the reader that hung in it cannot be ended', () => {
  const hung = new HungProcesses();
  const reader = { exited: false };
  hung.note(7, stat, 0, reader);
  assert.equal(hung.due(1000), undefined);
  reader.exited = true;
  assert.deepEqual(hung.due(1000), { pid: 7, code: stat });
});

test('a process that ended is forgotten', () => {
  const hung = new HungProcesses();
  hung.note(7, stat, 0, ended);
  hung.begin(1, (pid) => pid !== 7);
  assert.deepEqual([hung.pids, hung.due(100), hung.isLeftOut(7, stat)], [[], undefined, false]);
  hung.answered(7, 101);
  assert.ok(!hung.isReadLast(7));
});
