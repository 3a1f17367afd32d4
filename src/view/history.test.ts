import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Given, Host } from '../../test/view-host.ts';
import { History } from './history.ts';
import { POINTS } from './history-store.ts';
import type { ProcessView } from './view.ts';

const MIB = 2 ** 20;
/** Unix time of the boot. */
const BOOT = 1_700_000_000;

/** A history, and a host of which it gets a view at any second since boot. */
function recorder(span = 3600) {
  const host = new Host();
  const history = new History(span);
  let clock = BOOT;
  let view: ProcessView | undefined;
  /** The same view again: to make one takes longer than to record it. */
  const again = (seconds: number): void => {
    for (const _ of history.record({ ...view!, at: seconds }, clock + seconds));
  };
  const at = (seconds: number, given: readonly Given[], more = {}): void => {
    view = host.view(given, more);
    again(seconds);
  };
  const footprints = (group: string, subgroup = group): number[] => {
    const series = history.groups.find(group, subgroup)!;
    return history.points().map((point) => history.groups.footprint(series, point));
  };
  return {
    ...{ host, history, at, again, footprints },
    setClock: (seconds: number) => {
      clock += seconds;
    },
    times: () => history.points().map((point) => Math.round((history.time(point) - BOOT) * 10) / 10),
    born: (group: string, count: number) => Object.assign(host.counters.of(group, group), { started: count }),
    ended: (group: string, count: number) => Object.assign(host.counters.of(group, group), { exited: count }),
    happened: () => history.events.since(0).map(({ kind, count, names }) => `${kind} ${count} ${names?.group}`),
  };
}

const one = (pss: number, more: Partial<Given> = {}): Given => ({ pid: 1, rss: pss, pss, anonymous: pss, ...more });

test('a point every 15 seconds, however often is collected, also where collections come early or late', () => {
  const cases: [what: string, collections: number[], points: number[]][] = [
    ['at each', [0, 15, 30], [0, 15, 30]],
    ['often', [0, 5, 10, 15, 20, 25, 30], [0, 15, 30]],
    ['a little early', [0, 14.9, 29.8, 44.7], [0, 14.9, 29.8, 44.7]],
    ['every ten seconds', [0, 10, 20, 30, 40, 50, 60], [0, 20, 30, 50, 60]],
    ['seldom', [0, 60, 120, 121], [0, 60, 120]],
    ['two at once', [0, 0, 15], [0, 15]],
  ];
  for (const [what, collections, points] of cases) {
    const { at, times } = recorder();
    for (const seconds of collections) at(seconds, [one(MIB)]);
    assert.deepEqual(times(), points, what);
  }
});

test('points reach over the whole span, and no further', () => {
  for (const [span, apart] of [
    [60, 15],
    [3600, 15],
    [86_400, 360],
  ] as const) {
    const { at, again, times, history } = recorder(span);
    at(0, [one(MIB)]);
    for (let seconds = 15; seconds <= 3 * span; seconds += 15) again(seconds);
    const found = times();
    assert.equal(history.step, apart);
    assert.ok(found.at(-1)! - found[0]! <= span && found.at(-1)! - found[0]! >= span - 2 * apart, `${span}: ${found}`);
    assert.ok(found.length <= POINTS);
  }
});

test('points can be asked for by time and number; of more, the same ones are left out whenever it is asked', () => {
  const { at, history } = recorder();
  for (let seconds = 0; seconds < 150; seconds += 15) at(seconds, [one(MIB)]);
  const times = (...asked: number[]) => history.points(...asked).map((point) => history.time(point) - BOOT);
  assert.deepEqual(times(BOOT + 30, BOOT + 60), [30, 45, 60]);
  assert.deepEqual(times(BOOT + 999), []);
  assert.deepEqual(times(0, Number.POSITIVE_INFINITY, 5), [0, 30, 60, 90, 120, 135]);
  at(150, [one(MIB)]);
  assert.deepEqual(times(BOOT + 15, Number.POSITIVE_INFINITY, 5), [30, 60, 90, 120, 150]);
});

test('while a point is written, nobody reads half of it in the place of the oldest one', () => {
  const { at, host, history, times } = recorder();
  for (let point = 0; point < POINTS; point++) at(15 * point, [one(MIB)]);
  const before = times();
  const view = { ...host.view([one(MIB)]), at: 15 * POINTS };
  for (const _ of history.record(view, BOOT + 15 * POINTS)) assert.deepEqual(times(), before.slice(1));
  assert.deepEqual(times(), [...before.slice(1), 15 * POINTS]);
});

test('a group that came later occupied nothing before, and one that is gone occupies nothing', () => {
  const { at, again, footprints, history } = recorder();
  at(0, [one(MIB, { group: 'a' })]);
  at(15, [one(MIB, { group: 'a' }), one(3 * MIB, { pid: 2, group: 'b' })]);
  at(30, [one(2 * MIB, { group: 'a' })]);
  assert.deepEqual(footprints('a'), [MIB, MIB, 2 * MIB]);
  assert.deepEqual(footprints('b'), [0, 3 * MIB, 0]);
  for (let seconds = 45; seconds < 45 + 15 * POINTS; seconds += 15) again(seconds);
  assert.equal(history.groups.find('b', 'b')!.place, -1, 'b gave its place back');
  assert.equal(history.groups.series.length, 1);
});

