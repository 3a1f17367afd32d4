import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BENCH_USAGE, benchOrder } from './command-line.ts';

const here = new URL(import.meta.url).pathname;

test('a wrong argument is refused, and the message says which', () => {
  for (const [args, message] of [
    [['starts'], /^starts is no part: give as-used, cost, /],
    [['start', '--round=3'], /'--round'/],
    [['--quick=yes'], /'--quick' does not take an argument/],
    [['--against=/nowhere.cjs'], /^--against: \/nowhere\.cjs is no file$/],
    [['--against', `${here},/`], /^--against: \/ is no file$/],
    [['--against='], /^--against: an empty name is no file$/],
    [['--rounds=0'], /^--rounds=0: give a number above 0$/],
    [['--rounds=1.5'], /^--rounds=1\.5: /],
    [['--minutes=soon'], /^--minutes=soon: /],
    [['--minutes=0.0'], /^--minutes=0\.0: /],
    [['--source=ebpf'], /^--source=ebpf: give bpf or procfs$/],
  ] as const)
    assert.throws(() => benchOrder(args), { message }, args.join(' '));
});

test('what is right is understood, with = or a space', () => {
  const nothing = { parts: [], quick: false, only: '', against: undefined };
  const without = { ...nothing, rounds: undefined, minutes: undefined, source: 'procfs' };
  assert.deepEqual(benchOrder([]), without);
  assert.deepEqual(benchOrder(['soak', 'page', '--minutes', '0.5', '--source=bpf']), {
    ...{ ...without, parts: ['soak', 'page'], minutes: 0.5, source: 'bpf' },
  });
  assert.deepEqual(benchOrder(['cost', '--quick', '--only=2,000', `--against=${here},${here}`, '--rounds=30']), {
    ...{ ...without, parts: ['cost'], quick: true, only: '2,000', against: [here, here], rounds: 30 },
  });
});

test('help is asked for by --help or -h, whatever stands beside it, and names every part and option', () => {
  assert.deepEqual([['--help'], ['-h'], ['nonsense', '--help']].map(benchOrder), ['help', 'help', 'help']);
  for (const word of ['as-used', 'page', '--quick', '--only', '--against', '--rounds', '--minutes', '--source'])
    assert.match(BENCH_USAGE, new RegExp(`^${word}\\b`, 'm'));
});
