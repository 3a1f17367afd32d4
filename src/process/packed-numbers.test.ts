import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NumberLayout } from './packed-numbers.ts';

const numbers = new NumberLayout();

class Point extends numbers.part({ x: 0, y: Number.NaN }) {
  name = '';
}

class Size extends numbers.part({ x: 7 }) {}

function owner() {
  const values = numbers.create();
  return { point: new Point(values), size: new Size(values) };
}

test('every object has its own numbers; they begin with the given values and hold any number', () => {
  const [{ point: a }, { point: b }] = [owner(), owner()];
  assert.deepEqual([a.x, a.y, b.x, b.y], [0, Number.NaN, 0, Number.NaN]);
  a.x = 2 ** 53;
  a.y = -0.1;
  b.x += Number.POSITIVE_INFINITY;
  assert.deepEqual([a.x, a.y, b.x, b.y], [2 ** 53, -0.1, Number.POSITIVE_INFINITY, Number.NaN]);
});

test('the parts of one owner do not touch the numbers of each other', () => {
  const { point, size } = owner();
  size.x = 8;
  point.x = 1;
  assert.deepEqual([point.x, size.x], [1, 8]);
});
