// The program is built twice, in two folders, with its libraries in two forms: the bytes do not depend on who builds it, and where.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { test } from 'node:test';
import { root, scratch } from './harness.ts';

const SOURCES = [
  ...['src', 'bpf', 'scripts', 'catalogue', 'deploy', 'docs'],
  ...['package.json', 'package-lock.json', 'tsconfig.json'],
];

const LIBRARIES = [
  ...['esbuild', '@esbuild', 'yaml', 'smol-toml', 'commander', 'bcryptjs', 'uplot', 'd3-hierarchy', 'preact'],
  ...['string-width', 'get-east-asian-width', 'strip-ansi', 'ansi-regex'],
  '.package-lock.json',
];

/** A copy of the sources in a folder of its own; its libraries are a link, or a copy as `npm ci` makes it. */
function checkout(libraries: 'link' | 'copy'): string {
  const folder = scratch();
  for (const name of SOURCES) cpSync(root + name, `${folder}/${name}`, { recursive: true });
  if (libraries === 'link') symlinkSync(`${root}node_modules`, `${folder}/node_modules`);
  else {
    mkdirSync(`${folder}/node_modules`);
    for (const name of LIBRARIES)
      cpSync(`${root}node_modules/${name}`, `${folder}/node_modules/${name}`, { recursive: true });
  }
  return folder;
}

function buildIn(folder: string): string[] {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: folder, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return ['herakles.cjs', 'herakles.cjs.map', 'NOTICE'].map((name) => readFileSync(`${folder}/dist/${name}`, 'utf8'));
}

test('two builds in two folders give the same bytes', () => {
  const [one, two] = [checkout('copy'), checkout('link')];
  const [bundle, map, notice] = buildIn(one);
  assert.deepEqual(buildIn(two), [bundle, map, notice]);
  for (const text of [bundle, map, notice]) assert.ok(!text!.includes(one));
});
