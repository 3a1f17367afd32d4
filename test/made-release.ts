// Makes a release from a copy of the sources, for tests of what is in it.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { type Architecture, here, nodeFolder } from '../scripts/release/node-binaries.ts';
import { root, scratch } from './harness.ts';

export const NAME = 'herakles-node-exporter';
/** What the bundle holds, with the libraries of those: string-width brings three. */
export const LIBRARIES = [
  ...['ansi-regex', 'bcryptjs', 'commander', 'd3-hierarchy', 'get-east-asian-width', 'preact'],
  ...['smol-toml', 'string-width', 'strip-ansi', 'uplot', 'yaml'],
];
export const version: string = JSON.parse(readFileSync(`${root}package.json`, 'utf8')).version;

/** The folder of a release; why there is none, where the Node.js for it cannot be had. */
export type Made = { readonly out: string } | { readonly reason: string };

/** @returns the folder that holds the artefacts of the kinds; of all kinds where none is named */
export function makeRelease(kinds: readonly string[] = [], architecture: Architecture = here): Made {
  try {
    mkdirSync(`${root}.cache`, { recursive: true });
    nodeFolder(architecture);
  } catch (error) {
    if (process.env.CI) throw error;
    return { reason: (error as Error).message };
  }
  const folder = scratch();
  for (const name of ['src', 'scripts', 'bpf', 'catalogue', 'deploy', 'docs'])
    cpSync(root + name, `${folder}/${name}`, { recursive: true });
  const pages = readdirSync(root).filter((name) => name.endsWith('.md'));
  for (const name of [...pages, 'LICENSE', 'package.json', 'package-lock.json', 'tsconfig.json'])
    cpSync(root + name, `${folder}/${name}`);
  for (const name of ['node_modules', '.cache']) symlinkSync(root + name, `${folder}/${name}`);
  const args = [
    '--arch',
    architecture,
    '--fast',
    '--out',
    `${folder}/out`,
    ...kinds.flatMap((kind) => ['--only', kind]),
  ];
  const run = (...more: string[]) => {
    const env = { ...process.env, SOURCE_DATE_EPOCH: '1767225600' };
    const options = { cwd: folder, env, encoding: 'utf8' } as const;
    return spawnSync(process.execPath, ['scripts/release.mjs', ...args, ...more], options);
  };
  let { status, stderr } = run();
  // Debian's mirrors keep only the newest version of a package: the test then takes that, in its copy.
  if (status !== 0 && stderr.includes('--renew-debian')) ({ status, stderr } = run('--renew-debian'));
  if (status !== 0) throw new Error(`the release failed: ${stderr}`);
  return { out: `${folder}/out` };
}

/** The folder; undefined where the test is skipped. */
export function artefacts(t: TestContext, made: Made): string | undefined {
  if ('out' in made) return made.out;
  t.skip(`no Node.js for the executable: ${made.reason}`);
  return undefined;
}
