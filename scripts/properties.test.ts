import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

let loaded = 0;

/** Tries a property of this many runs under these variables, by a clock that stands still but for each look at it. */
async function tried(
  env: Record<string, string>,
  kind: 'property' | 'asyncProperty' = 'property',
  numRuns?: number,
): Promise<number[]> {
  const { PROPERTY_SEED, PROPERTY_SECONDS, ...inherited } = process.env;
  const [variables, now, parameters] = [process.env, performance.now, fc.readConfigureGlobal()];
  const values: number[] = [];
  let clockMs = 0;
  process.env = { ...inherited, ...env };
  performance.now = () => clockMs++;
  try {
    const url = new URL(`properties.mjs?${loaded++}`, import.meta.url).href; // it reads its variables when it is loaded
    const properties: { default: typeof fc } = await import(url);
    const { property, asyncProperty, nat } = fc;
    const note = (n: number) => void values.push(n);
    const async = async (n: number) => note(n);
    const runs = numRuns === undefined ? {} : { numRuns };
    if (kind === 'property') properties.default.assert(property(nat(), note), runs);
    else await properties.default.assert(asyncProperty(nat(), async), runs);
  } finally {
    process.env = variables;
    performance.now = now;
    fc.configureGlobal(parameters);
  }
  return values;
}

test('without a seed the same values are tried every time, a quarter as often as the property says', async () => {
  const first = await tried({});
  assert.equal(first.length, 25);
  for (const [numRuns, tries] of [
    [5, 5],
    [40, 20],
    [81, 21],
    [1000, 250],
  ] as const)
    assert.equal((await tried({}, 'property', numRuns)).length, tries, `${numRuns}`);
  assert.deepEqual(await tried({}), first);
  assert.notDeepEqual(await tried({ PROPERTY_SEED: '2' }), first);
});

test('with seconds a property is tried in whole rounds until they are over, each with the next seed', async () => {
  const rounds = [
    ...(await tried({ PROPERTY_SEED: '7' }, 'property', 5)),
    ...(await tried({ PROPERTY_SEED: '8' }, 'property', 5)),
  ];
  for (const kind of ['property', 'asyncProperty'] as const) {
    assert.deepEqual(await tried({ PROPERTY_SECONDS: '0.002', PROPERTY_SEED: '7' }, kind, 5), rounds);
    assert.equal((await tried({ PROPERTY_SECONDS: '0.002' }, kind)).length, 200, 'as often as the property says');
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
