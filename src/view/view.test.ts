import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Given, Host, NOW } from '../../test/view-host.ts';
import { type KindColumn, kindColumns, type RowColumn } from './process-rows.ts';
import { Selection, type SelectionOptions } from './selection.ts';
import { STATES } from './states.ts';
import { ADDITIVE, type GroupRow, type ProcessView } from './view.ts';

const ALL: SelectionOptions = {
  perProcess: 'all',
  topOfSubgroup: 2,
  topOfOthers: 3,
  maxProcesses: 0,
  minUss: 0,
  includeNames: [],
  excludeNames: [],
  searchMode: 'none',
  searchGroups: [],
  searchSubgroups: [],
  disableOthers: false,
};
const TOP: SelectionOptions = { ...ALL, perProcess: 'top' };

const only = (view: ProcessView) => view.groups[0]!;
const shown = ({ rows }: ProcessView) => rows.description.filter((_, row) => rows.shown[row]).map(({ pid }) => pid);
const chosen = (view: ProcessView, options: SelectionOptions, selection = new Selection()) => {
  for (const _ of selection.choose(view, options));
  for (const _ of selection.keep(view));
  return shown(view);
};

test('footprint: measured PSS; else private pages of all, and the shared ones of the largest, once', () => {
  // biome-ignore format: one line a case
  const cases: [what: string, given: Given[], footprint: number, coverage: number][] = [
    ['measured', [{ pid: 1, rss: 900, pss: 300 }, { pid: 2, rss: 900, pss: 400 }], 700, 1],
    ['unmeasured', [{ pid: 1, rss: 900, shared: 500 }, { pid: 2, rss: 900, shared: 600 }], 400 + 300 + 600, 0],
    ['files and shared memory', [{ pid: 1, rss: 900, shared: 600, rssShmem: 100 }, { pid: 2, rss: 900, shared: 600, rssShmem: 50 }], 300 + 300 + 600 + 100, 0],
    ['some of both', [{ pid: 1, rss: 900, pss: 300 }, { pid: 2, rss: 300, shared: 200 }], 300 + 100 + 200, 0.75],
    ['an old sample is not fresh', [{ pid: 1, rss: 900, pss: 300, sampled: NOW - 301 }], 300, 0],
    ['never more than RSS', [{ pid: 1, rss: 900, shared: 900, rssShmem: 800 }], 900, 0],
    ['a zombie has none', [{ pid: 1, state: 'Z' }], 0, Number.NaN],
    ['what could not be looked at does not count', [{ pid: 1, rss: 900, absent: true }], 0, Number.NaN],
  ];
  for (const [what, given, footprint, coverage] of cases) {
    const group = only(new Host().view(given));
    assert.deepEqual([group.footprint, group.coverage], [footprint, coverage], what);
  }
});

test('the sum of all footprints stays within the memory of the host, unless what is measured already exceeds it', () => {
  const size = fc.oneof(fc.nat(2 ** 31), fc.constantFrom(Number.NaN, 0, 2 ** 53, 1e300, Number.POSITIVE_INFINITY));
  const proc = fc.record({
    ...{ pid: fc.nat(1000), group: fc.constantFrom('a', 'b', 'c'), rss: size, shared: size, pss: size, rssShmem: size },
  });
  fc.assert(
    fc.property(fc.array(proc, { maxLength: 30 }), fc.nat(2 ** 32), (given, total) => {
      const { groups, measuredExcess } = new Host().view(given, { total });
      let sum = 0;
      for (const { footprint } of groups) sum += footprint || 0;
      assert.ok(sum <= (total + measuredExcess) * (1 + 1e-9), `${sum} > ${total} + ${measuredExcess}`);
    }),
    { numRuns: 200 },
  );
});

test('a measured footprint is never made smaller by what other groups show', () => {
  const size = fc.nat(2 ** 31);
  const proc = fc.record({
    ...{ pid: fc.nat(1000), group: fc.constantFrom('a', 'b', 'c'), rss: size, shared: size },
    pss: fc.oneof(size, fc.constant(Number.NaN)),
  });
  fc.assert(
    fc.property(fc.array(proc, { maxLength: 30 }), fc.nat(2 ** 32), (given, total) => {
      for (const { counters, footprint, rss } of new Host().view(given, { total }).groups) {
        let measured = 0;
        for (const each of given) if (each.group === counters.group) measured += each.pss || 0;
        assert.ok(footprint >= Math.min(rss, measured), `${counters.group}: ${footprint} of ${measured}`);
      }
    }),
    { numRuns: 200 },
  );
});

