// What the page computes: colours that stay, areas in proportion, a bar that is the whole, rows in order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sorted, type TableColumn } from './data-table.tsx';
import { partsOf } from './host-bar.tsx';
import { timeSpanOf } from './hour.tsx';
import { COLOURS, Palette } from './palette.ts';
import { queryOf } from './processes-view.tsx';
import { layout } from './treemap.tsx';

test('a thing keeps its colour while it is among the largest, and gives it back then', () => {
  const palette = new Palette();
  palette.assign(['a', 'b', 'c']);
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((key) => palette.classOf(key)),
    ['c0', 'c1', 'c2', 'cx'],
  );
  palette.assign(['c', 'a', 'd']);
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((key) => palette.classOf(key)),
    ['c0', 'cx', 'c2', 'c1'],
  );
  palette.assign(Array.from({ length: 50 }, (_, index) => `x${index}`));
  assert.deepEqual([palette.has(`x${COLOURS - 1}`), palette.has(`x${COLOURS}`)], [true, false]);
});

test('areas of tiles are in proportion to their bytes, whatever the frame', () => {
  const tiles = [1, 10, 100, 1000, 5].map((bytes) => ({
    ...{ key: String(bytes), name: '', bytes, estimated: false, colour: 'c0' },
  }));
  for (const aspect of [0.5, 1, 2.7]) {
    const placed = layout(tiles, aspect);
    assert.equal(placed.length, tiles.length);
    for (const { tile, width, height } of placed)
      assert.ok(Math.abs(width * height - tile.bytes / 1116) < 1e-9, `${tile.bytes} at ${aspect}`);
  }
});

// biome-ignore format: one line a case
const bars: [kinds: Record<string, number>, groups: [string, number][], expected: Record<string, number>][] = [
  [{ process_anonymous: 30, process_file: 10, page_cache: 20, free: 35, unexplained: 5 }, [['a', 25], ['b', 10]],
    { 'group a': 25, 'group b': 10, unattributed: 5, page_cache: 20, unexplained: 5, free: 35 }],
  [{ process_anonymous: 40, free: 60 }, [['a', 60], ['b', 20], ['c', 0]], { 'group a': 30, 'group b': 10, free: 60 }],
  [{}, [['a', 25]], { 'group a': 25, unknown: 75 }],
];
for (const [kinds, groups, expected] of bars) {
  test(`the bar of ${JSON.stringify(kinds)} is the whole memory`, () => {
    const palette = new Palette();
    palette.assign(groups.map(([group]) => group));
    const parts = partsOf(100, kinds, groups, palette, { page: 'overview' });
    assert.deepEqual(Object.fromEntries(parts.map(({ key, share }) => [key, Math.round(share * 100)])), expected);
    const whole = parts.reduce((sum, { share }) => sum + share, 0);
    assert.ok(Math.abs(whole - 1) < 1e-9, String(whole));
  });
}

interface Row {
  readonly name: string;
  readonly bytes?: number;
}
const columns: TableColumn<Row>[] = [
  { key: 'name', head: 'Name', value: ({ name }) => name, cell: ({ name }) => name },
  { key: 'bytes', head: 'Bytes', value: ({ bytes }) => bytes, cell: ({ bytes }) => bytes, numeric: true },
];
const rows: Row[] = [{ name: 'b', bytes: 1 }, { name: 'c' }, { name: 'a', bytes: 2 }, { name: 'd', bytes: 2 }];
// biome-ignore format: one line a case
const orders: [sort: string, names: string][] = [
  ['name', 'abcd'], ['-name', 'dcba'], ['bytes', 'adbc'], ['-bytes', 'badc'], ['nothing', 'bcad'],
];
for (const [sort, names] of orders) {
  test(`rows sorted by ${sort}`, () =>
    assert.equal(
      sorted(rows, columns, sort)
        .map(({ name }) => name)
        .join(''),
      names,
    ));
}

test('a span is cut to what there is, and what is no span is the whole', () => {
  const whole = { from: 100, to: 200 };
  const of = (place: object) => timeSpanOf({ page: 'overview', ...place }, whole);
  assert.deepEqual(of({ span: '60' }), { from: 140, to: 200 });
  assert.deepEqual(of({ span: '900' }), whole);
  assert.deepEqual(of({ from: '90', to: '150' }), { from: 100, to: 150 });
  for (const place of [{}, { from: '150', to: '120' }, { from: '1', to: '2' }, { span: 'x' }, { from: '150' }])
    assert.equal(of(place), whole, JSON.stringify(place));
});

// biome-ignore format: one line a case
const queries: [place: { sort?: string; filter?: string }, limit: string, sort: string | undefined][] = [
  [{}, '200', 'footprint'], [{ sort: 'cpu' }, '200', 'cpu'], [{ sort: 'pid' }, '200', 'pid'],
  [{ sort: '-cpu' }, '10000', undefined], [{ sort: 'user' }, '10000', undefined], [{ filter: '4711' }, '10000', undefined],
];
for (const [place, limit, sort] of queries) {
  test(`of a group with more processes than are shown, ${JSON.stringify(place)} asks for ${limit}`, () => {
    const query = queryOf({ page: 'group', group: 'a', subgroup: 'b', ...place }, 200);
    assert.deepEqual([query.limit, 'sort' in query ? query.sort : undefined], [limit, sort]);
  });
}
