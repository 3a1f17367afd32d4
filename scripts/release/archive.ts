// The archive for any Linux with glibc: the executable, and beside it all that a host needs to run it as a service.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { initialConfig } from '../../src/cli/config/config.ts';
import { FIRST_RULES } from '../../src/cli/install/first-files.ts';
import { root } from '../install.mjs';
import { manPage } from '../man-page.ts';
import type { Architecture } from './node-binaries.ts';
import { completions, dateTree, documents, NAME, type Release, socketDropIn, units, writeTree } from './release.ts';

/** @returns the path of NAME-VERSION.linux-ARCH.tar.gz */
export function writeArchive(
  release: Release,
  architecture: Architecture,
  executable: string,
  scratch: string,
): string {
  const { version, date, fast, out, notice, sbom } = release;
  const name = `${NAME}-${version}.linux-${architecture}`;
  const read = (path: string) => readFileSync(root + path, 'utf8');
  mkdirSync(join(scratch, name), { recursive: true, mode: 0o755 });
  copyFileSync(executable, join(scratch, name, NAME));
  writeTree(join(scratch, name), [
    ...['LICENSE', 'CHANGELOG.md'].map((path) => ({ path, content: read(path) })),
    { path: 'NOTICE', content: notice },
    { path: 'sbom.cdx.json', content: sbom },
    { path: `man/${NAME}.1`, content: manPage() },
    { path: `completions/${NAME}.bash`, content: completions.bash() },
    { path: `completions/_${NAME}`, content: completions.zsh() },
    { path: `completions/${NAME}.fish`, content: completions.fish() },
    ...units(`/usr/local/bin/${NAME}`).map(({ path, content }) => ({ path: `systemd/${path}`, content })),
    { path: 'systemd/socket-activation.conf', content: socketDropIn() },
    { path: 'systemd/herakles.sysusers.conf', content: read('deploy/systemd/herakles.sysusers.conf') },
    { path: 'config/config.yaml', content: initialConfig() },
    { path: 'config/subgroups.toml', content: FIRST_RULES },
    ...documents(),
  ]);
  dateTree(join(scratch, name), date);
  const path = join(out, `${name}.tar.gz`);
  const tar = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--format=gnu', `--mtime=@${date}`];
  const compress = ['--use-compress-program', `gzip -n -${fast ? 1 : 9}`];
  execFileSync('tar', [...tar, ...compress, '-C', scratch, '-cf', path, name], { stdio: 'inherit' });
  return path;
}
