// The program of the version before this one, for upgrades: the last commit in which package.json names another version,
// cloned and built by its own scripts. It is built once, which takes some minutes, and lies in .cache/vm/.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { root } from '../harness.ts';

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
export function versionBefore(commit: string): VersionBefore {
  const { version } = JSON.parse(git('show', `${commit}:package.json`)) as { version: string };
  const home = `${root}.cache/vm/version-${version}-${commit.slice(0, 12)}`;
  if (!existsSync(home)) build(commit, home);
  const file = readdirSync(home).find((name) => name.endsWith('_amd64.deb'))!;
  return { version, debianPackage: `${home}/${file}`, bundle: `${home}/herakles.cjs` };
}

function build(commit: string, home: string): void {
  mkdirSync(`${root}.cache/vm`, { recursive: true });
  const part = mkdtempSync(`${root}.cache/vm/making-`);
  const clone = `${part}/clone`;
  try {
    git('clone', '--quiet', '--no-checkout', root, clone);
    execFileSync('git', ['checkout', '--quiet', '--detach', commit], { cwd: clone });
    symlinkSync(`${root}.cache`, `${clone}/.cache`); // Node.js for the executable
    const words = ['scripts/release.mjs', '--arch', 'amd64', '--only', 'deb', '--fast', '--out', `${part}/done`];
    execFileSync(process.execPath, words, { cwd: clone, stdio: ['ignore', 'ignore', 'inherit'] });
    for (const name of ['herakles.cjs', 'NOTICE']) copyFileSync(`${clone}/dist/${name}`, `${part}/done/${name}`);
    renameSync(`${part}/done`, home);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}