test('more subgroups than there is room for: the rest is counted, and gets the places of those that are gone', () => {
  const { at, history, footprints } = recorder();
  const groups = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) =>
      one(MIB, { pid: from + index + 1, group: `g${1000 + from + index}` }),
    );
  at(0, groups(0, 300));
  assert.deepEqual([history.groups.series.length, history.groups.leftOut], [256, 44]);
  at(15, groups(100, 300));
  assert.deepEqual([history.groups.series.length, history.groups.leftOut], [256, 0]);
  assert.deepEqual(footprints('g1299'), [Number.NaN, MIB], 'what nobody noted is not known');
  at(30, groups(0, 300));
  assert.equal(history.groups.leftOut, 44);
  at(45, [...groups(0, 255), one(4 * MIB, { pid: 999, group: 'z' })]);
  assert.notEqual(history.groups.find('z', 'z')!.place, -1, 'a larger one takes the place of one without processes');
  at(60, [...groups(0, 300), one(4 * MIB, { pid: 999, group: 'z' }), one(3 * MIB, { pid: 998, group: 'zz' })]);
  assert.notEqual(history.groups.find('zz', 'zz')!.place, -1, 'or of a small one');
  const size = history.byteLength;
  for (let round = 5; round < 13; round++) at(15 * round, groups((round % 7) * 300, (round % 7) * 300 + 300));
  assert.equal(history.byteLength, size);
});

test('kinds of pages that the kernel does not tell apart: their sum is known, the kinds are not', () => {
  const { at, footprints, history } = recorder();
  at(0, [{ pid: 1, rss: 4 * MIB, pss: 3 * MIB, pageTables: 4096 }]);
  at(15, [{ pid: 1, rss: 4 * MIB, pss: 3 * MIB, anonymous: 2 * MIB, file: MIB, pageTables: 4096 }]);
  assert.deepEqual(footprints('db'), [3 * MIB + 4096, 3 * MIB + 4096]);
  const series = history.groups.find('db', 'db')!;
  const kinds = history.points().map((point) => [0, 1, 2, 4].map((kind) => history.groups.kind(series, kind, point)));
  assert.deepEqual(kinds, [
    [Number.NaN, Number.NaN, Number.NaN, 4096],
    [2 * MIB, MIB, 0, 4096],
  ]);
});

test('CPU usage is kept from a hundredth of a percent to thousands of cores', () => {
  const { at, history } = recorder();
  const usages = [Number.NaN, 0, 0.01, 0.1, 1, 7.3, 100, 6400, 400_000];
  for (const [index, usage] of usages.entries()) at(15 * index, [one(MIB, { usage })]);
  const series = history.groups.find('db', 'db')!;
  history.points().forEach((point, index) => {
    const [kept, usage] = [history.groups.store.cpu(series.place, point), usages[index]!];
    if (Number.isNaN(usage)) assert.ok(Number.isNaN(kept));
    else assert.ok(Math.abs(kept - usage) <= 0.02 * Math.sqrt(usage) + 1e-9, `${usage}: ${kept}`);
    assert.equal(history.hostCpu(point), kept);
  });
});

test('a clock that was set: what is known keeps its distance from now', () => {
  const { at, times, setClock, history } = recorder();
  at(0, [one(MIB)]);
  history.events.add('reload', BOOT);
  at(15, [one(MIB)]);
  setClock(-3600);
  at(30, [one(MIB)]);
  assert.deepEqual(times(), [-3600, -3585, -3570]);
  assert.equal(history.events.since(0)[0]!.at, BOOT - 3600);
});

test('births, exits and restarts', () => {
  const { at, born, ended, happened } = recorder();
  born('db', 7);
  at(0, [one(MIB, { pid: 1 }), one(MIB, { pid: 2 })]);
  assert.deepEqual(happened(), [], 'what was before is no event');
  born('db', 9);
  ended('db', 1);
  at(15, [one(MIB, { pid: 2 }), one(MIB, { pid: 3 }), one(MIB, { pid: 4 })]);
  assert.deepEqual(happened(), ['start 2 db', 'exit 1 db']);
  born('db', 11);
  ended('db', 4);
  at(30, [one(MIB, { pid: 5 }), one(MIB, { pid: 6 })]);
  assert.deepEqual(happened().slice(2), ['restart 2 db'], 'all of them were replaced');
  born('web', 1);
  at(45, [one(MIB, { pid: 5 }), one(MIB, { pid: 7, group: 'web' })]);
  assert.deepEqual(happened().slice(3), ['start 1 web']);
});

