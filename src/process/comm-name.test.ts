import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { commName } from './comm-name.ts';

test('comm becomes a name', () => {
  // biome-ignore format: one line a case
  const cases: [comm: string, name: string][] = [
    ['', ''], ['bash', 'bash'], ['a b"c\\d', 'a b"c\\d'], ['a\nb', 'a\nb'], ['(sd-pam)', '(sd-pam)'],
    ['\xff', '\\xff'], ['a\xc3', 'a\\xc3'], ['\xc3\xa9', 'é'], ['\xf0\x9f\xa6\x9c', '🦜'], ['\xf0\x9f\xa6', '\\xf0\\x9f\\xa6'],
    ['\xed\xa0\x80', '\\xed\\xa0\\x80'], ['\xc0\x80', '\\xc0\\x80'], ['\xc3\xa9\xff', 'é\\xff'], ['\xef\xbb\xbfx', '\ufeffx'],
    ['\\xff', '\\x5cxff'], ['\\xff\xff', '\\x5cxff\\xff'], ['\\x', '\\x'], ['\\xZZ', '\\xZZ'], ['\\xFF', '\\xFF'], ['\\x5cxff', '\\x5cx5cxff'],
  ];
  for (const [comm, name] of cases) assert.equal(commName(Buffer.from(comm, 'latin1')), name, JSON.stringify(comm));
});

const hostile = fc.array(
  fc.constantFrom(...[...'\\x5cf0'].map((c) => c.charCodeAt(0)), 0xff, 0xc3, 0xa9, 0xef, 0xbb, 0xbf),
  { maxLength: 9 },
);
const comm = fc.oneof(
  fc.uint8Array({ min: 1, maxLength: 15 }),
  hostile.map((bytes) => Uint8Array.from(bytes)),
);

test('names are valid Unicode, and two different comms never get the same name', () => {
  fc.assert(
    fc.property(comm, comm, (a, b) => {
      assert.ok(commName(a).isWellFormed());
      assert.equal(commName(a) === commName(b), Buffer.compare(a, b) === 0);
    }),
    { numRuns: 2000 },
  );
  const all = new Map<string, string>();
  const letters = ['\\', 'x', '5', 'c', 'f', '\xff'];
  const grow = (prefix: string, left: number) => {
    const name = commName(Buffer.from(prefix, 'latin1'));
    assert.ok(!all.has(name), `${JSON.stringify(prefix)} and ${JSON.stringify(all.get(name))}`);
    all.set(name, prefix);
    if (left > 0) for (const letter of letters) grow(prefix + letter, left - 1);
  };
  grow('', 5);
});
