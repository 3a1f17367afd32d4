import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Machine, type Spent, type Task } from '../../test/machine.ts';
import { COUNTERS, sum, track } from '../../test/tracked-machine.ts';
import type { GroupCounters } from './group-counters.ts';

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
    { numRuns: 40, includeErrorInReport: true },
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
    { numRuns: 40, includeErrorInReport: true },
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
    { numRuns: 40, includeErrorInReport: true },
  );
  assert.ok(read < all / 2, `${read} of ${all} changed`);
});
