import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keys } from '../config/options.ts';
import { RULE_KEYS } from '../rules/rule.ts';
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

const others: [written: string, candidates: readonly string[], near: string | undefined][] = [
  ['--prot', ['--bind', '--port', '--web.listen-address'], '--port'],
  ['--cache-tll', ['--cache-ttl'], '--cache-ttl'],
  ['uint', RULE_KEYS, 'unit'],
  ['com', RULE_KEYS, 'comm'],
  ['agrv', RULE_KEYS, 'argv'],
  ['jvm-main', RULE_KEYS, 'jvm_main'],
  ['cmdline', RULE_KEYS, undefined],
  ['subgruops', ['scan', 'serve', 'subgroups'], 'subgroups'],
  ['x-frame-option', ['X-Frame-Options', 'X-XSS-Protection'], 'X-Frame-Options'],
  ['port', [], undefined],
];
for (const [written, candidates, near] of others) {
  test(`${written} is near ${near}`, () => assert.equal(nearestName(written, candidates), near));
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
