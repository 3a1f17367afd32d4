import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { MatchWork } from './match-work.ts';
import { regex } from './pattern.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');
function heapUsed(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

test('a text holds the literals that are in it, and no other', () => {
  const letters = fc.array(fc.constantFrom('a', 'b', 'c', 'é', '😀'), { maxLength: 12 }).map((list) => list.join(''));
  const text = fc
    .tuple(fc.constantFrom('', 'abc'.repeat(300), 'x'.repeat(70_000)), fc.array(letters))
    .map(([long, rest]) => long + rest.join('-'));
  fc.assert(
    fc.property(text, fc.array(letters, { minLength: 1 }), (held, literals) => {
      const work = MatchWork.unlimited();
      for (const literal of literals) assert.equal(work.holds(held, literal), held.includes(literal), literal);
    }),
  );
});

test('two works that take turns do not mix up their texts', () => {
  const [first, second] = [MatchWork.unlimited(), MatchWork.unlimited()];
  const [one, two] = [`${'x'.repeat(600)}needle`, `${'y'.repeat(600)}thread`];
  for (let i = 0; i < 3; i++) {
    assert.equal(first.holds(one, 'needle'), true);
    assert.equal(second.holds(two, 'needle'), false);
    assert.equal(second.holds(two, 'thread'), true);
    assert.equal(second.holds(one, 'needle'), true);
  }
});

test('the answer depends on the patterns and the text alone, and what the work does not reach does not match', () => {
  const text = 'a'.repeat(1 << 16);
  const patterns = Array.from({ length: 40 }, (_, i) => regex(`^a+$|[bc]{${i + 2}}`));
  const ask = () => {
    const work = new MatchWork();
    return patterns.filter((pattern) => pattern.test(text, work)).length;
  };
  const reached = ask();
  assert.ok(reached >= 10 && reached < 40, `${reached}`);
  for (let i = 0; i < 3; i++) assert.equal(ask(), reached);
  const work = new MatchWork();
  assert.equal(patterns[0]!.test(text, work), true);
  assert.equal(work.exhausted, false);
});

test('automata of very many patterns keep only so much together, and give the same answers when they have forgotten', () => {
  const sources = Array.from({ length: 750 }, (_, i) => `(?i)(a|b)*a(a|b){7}c${i}|${i}$`);
  const patterns = sources.map((source) => regex(source));
  let seed = 7;
  const letter = () => {
    seed = (seed * 48_271) % 0x7fffffff;
    return seed % 2 ? 'a' : 'b';
  };
  const text = Array.from({ length: 400 }, letter).join('');
  const before = heapUsed();
  const answers = patterns.map((pattern, i) => pattern.test(`${text}${i}`));
  // 750 automata of 150 states would keep some 75 MiB.
  const grown = (heapUsed() - before) / 2 ** 20;
  assert.ok(grown < 30, `${grown} MiB`);
  assert.ok(answers.every(Boolean));
  assert.equal(patterns[0]!.test(`${text}0`), true);
  assert.equal(patterns[0]!.test(`${text}x`), false);
});
