import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseKeys } from './keys.ts';

// biome-ignore format: one line a case
const cases: [what: string, bytes: string, keys: string][] = [
  ['letters', 'jq', 'j q'],
  ['arrows of both modes', '\x1b[A\x1bOB\x1b[C\x1b[D', 'up down right left'],
  ['home and end of several terminals', '\x1b[H\x1b[1~\x1b[F\x1b[4~', 'home home end end'],
  ['pages', '\x1b[5~\x1b[6~', 'pageup pagedown'],
  ['escape alone', '\x1b', 'escape'],
  ['enter, tab, backspace', '\r\t\x7f\b', 'enter tab backspace backspace'],
  ['Ctrl-C and Ctrl-L', '\x03\x0c', 'interrupt refresh'],
  ['letters that take several bytes', 'é数🦀', 'é 数 🦀'],
  ['a key that means nothing here', '\x1b[15~q\x1b[1;5A', 'q'],
  ['other control characters', '\x01\x02a', 'a'],
  ['half a sequence', '\x1b[', ''],
];
for (const [what, bytes, keys] of cases)
  test(`keys: ${what}`, () => {
    const names = parseKeys(bytes).map((key) => ('special' in key ? key.special : key.character));
    assert.equal(names.join(' '), keys);
  });

test('any bytes are keys without control characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (bytes) => {
      for (const key of parseKeys(bytes)) if ('character' in key) assert.ok(key.character >= ' ');
    }),
  );
});
