import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BpfProcess } from './bpf-process.ts';
import type { ProcessFiles } from './files.ts';
import { IoReading, StatmReading, StatReading } from './pid.ts';
import { CpuDivision, fillIo, fillStat, fillStatm } from './task-readings.ts';
import { TASK, TASK_NUMBERS, TaskPass, TaskRecordError } from './task-records.ts';

const UNITS = { pageSize: 4096, ticksPerSecond: 100 };

function record(kind: number, words: readonly number[], longs: readonly (number | bigint)[], tail = ''): Buffer {
  const size = 8 + 4 * words.length + 8 * longs.length + (kind === 1 ? 16 : 0);
  const bytes = Buffer.alloc(size);
  let at = 0;
  for (const word of [kind, size, ...words]) at = bytes.writeUInt32LE(word, at);
  for (const long of longs) at = bytes.writeBigInt64LE(BigInt(long), at);
  bytes.write(tail, at, 'latin1');
  return bytes;
}

const HEADER = record(0x4b415248, [1, 192, 72, 0], []);
const END = record(3, [], []);
/** [user, system, runtime, minor faults, major faults, read, written] */
type Counters = readonly [number, number, number, number, number, number, number];
const COUNTERS: Counters = [3e9, 1e9, 8e9, 10, 20, 4096, 8192];
const taskRecord = (
  pid: number,
  { state = 1, exit = 0, flags = 6, threads = 1, counters = COUNTERS, shown = [0, 0], pages = 30, comm = 'bash' } = {},
) =>
  record(
    1,
    [pid, 1, state, exit, flags, threads],
    [12_345_678_901, ...counters, 5e9, 6e9, ...shown, 7, 1000, pages, 40, 5, -2],
    comm,
  );
const thread = (tgid: number, counters: Counters = COUNTERS) => record(2, [tgid, 0], counters);

function passOf(...records: readonly Uint8Array[]): TaskPass {
  const pass = new TaskPass();
  pass.clear();
  const bytes = Buffer.concat(records);
  pass.take(new Uint8Array(bytes)); // a copy begins at a multiple of four bytes
  pass.end();
  return pass;
}

test('a record gives the readings that stat, statm and io would give', () => {
  const { values } = passOf(HEADER, taskRecord(7, { comm: 'a) b' }), END);
  const [stat, statm, io] = [new StatReading(), new StatmReading(), new IoReading()];
  const comm = new Uint8Array(16);
  fillStat(values, 0, UNITS, comm, stat);
  new CpuDivision().divide(values, 0, stat);
  assert.equal(Buffer.from(comm.subarray(stat.commFrom, stat.commTo)).toString(), 'a) b');
  assert.deepEqual(
    { ...stat },
    {
      ...{ commFrom: 0, commTo: 4, state: 0x53, ppid: 1, kernelThread: false, minorFaults: 10, majorFaults: 20 },
      ...{ user: 6, system: 2, childrenUser: 5, childrenSystem: 6, threads: 1, startTicks: 1234 },
      ...{ roughRss: 70, virtualSize: 4_096_000, startStack: 0, execs: 0 },
    },
  );
  fillStatm(values, 0, UNITS, statm);
  assert.deepEqual({ ...statm }, { rss: 70 * 4096, shared: 30 * 4096 });
  fillIo(values, 0, io);
  assert.deepEqual({ ...io }, { readBytes: 4096, writeBytes: 8192 });
});

test('states are shown as stat shows them', () => {
  const states: [state: number, exit: number, shown: string][] = [
    [0, 0, 'R'],
    [1, 0, 'S'],
    [2, 0, 'D'],
    [4, 0, 'T'],
    [8, 0, 't'],
    [0x40, 0, 'P'],
    [0x402, 0, 'I'],
    [0x1000, 0, 'D'],
    [0x8000, 0, 'D'],
    [0x80, 0x20, 'Z'],
    [0x80, 0x10, 'X'],
  ];
  for (const [state, exit, shown] of states) {
    const { values } = passOf(HEADER, taskRecord(7, { state, exit }), END);
    assert.equal(String.fromCharCode(values[TASK.state]!), shown, `${state} ${exit}`);
  }
});

test('what threads used belongs to their process, also where they come before it', () => {
  const { values, count } = passOf(
    HEADER,
    thread(9),
    taskRecord(7),
    thread(7),
    thread(7),
    taskRecord(9),
    thread(5),
    END,
  );
  assert.equal(count, 2);
  const counters = (place: number) => [...values.subarray(place + TASK.user, place + TASK.childrenUser)];
  assert.deepEqual(
    counters(0),
    COUNTERS.map((value) => 3 * value),
  );
  assert.deepEqual(
    counters(TASK_NUMBERS),
    COUNTERS.map((value) => 2 * value),
  );
});

test('a process is found by its pid, wherever it stood before', () => {
  const pids = Array.from({ length: 300 }, (_, index) => 3 + 2 * index);
  const pass = passOf(HEADER, ...pids.map((pid) => taskRecord(pid)), END);
  for (let pid = 0; pid < 610; pid++)
    for (const hint of [0, 7 * TASK_NUMBERS, 299 * TASK_NUMBERS, 5000 * TASK_NUMBERS])
      assert.equal(pass.find(pid, hint), pids.includes(pid) ? pids.indexOf(pid) * TASK_NUMBERS : -1, `${pid} ${hint}`);
});

