import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Machine, type Spent, type Task } from '../../test/machine.ts';
import type { GroupCounters } from './group-counters.ts';
import { Tracker } from './tracker.ts';
import { Unreadable } from './unreadable.ts';

const UNITS = { pageSize: 4096, ticksPerSecond: 100 };

const bootOf = ({ forks }: Machine) => ({ forks, bootTime: 1_700_000_000, cpus: Number.NaN });

/**
 * Each group has the name of its processes; where groups are inherited, no rule matches jobs.
 * @param lists whether the machine is listed before each pass, so that it is known which processes changed
 */
function track(machine: Machine, inherits = false, lists = false) {
  const unreadable = new Unreadable();
  const rule = (name: string) => (inherits && name === 'job' ? 'none' : 'test');
  const classify = ({ name }: { name: string }) => ({ group: name, subgroup: name, rule: rule(name) });
  const tracker = new Tracker(machine, UNITS, unreadable, classify);
  tracker.inherits = inherits;
  const pass = () => {
    if (lists) machine.list();
    return [...tracker.pass(bootOf(machine))];
  };
  const counters = (name: string) => tracker.groupCounters.of(name, name);
  const proc = (pid: number) => tracker.living.find((each) => each.pid === pid)!;
  return { tracker, unreadable, pass, counters, proc };
}

const COUNTERS = ['user', 'system', 'before', 'readBytes', 'writeBytes', 'started', 'exited'] as const;
type Counter = (typeof COUNTERS)[number];

const sum = (groups: Iterable<GroupCounters>, ...names: Counter[]): number => {
  let total = 0;
  for (const counters of groups) for (const name of names) total += counters[name];
  return Math.round(total * 1e6) / 1e6;
};

// A machine's life as data: what happens, to which of its tasks, and how much. During a pass one event happens before
// each process is read, so that a pass never sees the machine at one moment.

type Deed = 'fork' | 'burn' | 'write' | 'exec' | 'exit' | 'wait' | 'vanish' | 'subreaper' | 'careless' | 'time';
interface Event {
  readonly deed: Deed;
  readonly index: number;
  readonly much: number;
}
interface Pass {
  readonly during: readonly Event[];
  readonly broken: boolean;
}

const names = ['web', 'db', 'job'];

function happen(machine: Machine, { deed, index, much }: Event): void {
  const tasks = [...machine.tasks.values()].filter(({ state }) => state !== 'Z');
  const task = tasks[index % tasks.length] as Task;
  const amount: Partial<Spent> = { user: much, system: much >> 1, read: much * 512, write: much * 4096 };
  switch (deed) {
    case 'fork':
      if (machine.tasks.size < 25) machine.fork(task, names[much % names.length]);
      break;
    case 'burn':
      machine.spend(task, { user: amount.user!, system: amount.system! });
      break;
    case 'write':
      machine.spend(task, { read: amount.read!, write: amount.write! });
      break;
    case 'exec':
      machine.exec(task, names[much % names.length]!);
      break;
    case 'exit': // a subreaper that ends during a pass may hand on what it inherited without being seen
      if (!task.subreaper) machine.exit(task);
      break;
    case 'wait':
      machine.wait(task);
      break;
    case 'vanish': // the whole life of a child between two passes
      if (machine.tasks.size < 25) {
        const child = machine.fork(task, 'brief');
        machine.spend(child, amount);
        machine.exit(child);
        machine.wait(task);
      }
      break;
    case 'subreaper':
      task.subreaper = true;
      break;
    case 'careless':
      task.careless = true;
      break;
    case 'time':
      machine.now += much;
  }
}

const anEvent = (deeds: readonly Deed[]) =>
  fc.record({ deed: fc.constantFrom(...deeds), index: fc.nat(30), much: fc.integer({ min: 1, max: 40 }) });
const aPass = (deeds: readonly Deed[]) =>
  fc.record<Pass>({
    during: fc.array(anEvent(deeds), { maxLength: 25 }),
    broken: fc.boolean().map((broken) => broken && deeds.includes('time')),
  });
const aLife = (deeds: readonly Deed[]) => ({
  elders: fc.array(anEvent(deeds), { maxLength: 12 }),
  youngers: fc.array(anEvent(deeds), { maxLength: 12 }),
  life: fc.array(fc.oneof({ weight: 4, arbitrary: anEvent(deeds) }, { weight: 1, arbitrary: aPass(deeds) }), {
    size: 'medium',
    maxLength: 80,
  }),
  kept: fc.boolean(),
  inherits: fc.boolean(),
  lists: fc.boolean(),
});

const ACCOUNTED: readonly Deed[] = 'fork fork burn burn write exec exit exit wait vanish subreaper time'.split(
  ' ',
) as Deed[];

/** A machine on which pids have wrapped around, so that older processes have higher ones; one pass has just ended. */
function begin(given: {
  elders: readonly Event[];
  youngers: readonly Event[];
  kept: boolean;
  inherits: boolean;
  lists: boolean;
}) {
  const { elders, youngers, kept, inherits, lists } = given;
  const machine = new Machine(1000, kept);
  machine.lastPid = 900;
  for (const event of elders) happen(machine, event);
  machine.now++;
  machine.lastPid = 1;
  for (const event of youngers) happen(machine, event);
  for (const task of [...machine.tasks.values()]) machine.wait(task);
  const watched = track(machine, inherits, lists);
  watched.pass();
  return { machine, watched, start: { ...machine.truth } };
}

