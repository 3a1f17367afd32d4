import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameOfProgram } from './program-name.ts';

// biome-ignore format: one line a case
const cases: [name: string, exe: string, argv: string[], expected: string][] = [
  ['MainThread', '/usr/bin/node', ['node', 'app.js'], 'node'],
  ['MainThread', '', ['/usr/bin/node', 'app.js'], 'node'],
  ['MainThread', '', [], 'MainThread'],
  ['.postgres-wrapp', '/nix/store/x-postgresql-15/bin/.postgres-wrapped', ['postgres'], 'postgres'],
  ['.postgres-wrapp', '', ['/nix/store/x-postgresql-15/bin/postgres'], 'postgres'],
  ['.vi-wrapped', '/nix/store/x/bin/.vi-wrapped', ['vi'], 'vi'],
  ['.postgres-wrapp', '/tmp/evil', ['sshd'], '.postgres-wrapp'],
  ['.hidden', '/tmp/.hidden', ['hidden'], '.hidden'],
  ['bash', '/bin/bash', ['-bash'], 'bash'],
];
for (const [name, exe, argv, expected] of cases)
  test(`${name} of ${exe} ${argv.join(' ')}`, () => assert.equal(nameOfProgram(name, exe, argv), expected));
