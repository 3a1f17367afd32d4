import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { escapeForTerminal } from '../../text/hostile.ts';
import { widthOf } from '../../text/width.ts';
import { asciiOf, cutLine, type Line, lineWidth, paintLine, spread } from './line.ts';

const line: Line = ['db/', { text: '数据库', style: 'bold' }, ' 1.0 GiB'];
const texts = (parts: Line): string => paintLine(parts, 80, (_, text) => text);

// biome-ignore format: one line a case
const cases: [width: number, cut: string][] = [
  [17, 'db/数据库 1.0 GiB'],
  [12, 'db/数据库 1…'],
  [9, 'db/数据库'],
  [8, 'db/数据…'],
  [2, 'd…'],
  [0, ''],
];
for (const [width, cut] of cases)
  test(`a line in ${width} cells`, () => assert.equal(texts(cutLine(line, width)), cut));

test('styles cost no cells, and parts without one have no escape sequence', () => {
  assert.equal(
    paintLine(line, 8, (style, text) => (style ? `<${text}>` : text)),
    'db/<数据…>',
  );
});

test('two parts fill the width, and the second one stays', () => {
  assert.equal(texts(spread(['left side'], ['right'], 20)), 'left side      right');
  assert.equal(texts(spread(['a very long left side'], ['right'], 20)), 'a very long l… right');
  assert.equal(texts(spread(['left side'], ['right'], 12)), 'left side', 'where there is no room, the first one alone');
});

test('any text becomes ASCII of the same width', () => {
  assert.equal(asciiOf('数据 … – é'), '???? . - ?');
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '数', '…', '–', '🦀', 'é', 'ß') }), (any) => {
      const ascii = asciiOf(escapeForTerminal(any));
      assert.match(ascii, /^[ -~]*$/);
      assert.equal(ascii.length, widthOf(any));
    }),
  );
  assert.equal(lineWidth(line), 17);
});
