import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linkTo, onward, type Place, placeOf } from './place.ts';

// biome-ignore format: one line a case
const places: [address: string, place: Place][] = [
  ['./', { page: 'overview' }],
  ['./?sort=-rss&filter=web', { page: 'overview', sort: '-rss', filter: 'web' }],
  ['./groups?group=db', { page: 'group', group: 'db' }],
  ['./groups?group=%3Cb%3E%26&subgroup=%2F%3D%22', { page: 'group', group: '<b>&', subgroup: '/="' }],
  ['./processes?pid=12&from=1&to=2', { page: 'process', pid: '12', from: '1', to: '2' }],
];
for (const [address, place] of places) {
  test(`${address} is a place and back`, () => {
    const { pathname, search } = new URL(address, 'http://x/below/a/proxy/');
    assert.deepEqual(placeOf(pathname, search), place);
    assert.equal(linkTo(place), address);
  });
}

test('a page without what it is of is the overview', () => {
  for (const [path, query] of [
    ['/groups', ''],
    ['/processes', '?group=a'],
    ['/', '?unknown=1'],
  ] as const)
    assert.equal(placeOf(path, query).page, 'overview', path);
});

test('a step onward keeps the span, and neither sort nor filter', () => {
  const from: Place = { page: 'overview', sort: 'rss', filter: 'x', from: '1', to: '2' };
  assert.deepEqual(onward(from, { page: 'group', group: 'db' }), { page: 'group', group: 'db', from: '1', to: '2' });
});
