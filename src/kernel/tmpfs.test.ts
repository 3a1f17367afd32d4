import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { tmpfsUsage, visibleTmpfs } from './tmpfs.ts';

/** Lines of mountinfo, each `id parent device root point type`. */
const mountinfo = (...mounts: string[]): string =>
  mounts
    .map((mount) => {
      const [id, parent, device, root, point, type] = mount.split(' ');
      return `${id} ${parent} ${device} ${root} ${point} rw,nosuid shared:${id} - ${type} a-b rw,size=1k\n`;
    })
    .join('');

const ROOT = '20 1 8:1 / / ext4';
const CASES: readonly (readonly [name: string, mounts: readonly string[], points: readonly string[]])[] = [
  ['none', [ROOT], []],
  ['two', [ROOT, '21 20 0:5 / /dev devtmpfs', '22 21 0:6 / /dev/shm tmpfs'], ['/dev', '/dev/shm']],
  ['a root of tmpfs', ['20 1 0:5 / / tmpfs'], ['/']],
  ['neither ramfs nor a disk', [ROOT, '21 20 0:5 / /a ramfs', '22 20 8:2 / /b xfs'], []],
  ['the same one twice', [ROOT, '21 20 0:5 / /a tmpfs', '22 20 0:5 / /b tmpfs'], ['/a']],
  ['all of it, rather than a folder of it', [ROOT, '21 20 0:5 /x /a tmpfs', '22 20 0:5 / /b tmpfs'], ['/b']],
  ['only a folder of it', [ROOT, '21 20 0:5 /x /a tmpfs'], ['/a']],
  ['one over another', [ROOT, '21 20 0:5 / /dev/shm tmpfs', '22 21 0:6 / /dev/shm tmpfs'], ['/dev/shm']],
  ['under a network file system', [ROOT, '21 20 0:5 / /a tmpfs', '22 21 0:6 / /a nfs4'], []],
  ['below a network file system', [ROOT, '21 20 0:6 / /net nfs4', '22 21 0:5 / /net/a tmpfs'], []],
  ['below a user-space file system', [ROOT, '21 20 0:6 / /net fuse.sshfs', '22 21 0:5 / /net/a tmpfs'], []],
  ['a folder above it is hidden', [ROOT, '21 20 0:5 / /mnt/a/b tmpfs', '22 20 0:6 / /mnt nfs4'], []],
  ['the root is hidden', [ROOT, '21 20 0:5 / /a tmpfs', '22 20 0:6 / / nfs4'], []],
  ['a mount on a folder of it hides nothing', [ROOT, '21 20 0:5 / /a tmpfs', '22 21 0:6 / /a/b nfs4'], ['/a']],
  ['a name that begins like the folder', [ROOT, '21 20 0:5 / /ab tmpfs', '22 20 0:6 / /a nfs4'], ['/ab']],
  ['what it is mounted on is not listed', [ROOT, '21 99 0:5 / /a tmpfs'], []],
  ['mounts in a circle', ['21 22 0:5 / /a tmpfs', '22 21 0:6 / /b tmpfs'], []],
  ['escaped', [ROOT, '21 20 0:5 / /my\\040disk tmpfs'], ['/my\\040disk']],
];

for (const [name, mounts, points] of CASES)
  test(`tmpfs: ${name}`, () => assert.deepEqual(visibleTmpfs(mountinfo(...mounts)), points));

test('tmpfs: a last line that was cut is left out', () => {
  const text = mountinfo(ROOT, '21 20 0:5 / /a tmpfs', '22 20 0:6 / /b tmpfs');
  assert.deepEqual(visibleTmpfs(text.slice(0, -3)), ['/a']);
});

test('tmpfs: only what statfs calls one is told, with the bytes of its files', (t) => {
  const disk = mkdtempSync(`${tmpdir()}/herakles-tmpfs-`);
  t.after(() => rmSync(disk, { recursive: true }));
  const usage = (mount: string) => tmpfsUsage(mountinfo(ROOT, `21 20 0:5 / ${mount} tmpfs`), '');
  if (statfsSync(disk).type !== 0x01021994) assert.equal(usage(disk), '', 'a disk, whatever the list of mounts says');
  assert.equal(usage('/does/not/exist'), '');
  if (statfsSync('/dev/shm').type !== 0x01021994) return t.skip('/dev/shm of this host is no tmpfs');
  const file = `/dev/shm/herakles-tmpfs-${process.pid}`;
  t.after(() => rmSync(file));
  writeFileSync(file, new Uint8Array(8 << 20));
  const [, bytes] = /^(\d+) \/dev\/shm\n$/.exec(usage('/dev/shm'))!;
  assert.ok(Number(bytes) >= 8 << 20, bytes);
});
