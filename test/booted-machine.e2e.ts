// A machine that is really booted, as one of the end-to-end tests: `npm run vm` boots all of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { need, needRoot, root, Started } from './harness.ts';

/** Where the processor is emulated, others use it and the disk has to be made first. */
const LONG_MS = 3_600_000;

test('the Debian package lives its whole life on a booted Debian 12', { timeout: LONG_MS }, async (t) => {
  if (process.arch !== 'x64') return t.skip('only a machine of x86-64 boots another');
  if (!needRoot(t) || !need(t, 'qemu', 'mmdebstrap', 'mke2fs', 'ssh', 'unshare', 'setpriv')) return;
  const command = [process.execPath, `${root}scripts/vm.mjs`, '--suite', 'bookworm', 'debian-package'];
  const scenario = new Started(t, command, { cwd: root });
  const { code } = await scenario.ended;
  const said = `${scenario.stdout}${scenario.stderr}`;
  assert.equal(code, 0, said);
  const parts = said.match(/^ {2}✔ .*/gm) ?? [];
  assert.ok(parts.length > 5, said); // a pattern that names no machine would run none
  for (const part of parts) t.diagnostic(part.trim());
});
