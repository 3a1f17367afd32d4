import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ConfigError, load, type Sources } from './load.ts';
import { OperatorFileError } from './operator-files.ts';
import { flagOf, flagsOf, isKey, keys, noFlagsOf, optionOf, variableOf } from './options.ts';

/** Sources with one file on disk and no other. */
const fileOf = (path: string, content: string): Sources => ({
  cwd: '/cwd',
  readFile: (asked) => {
    if (asked === path) return new TextEncoder().encode(content);
    throw new OperatorFileError('missing', `${asked}: no such file`);
  },
});
const none = fileOf('', '');

test('no two options share a flag, and every default is one its own kind takes', () => {
  const spellings = keys.flatMap((key) => [...flagsOf(key), ...noFlagsOf(key)]);
  assert.equal(new Set(spellings).size, spellings.length);
  for (const key of keys) {
    const { type: kind, default: initial, help, section } = optionOf(key);
    assert.deepEqual(kind.read(kind.write(initial)), initial, key);
    assert.match(key, /^[a-z][a-z\d]*(_[a-z\d]+)*$/);
    assert.match(help, /^[A-Z].*\.$/, key);
    assert.ok(section);
  }
});

/** Values as a file states them. Every key takes at least one of them that is not its default. */
const values = [
  true,
  false,
  101,
  2,
  5000,
  '/x',
  '3s',
  '4%',
  'exact',
  'top',
  'include',
  'debug',
  'json',
  'bpf',
  ['/x'],
  ['x'],
  ['a/b'],
  [':1'],
];
const file = '/etc/herakles/config.yaml';

for (const key of keys) {
  const { type: kind, default: initial } = optionOf(key);
  const right = values.find((one) => kind.read(one) !== undefined && kind.read(one) !== initial);
  const flag = flagOf(key);

  test(`${key} means the same from every source`, async () => {
    assert.notEqual(right, undefined, 'no value fits: add one above');
    const json = JSON.stringify(right);
    const sources: Sources[] = [
      fileOf(file, `${key}: ${json}`),
      fileOf('/cwd/herakles.json', `{"${key}": ${json}}`),
      fileOf('/cwd/herakles.toml', `${key} = ${json}`),
      { ...none, env: { [variableOf(key)]: String(right) } },
      { ...none, flags: [{ key, flag, value: typeof right === 'boolean' ? right : String(right) }] },
    ];
    for (const source of sources) {
      // search_mode is refused unless there is something to search for.
      const search = key === 'search_mode' ? [{ key: 'search_groups', flag: '', value: 'db' } as const] : [];
      const { config } = await load({ ...source, flags: [...(source.flags ?? []), ...search] });
      assert.deepEqual(config[key], kind.read(right));
    }
  });

  test(`${key} with a wrong value is named, with its place and what is expected`, async () => {
    const places: [Sources, string][] = [
      [fileOf(file, `${key}: [{}]`), `${file}:1: ${key} is [{}]`],
      [{ ...none, env: { [variableOf(key)]: '\u0001' } }, `${variableOf(key)}: ${key} is `],
      [{ ...none, flags: [{ key, flag, value: '\u0001' }] }, `${flag}: ${key} is `],
    ];
    for (const [source, start] of places) {
      const { message } = await load(source).then(
        () => assert.fail('was taken'),
        (error: ConfigError) => error,
      );
      assert.ok(message.startsWith(start) && message.endsWith(`; give ${kind.expects}`), message);
    }
  });
}

test('what every object has is no key', () => {
  for (const name of ['__proto__', 'constructor', 'toString', '']) assert.equal(isKey(name), false);
});
