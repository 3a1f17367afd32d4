import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Machine } from '../../test/machine.ts';
import { SLEEPING } from './process.ts';
import { Tracker } from './tracker.ts';
import { Unreadable } from './unreadable.ts';

test('where only the first thread has ended, the process lives, has memory and a group, and may exec', () => {
  const machine = new Machine();
  const units = { pageSize: 4096, ticksPerSecond: 100 };
  const classify = ({ name }: { name: string }) => ({ group: name, subgroup: name, rule: 'test' });
  const tracker = new Tracker(machine, units, new Unreadable(), classify);
  const proc = (pid: number) => tracker.living.find((each) => each.pid === pid)!;
  const pass = () => {
    machine.now += 100;
    for (const _ of tracker.pass({ forks: machine.forks, bootTime: 1_700_000_000, cpus: 1 }));
  };
  const task = machine.fork(machine.init, 'web');
  pass();
  task.leaderEnded = true;
  machine.spend(task, { user: 50, write: 4096 });
  pass();
  assert.equal(proc(task.pid).memory.rss, 1024 * 1024, 'what was known until the first thread ended');
  task.memory = { rss: 8000 };
  pass();
  const { stat, memory, zombie, io } = proc(task.pid);
  assert.deepEqual([zombie, stat.leaderEnded, stat.state, memory.rss], [false, true, SLEEPING, 8000 * 1024]);
  const counters = tracker.groupCounters.of('web', 'web');
  assert.deepEqual([counters.user, io.writeBytes, stat.execs], [0.5, 4096, 0]);
  machine.exec(task, 'web');
  pass();
  assert.deepEqual([proc(task.pid).stat.leaderEnded, proc(task.pid).stat.execs], [false, 1], 'only an exec revives it');

  const late = machine.fork(machine.init, 'job');
  late.leaderEnded = true;
  late.memory = { rss: 4000 };
  pass();
  assert.equal(proc(late.pid).memory.rss, 4000 * 1024);
  assert.equal(proc(late.pid).description.identity.exe, '/usr/bin/job', 'its identity is known, too');
  machine.exec(late, 'job');
  pass();
  assert.equal(proc(late.pid).stat.execs, 1, 'an exec, though its stack was never seen');
  machine.exit(late);
  pass();
  assert.equal(proc(late.pid).zombie, true, 'a zombie of one thread is one');
});
