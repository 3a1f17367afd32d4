import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const root = new URL('..', import.meta.url).pathname;
const clone = mkdtempSync(join(tmpdir(), 'herakles-clone-'));
after(() => rmSync(clone, { recursive: true }));
mkdirSync(`${clone}/scripts`);
for (const name of ['test-servers.mjs', 'debian-packages.mjs', 'install.mjs'])
  cpSync(`${root}scripts/${name}`, `${clone}/scripts/${name}`);

const run = (script: string, ...args: string[]) =>
  spawnSync(process.execPath, [script, ...args], {
    cwd: clone,
    encoding: 'utf8',
    env: { ...process.env, TEST_INSTALL: 'no' },
  });

test('where installing is forbidden, what is missing is named and nothing is installed', () => {
  const { status, stderr } = run('scripts/test-servers.mjs', 'node22', 'pm2');
  assert.equal(status, 1);
  assert.match(stderr, /^missing for the tests: node22 \(npm package node-linux-\w+@22\), pm2 \(npm package pm2@7\)\n/);
  assert.match(stderr, /installing is forbidden here/);
  assert.deepEqual(readdirSync(clone), ['scripts']);
});

test('a server of another suite is left out, and a line says so', () => {
  const { status, stdout, stderr } = run('scripts/test-servers.mjs', 'kubectl');
  assert.deepEqual([status, stdout], [0, '']);
  assert.match(stderr, /^# NOT TESTED, out of reach: kubectl \(Debian trixie package kubectl\)/);
});

test('the tests say beforehand what they would install, or that it is forbidden', () => {
  const { stderr } = run('--input-type=module', '-e', "(await import('./scripts/test-servers.mjs')).announce();");
  assert.match(
    stderr,
    /^# not on this machine, and tests that need it are skipped: .*kubectl.* \(installing is forbidden/,
  );
});

test('an unknown server, option or test file is refused', () => {
  assert.match(
    run('scripts/test-servers.mjs', 'postgers').stderr,
    /^no such test server: postgers; there are prometheus,/,
  );
  for (const args of [['--unti'], ['--seconds', 'x', '--fuzz']]) {
    const { status, stderr } = run(`${root}scripts/test.mjs`, ...args);
    assert.equal(status, 2, stderr);
    assert.match(stderr, /Usage: npm test/);
  }
});
