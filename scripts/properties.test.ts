import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';

const root = new URL('..', import.meta.url).pathname;

/** Runs a property with these variables, and gives every number that was tried. */
function tried(env: Record<string, string>, kind: 'property' | 'asyncProperty' = 'property'): number[] {
  const script = `
    import fc from './scripts/properties.mjs';
    const tried = [];
    await fc.assert(fc.${kind}(fc.nat(), (n) => void tried.push(n)), { numRuns: 5 });
    console.log(JSON.stringify(tried));`;
  const { PROPERTY_SEED, PROPERTY_SECONDS, ...inherited } = process.env;
  const options = { cwd: root, env: { ...inherited, ...env }, encoding: 'utf8' } as const;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], options);
  assert.equal(stderr, '');
  return JSON.parse(stdout);
}

test('without a seed the same values are tried every time, as often as the property says', () => {
  const first = tried({});
  assert.equal(first.length, 5);
  assert.deepEqual(tried({}), first);
  assert.notDeepEqual(tried({ PROPERTY_SEED: '2' }), first);
});

test('with seconds each property is tried in whole rounds, each with the next seed', () => {
  for (const kind of ['property', 'asyncProperty'] as const) {
    const values = tried({ PROPERTY_SECONDS: '0.2', PROPERTY_SEED: '7' }, kind);
    assert.ok(values.length > 5 && values.length % 5 === 0, `${values.length} values`);
    assert.deepEqual(values.slice(0, 10), [...tried({ PROPERTY_SEED: '7' }), ...tried({ PROPERTY_SEED: '8' })]);
  }
});

test('a failure of a property is the failure of its test, and names the seed', async () => {
  const seed = Number(process.env.PROPERTY_SEED ?? 1);
  const fails = fc.property(fc.nat(), () => false);
  assert.throws(() => fc.assert(fails), new RegExp(`seed: ${seed}`));
  const failsLater = fc.asyncProperty(fc.nat(), async () => false);
  await assert.rejects(async () => fc.assert(failsLater), new RegExp(`seed: ${seed}`));
});

test("any text is any code points, no halves of pairs, and 'binary' finds what is rare", () => {
  const texts = fc.sample(fc.string({ unit: 'binary', maxLength: 300 }), { numRuns: 2000, seed: 5 });
  assert.ok(texts.every((text) => text.isWellFormed()));
  const codes = texts.flatMap((text) => [...text].map((character) => character.codePointAt(0)!));
  for (const [from, to] of [
    [0, 0],
    [0xe000, 0xffff],
    [0x10_0000, 0x10_ffff],
  ] as const)
    assert.ok(
      codes.some((code) => code >= from && code <= to),
      `${from} to ${to}`,
    );
});