test('processes that share one address space take nothing from other groups, and the contradiction is told', () => {
  const shared = Array.from({ length: 150 }, (_, index) => ({ pid: 10 + index, group: 'odd', rss: 100, pss: 100 }));
  const given = [...shared, { pid: 1, group: 'db', rss: 600, pss: 600 }, { pid: 2, group: 'web', rss: 300 }];
  const { groups, measuredExcess } = new Host().view(given, { total: 1000 });
  assert.deepEqual(
    groups.map(({ counters, footprint }) => [counters.group, footprint]),
    [
      ['db', 600],
      ['odd', 15_000],
      ['web', 0],
    ],
  );
  assert.equal(measuredExcess, 14_600);
});

test('estimated footprints are cut before measured ones', () => {
  const given = [
    { pid: 1, group: 'a', rss: 600, pss: 600 },
    { pid: 2, group: 'b', rss: 1000 },
  ];
  assert.deepEqual(
    new Host().view(given, { total: 1000 }).groups.map(({ footprint }) => footprint),
    [600, 400],
  );
});

test('a sum is an estimate where estimates are of more than 0.5 % of it', () => {
  const host = new Host();
  const estimated = (...given: { rss: number; pss?: number }[]) =>
    only(host.view(given.map((each, index) => ({ pid: index + 1, ...each })))).estimated;
  assert.equal(estimated({ rss: 1000, pss: 600 }), false);
  assert.equal(estimated({ rss: 1000 }), true);
  assert.equal(estimated({ rss: 995, pss: 600 }, { rss: 5 }), false);
  assert.equal(estimated({ rss: 994, pss: 600 }, { rss: 6 }), true);
});

test('a group: states, threads, age; nothing known of its processes is not zero', () => {
  const states = 'RSDTtZXIPW'.split('').map((state, index) => ({ pid: index + 1, state }));
  const group = only(new Host().view(states));
  const counts = Object.fromEntries(STATES.map((state, index) => [state, group.states[index]]));
  assert.deepEqual(counts, { running: 1, sleeping: 1, blocked: 1, stopped: 2, zombie: 2, idle: 3 });
  assert.deepEqual([group.processes, group.threads, group.oldestStart], [10, 10, 1001]);
  const unknown = only(new Host().view([{ pid: 1, rss: 900, swap: Number.NaN }]));
  assert.deepEqual([unknown.pss, unknown.uss, unknown.swap, unknown.usage], Array(4).fill(Number.NaN));
  assert.equal(unknown.ioKnown, false, 'io may not be read of its only process');
  const host = new Host();
  host.counters.declare([['db', 'idle']]);
  const idle = only(host.view([]));
  assert.deepEqual([idle.rss, idle.pss, idle.swap, idle.usage, idle.processes], [0, 0, 0, 0, 0]);
  assert.equal(idle.ioKnown, true);
});

test('I/O that may not be read any more is unknown, and not what it was before', () => {
  const host = new Host();
  const denied = { pid: 2, io: 100, ioDenied: true };
  host.counters.of('db', 'db').creditReaped({ user: 0, system: 0, readBytes: 100, writeBytes: 100 });
  const { rows, groups } = host.view([{ pid: 1, io: 100 }, denied]);
  assert.deepEqual(
    [...rows.readBytes.subarray(0, 2), ...rows.writeBytes.subarray(0, 2)],
    [100, Number.NaN, 100, Number.NaN],
  );
  assert.equal(groups[0]!.ioKnown, true);
  assert.equal(only(host.view([denied])).ioKnown, false);
  assert.equal(only(host.view([{ pid: 3 }])).ioKnown, true, 'processes that ended did it');
});

test('rows: no zombies, no absent ones, kernel threads only when asked for', () => {
  const given = [{ pid: 1 }, { pid: 2, state: 'Z' }, { pid: 3, absent: true }, { pid: 4, kernelThread: true }];
  assert.deepEqual(shown(new Host().view(given)), [1]);
  assert.deepEqual(shown(new Host().view(given, { kernelThreads: true })), [1, 4]);
});

test('the oldest measurement is one that is in use', () => {
  const host = new Host();
  assert.equal(
    host.view([
      { pid: 1, pss: 5, sampled: NOW - 40 },
      { pid: 2, pss: 5, sampled: NOW - 30 },
    ]).oldestMeasurement,
    40,
  );
  assert.equal(host.view([{ pid: 1, pss: 5, sampled: NOW - 40, absent: true }]).oldestMeasurement, Number.NaN);
  const confirmed = host.view([{ pid: 1, pss: 5, sampled: NOW - 4000, confirmed: NOW - 20 }]);
  assert.deepEqual([confirmed.oldestMeasurement, only(confirmed).coverage], [20, 1]);
});

