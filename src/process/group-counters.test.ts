import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GroupCountersTable } from './group-counters.ts';

test('a group is declared while the configuration names it, and its counters stay afterwards', () => {
  const table = new GroupCountersTable();
  const declared = () => [...table].filter((one) => one.declared).map(({ group, subgroup }) => `${group}/${subgroup}`);
  table.of('other', 'other');
  table.declare([
    ['db', 'postgres'],
    ['web', 'nginx'],
  ]);
  assert.deepEqual(declared(), ['db/postgres', 'web/nginx']);
  table.declare([['web', 'nginx']]);
  assert.deepEqual(declared(), ['web/nginx']);
  assert.equal(table.of('db', 'postgres').copy().declared, false);
  assert.equal(table.of('web', 'nginx').copy().declared, true);
  assert.equal([...table].length, 3);
});
