import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formats } from './formats.ts';
import { MalformedFileError } from './malformed-file.ts';

const parse = async (format: string, text: string) => formats.get(format)!(text);
/** The longest that is parsed on this thread; parser-thread.test.ts has longer ones. */
const long = 16 * 1024 - 16;
const deep = 'is nested too deep; write keys with plain values';
const yaml = (what: string) => `is not valid YAML (${what}); correct this line`;
const json = (what: string) => `is not valid JSON (${what}); correct this line`;
const yamlOnly = 'is valid YAML, but not valid JSON; correct this line, or name the file .yaml';
const toml = (what: string) => `is not valid TOML (${what}); correct this line`;

// biome-ignore format: one line a case
const refused: [format: string, text: string, line: number, message: string][] = [
  ['yaml', '[1, 2]', 1, 'is no mapping; write lines of the form key: value'],
  ['yaml', '# x\n- a\n', 2, 'is no mapping; write lines of the form key: value'],
  ['yaml', 'port', 1, 'is no mapping; write lines of the form key: value'],
  ['yaml', 'a: 1\n b: 2\n', 1, yaml('Nested mappings are not allowed in compact mappings')],
  ['yaml', 'a: 1\nb: [1\n', 3, yaml('Flow sequence in block collection must be sufficiently indented and end with a ]')],
  ['yaml', '\ta: 1', 1, yaml('Tabs are not allowed as indentation')],
  ['yaml', 'a: 1\nb: !run x', 2, yaml('Unresolved tag: !run')],
  ['yaml', 'a: 1\nb: *nobody', 2, 'uses a YAML alias; write the value out'],
  ['yaml', 'a: &x 1\nb: *x', 2, 'uses a YAML alias; write the value out'],
  ['yaml', 'a: &x [1]\nb: [*x, *x]', 2, 'uses a YAML alias; write the value out'],
  ['yaml', 'a: 1\n---\nb: 2\n', 2, 'starts a second YAML document; keep one'],
  ['yaml', '? [a]\n: b', 1, 'has a key that is no plain name; write key: value'],
  ['yaml', '['.repeat(2 * long), 1, deep],
  ['yaml', '{a: '.repeat(long / 4), 1, deep],
  ['yaml', 'a: '.repeat(long / 4), 1, deep],
  ['yaml', '- '.repeat(long / 2), 1, deep],
  ['yaml', '? '.repeat(long / 2), 1, deep],
  ['yaml', Array.from({ length: 400 }, (_, i) => `${' '.repeat(i)}a:\n`).join(''), 1, deep],
  ['json', '', 1, 'is no object; write {"key": value, …}'],
  ['json', 'null', 1, 'is no object; write {"key": value, …}'],
  ['json', '\n[1]', 2, 'is no object; write {"key": value, …}'],
  ['json', '{\n"a": 1\n"b": 2}', 2, json('a comma is missing')],
  ['json', '{"a" 1}', 1, json('Missing , or : between flow map items')],
  ['json', '{"a": }', 1, json('a value is missing, or text is not in double quotes')],
  ['json', '{"a": 1', 1, json('Flow map must end with a }')],
  ['json', '{"a": 1} {}', 1, json('a second object begins')],
  ['json', '// no\n{}', 1, json('a value is missing, or text is not in double quotes')],
  ['json', '{"a": 01}', 1, json('a value is missing, or text is not in double quotes')],
  ['json', '{"a": [1,,2]}', 1, json('Unexpected , in flow sequence')],
  ['json', `{"a": ${'x'.repeat(long)}}`, 1, json('a value is missing, or text is not in double quotes')],
  ['json', `{"a": ${'['.repeat(long)}`, 1, deep],
  ['json', '{"a": 1,}', 1, yamlOnly],
  ['json', '{\n"a": [1,\n]}', 3, yamlOnly],
  ['json', '{"x": 1,\n1: 2}', 2, yamlOnly],
  ['json', '{"a":\n"x\ny"}', 2, yamlOnly],
  ['json', '{"a": ", }",\n"b": \'1\'}', 2, yamlOnly],
  ['json', '{"a": "# &",\n"b": 1} # no', 2, yamlOnly],
  ['json', '{\n"a"}', 2, yamlOnly],
  ['json', '{"a": 1,\n"b": "\\x41"}', 2, yamlOnly],
  ['json', '{"a": 1,\n"b": &x 2}', 2, yamlOnly],
  ['json', '\n---\n{}', 2, yamlOnly],
  ['toml', 'a = 1\nb = ', 2, toml('invalid value')],
  ['toml', 'a = 1\na = 2', 2, toml('trying to redefine an already defined table or value')],
  ['toml', `a = ${'['.repeat(long)}`, 1, toml('document contains excessively nested structures. aborting.')],
  ['toml', 'a = 99999999999999999999', 1, toml('integer value cannot be represented losslessly')],
];
for (const [format, text, line, message] of refused) {
  test(`${format}: ${JSON.stringify(text.slice(0, 30))} ${message.slice(0, 60)}`, async () => {
    const error = await parse(format, text).then(
      () => assert.fail('was taken'),
      (error: unknown) => error,
    );
    assert.ok(error instanceof MalformedFileError, String(error));
    assert.deepEqual([error.line, error.message], [line, message]);
  });
}

