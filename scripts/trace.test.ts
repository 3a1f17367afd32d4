import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { programMap, programText } from './built-program.ts';
import { root } from './bundle.mjs';

/** Inside the project, as the bundle's own folder is: the map names sources relative to it. */
const folder = mkdtempSync(join(root, 'dist', 'trace-'));
after(() => rmSync(folder, { recursive: true }));

const bundle = join(folder, 'herakles.cjs');
writeFileSync(`${bundle}.map`, programMap);

/** Where a text stands first in a file, as a stack says it. */
function placeOf(content: string, wanted: string): string {
  const before = content.slice(0, content.indexOf(wanted)).split('\n');
  assert.ok(content.includes(wanted), wanted);
  return `${before.length}:${before.at(-1)!.length + 1}`;
}

function trace(stack: string): string {
  const args = [`${root}scripts/trace.mjs`, '--map', `${bundle}.map`];
  const { stdout, stderr } = spawnSync(process.execPath, args, { input: stack, encoding: 'utf8' });
  assert.equal(stderr, '');
  return stdout;
}

test('places of the bundle in a stack become source lines; other places stay', () => {
  const source = placeOf(readFileSync(`${root}src/main.ts`, 'utf8'), 'process.argv.slice(2)');
  const stack = (place: string, end = '') =>
    `Error: no\n    at async main (${place})\n    at node:internal/process:1:2\n    at /opt/x.cjs:1:1\n${end}`;
  for (const path of ['/usr/local/lib/herakles/herakles.cjs', 'file:///opt/herakles.cjs', 'dist/herakles.cjs']) {
    const sent = stack(`${path}:${placeOf(programText, 'process.argv.slice(2)')}`);
    assert.equal(trace(sent), stack(`src/main.ts:${source}`));
  }
});

test('the bundle and its map hold neither the path of the folder nor the text of the sources', () => {
  assert.ok(!programText.includes(root));
  assert.ok(!programMap.includes(root) && !programMap.includes('sourcesContent'));
});
