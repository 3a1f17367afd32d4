import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { type InstallRecord, RECORD, readRecord } from './steps.ts';

const root = mkdtempSync(join(tmpdir(), 'herakles-'));

test('a root without a record has nothing installed', () => {
  assert.equal(readRecord(root), undefined);
});

const damaged = ['', '{', 'null', '[]', '{}', '{"put":[],"user":true}', '{"put":{"/etc":1},"user":true}', '{"put":{}}'];
mkdirSync(dirname(root + RECORD), { recursive: true });

for (const text of damaged)
  test(`the record ${text || 'without text'} is refused`, () => {
    writeFileSync(root + RECORD, text);
    assert.throws(() => readRecord(root), /installed\.json is damaged.*remove that file/);
  });

test('a record is read as it was written', () => {
  const record: InstallRecord = { put: { '/etc/herakles': 'folder', '/usr/bin/x': 'link ../lib/x' }, user: true };
  writeFileSync(root + RECORD, JSON.stringify(record));
  assert.deepEqual(readRecord(root), record);
});
