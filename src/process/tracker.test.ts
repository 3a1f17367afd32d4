import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Machine } from '../../test/machine.ts';
import { sum, track } from '../../test/tracked-machine.ts';

/** Runs one pass. Before the pass reads the nth stat, the nth deed is done. */
function passWith(machine: Machine, watched: ReturnType<typeof track>, deeds: Record<number, () => void>): void {
  let read = 0;
  machine.beforeStat = () => deeds[read++]?.();
  machine.now += 100;
  watched.pass();
  machine.beforeStat = () => {};
}

test('a child with a lower pid than its parent, reaped between their readings, is credited once', () => {
  const machine = new Machine();
  machine.lastPid = 900;
  const parent = machine.fork(machine.init, 'parent');
  machine.now += 100;
  machine.lastPid = 1;
  const child = machine.fork(parent, 'child');
  const watched = track(machine);
  watched.pass();
  machine.spend(child, { user: 700 });
  passWith(machine, watched, {
    2: () => {
      machine.exit(child);
      machine.wait(parent);
    },
  });
  passWith(machine, watched, {});
  passWith(machine, watched, {});
  assert.equal(sum(watched.tracker.groupCounters, 'user'), 7);
});

test('a child with a lower pid than its parent, found with it, is known to come from it', () => {
  const machine = new Machine(900);
  machine.lastPid = 899;
  const parent = machine.fork(machine.init, 'web');
  const child = machine.fork(parent);
  assert.ok(child.pid < parent.pid);
  const { pass, proc } = track(machine);
  pass();
  assert.equal(proc(child.pid).sharing.forkedFrom, proc(parent.pid));
});

test('what an ended process has outstanding is not taken from what only another one can have brought back', () => {
  const machine = new Machine();
  const shell = machine.fork(machine.init, 'shell');
  const job = machine.fork(shell, 'job');
  const orphan = machine.fork(machine.init, 'orphan');
  const watched = track(machine);
  watched.pass();
  machine.spend(job, { user: 100 });
  machine.spend(orphan, { user: 100 });
  passWith(machine, watched, {});
  machine.exit(orphan);
  machine.wait(machine.init);
  passWith(machine, watched, {
    // init and shell have been read: what the shell has of its job shows a pass later than what init has of the orphan
    2: () => {
      machine.exit(job);
      machine.wait(shell);
    },
  });
  passWith(machine, watched, {});
  passWith(machine, watched, {});
  assert.equal(sum(watched.tracker.groupCounters, 'user'), 2);
});

test('a pid that is used again belongs to another process', () => {
  for (const kept of [true, false]) {
    const machine = new Machine(3, kept);
    const { pass, counters, proc: find } = track(machine);
    const first = machine.fork(machine.init, 'web');
    pass();
    machine.spend(first, { user: 700 });
    machine.now += 1000;
    pass();
    machine.exit(first);
    machine.wait(machine.init);
    machine.lastPid = first.pid - 1;
    machine.now += 1000;
    const second = machine.fork(machine.init, 'db');
    machine.spend(second, { user: 30 });
    assert.equal(second.pid, first.pid);
    pass();
    assert.equal(find(second.pid).description.group, 'db');
    assert.deepEqual(
      [counters('web').user, counters('web').exited, counters('db').user, counters('db').started],
      [7, 1, 0.3, 1],
    );
  }
});

test('an exec that changes the group is an exit of the one and a start of the other, and what was gained stays', () => {
  const machine = new Machine();
  const { pass, counters, proc: find } = track(machine);
  const task = machine.fork(machine.init, 'sh');
  pass();
  machine.spend(task, { user: 200 });
  const proc = find(task.pid);
  machine.exec(task, 'web');
  machine.now += 1000;
  pass();
  assert.equal(proc.description.identity.exe, '/usr/bin/web');
  assert.equal(proc.stat.execs, 1, 'its footprint is that of another program');
  machine.spend(task, { user: 300 });
  machine.now += 1000;
  pass();
  assert.deepEqual(
    [counters('sh').user, counters('sh').exited, counters('web').user, counters('web').started],
    [2, 1, 3, 1],
  );
});

