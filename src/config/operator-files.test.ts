import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { OperatorFileError, type OperatorFileUse, readOperatorFile, readOperatorText } from './operator-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'herakles-operator-'));
after(() => rmSync(folder, { recursive: true }));
const path = (name: string) => join(folder, name);
const KIB = 1024;

/** The reason and the message, without the folder. */
function faultOf(file: string, use: OperatorFileUse = 'rules'): [string, string] {
  try {
    readOperatorText(file, use);
  } catch (error) {
    assert.ok(error instanceof OperatorFileError, String(error));
    return [error.reason, error.message.replaceAll(`${folder}/`, '').replaceAll(folder, '.')];
  }
  return assert.fail(`${file} was read`);
}

test('a regular file is read whole, through links, without its byte order mark', () => {
  writeFileSync(path('target'), `\ufeff${'é'.repeat(100_000)}`);
  symlinkSync('target', path('link'));
  symlinkSync('link', path('link-to-link'));
  assert.equal(readOperatorText(path('link-to-link'), 'rules'), 'é'.repeat(100_000));
  writeFileSync(path('empty'), '');
  assert.equal(readOperatorText(path('empty'), 'rules'), '');
});

test('a file of the largest size is read, one byte more is refused', () => {
  for (const [use, kib, limit, what] of [
    ['configuration', 128, '128 KiB', 'a configuration file'],
    ['rules', KIB, '1 MiB', 'a rule file'],
    ['web', 128, '128 KiB', 'a web configuration file'],
    ['pem', KIB, '1 MiB', 'a PEM file'],
  ] as const) {
    writeFileSync(path('large'), '');
    truncateSync(path('large'), kib * KIB);
    assert.equal(readOperatorFile(path('large'), use).length, kib * KIB);
    truncateSync(path('large'), kib * KIB + 1);
    assert.deepEqual(faultOf(path('large'), use), [
      'unusable',
      `large: is larger than ${limit}; put ${what} in its place`,
    ]);
  }
  truncateSync(path('large'), 1024 ** 4);
  assert.match(faultOf(path('large'), 'capture')[1], /is larger than 256 MiB; put a capture file in its place/);
});

test('a file that states a smaller size than it has is refused while it is read', () => {
  const status = readOperatorText('/proc/self/status', 'configuration'); // states 0 bytes, as all files of /proc
  assert.match(status, /^Name:/);
  const symbols = readOperatorFile('/proc/kallsyms', 'capture').length;
  assert.ok(symbols > 128 * KIB, `${symbols} bytes are larger than a configuration may be`);
  assert.match(faultOf('/proc/kallsyms', 'configuration')[1], /^\/proc\/kallsyms: is larger than 128 KiB;/);
});

test('what is no regular file is refused by name, and never opened to wait', async (t) => {
  mkdirSync(path('directory'));
  execFileSync('mkfifo', [path('fifo')]);
  symlinkSync('fifo', path('link-to-fifo'));
  const server = createServer().listen(path('socket'));
  t.after(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  for (const [name, kind] of [
    ['directory', 'a directory'],
    ['fifo', 'a FIFO'],
    ['link-to-fifo', 'a FIFO'],
    ['socket', 'a socket'],
  ] as const)
    assert.deepEqual(faultOf(path(name)), ['unusable', `${name}: is ${kind}; put a rule file in its place`]);
  for (const device of ['/dev/zero', '/dev/null', '/dev/tty'])
    assert.deepEqual(faultOf(device), ['unusable', `${device}: is a device; put a rule file in its place`]);
});

test('a file that is missing, or cannot be opened', () => {
  const missing = (name: string) => ['missing', `${name}: no such file; correct the path, or create it`];
  assert.deepEqual(faultOf(path('nowhere')), missing('nowhere'));
  symlinkSync('nowhere', path('dangling'));
  assert.deepEqual(faultOf(path('dangling')), missing('dangling'));
  writeFileSync(path('file'), '');
  assert.deepEqual(faultOf(path('file/below')), missing('file/below'));
  symlinkSync('loop', path('loop'));
  const reason = 'ELOOP: too many symbolic links encountered';
  assert.deepEqual(faultOf(path('loop')), [
    'unusable',
    `loop: cannot be read (${reason}); put a rule file in its place`,
  ]);
  assert.match(faultOf(path('x'.repeat(300)))[1], /cannot be read \(ENAMETOOLONG: name too long\); put/);
  assert.match(faultOf('a\0b')[1], /cannot be read/);
});

test('a file or folder that this user may not read', () => {
  mkdirSync(path('hidden'));
  writeFileSync(path('hidden/file'), '');
  writeFileSync(path('secret'), '');
  chmodSync(folder, 0o755);
  chmodSync(path('hidden'), 0);
  chmodSync(path('secret'), 0);
  const superuser = process.geteuid?.() === 0;
  if (superuser) process.seteuid?.(65534);
  try {
    const remedy = 'by this user; change its mode or owner';
    assert.deepEqual(faultOf(path('secret')), ['unusable', `secret: may not be read ${remedy}`]);
    assert.deepEqual(faultOf(path('hidden/file')), ['unreachable', `hidden: may not be entered ${remedy}`]);
  } finally {
    if (superuser) process.seteuid?.(0);
    chmodSync(path('hidden'), 0o700);
  }
});

test('text that is not UTF-8 is refused with its line', () => {
  writeFileSync(path('latin1'), Buffer.from('a\nb\n\xe9', 'latin1'));
  assert.deepEqual(faultOf(path('latin1')), ['unusable', 'latin1:3: is not UTF-8 text; save it as UTF-8']);
});
