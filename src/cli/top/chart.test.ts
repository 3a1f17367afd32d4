import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { widthOf } from '../../text/width.ts';
import { ASCII_ONLY, bar, sparkline, UNICODE } from './chart.ts';

const Mi = 1 << 20;
// biome-ignore format: one line a case
const cases: [what: string, values: (number | null)[], width: number, chart: string][] = [
  ['growth', [0, 1, 2, 3, 4, 5, 6, 7].map((n) => n * Mi), 8, '▁▂▃▄▅▆▇█'],
  ['nothing moved', [100 * Mi, 100 * Mi + 4096, 100 * Mi], 8, '▁▁▁'],
  ['a peak in many values', [...Array(99).fill(1), 100], 4, '▁▁▁█'],
  ['moments of which nothing is known', [null, 1, 100, null], 8, ' ▁█ '],
  ['nothing is known', [null, null], 8, ''],
  ['no value', [], 8, ''],
  ['no room', [1, 2], 0, ''],
];
for (const [what, values, width, chart] of cases)
  test(`a chart of ${what}`, () => assert.equal(sparkline(values, width, UNICODE), chart));

test('a terminal without Unicode gets letters of ASCII', () =>
  assert.match(sparkline([1, 50, 100], 3, ASCII_ONLY), /^[ -~]{3}$/));

const parts = (values: readonly number[]) =>
  values.map((value, index) => ({ name: String(index), value, letter: String(index), style: 'red' as const }));
const text = (values: readonly number[], whole: number, width: number): string =>
  bar(parts(values), whole, width)
    .map((span) => span.text)
    .join('');

test('a bar is the whole, in proportion', () => {
  assert.equal(text([50, 25, 25], 100, 8), '00001122');
  assert.equal(text([1, 98, 1], 100, 10), '1111111111', 'what has less than half a cell has none');
  assert.equal(text([60, -5, 45], 100, 10), '0000002222', 'a negative part takes no room from the others');
  fc.assert(
    fc.property(
      fc.array(fc.nat(1e9), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 200 }),
      (values, width) => {
        const whole = values.reduce((sum, value) => sum + value, 0);
        if (whole > 0) assert.equal(widthOf(text(values, whole, width)), width);
      },
    ),
  );
});
