import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Machine, type Task } from '../../test/machine.ts';
import { Tracker } from './tracker.ts';
import { Unreadable } from './unreadable.ts';

/** Passes over a machine, and how often statm of each process was read. */
function track(machine: Machine) {
  const units = { pageSize: 4096, ticksPerSecond: 100 };
  const tracker = new Tracker(machine, units, new Unreadable(), () => ({ group: 'a', subgroup: 'b', rule: 'c' }));
  const reads = new Map<number, number>();
  const open = machine.process.bind(machine);
  machine.process = (pid) => {
    const files = open(pid);
    const read: typeof files.read = (file) => {
      if (file === 'statm') reads.set(pid, (reads.get(pid) ?? 0) + 1);
      return files.read(file);
    };
    return { ...files, read };
  };
  const pass = () => [...tracker.pass({ forks: machine.forks, bootTime: 0, cpus: 1 })];
  return { tracker, reads, pass };
}

test('the memory of an idle process is read at every fourth pass of 15 s, that of another at every pass', () => {
  const machine = new Machine();
  const { tracker, reads, pass } = track(machine);
  const proc = (pid: number) => tracker.living.find((each) => each.pid === pid)!;
  const tasks = Array.from({ length: 8 }, () => machine.fork(machine.init, 'job'));
  const [idle, busy, hidden] = tasks as [Task, Task, Task];
  pass();
  reads.clear();
  for (let round = 1; round <= 8; round++) {
    machine.spend(busy, { user: 1 });
    machine.now += 1500;
    pass();
  }
  assert.deepEqual(
    [idle, busy].map(({ pid }) => reads.get(pid)),
    [2, 8],
  );
  idle.memory = { rss: 2048 };
  pass();
  assert.equal(proc(idle.pid).memory.rss, 2048 << 10, 'stat shows that pages came or went');
  hidden.memory = { rss: 1024, shmem: 512 };
  for (let round = 0; round < 4; round++) pass();
  assert.equal(
    proc(hidden.pid).memory.shared,
    512 << 10,
    'a change that stat does not show is seen at the fourth pass',
  );
});

test('where the kernel takes no memory, that of an idle process is read once in four minutes', () => {
  const machine = Object.assign(new Machine(), { memoryMoves: false });
  const { reads, pass } = track(machine);
  const idle = machine.fork(machine.init, 'job');
  pass();
  for (const [moves, seconds, expected] of [
    [false, 15, 2],
    [false, 60, 8],
    [true, 15, 8],
  ] as const) {
    machine.memoryMoves = moves;
    reads.clear();
    for (let round = 0; round < 32; round++) {
      machine.now += 100 * seconds;
      pass();
    }
    assert.equal(reads.get(idle.pid), expected, `${moves} ${seconds}`);
  }
});