test('filters leave rows out', () => {
  const given = [
    { pid: 1, name: 'postgres', group: 'db', subgroup: 'pg', pss: 100, uss: 10 },
    { pid: 2, name: 'redis', group: 'db', subgroup: 'redis', pss: 100, uss: 90 },
    { pid: 3, name: 'bash', group: 'other', pss: Number.NaN },
  ];
  // biome-ignore format: one line a case
  const cases: [Partial<SelectionOptions>, number[]][] = [
    [{}, [1, 2, 3]],
    [{ disableOthers: true }, [1, 2]],
    [{ minUss: 50 }, [2, 3]],
    [{ includeNames: ['s'] }, [1, 2, 3]],
    [{ includeNames: ['post', 'ba'] }, [1, 3]],
    [{ includeNames: ['s'], excludeNames: ['red'] }, [1, 3]],
    [{ searchMode: 'include', searchGroups: ['db'] }, [1, 2]],
    [{ searchMode: 'include', searchSubgroups: ['pg'], searchGroups: ['other'] }, [1, 3]],
    [{ searchMode: 'exclude', searchSubgroups: ['pg'] }, [2, 3]],
    [{ maxProcesses: 1 }, [3]],
    [{ maxProcesses: 2 }, [1, 3]],
    [{ perProcess: 'none' }, []],
  ];
  for (const [options, expected] of cases) {
    const view = new Host().view(given);
    const whole = JSON.stringify(view.groups);
    assert.deepEqual(chosen(view, { ...ALL, ...options }), expected, JSON.stringify(options));
    assert.equal(JSON.stringify(view.groups), whole, 'the sums of the groups stay');
  }
});

const segment = fc.record({
  key: fc.constantFrom('one', 'two', 'three'),
  bytes: fc.integer({ min: 1, max: 1e9 }),
  size: fc.nat(1e9),
});

/** Processes that share what can be shared: huge pages, swapped-out pages, an address space. Some are not measured. */
const sharing = fc.uniqueArray(
  fc.record({
    ...{ pid: fc.integer({ min: 1, max: 99 }), group: fc.constantFrom('a', 'b', 'other') },
    ...{
      name: fc.constantFrom('x', 'y'),
      state: fc.constantFrom('S', 'Z', 'R'),
      threads: fc.integer({ min: 1, max: 9 }),
    },
    ...{ rss: fc.nat(1e9), pss: fc.oneof(fc.nat(1e9), fc.constant(Number.NaN)), time: fc.nat(1e6).map((t) => t / 100) },
    ...{ anonymous: fc.nat(1e6), file: fc.nat(1e6), shmem: fc.nat(1e6), shared: fc.nat(1e8), rssShmem: fc.nat(1e8) },
    ...{ swap: fc.nat(1e6), measuredSwap: fc.nat(1e6), swapEntries: fc.nat(1e6), swapPss: fc.nat(1e6) },
    ...{ hugetlb: fc.nat(1e9), ownHugetlb: fc.nat(1e9), pageTables: fc.nat(1e6) },
    segments: fc.option(fc.uniqueArray(segment, { maxLength: 3, selector: ({ key }) => key }), { nil: undefined }),
    ...{ usage: fc.nat(100_000).map((part) => part / 1000), spaceOf: fc.integer({ min: 1, max: 99 }) },
  }),
  { selector: ({ pid }) => pid, maxLength: 20 },
);
const onHost = fc.record({ hugetlbUsed: fc.oneof(fc.nat(1e10), fc.constant(Number.NaN)), kernelStack: fc.nat(1e6) });

/** What the shown processes of a group have together, of a column. */
const sumOf = ({ rows }: ProcessView, group: string, column: RowColumn): number => {
  let sum = 0;
  for (const [row, description] of rows.description.entries())
    if (rows.shown[row] && description.group === group) sum += rows[column][row]! || 0;
  return sum;
};
const wholeOf = (group: GroupRow, column: RowColumn): number =>
  (kindColumns as readonly RowColumn[]).includes(column)
    ? group.kinds[kindColumns.indexOf(column as KindColumn)]!
    : group[column as (typeof ADDITIVE)[number]];

test('with top and any filter the processes and the remainder add up to the group, in every column', () => {
  const options = fc.record({
    ...{ perProcess: fc.constant('top' as const), topOfSubgroup: fc.nat(4), topOfOthers: fc.nat(4) },
    ...{ maxProcesses: fc.nat(8), minUss: fc.nat(1e9), includeNames: fc.subarray(['x']), disableOthers: fc.boolean() },
  });
  fc.assert(
    fc.property(sharing, onHost, options, (processes, host, chosenOptions) => {
      const view = new Host().view(processes, host);
      chosen(view, { ...ALL, ...chosenOptions });
      for (const group of view.groups) {
        for (const column of [...ADDITIVE, ...kindColumns]) {
          const whole = wholeOf(group, column);
          if (Number.isNaN(whole)) continue;
          const sum = sumOf(view, group.counters.group, column) + (group.remainder?.[column] ?? 0);
          assert.ok(Math.abs(sum - whole) < 1e-3, `${column}: ${sum} of ${whole}`);
        }
      }
    }),
    { numRuns: 300, includeErrorInReport: true },
  );
});

