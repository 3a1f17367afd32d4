import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BpfProcess } from './bpf-process.ts';
import type { ProcessFiles } from './files.ts';
import { StatReading } from './pid.ts';
import { TASK, TaskPass } from './task-records.ts';

const UNITS = { pageSize: 4096, ticksPerSecond: 100 };
const STAT = Buffer.from('7 (bash) S 1 7 7 0 -1 4194304 10 0 20 0 600 200 500 600 20 0 1 0 1234 4096000 70 0 0 0 0');
/** HAS_IO without EXACT, as before Linux 6.6 and with many CPUs. */
const NOT_EXACT = 4;

/** The files of /proc: nothing but stat was requested of them. */
const onlyStat: ProcessFiles = {
  pid: 7,
  unchanged: () => false,
  read(file) {
    assert.equal(file, 'stat');
    return STAT.length;
  },
  readLater: () => assert.fail(),
  exe: () => assert.fail(),
  close() {},
};

function passOf(runtime: number, minorFaults: number): TaskPass {
  const pass = new TaskPass();
  pass.count = 1;
  const numbers = { pid: 7, flags: NOT_EXACT, start: 12_345_000_000, user: 1, runtime, minorFaults };
  for (const [name, number] of Object.entries(numbers)) pass.values[TASK[name as keyof typeof TASK]] = number;
  return pass;
}

test('statm that was left out because memory did not move says what it said last, also where the process ran', () => {
  const passes = {
    ...{ units: UNITS, now: passOf(1e9, 10), before: new TaskPass(), number: 1, used: true },
    ...{ commBuffer: () => new Uint8Array(16), textBuffer: () => STAT },
  };
  const next = (runtime: number, minorFaults: number) => {
    passes.before = passes.now;
    passes.now = passOf(runtime, minorFaults);
    passes.number++;
  };
  const proc = new BpfProcess(onlyStat, passes);
  proc.read('stat');
  const [before, after] = [new StatReading(), new StatReading()];
  next(1e9, 10);
  assert.ok(proc.fillStat(UNITS, before));
  next(1.001e9, 10);
  assert.equal(proc.has('statm'), false);
  assert.equal(proc.mayHaveMovedMemory(), false);
  proc.keepsMemory();
  assert.ok(proc.fillStat(UNITS, after));
  assert.ok(after.user > before.user, 'it ran for less than a tick');
  assert.equal(proc.unchanged('statm'), true);
  next(1.002e9, 11);
  assert.equal(proc.has('statm'), false);
  assert.equal(proc.mayHaveMovedMemory(), true);
  assert.equal(proc.unchanged('statm'), false);
});
