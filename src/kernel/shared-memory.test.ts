import assert from 'node:assert/strict';
import { test } from 'node:test';
import { framedFiles } from './capture.ts';
import { KernelFileError } from './files.ts';
import { readSysvSegments, readTmpfs, SYSV_SEGMENTS } from './shared-memory.ts';
import { TMPFS_USAGE } from './tmpfs.ts';

const filesOf = (path: string, text: string | Uint8Array) =>
  framedFiles([new Map([[path, { bytes: Buffer.from(text) }]])]);
const HEADER =
  '       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime                   rss                  swap\n';
const line = (size: number, attached: number, rss: number) =>
  `         0         63   600 ${String(size).padStart(21)}   575   575 ${String(attached).padStart(6)}     0     0     0     0 1795787605          0 1795787606 ${String(rss).padStart(21)}                     0\n`;

test('segments of System V: bytes in memory, creator, last change, and whether anybody has them', () => {
  const made = { creator: 575, changed: 1795787606 };
  const SEGMENTS: readonly (readonly [name: string, text: string, wanted: readonly object[]])[] = [
    ['none', '', []],
    ['half of it touched', line(16 << 20, 1, 8 << 20), [{ ...made, attached: true, bytes: 8 << 20 }]],
    ['nobody has it', line(4096, 0, 4096), [{ ...made, attached: false, bytes: 4096 }]],
    ['a page, larger than the segment', line(56, 0, 65_536), [{ ...made, attached: false, bytes: 65_536 }]],
    ['huge pages, Linux 6.18', line(16 << 20, 1, 2 ** 32), [{ ...made, attached: true, bytes: 16 << 20 }]],
    ['a line that was cut', line(4096, 0, 4096).slice(0, 60), []],
    ['a line of words', `${'x '.repeat(16)}\n`, []],
  ];
  for (const [name, text, wanted] of SEGMENTS)
    assert.deepEqual(readSysvSegments(filesOf(SYSV_SEGMENTS, HEADER + text)), wanted, name);
});

test('segments of System V: a table without the columns is malformed', () => {
  for (const text of ['', '\n', 'key shmid perms size cpid\n0 1 2 3 4\n'])
    assert.throws(
      () => readSysvSegments(filesOf(SYSV_SEGMENTS, text)),
      (error) => error instanceof KernelFileError && error.reason === 'malformed',
      JSON.stringify(text),
    );
});

test('tmpfs: mount points as their names are', () => {
  const text = '4096 /dev/shm\n0 /my\\040disk\\134a\\012b\nwords\n-1 /c\n7 relative\n8 /\u00e9\n';
  assert.deepEqual(readTmpfs(filesOf(TMPFS_USAGE, text)), [
    { mountPoint: '/dev/shm', bytes: 4096 },
    { mountPoint: '/my disk\\a\nb', bytes: 0 },
    { mountPoint: '/é', bytes: 8 },
  ]);
});
