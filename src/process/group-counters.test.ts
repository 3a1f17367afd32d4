import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GroupCountersTable } from './group-counters.ts';

test('a group is declared as long as it is named, and stays known afterwards', () => {
  const ledgers = new GroupCountersTable();
  const declared = () =>
    [...ledgers].filter((one) => one.declared).map(({ group, subgroup }) => `${group}/${subgroup}`);
  ledgers.of('other', 'other');
  ledgers.declare([
    ['db', 'postgres'],
    ['web', 'nginx'],
  ]);
  assert.deepEqual(declared(), ['db/postgres', 'web/nginx']);
  ledgers.declare([['web', 'nginx']]);
  assert.deepEqual(declared(), ['web/nginx']);
  assert.equal(ledgers.of('db', 'postgres').copy().declared, false);
  assert.equal(ledgers.of('web', 'nginx').copy().declared, true);
  assert.equal([...ledgers].length, 3);
});
