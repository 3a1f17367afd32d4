import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { verbs } from './verbs.ts';

const folder = new URL('.', import.meta.url).pathname;

test('a name stands once, and a second word behind its first', () => {
  const names = verbs.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const name of names.filter((name) => name.includes(' ')))
    assert.ok(names.indexOf(name.split(' ')[0]!) < names.indexOf(name), name);
});

test('every summary is one sentence', () => {
  for (const { name, summary } of verbs) assert.match(summary, /^[A-Z][^.]*\.$/, name);
});

test('a declaration loads no code of its verb before the verb runs', () => {
  const declarations = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('/verb.ts'),
  );
  assert.ok(declarations.length > 5);
  for (const path of declarations) {
    const loaded = [...readFileSync(folder + path, 'utf8').matchAll(/^import .* from '(.+)';$/gm)].map(
      ([, from]) => from,
    );
    for (const from of loaded) assert.match(from!, /^\.\.\/verb\.ts$|^\.\.\/\.\.\/config\/value-types\.ts$/, path);
  }
});
