// The image for arm64, really run on another processor: QEMU translates what is in it, and its root folder holds nothing else.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { APART, runForeign, whyNotForeign } from './foreign-processor.ts';
import { need, needRoot, scratch } from './harness.ts';
import { artefacts, makeRelease, NAME, version } from './made-release.ts';

/** An emulated processor on a machine that other tests use: a scan took 164 s where thirty others wanted its two cores. */
const LONG_MS = 600_000;

/** A command that runs what follows in the root folder of an image, by QEMU. */
function inside(qemu: string, folder: string): string[] {
  const script = [
    runForeign(qemu),
    'mount --rbind /proc "$0/proc" && mount --rbind /dev "$0/dev"',
    'exec chroot "$0" "$@"',
  ];
  return [...APART, 'sh', '-ec', script.join('\n'), folder];
}

test('the image for arm64 looks at this host', { timeout: 1_800_000 }, async (t) => {
  if (process.arch !== 'x64') return t.skip('only a machine of x86-64 tries it');
  const paths = needRoot(t) ? need(t, 'qemu-aarch64', 'unshare') : undefined;
  if (!paths) return;
  const problem = whyNotForeign();
  if (problem) return t.skip(problem);
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
  assert.match(run('scan'), /^\d+ processes; .* of memory/);
});
