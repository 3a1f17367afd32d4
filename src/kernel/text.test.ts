import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Fields, keyed, lineKeys, numberAt, sumOfLines } from './text.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

test('fields: numbers between spaces, and failure for everything else', () => {
  // biome-ignore format: one line a case
  const cases: [text: string, numbers: number[], failed: boolean][] = [
    ['', [0], true],
    [' ', [0], true],
    ['x', [0], true],
    ['1x', [1], true],
    ['-', [0], true],
    ['- 1', [0], true],
    ['--1', [0], true],
    ['1.5', [1], true],
    ['+1', [0], true],
    ['1', [1], false],
    ['-1\n', [0], true],
    ['1\n', [1], false],
    ['1 2  3\n', [1, 2, 3], false],
    ['1 2', [1, 2, 0], true],
    ['18446744073709551615 7', [18446744073709552000, 7], false],
    [`${'9'.repeat(400)} 7`, [Number.POSITIVE_INFINITY, 7], false],
  ];
  for (const [text, numbers, failed] of cases) {
    const fields = new Fields().start(bytes(text), 0, text.length);
    assert.deepEqual(
      numbers.map(() => fields.next()),
      numbers,
      text,
    );
    assert.equal(fields.failed, failed, text);
  }
});

test('fields stay within their bounds, whatever stands behind them', () => {
  const stale = bytes('12 345 678');
  const fields = new Fields().start(stale, 0, 4);
  assert.deepEqual([fields.next(), fields.next(), fields.failed], [12, 3, false]);
  fields.next();
  assert.equal(fields.failed, true);
});

test('skipping beyond the end fails the next field, not the skip', () => {
  const fields = new Fields().start(bytes('1 2 3'), 0, 5);
  fields.skip(2);
  assert.equal(fields.next(), 3);
  fields.skip(1e6);
  assert.equal(fields.failed, false);
  fields.next();
  assert.equal(fields.failed, true);
});

test('keyed lines', () => {
  const names = lineKeys('Rss', 'Pss', 'Swap');
  // biome-ignore format: one line a case
  const cases: [text: string, values: number[]][] = [
    ['', [NaN, NaN, NaN]],
    ['Rss', [NaN, NaN, NaN]],
    ['Rss:', [NaN, NaN, NaN]],
    ['Rss: -1 kB\n', [NaN, NaN, NaN]],
    ['Rss: x\nRss: 5 kB\n', [5, NaN, NaN]],
    ['Rss: 5\nRss: 6\n', [5, NaN, NaN]],
    ['RssAnon: 5\nPss_Dirty: 6\nxSwap: 7\n Rss: 8\n', [NaN, NaN, NaN]],
    ['Swap:\t1\nPss: 2 kB\nRss:3', [3, 2, 1]],
    ['\n\n\nRss:    7 kB', [7, NaN, NaN]],
  ];
  const out = new Float64Array(3);
  for (const [text, values] of cases) {
    assert.equal(keyed(bytes(text), text.length, names, out), values.filter((value) => value >= 0).length, text);
    assert.deepEqual([...out], values, JSON.stringify(text));
  }
  assert.equal(keyed(bytes('Rss: 12'), 4, names, out), 0, 'what stands behind the end is of an earlier file');
});

test('a number anywhere in any bytes is a number or -1', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(50), (any, from) => {
      const value = numberAt(any, from, any.length);
      assert.ok(value === -1 || value >= 0);
    }),
  );
});

test('the sum of the lines that begin with a key; what is behind the end of the text counts for nothing', () => {
  // biome-ignore format: one line a case
  const cases: [text: string, length: number, sum: number][] = [
    ['', 0, 0],
    ['count:', 6, 0],
    ['count: x\ncount: -1\n', 19, 0],
    ['account: 5\n high: 6\n count 7\n', 29, 0],
    ['count: 1\n', 9, 1],
    ['  cpu: 0\n     count:    104859\n     high:  9\n  cpu: 1\n     count: 1', 67, 104860],
    ['count: 12', 8, 1],
    ['count: 1\n   count: 2\n', 12, 1],
  ];
  for (const [text, length, sum] of cases)
    assert.equal(sumOfLines(bytes(text), length, bytes('count:')), sum, JSON.stringify(text));
});