test('new rules move processes without exits or starts', () => {
  const machine = new Machine();
  const { tracker, pass, counters, proc: find } = track(machine);
  pass();
  tracker.reclassify(() => ({ group: 'new', subgroup: 'new', rule: 'new' }));
  pass();
  assert.equal(find(1).membership.counters, counters('new'));
  assert.deepEqual([counters('new').started, counters('init').exited], [0, 0]);
});

test('CPU usage is a percentage of one core: over the window, since birth for a new process, and not over a window that is too short', () => {
  const machine = new Machine();
  const { pass, proc: find } = track(machine);
  const usage = (pid: number) => find(pid).usage.percent;
  pass();
  assert.equal(usage(1), Number.NaN, 'one reading tells nothing');
  machine.spend(machine.init, { user: 300, system: 200 });
  machine.now += 1000;
  pass();
  assert.equal(usage(1), 50);
  machine.spend(machine.init, { user: 1 });
  machine.now += 1;
  pass();
  assert.equal(usage(1), 50, 'a tick in a hundredth of a second is not 100 %');
  machine.now += 99;
  pass();
  assert.equal(Math.round(usage(1) * 1e6) / 1e6, 1, 'and is not lost');
  const child = machine.fork(machine.init);
  machine.spend(child, { user: 100 });
  machine.now += 400;
  pass();
  assert.equal(usage(child.pid), 25);
});

test('what is used in a window that is too short counts later, also where nothing has changed since', () => {
  const machine = new Machine();
  const { pass, proc: find } = track(machine, false, true);
  for (let round = 0; round < 4; round++) {
    machine.now += 100;
    pass();
  }
  machine.spend(machine.init, { user: 5 });
  for (const hundredths of [5, 5, 90]) {
    machine.now += hundredths;
    pass();
  }
  assert.equal(find(1).usage.percent, 5);
});

test('what changed before a pass that fails while the files find out what changed is read at the next one', () => {
  const machine = new Machine();
  const { tracker, pass, counters } = track(machine, false, true);
  for (let round = 0; round < 4; round++) {
    machine.now += 100;
    pass();
  }
  machine.spend(machine.init, { user: 100 });
  machine.list();
  const failed = tracker.pass({ forks: machine.forks, bootTime: 1_700_000_000, cpus: 1 });
  failed.next();
  failed.return();
  machine.now += 100;
  pass();
  assert.equal(counters(machine.init.comm).user, 1);
});

test('zombies have no memory, kernel threads have nothing but CPU, and both are counted', () => {
  const machine = new Machine();
  const { tracker, pass, unreadable, proc: find } = track(machine);
  const task = machine.fork(machine.init, 'job');
  pass();
  machine.exit(task);
  machine.now += 500;
  pass();
  const zombie = find(task.pid);
  assert.deepEqual([zombie.zombie, zombie.memory.rss], [true, Number.NaN]);
  machine.wait(machine.init);
  machine.now += 500;
  pass();
  assert.equal(tracker.living.length, 1);
  assert.ok(
    unreadable.counts().every(({ processes }) => processes === 0),
    'a process that has ended is not unreadable',
  );
});

test('nothing is kept of processes that have ended', () => {
  const machine = new Machine(100);
  const { tracker, pass, unreadable } = track(machine);
  const opened = new Set<number>();
  const open = machine.process.bind(machine);
  machine.process = (pid) => {
    opened.add(pid);
    return { ...open(pid), close: () => void opened.delete(pid) };
  };
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i < 10; i++) machine.fork(machine.init, `job${round}`);
    machine.now += 100;
    pass();
    for (const task of [...machine.tasks.values()]) machine.exit(task);
    machine.wait(machine.init);
  }
  pass();
  assert.deepEqual(
    tracker.living.map(({ pid }) => pid),
    [1],
  );
  assert.deepEqual([...opened], [1], 'descriptors are given back');
  assert.ok(unreadable.counts().every(({ processes }) => processes === 0));
});