/** Lets events happen while the tracker makes its passes; calls `check` after each pass. */
function live(machine: Machine, watched: ReturnType<typeof track>, life: readonly (Event | Pass)[], check = () => {}) {
  for (const moment of life) {
    if ('deed' in moment) {
      happen(machine, moment);
      continue;
    }
    machine.now += 10;
    const during = [...moment.during];
    machine.beforeStat = () => {
      const event = during.shift();
      if (event) happen(machine, event);
    };
    machine.broken = moment.broken;
    try {
      watched.pass();
    } catch (error) {
      assert.ok(moment.broken, String(error));
    }
    machine.broken = false;
    machine.beforeStat = () => {};
    check();
  }
}

/** All processes wait for their children, and passes follow until nothing is left to be found. */
function comeToRest(machine: Machine, watched: ReturnType<typeof track>) {
  for (let round = 0; round < 4; round++) {
    machine.now += 10;
    for (const task of [...machine.tasks.values()]) machine.wait(task);
    watched.pass();
  }
}

/** What was really used since then, and what the groups were credited with: seconds and bytes. */
function books(machine: Machine, { tracker }: ReturnType<typeof track>, then: Spent) {
  const { truth } = machine;
  return {
    spent: {
      cpu: Math.round(truth.user + truth.system - then.user - then.system) / 100,
      read: truth.read - then.read,
      write: truth.write - then.write,
    },
    credited: {
      cpu: sum(tracker.groupCounters, 'user', 'system'),
      read: sum(tracker.groupCounters, 'readBytes'),
      write: sum(tracker.groupCounters, 'writeBytes'),
    },
  };
}

test('no group counter ever falls, and nothing is credited twice, whatever happens in the middle of a pass', () => {
  fc.assert(
    fc.property(fc.record(aLife([...ACCOUNTED, 'careless'])), (lived) => {
      const { machine, watched, start } = begin(lived);
      const last = new Map<GroupCounters, GroupCounters>();
      live(machine, watched, lived.life, () => {
        for (const counters of watched.tracker.groupCounters) {
          const then = last.get(counters) ?? ({} as GroupCounters);
          for (const counter of COUNTERS)
            assert.ok(!(counters[counter] < then[counter]), `${counter} of ${counters.group} fell`);
          last.set(counters, counters.copy());
        }
        const { spent, credited } = books(machine, watched, start);
        assert.ok(credited.cpu <= spent.cpu, `${credited.cpu} s credited of ${spent.cpu}`);
        assert.ok(credited.read <= spent.read, `${credited.read} bytes read credited of ${spent.read}`);
        assert.ok(credited.write <= spent.write, `${credited.write} bytes written credited of ${spent.write}`);
      });
    }),
    { numRuns: 60, includeErrorInReport: true },
  );
});

test('where every child is waited for, CPU is credited to the last tick', () => {
  fc.assert(
    fc.property(fc.record(aLife(ACCOUNTED)), (lived) => {
      const { machine, watched, start } = begin(lived);
      live(machine, watched, lived.life);
      comeToRest(machine, watched);
      const { spent, credited } = books(machine, watched, start);
      assert.deepEqual(credited, spent);
    }),
    { numRuns: 60, includeErrorInReport: true },
  );
});

test('leaving out processes that did not change makes no difference', () => {
  let [read, all] = [0, 0];
  fc.assert(
    fc.property(fc.record(aLife([...ACCOUNTED, 'careless'])), (lived) => {
      const { machine, watched } = begin({ ...lived, kept: true, lists: true });
      const unaware = new Proxy(machine, {
        get(of, key) {
          const value = key === 'changed' ? undefined : Reflect.get(of, key);
          return typeof value === 'function' ? value.bind(of) : value;
        },
      });
      const whole = track(unaware, lived.inherits);
      whole.pass();
      watched.pass();
      const stateOf = ({ tracker }: typeof watched, begun: boolean) => ({
        processes: tracker.living.map(({ pid, stat, io, memory, usage, description: { group } }) => ({
          ...{ pid, group, comm: stat.comm, ppid: stat.ppid, state: stat.state, rss: memory.rss, read: io.readBytes },
          ...{ user: stat.user, system: stat.system, reaped: stat.childrenUser },
          ...(begun && { percent: Math.round(usage.percent * 1e6) / 1e6 }),
        })),
      });
      for (const [round, moment] of lived.life.entries()) {
        if ('deed' in moment) happen(machine, moment);
        machine.now += 20;
        watched.pass();
        whole.pass();
        assert.deepEqual(stateOf(watched, round > 0), stateOf(whole, round > 0));
        read += machine.changed!.length;
        all += whole.tracker.living.length;
      }
    }),
    { numRuns: 60, includeErrorInReport: true },
  );
  assert.ok(read < all / 2, `${read} of ${all} changed`);
});

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
