import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containsLiterals, requiredLiterals } from './literals.ts';
import { MatchWork } from './match-work.ts';
import { parseRegex } from './regex-parser.ts';

test('required literals of a pattern', () => {
  const cases: [source: string, letters: string[][]][] = [
    ['worker', [['worker']]],
    ['^postgres: .*(TimescaleDB|[Tt]imescale)', [['postgres: '], ['Timescale', 'timescale']]],
    ['gp_(role|dbid)', [['gp_'], ['role', 'dbid']]],
    ['(^|/)redis(\\s|$).*--role[= ]x', [['redis'], ['--role'], ['=x', ' x']]],
    ['java.*com\\.acme', [['java'], ['com.acme']]],
    ['(foo|bar){2,}x', [['foo', 'bar']]],
    ['(ab){2}c{2}', [['ababcc']]],
    ['(|x)yz', [['yz']]],
    ['(ab|cd.*)x', [['ab', 'cd']]],
    ['(a.|bc)+d', []],
    ['\\bnode\\b', [['node']]],
    ['(?i)12-34', [['12-34']]],
    ['(?i)mysql', []],
    ['(ab)?c*', []],
    ['(ab|)', []],
    ['[^a]b', []],
    ['a|bc', []],
    ['[\\x00-\\x{fffff}]x', []],
    ['😀x', [['😀x']]],
  ];
  for (const [source, letters] of cases) assert.deepEqual(requiredLiterals(parseRegex(source)), letters, source);
});

test('a text must hold one literal of each list', () => {
  const letters = [['ab', 'cd'], ['ef']];
  const holds = (text: string, lists: string[][]) => containsLiterals(text, lists, new MatchWork());
  assert.equal(holds('xcdxef', letters), true);
  assert.equal(holds('abcd', letters), false);
  assert.equal(holds('ef', letters), false);
  assert.equal(holds('', []), true);
});

test('a pattern that matches very many texts is answered without listing them', () => {
  const before = performance.now();
  for (const source of [
    '[ab]{64}',
    '([ab]{8}){8}',
    '(((a|b)(a|b)){30}c){30}',
    '(a{1000}){1}',
    `(${'x|'.repeat(900)}y)z`,
  ])
    requiredLiterals(parseRegex(source));
  assert.ok(performance.now() - before < 5000);
});
