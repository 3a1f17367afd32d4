import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { escapeForTerminal } from './hostile.ts';
import { cutToWidth, padToWidth, widthOf } from './width.ts';

// biome-ignore format: one line a case
const cases: [text: string, width: number, cut: string][] = [
  ['', 3, ''],
  ['nginx', 5, 'nginx'],
  ['nginx', 4, 'ngi…'],
  ['nginx', 1, '…'],
  ['nginx', 0, ''],
  ['数据库', 6, '数据库'],
  ['数据库', 5, '数据…'],
  ['数据库', 4, '数…'],
  ['数据库', 1, '…'],
  ['a\u0301b\u0301c', 2, 'a\u0301…'],
  ['🦀🦀', 3, '🦀…'],
];
for (const [text, width, cut] of cases)
  test(`${text} in ${width} cells`, () => assert.equal(cutToWidth(text, width), cut));

test('any text fills its column exactly', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), fc.boolean(), (any, width, right) => {
      const padded = padToWidth(escapeForTerminal(any), width, right);
      assert.equal(widthOf(padded), width);
    }),
  );
});
