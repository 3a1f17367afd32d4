import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeNewFile } from './new-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'herakles-'));
const path = (name: string): string => join(folder, name);
const modeOf = (name: string): number => statSync(path(name)).mode & 0o777;

test('what stands at the path lends neither mode nor place to the new text', () => {
  writeFileSync(path('open'), 'old');
  chmodSync(path('open'), 0o666);
  linkSync(path('open'), path('second name'));
  writeNewFile(path('open'), 'new', 0o600);
  assert.deepEqual([readFileSync(path('open'), 'utf8'), modeOf('open')], ['new', 0o600]);
  assert.equal(readFileSync(path('second name'), 'utf8'), 'old');
});

test('the mode is as asked for, whatever the umask is', () => {
  const umask = process.umask(0o077);
  try {
    writeNewFile(path('program'), Buffer.from('x'), 0o755);
  } finally {
    process.umask(umask);
  }
  assert.equal(modeOf('program'), 0o755);
});

test('links, devices and folders are refused, and nothing is left behind', () => {
  writeFileSync(path('target'), 'mine');
  symlinkSync('target', path('link'));
  symlinkSync('nothing', path('dangling'));
  execFileSync('mkfifo', [path('fifo')]);
  const before = readdirSync(folder);
  assert.throws(() => writeNewFile(path('link'), 'x', 0o600), /link is a link$/);
  assert.throws(() => writeNewFile(path('dangling'), 'x', 0o600), /dangling is a link$/);
  assert.throws(() => writeNewFile(path('fifo'), 'x', 0o600), /fifo is no regular file$/);
  assert.throws(() => writeNewFile(folder, 'x', 0o600), /is no regular file$/);
  assert.throws(() => writeNewFile(path('none/x'), 'x', 0o600), /ENOENT/);
  assert.throws(() => writeNewFile('/proc/x', 'x', 0o600));
  assert.equal(readFileSync(path('target'), 'utf8'), 'mine');
  assert.deepEqual(readdirSync(folder), before);
});