test('what is not such a list is refused, with the reason', () => {
  const other = (record: Buffer, at: number, value: number): Buffer => {
    const changed = Buffer.from(record);
    changed.writeUInt32LE(value, at);
    return changed;
  };
  const cases: [records: readonly Uint8Array[], reason: RegExp][] = [
    [[], /it is empty/],
    [[Buffer.from('MemTotal:  4096 kB\n')], /no list of tasks/],
    [[taskRecord(7), END], /no list of tasks/],
    [[HEADER, taskRecord(7)], /the list was cut/],
    [[HEADER, taskRecord(7).subarray(0, 100)], /the list was cut/],
    [[HEADER, END, END], /follow the end/],
    [[HEADER, HEADER], /second list/],
    [[other(HEADER, 8, 2)], /version 2 in place of 1/],
    [[other(HEADER, 12, 200)], /other sizes/],
    [[other(HEADER, 4, 0)], /0 bytes in place of 24/],
    [[HEADER, other(taskRecord(7), 4, 0)], /0 bytes in place of 192/],
    [[HEADER, other(taskRecord(7), 4, 0xffffffff)], /bytes in place of 192/],
    [[HEADER, other(taskRecord(7), 0, 9)], /unknown kind 9/],
    [[HEADER, taskRecord(7), taskRecord(7), END], /process 7 comes after process 7/],
    [[HEADER, taskRecord(0), END], /process 0 comes after/],
  ];
  for (const [records, reason] of cases)
    assert.throws(
      () => passOf(...records),
      (error) => error instanceof TaskRecordError && reason.test(error.message),
      String(reason),
    );
});

test('any bytes give a list or a TaskRecordError, in whatever pieces they come', () => {
  const piece = fc.oneof(
    fc.constantFrom(HEADER, END, taskRecord(7), taskRecord(9), thread(9)),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), fc.array(fc.nat(400), { maxLength: 8 }), (pieces, cuts) => {
      const bytes = new Uint8Array(Buffer.concat([HEADER, ...pieces]));
      const whole = outcome(bytes, []);
      const cut = outcome(bytes, cuts);
      assert.deepEqual(cut, whole);
    }),
  );
});

/** What a list says, read in pieces as a file is; or why it is refused. */
function outcome(bytes: Uint8Array, cuts: readonly number[]): unknown {
  const pass = new TaskPass();
  pass.clear();
  try {
    let at = 0;
    for (const end of [...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length]) {
      if (end <= at) continue;
      at += pass.take(new Uint8Array(bytes.subarray(at, end)));
    }
    pass.end();
    return [pass.count, [...pass.values.subarray(0, pass.count * TASK_NUMBERS)]];
  } catch (error) {
    assert.ok(error instanceof TaskRecordError, String(error));
    return error.message;
  }
}

test('user and system time never fall, and add up to what the scheduler measured', () => {
  const sample = fc.record({ user: fc.nat(1e6), system: fc.nat(1e6), runtime: fc.nat(1e6) });
  fc.assert(
    fc.property(fc.array(sample, { minLength: 1, maxLength: 20 }), (gains) => {
      const division = new CpuDivision();
      const values = new Float64Array(TASK_NUMBERS);
      const stat = new StatReading();
      let [user, system] = [0, 0];
      for (const gain of gains) {
        values[TASK.user]! += gain.user;
        values[TASK.system]! += gain.system;
        values[TASK.runtime]! += gain.runtime;
        division.divide(values, 0, stat);
        assert.ok(stat.user >= user && stat.system >= system, `${stat.user} ${stat.system} after ${user} ${system}`);
        assert.ok(Math.abs(stat.user + stat.system - values[TASK.runtime]! / 1e9) < 1e-12);
        [user, system] = [stat.user, stat.system];
      }
    }),
  );
});

test('times that stat has shown are never undercut', () => {
  const { values } = passOf(HEADER, taskRecord(7), END);
  values[TASK.shownUser] = 7e9;
  values[TASK.shownSystem] = 0.5e9;
  const stat = new StatReading();
  new CpuDivision().divide(values, 0, stat);
  assert.deepEqual([stat.user, stat.system], [7, 1]);
});

test('memory that is not exact is read wherever stat shows that the process moved', () => {
  const text = Buffer.from(`7 (bash) S ${'0 '.repeat(18)}1234 ${'0 '.repeat(30)}`);
  const files = { pid: 7, read: () => text.length, close: () => {}, unchanged: () => false } as unknown as ProcessFiles;
  const flags = 4; // it has I/O, and no exact pages
  const movedAfter = (change: Parameters<typeof taskRecord>[1]): [moved: boolean, idle: boolean] => {
    const passes = {
      ...{
        units: UNITS,
        used: true,
        number: 1,
        before: new TaskPass(),
        now: passOf(HEADER, taskRecord(7, { flags }), END),
      },
      ...{ commBuffer: () => new Uint8Array(16), textBuffer: () => text },
    };
    const proc = new BpfProcess(files, passes);
    const [first, second] = [new StatReading(), new StatReading()];
    proc.read('stat');
    assert.ok(proc.fillStat(UNITS, first));
    const now = passOf(HEADER, taskRecord(7, { flags, ...change }), END);
    Object.assign(passes, { before: passes.now, now, number: 2 });
    assert.equal(proc.has('statm'), false);
    const moved = proc.mayHaveMovedMemory();
    assert.ok(proc.fillStat(UNITS, second));
    const idle = (['user', 'system', 'minorFaults', 'majorFaults', 'roughRss'] as const).every(
      (key) => first[key] === second[key],
    );
    return [moved, idle];
  };
  const counters = (place: number): Counters => COUNTERS.with(place, COUNTERS[place]! + 1) as unknown as Counters;
  assert.deepEqual(movedAfter({}), [false, true]);
  for (const change of [2, 3, 4].map((place) => ({ counters: counters(place) })))
    assert.deepEqual(movedAfter(change), [true, false], JSON.stringify(change));
  assert.deepEqual(movedAfter({ pages: 31 }), [true, false]);
  assert.deepEqual(movedAfter({ shown: [7e9, 1e9] }), [true, false], 'somebody else has read stat');
});
