// The image for arm64, really run on another processor: QEMU translates what is in it, and its root folder holds nothing else.
// The kernel starts a program of arm64 by QEMU where binfmt_misc says so; since Linux 6.7 a user namespace has a binfmt_misc of its
// own, so nothing of this machine changes.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { need, needRoot, scratch } from './harness.ts';
import { artefacts, makeRelease, NAME, version } from './made-release.ts';

/** An ELF file for AArch64, and the bits that count (Documentation/admin-guide/binfmt-misc.rst); F: QEMU is opened at once. */
const MAGIC = String.raw`\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00`;
const MASK = String.raw`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff`;
/** An emulated processor on a machine that other tests use. */
const LONG_MS = 120_000;
const APART = ['unshare', '--user', '--map-root-user', '--mount'] as const;
const MOUNT = 'mount -t binfmt_misc none /proc/sys/fs/binfmt_misc';

/** A command that runs what follows in the root folder of an image, by QEMU. */
function inside(qemu: string, folder: string): string[] {
  const register = `:aarch64:M::${MAGIC}:${MASK}:${qemu}:F`;
  const script = [
    MOUNT,
    `printf '%s' "$1" > /proc/sys/fs/binfmt_misc/register`,
    'mount --rbind /proc "$0/proc" && mount --rbind /dev "$0/dev"',
    'folder=$0; shift; exec chroot "$folder" "$@"',
  ];
  return [...APART, 'sh', '-ec', script.join('\n'), folder, register];
}

test('the image for arm64 has all that its program loads, and tells its version', { timeout: 600_000 }, async (t) => {
  if (process.arch !== 'x64') return t.skip('only a machine of x86-64 tries it');
  const paths = needRoot(t) ? need(t, 'qemu-aarch64', 'unshare') : undefined;
  if (!paths) return;
  const [unshare, ...own] = APART;
  const { status, stderr } = spawnSync(unshare, [...own, 'sh', '-c', MOUNT], { encoding: 'utf8' });
  if (status !== 0) return t.skip(`this kernel has no binfmt_misc for a user namespace: ${stderr}`);
  const out = artefacts(t, makeRelease(['image'], 'arm64'));
  if (!out) return;
  const [archive, folder] = [scratch(), scratch()];
  execFileSync('tar', ['-xf', `${out}/${NAME}-${version}.image-arm64.tar`, '-C', archive]);
  const [{ Layers }] = JSON.parse(readFileSync(`${archive}/manifest.json`, 'utf8'));
  for (const layer of Layers) execFileSync('tar', ['-xzf', `${archive}/${layer}`, '-C', folder]);
  for (const name of ['proc', 'dev']) mkdirSync(`${folder}/${name}`, { recursive: true });
  const command = [...inside(paths['qemu-aarch64'], folder), `/usr/bin/${NAME}`];
  const run = (...args: string[]): string => {
    const [file, ...rest] = [...command, ...args] as [string, ...string[]];
    const { status, stdout, stderr } = spawnSync(file, rest, {
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
      timeout: LONG_MS,
    });
    assert.equal(status, 0, `${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  assert.match(run('--version'), new RegExp(`^${NAME} ${version} [\\s\\S]*linux/arm64$`, 'm'));
});
