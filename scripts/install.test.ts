import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type TestContext, test } from 'node:test';

const root = new URL('..', import.meta.url).pathname;

/** A checkout whose npm only notes that it ran; `install` gives status and messages of install(). */
function checkout(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'herakles-install-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const name of ['scripts', 'bin', 'libraries']) mkdirSync(join(folder, name));
  cpSync(`${root}scripts/install.mjs`, join(folder, 'scripts/install.mjs'));
  writeFileSync(join(folder, 'package-lock.json'), '{}');
  writeFileSync(join(folder, 'bin/npm'), '#!/bin/sh\necho "$@" > npm-ran\n', { mode: 0o755 });
  const install = () => {
    const env = { ...process.env, PATH: `${join(folder, 'bin')}${delimiter}${process.env.PATH}` };
    const script = "(await import('./scripts/install.mjs')).install()";
    const args = ['--input-type=module', '-e', script];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder, env, encoding: 'utf8' });
    return { status, stderr, npmRan: existsSync(join(folder, 'npm-ran')) };
  };
  return { folder, install };
}

test('libraries are installed where there are none, or older ones than the lock file names', (t) => {
  const { folder, install } = checkout(t);
  assert.deepEqual(install(), { status: 0, stderr: '# installing libraries\n', npmRan: true });
  rmSync(join(folder, 'npm-ran'));
  mkdirSync(join(folder, 'node_modules'));
  writeFileSync(join(folder, 'node_modules/.package-lock.json'), '{}');
  assert.deepEqual(install(), { status: 0, stderr: '', npmRan: false });
  utimesSync(join(folder, 'node_modules/.package-lock.json'), 1, 1);
  assert.equal(install().npmRan, true);
});

test('libraries of another checkout, behind a link, are never replaced', (t) => {
  const { folder, install } = checkout(t);
  symlinkSync('libraries', join(folder, 'node_modules'));
  const { status, stderr, npmRan } = install();
  assert.deepEqual([status, npmRan], [2, false]);
  assert.match(stderr, /^node_modules is a link to a folder without libraries; run npm ci there, or remove the link$/m);
  writeFileSync(join(folder, 'libraries/.package-lock.json'), '{}');
  utimesSync(join(folder, 'libraries/.package-lock.json'), 1, 1);
  assert.deepEqual(install(), {
    ...{ status: 0, npmRan: false },
    stderr: '# node_modules is a link: its libraries are used as they are\n',
  });
});
