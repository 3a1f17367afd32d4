import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { escapedJson, escapeForTerminal, replaceHostile } from './hostile.ts';

// biome-ignore format: one line a case
const cases: [text: string, terminal: string, what: string][] = [
  ['a\u001b[2J', 'a\\x1b[2J', 'an escape sequence'],
  ['a\nb\tc\r', 'a\\nb\\x09c\\x0d', 'line feed, tab, carriage return'],
  ['\u0000\u007f', '\\x00\\x7f', 'null and delete'],
  ['\u009b31m', '\\x9b31m', 'a control character of the second set'],
  ['\u200bx\u200f', '\\u200bx\\u200f', 'no width, right-to-left mark'],
  ['\u2028\u2029', '\\u2028\\u2029', 'line and paragraph separators'],
  ['\u202ecod.exe', '\\u202ecod.exe', 'a direction override'],
  ['\u2066x\u2069', '\\u2066x\\u2069', 'direction isolates'],
  ['\ufeffx', '\\ufeffx', 'a byte order mark'],
  ['\u061c1.2', '\\u061c1.2', 'an Arabic letter mark'],
  ['ro\u00adot', 'ro\\xadot', 'a soft hyphen'],
  ['\u180e\u2060\u206a', '\\u180e\\u2060\\u206a', 'format characters without width'],
  ['ssh\u3164\uffa0', 'ssh\\u3164\\uffa0', 'letters that only fill space'],
  ['a\ufe0fb\u034f', 'a\\ufe0fb\\u034f', 'a variation selector, and a joiner of graphemes'],
  ['x\u{e0061}', 'x\\udb40\\udc61', 'a tag character'],
  ['Zoë 🦜 – "q" \\', 'Zoë 🦜 – "q" \\', 'what does no harm stays'],
];
for (const [text, terminal, what] of cases) {
  test(`hostile characters become visible: ${what}`, () => {
    assert.equal(escapeForTerminal(text), terminal);
    assert.equal(JSON.parse(escapedJson(text)), text, 'JSON means the same');
    assert.equal(escapeForTerminal(escapedJson(text)), escapedJson(text), 'JSON holds nothing hostile');
  });
}

test('of any text nothing hostile is left, and what is harmless is not changed', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const kept = replaceHostile(text, () => '');
      assert.doesNotMatch(kept, /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u);
      for (const kind of ['Cc', 'Cf', 'Zl', 'Zp', 'Bidi_Control', 'Default_Ignorable_Code_Point'])
        assert.doesNotMatch(kept, new RegExp(`\\p{${kind}}`, 'u'));
      assert.equal(escapeForTerminal(kept), kept);
      assert.equal(escapeForTerminal(escapeForTerminal(text)), escapeForTerminal(text));
      assert.equal(JSON.parse(escapedJson(text)), text);
    }),
  );
});

test('no letter, mark, digit, sign or usual space is hostile, but for those that are displayed as nothing', () => {
  for (let code = 0; code < 0x30000; code++) {
    const character = String.fromCodePoint(code);
    if (!/[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]/u.test(character)) continue;
    const seen = !/\p{Default_Ignorable_Code_Point}/u.test(character);
    assert.equal(replaceHostile(character, () => '') === character, seen, `U+${code.toString(16)}`);
  }
});

test('a lone surrogate is spelled out in JSON', () => assert.equal(escapedJson('\ud800'), '"\\ud800"'));

test('JSON with lines is laid out as usual, and holds nothing hostile but the line feeds of the layout', () => {
  const value = { name: 'a\u009b\u202e\nb', list: [1, '\u007f'] };
  const text = escapedJson(value, 2);
  assert.equal(text, '{\n  "name": "a\\u009b\\u202e\\nb",\n  "list": [\n    1,\n    "\\u007f"\n  ]\n}\n');
  assert.deepEqual(JSON.parse(text), value);
});
