import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { boolean, choice, duration, integer, list, path, share, text, type ValueType, wordOr } from './value-types.ts';

const pair = text('a pair', 'A/B', /^[^/\s]+\/[^/\s]+$/);
const kinds = {
  boolean,
  integer: integer(0, 65535),
  duration: duration('100ms', '1h'),
  'duration from 0': duration('0s', '1h'),
  'duration or auto': wordOr('auto', duration('100ms', '1h')),
  'share from 0': share(0, 1),
  share: share(0.001, 1),
  choice: choice('all', 'top', 'none'),
  text: text('a word', 'WORD', /^\w+$/),
  path: path('a file'),
  optional: path('a file', { optional: true }),
  list: list('pairs', pair),
};

const refused: [keyof typeof kinds, unknown][] = [
  ...Object.keys(kinds).flatMap((kind) =>
    [null, undefined, {}, Number.NaN, Symbol('x'), 10n, [[]], [{}], new Date(0)].map(
      (value) => [kind as keyof typeof kinds, value] as [keyof typeof kinds, unknown],
    ),
  ),
  ['boolean', 'true'],
  ['boolean', 1],
  ['integer', -1],
  ['integer', -0],
  ['integer', 65536],
  ['integer', 1.5],
  ['integer', '9215'],
  ['integer', Number.POSITIVE_INFINITY],
  ['duration', ''],
  ['duration', '15'],
  ['duration', '15 s'],
  ['duration', '1.5s'],
  ['duration', '-1s'],
  ['duration', '1s1m'],
  ['duration', '5s5s'],
  ['duration', '99ms'],
  ['duration', '61m'],
  ['duration', 0.0994],
  ['duration', '9'.repeat(400)],
  ['duration', `${'9'.repeat(400)}d`],
  ...['-0', '-0.0004', '-5e-324', '-1s'].flatMap((text): [keyof typeof kinds, unknown][] => [
    ['integer', kinds.integer.decode(text)],
    ['duration from 0', kinds.duration.decode(text)],
    ['share from 0', kinds.share.decode(text)],
  ]),
  ...[-0, -0.0004, -4e-7, -5e-324, -1].flatMap((value): [keyof typeof kinds, unknown][] => [
    ['duration from 0', value],
    ['share from 0', value],
  ]),
  ['share', 2],
  ['share', '2'],
  ['share', '0%'],
  ['share', '101%'],
  ['share', '-2%'],
  ['share', '2 %'],
  ['duration or auto', 'AUTO'],
  ['duration or auto', 'automatic'],
  ['duration or auto', '99ms'],
  ['choice', 'ALL'],
  ['choice', 'constructor'],
  ['choice', true],
  ['text', ''],
  ['text', 'two words'],
  ['text', 'line\n'],
  ['path', ''],
  ['path', '/a\0b'],
  ['path', '/a\u001b[2J'],
  ['list', 'a/b'],
  ['list', ['a/b', 'c']],
  ['list', ['a/b', 1]],
  ['list', { 0: 'a/b', length: 1 }],
];
for (const [kind, written] of refused) {
  test(`${kind} is not ${typeof written} ${typeof written === 'object' ? JSON.stringify(written) : String(written).slice(0, 20)}`, () => {
    assert.equal(kinds[kind].read(written), undefined);
  });
}

const taken: [keyof typeof kinds, unknown, unknown][] = [
  ['boolean', false, false],
  ['integer', 0, 0],
  ['integer', 65535, 65535],
  ['duration', '250ms', 0.25],
  ['duration', '15s', 15],
  ['duration', '1m30s', 90],
  ['duration', '1h', 3600],
  ['duration', '60m', 3600],
  ['duration', 30, 30],
  ['duration from 0', 0, 0],
  ['duration from 0', 0.0004, 0],
  ['share from 0', 0, 0],
  ['duration', 0.1, 0.1],
  ['duration or auto', 'auto', 'auto'],
  ['duration or auto', '1m30s', 90],
  ['share', '2%', 0.02],
  ['share', '0.1%', 0.001],
  ['share', '7%', 0.07],
  ['share', 0.02, 0.02],
  ['share', 1, 1],
  ['choice', 'top', 'top'],
  ['text', 'word', 'word'],
  ['path', 'a b', 'a b'],
  ['optional', '', ''],
  ['list', [], []],
  ['list', ['a/b', 'ü/*'], ['a/b', 'ü/*']],
];
for (const [kind, written, value] of taken) {
  test(`${kind} reads ${JSON.stringify(written)} as ${JSON.stringify(value)}`, () => {
    assert.deepEqual(kinds[kind].read(written), value);
  });
}

const decoded: [keyof typeof kinds, string, unknown][] = [
  ['boolean', 'yes', 'yes'],
  ['boolean', 'true', true],
  ['boolean', 'false', false],
  ['integer', '0x10', '0x10'],
  ['integer', '1e3', '1e3'],
  ['integer', '', ''],
  ['integer', '-5', -5],
  ['duration', '2.5', 2.5],
  ['duration', '5s', '5s'],
  ['duration or auto', 'auto', 'auto'],
  ['duration or auto', '2.5', 2.5],
  ['share', '0.5', 0.5],
  ['path', '', ''],
  ['list', '', []],
  ['list', 'a/b, c/d', ['a/b', 'c/d']],
  ['list', ',', ['', '']],
];
for (const [kind, written, value] of decoded) {
  test(`text ${JSON.stringify(written)} states the ${kind} ${JSON.stringify(value)}`, () => {
    assert.deepEqual(kinds[kind].decode(written), value);
  });
}

test('relative paths become absolute, empty ones stay empty', () => {
  assert.equal(kinds.path.resolve('a/../b', '/etc/herakles'), '/etc/herakles/b');
  assert.equal(kinds.path.resolve('/b', '/etc/herakles'), '/b');
  assert.equal(kinds.optional.resolve('', '/etc/herakles'), '');
  assert.deepEqual(list('files', kinds.path).resolve(['a', '/b'], '/etc'), ['/etc/a', '/b']);
});

/** Reading what was written gives the value back, typed and as text. */
function roundTrips<T>(kind: ValueType<T>, values: fc.Arbitrary<T>) {
  fc.assert(
    fc.property(values, (value) => {
      const written = kind.write(value);
      assert.deepEqual(kind.read(written), value);
      assert.deepEqual(kind.read(kind.decode(String(written))), value);
    }),
  );
}

test('every duration to the millisecond is read back as written', () => {
  roundTrips(
    duration('0s', '30d'),
    fc.integer({ min: 0, max: 30 * 86_400_000 }).map((ms) => ms / 1000),
  );
});

test('every share to a millionth is read back as written', () => {
  roundTrips(
    share(0, 1),
    fc.integer({ min: 0, max: 1_000_000 }).map((n) => n / 1e6),
  );
});

test('every other kind reads back what it wrote', () => {
  roundTrips(boolean, fc.boolean());
  roundTrips(integer(-100, 100), fc.integer({ min: -100, max: 100 }));
  roundTrips(kinds['duration or auto'], fc.constantFrom('auto', 0.1, 15));
  roundTrips(kinds.choice, fc.constantFrom('all', 'top', 'none'));
  roundTrips(kinds.list, fc.array(fc.constantFrom('a/b', 'c/d', 'é/ü')));
});

test('no input makes a kind throw, and whatever it takes it takes again', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.values(kinds)),
      fc.anything({ withBigInt: true, withDate: true }),
      (kind, any) => {
        const one = kind as ValueType<unknown>;
        const value = one.read(any);
        if (value !== undefined) assert.deepEqual(one.read(one.write(value)), value);
      },
    ),
  );
});
