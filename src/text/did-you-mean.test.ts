import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keys } from '../config/options.ts';
import { nearestName } from './did-you-mean.ts';

const cases: [written: string, near: string | undefined][] = [
  ['', undefined],
  ['x', undefined],
  ['parallelism', undefined],
  ['a'.repeat(100_000), undefined],
  ['prot', 'port'],
  ['cache_tll', 'cache_ttl'],
  ['cachettl', 'cache_ttl'],
  ['cache-ttl', 'cache_ttl'],
  ['CACHE_TTL', 'cache_ttl'],
  ['top-n-other', 'top_n_others'],
  ['exclude_name', 'exclude_names'],
  ['loglevel', 'log_level'],
];
for (const [written, near] of cases) {
  test(`${written.slice(0, 20)} is near ${near}`, () => assert.equal(nearestName(written, keys), near));
}

test('a key is nearest to itself, and to itself with one letter left out', () => {
  const long = keys.filter((key) => key.length > 5);
  fc.assert(
    fc.property(fc.constantFrom(...long), fc.nat(), (key, n) => {
      assert.equal(nearestName(key, keys), key);
      const at = n % key.length;
      assert.equal(nearestName(key.slice(0, at) + key.slice(at + 1), [key]), key);
    }),
  );
});
