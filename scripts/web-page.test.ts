import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { buildPage } from './web-page.mjs';

const { script, style, icon, metafile } = await buildPage('src/web/main.tsx');
const bytes = ({ gzip }: { gzip: string }) => Buffer.from(gzip, 'base64');

test('script and style sheet of the page take at most 70 kB compressed', () => {
  const size = bytes(script).length + bytes(style).length;
  assert.ok(size > 10_000 && size <= 70_000, `${size} bytes`);
});

test('the page is its own program: of ours it has only src/web and src/text', () => {
  const ours = Object.keys(metafile.inputs).filter((path) => !path.startsWith('node_modules/'));
  assert.ok(ours.length > 10, ours.join());
  assert.deepEqual(
    ours.filter((path) => !/^src\/(?:web|text)\//.test(path)),
    [],
  );
});

test('neither script nor style sheet names another host or evaluates text', () => {
  for (const asset of [script, style, icon]) {
    const text = gunzipSync(bytes(asset)).toString().replaceAll('http://www.w3.org/', '');
    assert.doesNotMatch(text, /https?:\/\/|\beval\(|new Function\(/);
  }
});

test('the same sources give the same bytes and the same hash', async () => {
  const { metafile: _, ...again } = await buildPage('src/web/main.tsx');
  assert.deepEqual(again, { script, style, icon });
});
