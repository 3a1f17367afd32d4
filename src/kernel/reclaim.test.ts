import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KernelFileError, type KernelFiles } from './files.ts';
import { Reclaim } from './reclaim.ts';

/** A host whose /proc/vmstat has these lines; undefined: it has none. */
function host(text: () => string | undefined): KernelFiles {
  const buffer = new Uint8Array(1024);
  const read = (path: string) => {
    assert.equal(path, 'proc/vmstat');
    const lines = text();
    if (lines === undefined) throw new KernelFileError(path, 'gone');
    return Buffer.from(buffer.buffer).write(lines, 'latin1');
  };
  return { buffer, read } as unknown as KernelFiles;
}

const COUNTERS = { nr_free_pages: 5, pgsteal_anon: 7, pgsteal_file: 8, pswpin: 1, pswpout: 2, thp_collapse_alloc: 3 };
const textOf = (counters: Record<string, number>): string =>
  Object.entries(counters)
    .map(([name, value]) => `${name} ${value}\n`)
    .join('');

const CASES: [what: string, change: Record<string, number>, moved: boolean][] = [
  ['nothing', {}, false],
  ['free memory', { nr_free_pages: 6 }, false],
  ['pages of files were reclaimed', { pgsteal_file: 9 }, true],
  ['anonymous pages were reclaimed', { pgsteal_anon: 8 }, true],
  ['pages were swapped out', { pswpout: 3 }, true],
  ['pages were swapped in', { pswpin: 2 }, true],
  ['pages became a huge one', { thp_collapse_alloc: 4 }, true],
];
for (const [what, change, moved] of CASES)
  test(`memory of processes that do not run may have moved: ${what}`, () => {
    let counters = COUNTERS;
    const files = host(() => textOf(counters));
    const reclaim = new Reclaim();
    assert.equal(reclaim.lately(files, 0), true, 'the first time tells nothing');
    assert.equal(reclaim.lately(files, 100), false);
    counters = { ...counters, ...change };
    assert.equal(reclaim.lately(files, 115), moved);
    assert.equal(reclaim.lately(files, 175), moved, 'a minute later it still counts');
    assert.equal(reclaim.lately(files, 200), false);
  });

for (const [what, text] of [
  ['an old kernel', 'nr_free_pages 5\npswpin 1\npswpout 2\n'],
  ['half a text', 'pgsteal_anon 7\n'],
  ['an empty file', ''],
  ['no file', undefined],
] as const)
  test(`it always may have where the kernel does not say so: ${what}`, () => {
    const reclaim = new Reclaim();
    const files = host(() => text);
    for (const now of [0, 100, 200, 300]) assert.equal(reclaim.lately(files, now), true);
  });
