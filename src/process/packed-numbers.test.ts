import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withNumbers } from './packed-numbers.ts';

class Point extends withNumbers({ x: 0, y: Number.NaN }) {
  name = '';
}

test('every object has numbers of its own, which begin as said and hold whatever a number may be', () => {
  const [a, b] = [new Point(), new Point()];
  assert.deepEqual([a.x, a.y, b.x, b.y], [0, Number.NaN, 0, Number.NaN]);
  a.x = 2 ** 53;
  a.y = -0.1;
  b.x += Number.POSITIVE_INFINITY;
  assert.deepEqual([a.x, a.y, b.x, b.y], [2 ** 53, -0.1, Number.POSITIVE_INFINITY, Number.NaN]);
});
