import assert from 'node:assert/strict';
import { test } from 'node:test';
import { widthOf } from '../text/width.ts';
import { type Column, textTable } from './table.ts';

type Row = readonly [name: string, size: string, user: string];
const columns: readonly Column<Row>[] = [
  { head: 'NAME', text: ([name]) => name, least: 6 },
  { head: 'SIZE', text: ([, size]) => size, right: true },
  { head: 'USER', text: ([, , user]) => user, rank: 1 },
];
const rows: readonly Row[] = [
  ['postgres', '1.0 GiB', 'root'],
  ['数据库', '12 B', 'bob'],
  ['a\u001b[2J\u202e', '–', '令'],
];

// biome-ignore format: one line a case
const cases: [width: number | undefined, lines: string[]][] = [
  [undefined, ['NAME               SIZE  USER', 'postgres        1.0 GiB  root', '数据库             12 B  bob', 'a\\x1b[2J\\u202e        –  令']],
  [26, ['NAME            SIZE  USER', 'postgres     1.0 GiB  root', '数据库          12 B  bob', 'a\\x1b[2J\\u…        –  令']],
  [20, ['NAME            SIZE', 'postgres     1.0 GiB', '数据库          12 B', 'a\\x1b[2J\\u…        –']],
  [15, ['NAME       SIZE', 'postg…  1.0 GiB', '数据库     12 B', 'a\\x1b…        –']],
  [5, ['NAME       SIZE', 'postg…  1.0 GiB', '数据库     12 B', 'a\\x1b…        –']],
];
for (const [width, lines] of cases)
  test(`a table in ${width ?? 'any number of'} cells`, () => {
    const text = textTable(columns, rows, width);
    assert.deepEqual(text.split('\n'), lines);
    if (width !== undefined && width >= 15)
      for (const line of text.split('\n')) assert.ok(widthOf(line) <= width, line);
  });
