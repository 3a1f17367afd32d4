import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FileRequests } from './files.ts';
import { guardedFiles } from './guarded-files.ts';
import { liveFiles } from './live-host.ts';
import { countDescriptors, countEntries } from './open-descriptors.ts';

/** Opens `count` descriptors, and closes them when the test ends. */
function open(t: { after(fn: () => void): void }, count: number): void {
  const opened = Array.from({ length: count }, () => openSync('/dev/null', 'r'));
  t.after(() => {
    for (const descriptor of opened) closeSync(descriptor);
  });
}

test('both ways count what is open', (t) => {
  const folder = '/proc/self/fd';
  const before = countDescriptors(folder, '/proc');
  assert.ok(before >= 3);
  open(t, 300);
  assert.equal(countDescriptors(folder, '/proc'), before + 300);
  const listed = countEntries(folder) - countDescriptors(folder, '/proc');
  assert.ok(listed === 0 || listed === 1, `the list has its own descriptor: ${listed}`);
});

test('a list that is too long has no number', () => {
  const folder = mkdtempSync(join(tmpdir(), 'herakles-'));
  for (let i = 0; i < 5; i++) writeFileSync(join(folder, String(i)), '');
  assert.equal(countEntries(folder, 6), 5);
  assert.equal(countEntries(folder, 5), 5);
  assert.throws(() => countEntries(folder, 4), /more than 4 entries/);
});

test('a process that has ended has no folder', () => {
  assert.throws(() => countDescriptors('/proc/4194305/fd', '/proc'), { code: 'ENOENT' });
  assert.throws(() => countEntries('/proc/4194305/fd'), { code: 'ENOENT' });
});

for (const [what, files] of [
  ['live', async () => liveFiles('/proc')],
  ['live, guarded', () => guardedFiles('/proc', () => performance.now() / 1000)],
] as const) {
  test(`${what}: the number is read like a file`, async (t) => {
    open(t, 50);
    const host = await files();
    const [own, nobody] = [host.process(process.pid), host.process(4_194_305)];
    const requests = new FileRequests();
    for (const proc of [own, nobody]) requests.add(proc, 'fd');
    await host.prefetch(requests);
    const length = own.read('fd');
    const text = Buffer.from(host.buffer.subarray(0, length)).toString();
    assert.match(text, /^\d+\n$/);
    assert.ok(Number(text) >= 50 && Number(text) < 1000, text);
    assert.throws(() => nobody.read('fd'), { reason: 'gone' });
  });
}
