// The program of the version before this one, for upgrades: the last commit in which package.json names another version,
// cloned and built by its own scripts. It is built once, which takes some minutes.
import { execFileSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { root, type Scope } from '../harness.ts';
import { completed, madeOnce } from './made-once.ts';

export interface VersionBefore {
  readonly version: string;
  /** Paths of its Debian package for amd64, and of its bundle with NOTICE beside it. */
  readonly debianPackage: string;
  readonly bundle: string;
}

const git = (...args: string[]): string => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();

/** @throws Error where no history is here, or none that reaches back so far: which, and what to do */
export function lastCommitBefore(): string {
  const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string };
  const change = git('log', '-1', '--format=%H', `-S"version": "${version}"`, '--', 'package.json');
  try {
    return git('rev-parse', '--verify', '--quiet', change === '' ? 'HEAD' : `${change}^`);
  } catch {
    throw new Error(`no commit before version ${version} is here; git fetch --unshallow brings it`);
  }
}

/** @throws Error where that version cannot be built here */
export async function versionBefore(t: Scope, commit: string): Promise<VersionBefore> {
  const { version } = JSON.parse(git('show', `${commit}:package.json`)) as { version: string };
  const home = await madeOnce(`version-${version}`, commit, async (part) => {
    const clone = `${part}/clone`;
    git('clone', '--quiet', '--no-checkout', root, clone);
    execFileSync('git', ['checkout', '--quiet', '--detach', commit], { cwd: clone });
    symlinkSync(`${root}.cache`, `${clone}/.cache`); // Node.js for the executable
    const words = ['scripts/release.mjs', '--arch', 'amd64', '--only', 'deb', '--fast', '--out', `${part}/done`];
    await completed(t, [process.execPath, ...words], clone);
    for (const name of readdirSync(`${part}/done`)) renameSync(`${part}/done/${name}`, `${part}/${name}`);
    for (const name of ['herakles.cjs', 'NOTICE']) copyFileSync(`${clone}/dist/${name}`, `${part}/${name}`);
    for (const name of ['clone', 'done']) rmSync(`${part}/${name}`, { recursive: true });
  });
  const file = readdirSync(home).find((name) => name.endsWith('_amd64.deb'))!;
  return { version, debianPackage: `${home}/${file}`, bundle: `${home}/herakles.cjs` };
}
