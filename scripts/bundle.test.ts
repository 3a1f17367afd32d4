// What a supplier of a library could change is limited: the lock file names the bytes of every library, and the program
// needs no library where it runs.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { test } from 'node:test';
import { programText } from './built-program.ts';
import { root } from './bundle.mjs';

const readJson = (path: string) => JSON.parse(readFileSync(root + path, 'utf8'));

test('every library of the lock file has a checksum, and the package has neither libraries nor scripts of its own at install', () => {
  const { packages } = readJson('package-lock.json') as { packages: Record<string, { integrity?: string }> };
  const libraries = Object.entries(packages).filter(([path]) => path !== '');
  assert.ok(libraries.length > 30, `${libraries.length} libraries`);
  const without = libraries.filter(([, { integrity }]) => !/^sha512-[\w+/]{86}==$/.test(integrity ?? ''));
  assert.deepEqual(without, []);
  const { scripts, dependencies } = readJson('package.json');
  assert.equal(dependencies, undefined, 'libraries are bundled');
  const atInstall = Object.keys(scripts).filter((name) => /^(?:pre|post)?(?:install|prepare)$/.test(name));
  assert.deepEqual(atInstall, []);
});

test('the program loads nothing but Node.js', () => {
  const loaded = new Set([...programText.matchAll(/\b(?:require|import)\("([^"\n]+)"\)/g)].map(([, name]) => name!));
  assert.ok(loaded.has('node:fs'), [...loaded].join());
  assert.deepEqual(
    [...loaded].filter((name) => !isBuiltin(name)),
    [],
  );
});