test('however many processes come and go, a restart or a reload is remembered', () => {
  const { history, happened } = recorder();
  history.events.add('exporter_start', BOOT);
  for (let count = 0; count < 10_000; count++)
    history.events.add('start', BOOT + count, 1, { group: 'a', subgroup: 'a' });
  assert.equal(happened()[0], 'exporter_start 0 undefined');
  assert.equal(happened().length, 1 + 1024);
  assert.equal(history.events.since(BOOT + 9_990).length, 10);
});

test('the largest processes of each subgroup have a history: ended ones keep it, and a pid that is used again begins anew', () => {
  const { at, history } = recorder();
  const many = Array.from({ length: 20 }, (_, pid) => one((pid + 1) * MIB, { pid: pid + 1 }));
  at(0, many);
  assert.deepEqual(
    history.processes.series.map(({ pid }) => pid).sort((a, b) => a - b),
    [13, 14, 15, 16, 17, 18, 19, 20],
  );
  at(15, [...many.slice(0, 19), one(5 * MIB, { pid: 20, startTime: 9999 })]);
  const values = (index: number) => {
    const { place } = history.processes.series.filter(({ pid }) => pid === 20)[index]!;
    return history.points().map((point) => history.processes.store.bytes(place, 0, point));
  };
  assert.deepEqual(values(0), [20 * MIB, Number.NaN]);
  assert.equal(history.processes.find(20)!.startTime, 1020, 'the new one is too small');
  at(30, [...many.slice(0, 19), one(50 * MIB, { pid: 20, startTime: 9999 })]);
  assert.deepEqual(values(1), [Number.NaN, Number.NaN, 50 * MIB]);
  assert.equal(history.processes.find(20)!.startTime, 9999);
});

test('places change only for a clearly larger process', () => {
  const { at, history } = recorder();
  const sizes = (last: number) =>
    Array.from({ length: 9 }, (_, index) => one((index === 8 ? last : 100) * MIB, { pid: index + 1 }));
  at(0, sizes(90));
  const before = history.processes.series.map(({ pid }) => pid);
  assert.ok(!before.includes(9));
  at(15, [
    ...sizes(105),
    ...Array.from({ length: 31 * 8 }, (_, index) => one(MIB, { pid: 100 + index, group: `g${index % 31}` })),
  ]);
  assert.equal(history.processes.series.length, 256);
  assert.equal(history.processes.find(9), undefined, 'larger by 5 %');
  at(30, [
    ...sizes(120),
    ...Array.from({ length: 31 * 8 }, (_, index) => one(MIB, { pid: 100 + index, group: `g${index % 31}` })),
  ]);
  assert.notEqual(history.processes.find(9), undefined, 'larger by 20 %');
});

test('whatever processes do: the history is bounded, and its newest values are those of the view', () => {
  const proc = fc.record({
    pid: fc.integer({ min: 1, max: 400 }),
    group: fc.constantFrom('a', 'b', 'c', 'd'),
    startTime: fc.constantFrom(1, 2),
    rss: fc.nat(2 ** 40),
  });
  const hosts = fc.array(fc.uniqueArray(proc, { selector: ({ pid }) => pid, maxLength: 60 }), { maxLength: 12 });
  fc.assert(
    fc.property(hosts, (collections) => {
      const { at, history } = recorder();
      collections.forEach((given, index) => {
        const processes = given.map(({ rss, ...more }) => one(rss, more));
        at(15 * index, processes);
        const point = history.points().at(-1)!;
        for (const { pid, place, row, startTime } of history.processes.series) {
          const now = given.find((each) => each.pid === pid && each.startTime === startTime);
          const expected = now && row >= 0 ? Math.fround(now.rss) : Number.NaN;
          assert.deepEqual(history.processes.store.bytes(place, 0, point), expected);
        }
        for (const group of ['a', 'b', 'c', 'd']) {
          const living = given.filter((each) => each.group === group).sort((a, b) => b.rss - a.rss);
          for (const { pid, startTime } of living.slice(0, 1))
            if (living.filter(({ rss }) => rss * 1.1 >= living[0]!.rss).length === 1)
              assert.equal(
                history.processes.find(pid)?.startTime,
                startTime,
                'the clearly largest of each has a history',
              );
        }
        assert.ok(history.processes.series.length <= 256);
      });
    }),
  );
});

test('100 subgroups and 200 processes take no more than 1 MiB, full; and no history more than 2.5 MiB', () => {
  const host = (groups: number, each: number) =>
    Array.from({ length: groups * each }, (_, index) => one(MIB, { pid: index + 1, group: `g${index % groups}` }));
  const usual = recorder();
  const crowded = recorder();
  usual.at(0, host(100, 2));
  crowded.at(0, host(400, 3));
  for (let point = 1; point < POINTS + 5; point++) {
    usual.again(15 * point);
    crowded.again(15 * point);
  }
  assert.equal(usual.history.processes.series.length, 200);
  assert.ok(usual.history.byteLength <= MIB, `${usual.history.byteLength} bytes`);
  assert.ok(crowded.history.byteLength <= 2.1 * MIB, `${crowded.history.byteLength} bytes`);
});
