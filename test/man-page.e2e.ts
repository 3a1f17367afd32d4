// The manual page in the real man: it renders without a warning, and shows what is typed as it is typed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { need, root } from './harness.ts';

test('man renders the manual page without warnings', (t) => {
  const paths = need(t, 'man');
  if (!paths) return;
  const args = ['--warnings=w', '--encoding=UTF-8', '-l', `${root}deploy/man/herakles-node-exporter.1`];
  const env = { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', MANWIDTH: '100' };
  const { status, stdout, stderr } = spawnSync(paths.man, args, { encoding: 'utf8', env });
  assert.deepEqual([status, stderr], [0, '']);
  for (const line of [/^ +--smaps-budget SHARE$/m, /^ +explain \[PROCESS\]$/m, /^SEE ALSO$/m])
    assert.match(stdout, line);
});