// biome-ignore format: one line a case
const taken: [format: string, text: string, entries: [key: string, value: unknown, line: number][]][] = [
  ['yaml', '', []],
  ['yaml', '# nothing\n', []],
  ['yaml', 'null', []],
  ['yml', 'a: 1\n\nb: x # y\n', [['a', 1, 1], ['b', 'x', 3]]],
  ['yaml', 'a:\nb: []\n', [['a', null, 1], ['b', [], 2]]],
  ['yaml', 'a:\n  - x\n  - 2\n', [['a', ['x', 2], 1]]],
  ['yaml', 'a: {b: c}\nd: [{e: f}]\n', [['a', {}, 1], ['d', [{}], 2]]],
  ['yaml', 'a: 1\na: 2\n', [['a', 1, 1], ['a', 2, 2]]],
  ['yaml', '__proto__: 1\nconstructor: 2\n', [['__proto__', 1, 1], ['constructor', 2, 2]]],
  ['yaml', '<<: {a: 1}\n', [['<<', {}, 1]]],
  ['yaml', 'a: yes\nb: off\nc: 0o17\n', [['a', 'yes', 1], ['b', 'off', 2], ['c', 15, 3]]],
  ['yaml', '{"a": 1, "b": ["x"]}', [['a', 1, 1], ['b', ['x'], 1]]],
  ['json', '{}', []],
  ['json', '{"a": {"b": 1}, "c": [[1]]}', [['a', {}, 1], ['c', [{}], 1]]],
  ['json', '{"a": 1,\n "b": ["x", null, true]}', [['a', 1, 1], ['b', ['x', null, true], 2]]],
  ['json', '{"a": 1,\n\n "a": 2}', [['a', 1, 1], ['a', 2, 3]]],
  ['json', '{"__proto__": 1, "\\u0061": "\\ud83d\\ude00"}', [['__proto__', 1, 1], ['a', '😀', 1]]],
  ['json', '{"a": 1,\r\n\r"b": 2,\n"c": "\ud800", "\u2028": "\ufeff"}', [['a', 1, 1], ['b', 2, 2], ['c', '\ud800', 3], ['\u2028', '\ufeff', 3]]],
  ['json', '{"a": -0, "b": 1E5, "c": 1e400, "d": "\\/"}', [['a', -0, 1], ['b', 1e5, 1], ['c', Infinity, 1], ['d', '/', 1]]],
  ['toml', '', []],
  ['toml', '# x\na = 1\nb = ["x"]\n', [['a', 1, 2], ['b', ['x'], 3]]],
  ['toml', '__proto__ = 1', [['__proto__', 1, 1]]],
  ['toml', 'x = 1\n[a.b]\nc = 1', [['x', 1, 1], ['a', {}, 2]]],
  ['toml', 'a = 2024-01-01\n"b c" = [[1]]', [['a', {}, 1], ['b c', [{}], 2]]],
  ['toml', `${'a.'.repeat(long / 8)}b = 1`, [['a', {}, 1]]],
];
for (const [format, text, entries] of taken) {
  test(`${format}: ${JSON.stringify(text.slice(0, 40))} is read`, async () => {
    const found = (await parse(format, text)).map(({ key, value, line }) => [key, value, line]);
    assert.deepEqual(found, entries);
  });
}

test('any text gives entries or Malformed with a line in it', async () => {
  const pieces = fc.constantFrom(
    ...'{}[]:,-?&*!|>#%@`"\'\\ \n\t=',
    '---',
    '...',
    '<<',
    'a',
    '1',
    'null',
    '"a":',
    'a = ',
    '\ud800',
  );
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(pieces, { maxLength: 40 }).map((list) => list.join('')),
  );
  const property = fc.asyncProperty(fc.constantFrom('yaml', 'json', 'toml'), texts, async (format, text) => {
    const lines = text.split('\n').length;
    try {
      for (const { key, line } of await parse(format, text)) {
        assert.equal(typeof key, 'string');
        assert.ok(line >= 1 && line <= lines);
      }
    } catch (error) {
      assert.ok(error instanceof MalformedFileError, String(error));
      assert.ok(error.line >= 1 && error.line <= lines + 1, `line ${error.line} of ${lines}`);
    }
  });
  await fc.assert(property, { numRuns: 600 });
});

test('what JSON.parse takes as flat is read alike, and nothing else is', async () => {
  const scalar = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
  );
  const document = fc.dictionary(fc.string(), fc.oneof(scalar, fc.array(scalar)));
  const cut = fc.option(fc.nat(), { nil: undefined });
  const property = fc.asyncProperty(document, fc.constantFrom(0, 1, '\t'), cut, async (value, space, at) => {
    const whole = JSON.stringify(value, null, space);
    const text = at === undefined ? whole : whole.slice(0, at % whole.length) + whole.slice((at % whole.length) + 1);
    let wanted: unknown;
    try {
      wanted = JSON.parse(text);
    } catch {
      await assert.rejects(parse('json', text), MalformedFileError);
      return;
    }
    const entries = await parse('json', text).catch((error) => {
      if (error.message === deep || typeof wanted !== 'object') return undefined;
      throw error;
    });
    if (entries)
      assert.deepEqual(Object.fromEntries(entries.map((entry) => [entry.key, entry.value])), { ...(wanted as object) });
  });
  await fc.assert(property, { numRuns: 200 });
});
