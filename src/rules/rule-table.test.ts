import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UNKNOWN_IDENTITY } from './identity.ts';
import { MatchTarget } from './match-target.ts';
import { parseRules } from './rule-parser.ts';
import { ALL_KEYS, RuleTable, rankedRule } from './rule-table.ts';

test('ten thousand names that differ in a few digits are told apart by their hashes', (t) => {
  const [rule] = parseRules({ rule: [{ group: 'g', subgroup: 's', comm: 'x' }] }, 'u');
  const table = new RuleTable();
  const nameOf = (rank: number) => `svc-${String(rank).padStart(6, '0')}`;
  for (let rank = 0; rank < 10_000; rank++) {
    table.add(nameOf(rank), [{ ...rankedRule(rule!, rank), keys: ALL_KEYS, conditions: [] }]);
  }
  const target = new MatchTarget(UNKNOWN_IDENTITY);
  const compared = t.mock.method(String.prototype, 'startsWith');
  for (let rank = 0; rank < 10_000; rank += 100) {
    const name = nameOf(rank);
    assert.equal(table.findWhole(name, ALL_KEYS, target, undefined)?.rank, rank);
  }
  assert.ok(compared.mock.callCount() < 110, `${compared.mock.callCount()} names compared in 100 look-ups`);
});