test('where all are shown and measured, processes add up to their group in every kind of memory, whatever they share', () => {
  const measured = sharing.map((all) => all.map((one) => ({ ...one, state: 'S', pss: one.pss || 0 })));
  fc.assert(
    fc.property(measured, onHost, (processes, host) => {
      const view = new Host().view(processes, host);
      chosen(view, ALL);
      for (const group of view.groups) {
        for (const column of ['rss', 'pss', 'uss', 'swap', ...kindColumns] as const) {
          const whole = wholeOf(group, column);
          if (!Number.isNaN(whole)) assert.equal(sumOf(view, group.counters.group, column), whole, column);
        }
      }
    }),
    { numRuns: 300, includeErrorInReport: true },
  );
});

test('a process whose memory is counted with its parent has none in its own row, and its threads', () => {
  const parent = { pid: 1, rss: 900, pss: 900, swap: 5, anonymous: 900, file: 0, threads: 2 };
  const { rows, groups } = new Host().view([parent, { ...parent, pid: 2, spaceOf: 1 }], { kernelStack: 8 });
  assert.deepEqual([rows.rss[1], rows.pss[1], rows.uss[1], rows.swap[1]], Array(4).fill(Number.NaN));
  assert.deepEqual([rows.rss[0], rows.kernelStacks[1], groups[0]!.rss], [900, 4, 900]);
});

test('top keeps the largest of each subgroup, equals by pid', () => {
  const given = [
    ...[10, 30, 20, 20].map((size, index) => ({ pid: index + 1, group: 'db', pss: size })),
    ...[5, 6, 7, 8].map((size, index) => ({ pid: index + 11, group: 'other', pss: size })),
  ];
  assert.deepEqual(chosen(new Host().view(given), TOP), [2, 3, 12, 13, 14]);
});

test('another process takes a place only when it is larger by a tenth, also after `all` was tried first', () => {
  const host = new Host();
  const selection = new Selection();
  const options = { ...TOP, topOfSubgroup: 1 };
  const look = (first: number, second: number) => {
    const view = host.view([
      { pid: 1, pss: first },
      { pid: 2, pss: second },
    ]);
    for (const _ of selection.choose(view, options, 'all'));
    return chosen(view, options, selection);
  };
  assert.deepEqual(look(100, 90), [1]);
  assert.deepEqual(look(100, 105), [1]);
  assert.deepEqual(look(100, 111), [2]);
  assert.deepEqual(look(120, 111), [2]);
});

test('a new process with a pid seen before takes nothing from the remainder', () => {
  const host = new Host();
  const selection = new Selection();
  const options = { ...TOP, topOfSubgroup: 1 };
  const look = (time: number, startTime: number) => {
    const view = host.view([
      { pid: 1, pss: 100, time, startTime },
      { pid: 2, pss: 1, time: 5 },
    ]);
    chosen(view, options, selection);
    return only(view).remainder!.time;
  };
  assert.equal(look(10, 50), 5);
  assert.equal(look(30, 60), 25, 'the series of the second begins at what it has, and no rate of it is lost');
});

test('the CPU time of the remainder never falls, and gains with the processes shown what the group gains', () => {
  const look = fc.array(fc.record({ pid: fc.integer({ min: 1, max: 6 }), more: fc.nat(50), pss: fc.nat(100) }), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(fc.array(look, { minLength: 2, maxLength: 10 }), (looks) => {
      const host = new Host();
      const selection = new Selection();
      const times = new Map<number, number>();
      let last: { rest: number; group: number; series: Map<number, number> } | undefined;
      for (const changes of looks) {
        for (const { pid, more } of changes) times.set(pid, (times.get(pid) ?? 0) + more);
        const given = [...times].map(([pid, time]) => ({
          pid,
          time,
          pss: changes.find((c) => c.pid === pid)?.pss ?? 50,
        }));
        const view = host.view(given);
        const pids = chosen(view, TOP, selection);
        if (given.length === 0 || only(view).remainder === undefined) continue;
        const now = {
          rest: only(view).remainder!.time,
          group: only(view).time,
          series: new Map(pids.map((pid) => [pid, times.get(pid)!])),
        };
        if (last) {
          assert.ok(now.rest >= last.rest, 'the remainder fell');
          let gained = now.rest - last.rest;
          for (const [pid, time] of now.series) gained += time - (last.series.get(pid) ?? time);
          assert.ok(Math.abs(gained - (now.group - last.group)) < 1e-6, `${gained} of ${now.group - last.group}`);
        }
        last = now;
      }
    }),
    { numRuns: 200, includeErrorInReport: true },
  );
});
