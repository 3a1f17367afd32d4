// Names of groups in the settings, compared with the groups that there can be.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Config, defaults } from '../config/options.ts';
import { describeUnknownName, stillUnknown, unknownNames } from './unknown-names.ts';

const subgroups = [
  { group: 'db', subgroup: 'postgres' },
  { group: 'db', subgroup: 'mysql' },
  { group: 'web', subgroup: 'nginx' },
];
const said = (settings: Partial<Config>): string[] =>
  unknownNames({ ...defaults, ...settings }, subgroups).map(describeUnknownName);

const LIST = /; "herakles-node-exporter subgroups" prints every name$/;

// biome-ignore format: one line a case
const cases: [settings: Partial<Config>, says: readonly RegExp[]][] = [
  [{}, []],
  [{ declared_groups: ['db/postgres', 'web/nginx', 'other/other', 'system/kernel', 'service/shop'] }, []],
  [{ declared_groups: ['db/postgress'] }, [/^declared_groups names db\/postgress, which no rule has; did you mean db\/postgres\?$/]],
  [{ declared_groups: ['bd/postgres', 'db/mysql'] }, [/^declared_groups names bd\/postgres, .*did you mean db\/postgres\?$/]],
  [{ declared_groups: ['toString/valueOf', '__proto__/x'] }, [LIST, LIST]],
  [{ declared_groups: ['service/shop'], service_groups: false }, [/^declared_groups names service\/shop/]],
  [{ declared_groups: ['web/postgres'] }, [/^declared_groups names web\/postgres/]],
  [{ search_groups: ['dbb', 'db', 'other', 'system', 'service'] }, [/^search_groups names dbb, .*did you mean db\?$/]],
  [{ search_groups: ['nginx'] }, [/; it is a subgroup: write it into search_subgroups$/]],
  [{ search_groups: ['service'], service_groups: false }, [LIST]],
  [{ search_subgroups: ['web'] }, [/; it is a group: write it into search_groups$/]],
  [{ search_subgroups: ['postgers', 'kernel', 'other'] }, [/; did you mean postgres\?$/]],
  [{ search_subgroups: ['x', 'x', 'constructor'] }, [LIST, LIST]],
];

for (const [settings, says] of cases) {
  test(JSON.stringify(settings), () => {
    const lines = said(settings);
    assert.equal(lines.length, says.length, lines.join('\n'));
    for (const [i, expected] of says.entries()) assert.match(lines[i]!, expected);
  });
}

test('the name of a service is known once the service was seen', () => {
  const unknown = unknownNames(
    { ...defaults, search_subgroups: ['shop', 'shopp'], search_groups: ['shop'] },
    subgroups,
  );
  assert.equal(unknown.length, 3);
  const rest = stillUnknown(unknown, [{ group: 'service', subgroup: 'shop' }]);
  assert.deepEqual(
    rest.map(({ setting, name }) => `${setting} ${name}`),
    ['search_groups shop', 'search_subgroups shopp'],
  );
  assert.equal(stillUnknown(unknown, [{ group: 'test', subgroup: 'shop' }]).length, 3);
});

test('300,000 unknown names, as many as a file can hold, are all found', () => {
  const many = Array.from({ length: 300_000 }, (_, i) => `db/postgres-number-${i}`);
  const unknown = unknownNames({ ...defaults, declared_groups: many }, subgroups);
  assert.equal(unknown.length, many.length);
  assert.equal(unknown.filter(({ remedy }) => remedy.startsWith('did you')).length, 0);
  assert.ok(unknown.every(({ remedy }) => remedy !== ''));
});
