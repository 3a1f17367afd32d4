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

test('a long list of rules for command lines may grow after it was asked', () => {
  const table = new RuleTable();
  const enter = (argv: string[]) => {
    for (const expression of argv) {
      const [rule] = parseRules({ rule: [{ group: 'g', subgroup: 's', comm: 'x', argv: expression }] }, 'u');
      const conditions = rule!.keys.list.filter(([key]) => key === 'argv');
      table.add('x', [{ ...rankedRule(rule!, enter.rank++), keys: ALL_KEYS, conditions }]);
    }
  };
  enter.rank = 0;
  const find = (...argv: string[]) =>
    table.findWhole('x', ALL_KEYS, new MatchTarget({ ...UNKNOWN_IDENTITY, argv }), undefined)?.rank;
  enter(Array.from({ length: 20 }, (_, i) => `--role=word${i}x`));
  assert.deepEqual([find('x', '--role=word7x'), find('x', 'other')], [7, undefined]);
  enter(['--late=rule']);
  assert.deepEqual([find('x', '--late=rule'), find('x', '--role=word7x'), find('x', 'other')], [20, 7, undefined]);
  enter(['^x']);
  assert.equal(find('x', 'other'), 21);
});
