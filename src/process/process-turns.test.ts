import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProcessTurns } from './process-turns.ts';

// biome-ignore format: one line a case
const cases: [what: string, seconds: number, passes: number, turns: number][] = [
  ['15 s apart: once in four passes', 15, 8, 2],
  ['a little more than 15 s apart: the same', 15.2, 8, 2],
  ['a second apart: the same', 1, 8, 2],
  ['at the same moment: the same', 0, 8, 2],
  ['after the clock went back: the same', -100, 8, 2],
  ['30 s apart: once in two passes', 30, 8, 4],
  ['a minute apart: at each', 60, 8, 8],
  ['an hour apart: at each, once', 3600, 8, 8],
];
for (const [what, seconds, passes, expected] of cases) {
  test(`every process has as many turns as the others, ${what}`, () => {
    const turns = new ProcessTurns(4);
    turns.beginPass(1e6);
    const had = new Map<number, number>();
    for (let pass = 1; pass <= passes; pass++) {
      turns.beginPass(1e6 + pass * seconds);
      for (let pid = 1; pid <= 20; pid++) had.set(pid, (had.get(pid) ?? 0) + Number(turns.has(pid)));
    }
    assert.deepEqual([...new Set(had.values())], [expected]);
  });
}
