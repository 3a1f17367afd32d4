// What docs/coverage.md promises of programs and of the services of Debian 12; test/documents.test.ts compares its text with
// the rules.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coverageOf, coveredUnits } from '../scripts/debian-coverage.ts';
import { coveredPrograms, PROGRAM_LISTS, sharesOf } from '../scripts/program-coverage.ts';

const units = coveredUnits();
const groupOf = (unit: string): string | undefined => units.find((each) => each.unit === `${unit}.service`)?.group;

test('at least 95 % of the daemons of Debian are named by a rule, and their units name the rest', () => {
  const { daemons, named, byService } = coverageOf(units);
  assert.ok(units.length > 1700 && daemons > 1200, `${units.length} services, ${daemons} daemons`);
  assert.ok(named / daemons >= 0.95, `${named} of ${daemons}: ${left().join(' ')}`);
  assert.equal(named + byService, daemons);
});

const left = (): string[] => units.filter(({ group, reason }) => group === '' && reason === '').map(({ unit }) => unit);

test('services of which Debian says no program are found by their unit', () => {
  assert.equal(groupOf('swift-proxy'), 'cicd/openstack');
  assert.equal(groupOf('nginx'), 'web/nginx');
  assert.equal(groupOf('courier-authdaemon'), 'mail/courier');
  assert.equal(groupOf('mariadb'), 'db/mysql');
  assert.equal(groupOf('console-setup'), '', 'sets up the machine, and ends');
});

const programs = coveredPrograms();

test('every program lands where an operator looks for it', () => {
  assert.deepEqual(
    programs.filter(({ group, expected }) => group !== expected),
    [],
  );
});

test('rules name at least 95 % of the processes of each list', () => {
  for (const list of Object.keys(PROGRAM_LISTS) as (keyof typeof PROGRAM_LISTS)[]) {
    const { processes, named } = sharesOf(list, programs);
    assert.ok(processes >= 140, `${list}: ${processes} processes`);
    assert.ok(named / processes >= 0.95, `${list}: ${named} of ${processes}`);
  }
});

test('the lists have each name of the registries and of the CNCF', () => {
  const names = (list: string) => new Set(programs.filter((each) => each.list === list).map(({ name }) => name));
  assert.ok(names('docker').size >= 145, `${names('docker').size} official images`);
  assert.equal(names('cncf').size, 76, 'graduated and incubating projects in August 2026');
});
