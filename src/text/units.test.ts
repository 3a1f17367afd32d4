import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, formatDuration, formatPercent } from './units.ts';

test('bytes: binary units, one decimal', () => {
  const cases: [bytes: number, text: string][] = [
    [Number.NaN, '–'],
    [0, '0 B'],
    [0.4, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1023.9 * 1024, '1023.9 KiB'],
    [1024 ** 2 - 1, '1.0 MiB'],
    [496_000_000, '473.0 MiB'],
    [1024 ** 3, '1.0 GiB'],
    [1.5 * 1024 ** 4, '1.5 TiB'],
    [2 * 1024 ** 6, '2048.0 PiB'],
  ];
  for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text);
});

test('durations: the largest units that say enough', () => {
  const cases: [seconds: number, text: string][] = [
    [Number.NaN, '–'],
    [-1, '0 s'],
    [0, '0 s'],
    [0.000_26, '0.26 ms'],
    [0.034, '34 ms'],
    [0.0994, '99 ms'],
    [0.0996, '0.1 s'],
    [0.25, '0.25 s'],
    [3.21, '3.2 s'],
    [9.94, '9.9 s'],
    [9.96, '10 s'],
    [42.4, '42 s'],
    [119.4, '119 s'],
    [119.7, '2 min'],
    [250, '4 min'],
    [3569, '59 min'],
    [3599, '1 h 0 min'],
    [11_100, '3 h 5 min'],
    [200_000, '2 d 7 h'],
    [1e6, '11 d 13 h'],
  ];
  for (const [seconds, text] of cases) assert.equal(formatDuration(seconds), text, String(seconds));
});

test('percent: of a ratio, with as many decimals as asked for', () => {
  const cases: [text: string, expected: string][] = [
    [formatPercent(Number.NaN), '–'],
    [formatPercent(0), '0 %'],
    [formatPercent(0.996), '100 %'],
    [formatPercent(0.042, 1), '4.2 %'],
    [formatPercent(2.5), '250 %'],
  ];
  for (const [text, expected] of cases) assert.equal(text, expected);
});
