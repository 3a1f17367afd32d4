// Every event is one line, whatever its values hold, and clients cannot fill the log.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Log } from './log.ts';

const logging = (format: 'logfmt' | 'json', level: 'debug' | 'warn' = 'debug') => {
  const lines: string[] = [];
  return { lines, log: new Log({ level, format }, (line) => lines.push(line)) };
};
const hostile = 'a\nb "c" \\ \u0000 \u001b[31m \u009b31m \u2028 \u202e \ud800 =';

for (const format of ['logfmt', 'json'] as const) {
  test(`${format}: one line an event, without a control character`, () => {
    const { lines, log } = logging(format);
    log.info('served', { name: hostile, count: 3, none: undefined, ok: true });
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\u202e\ud800]+\n$/);
    assert.doesNotMatch(lines[0]!, /none/);
  });
}

test('json reads back as what was logged', () => {
  const { lines, log } = logging('json');
  log.error('failed', { name: hostile });
  const { level, msg, name } = JSON.parse(lines[0]!);
  assert.deepEqual({ level, msg, name }, { level: 'error', msg: 'failed', name: hostile });
});

test('logfmt quotes every value that is not a plain word', () => {
  const { lines, log } = logging('logfmt');
  log.warn('not watched', { path: '/etc/a', err: 'no such "file"', empty: '' });
  assert.match(lines[0]!, /^time=\S+ level=warn msg="not watched" path=\/etc\/a err="no such \\"file\\"" empty=""\n$/);
});

test('events below the level are left out', () => {
  const { lines, log } = logging('logfmt', 'warn');
  log.debug('a');
  log.info('b');
  log.warn('c');
  log.error('d');
  assert.equal(lines.length, 2);
});

test('a warning that clients can cause is written once a minute, with the number of suppressed ones', (t) => {
  t.mock.timers.enable({ apis: ['Date'] });
  const { lines, log } = logging('logfmt');
  for (let i = 0; i < 1000; i++) log.rateLimited('warn', 'wrong password', { client: `10.0.0.${i}` });
  log.rateLimited('warn', 'too slow');
  assert.equal(lines.length, 2);
  t.mock.timers.tick(61_000);
  log.rateLimited('warn', 'wrong password', { client: 'x' });
  assert.match(lines[2]!, /client=x suppressed=999\n$/);
  for (let i = 0; i < 10_000; i++) log.rateLimited('warn', 'refused', { reason: `r${i}` });
  assert.ok(lines.length < 120, `${lines.length} lines for ten thousand reasons`);
});

test('a condition with a size is written when it begins, doubles and ends', (t) => {
  t.mock.timers.enable({ apis: ['Date'] });
  const { lines, log } = logging('logfmt');
  for (let n = 100; n < 1000; n++) log.began('dropped', 'warn', 'left out', { n }, n);
  for (let n = 1000; n > 0; n--) log.began('dropped', 'warn', 'left out', { n }, n);
  assert.deepEqual(
    lines.map((line) => / n=(\d+)/.exec(line)?.[1]),
    ['100', '200', '400', '800'],
  );
  log.ended('dropped', 'all fit');
  t.mock.timers.tick(61_000);
  log.began('dropped', 'warn', 'left out', { n: 5 }, 5);
  assert.match(lines.slice(4).join(''), /all fit.*\n.*left out" n=5\n$/);
});

test('a condition that comes and goes all day is written less and less often', (t) => {
  t.mock.timers.enable({ apis: ['Date'] });
  const { lines, log } = logging('logfmt');
  const pass = (minutes: number) => {
    for (let second = 0; second < 60 * minutes; second += 15) {
      if (second % 30 === 0) log.began('dropped', 'warn', 'left out');
      else log.ended('dropped', 'all fit');
      t.mock.timers.tick(15_000);
    }
  };
  pass(17);
  assert.ok(lines.length <= 10, `${lines.length} lines in 17 minutes`);
  pass(24 * 60);
  assert.ok(lines.length <= 2 * (6 + 25), `${lines.length} lines in a day`);
  t.mock.timers.tick(3_600_000);
  const before = lines.length;
  pass(3);
  assert.ok(lines.length >= before + 2, 'after a quiet hour it is written at once');
});

test('a condition is written when it begins and when it ends, and once a minute where it comes and goes', (t) => {
  t.mock.timers.enable({ apis: ['Date'] });
  const { lines, log } = logging('logfmt');
  log.ended('full', 'not full any more');
  for (let i = 0; i < 1000; i++) log.began('full', 'error', 'is full', { err: `e${i}` });
  log.ended('full', 'not full any more');
  log.ended('full', 'not full any more');
  assert.equal(lines.length, 2);
  assert.match(lines[0]!, /level=error msg="is full" err=e0\n$/);
  assert.match(lines[1]!, /level=info msg="not full any more" after=1000\n$/);
  for (let i = 0; i < 1000; i++) {
    log.began('full', 'error', 'is full');
    log.ended('full', 'not full any more');
  }
  assert.equal(lines.length, 2, 'it came and went');
  log.began('full', 'error', 'is full');
  t.mock.timers.tick(61_000);
  log.began('full', 'error', 'is full');
  assert.equal(lines.length, 3, 'it lasts');
  log.began('other', 'warn', 'is other');
  assert.equal(lines.length, 4, 'another condition is another matter');
});
