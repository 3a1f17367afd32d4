import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notableEvents } from './events.tsx';
import { appended, growthIn, type Hour, hourOf, REST, stacked, summed, withRest } from './history.ts';

const hour = (at: number[], series: Record<string, (number | null)[]>): Hour => ({
  at,
  series: new Map(Object.entries(series)),
  names: new Map(),
});
const answer = (at: number[], series: Record<string, (number | null)[]>) => ({
  of: 'groups',
  at,
  series: Object.entries(series).map(([key, footprint_bytes]) => ({ key, footprint_bytes })),
});
const HOUR = 3600;
const plain = ({ at, series }: Hour) => ({ at, ...Object.fromEntries(series) });

test('new points are added once, and a series that comes later has nothing before', () => {
  const first = appended(hour([], {}), answer([10, 20], { a: [1, 2] }), HOUR);
  const second = appended(first, answer([20, 30], { a: [2, 3], b: [null, 7] }), HOUR);
  assert.deepEqual(plain(second), { at: [10, 20, 30], a: [1, 2, 3], b: [null, null, 7] });
  assert.equal(appended(second, answer([30], { a: [3] }), HOUR), second, 'nothing new is the same hour');
});

test('points that the exporter has no longer are dropped, and series that have no other', () => {
  const old = hour([0, 10], { gone: [5, null], a: [1, 1] });
  assert.deepEqual(plain(appended(old, answer([3605], { a: [2] }), HOUR)), { at: [10, 3605], a: [1, 2] });
  assert.deepEqual(appended(old, answer([3605], { a: [2] }), 24 * HOUR).at, [0, 10, 3605], 'of a day');
});

test('the second request asks only for what is new', () => {
  const source = hourOf('subgroup:a&b/c', HOUR);
  assert.equal(source.address(), 'history?of=subgroup%3Aa%26b%2Fc');
  source.merge(answer([100.5], { a: [1] }));
  assert.equal(source.address(), 'history?of=subgroup%3Aa%26b%2Fc&from=100.5');
});

test('names of series are kept as long as the series', () => {
  const named = {
    ...answer([1], {}),
    series: [{ key: '7', name: 'web', start_time_seconds: 0, footprint_bytes: [1] }],
  };
  const first = appended(hour([], {}), named, HOUR);
  assert.equal(first.names.get('7 0'), 'web 7');
  assert.equal(appended(first, answer([4000], { 8: [1] }), HOUR).names.size, 0);
});

test('two processes that had one pid, one after the other, are two series', () => {
  const series = [
    { key: '7', start_time_seconds: 5, footprint_bytes: [4, null] },
    { key: '7', start_time_seconds: 15, footprint_bytes: [null, 9] },
  ];
  const both = appended(hour([], {}), { of: 'processes:a/a', at: [10, 20], series }, HOUR);
  assert.deepEqual(plain(both), { at: [10, 20], '7 5': [4, null], '7 15': [0, 9] });
  const later = { of: 'processes:a/a', at: [30], series: [{ ...series[1]!, footprint_bytes: [8] }] };
  assert.deepEqual(plain(appended(both, later, HOUR)), { at: [10, 20, 30], '7 5': [4, null, null], '7 15': [0, 9, 8] });
});

test('a process occupied nothing before it started, and is not known before it had a history', () => {
  const series = [
    { key: '7', start_time_seconds: 15, footprint_bytes: [null, 5] },
    { key: '8', start_time_seconds: 5, footprint_bytes: [null, 6] },
  ];
  const first = appended(hour([], {}), { of: 'processes:a/a', at: [10, 20], series }, HOUR);
  assert.deepEqual(plain(first), { at: [10, 20], '7 15': [0, 5], '8 5': [null, 6] });
  const later = { of: 'processes:a/a', at: [30], series: [{ key: '9', start_time_seconds: 25, footprint_bytes: [1] }] };
  assert.deepEqual(plain(appended(first, later, HOUR)), {
    at: [10, 20, 30],
    '7 15': [0, 5, null],
    '8 5': [null, 6, null],
    '9 25': [0, 0, 1],
  });
});

// biome-ignore format: one line a case
const spans: [from: number, to: number, expected: [string, number][]][] = [
  [10, 40, [['leak', 30], ['born', 9], ['ended', -8]]],
  [20, 30, [['leak', 10]]],
  [25, 40, [['leak', 10], ['born', 9], ['ended', -8]]],
  [41, 50, []], [0, 5, []], [32, 38, []],
];
for (const [from, to, expected] of spans) {
  test(`what grew from ${from} to ${to}, largest first`, () => {
    const series = {
      ended: [8, 8, 8, null],
      same: [4, 4, 4, 4],
      leak: [0, 10, 20, 30],
      born: [0, 0, 0, 9],
      met: [null, null, 6, 6],
    };
    const found = growthIn(hour([10, 20, 30, 40], series), { from, to });
    assert.deepEqual(
      found.map(({ key, before, after }) => [key, after - before]),
      expected,
    );
  });
}

test('sums keep what is not known apart from 0, and leave out what belongs nowhere', () => {
  const parts = hour([1, 2], { 'a/x': [1, null], 'a/y': [2, null], 'b/z': [null, 5] });
  assert.deepEqual(plain(summed(parts, (key) => (key === 'b/z' ? undefined : 'a'))), { at: [1, 2], a: [3, null] });
});

test('areas stand on each other', () => {
  assert.deepEqual(stacked(hour([1, 2], { a: [1, null], b: [2, 4] }), ['b', 'a', 'unknown']), [
    [2, 4],
    [3, 4],
    [3, 4],
  ]);
});

test('the rest is what the parts leave of the whole, never less than nothing', () => {
  const parts = hour([1, 2, 3], { 7: [1, 5, 1] });
  assert.deepEqual(withRest(parts, hour([1, 2], { whole: [4, 3] })).series.get(REST), [3, 0, null]);
});

test('events are asked for once, and births and exits are left out', () => {
  const source = notableEvents();
  const event = (at: number, kind: string) => ({ at, kind, text: `${kind} ${at}` });
  assert.equal(source.address(), 'events');
  source.merge({ events: [event(5, 'exporter_start'), event(9.5, 'start')] });
  assert.equal(source.address(), 'events?since=9.501');
  const shown = source.merge({ events: [event(10, 'exit'), event(11, 'oom_kill'), event(12, 'reload')] });
  assert.deepEqual(
    shown.map(({ text }) => text),
    ['reload 12', 'oom_kill 11', 'exporter_start 5'],
  );
});
