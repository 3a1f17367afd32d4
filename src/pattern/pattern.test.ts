import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { glob, globPrefix, globSuffix, isGlob, PatternError, regex } from './pattern.ts';

test('a pattern without a linear matcher, or too large, is refused with the reason', () => {
  const refused: [source: string, says: RegExp][] = [
    ['(?=x)y', /look-around/],
    ['(?<!a)b', /look-around/],
    ['(a)\\1', /back-references/],
    ['\\k<x>', /back-references/],
    ['\\p{L}', /\\p is not supported/],
    ['(a', /missing \)/],
    ['a)', /unmatched \)/],
    ['[a', /missing \]/],
    ['[z-a]', /out of order/],
    ['[[:letter:]]', /not a class/],
    ['[[:constructor:]]', /not a class/],
    ['*a', /nothing to repeat before \*/],
    ['a**', /quantifier after a quantifier/],
    ['a{3,2}', /out of range/],
    ['a{1001}', /out of range/],
    ['(((){1000}){1000}){1000}', /too large/],
    ['(a{100}){100}', /too large/],
    ['((((((){60}){60}){60}){60}){60}){60}', /too large/],
    ['('.repeat(200), /nested/],
    ['a'.repeat(2001), /longer than/],
    ['\\', /unexpected end/],
  ];
  for (const [source, says] of refused) {
    assert.throws(
      () => regex(source),
      (e: Error) => e instanceof PatternError && says.test(e.message),
      source,
    );
  }
  assert.throws(() => glob('[z-a]'), PatternError);
});

test('patterns that stall a backtracking matcher take linear time on 2 MiB', () => {
  const text = 'a'.repeat(2 << 20);
  for (const source of [
    '(a+)+$b',
    '(a|aa)+c',
    'a*a*a*a*a*b',
    '(.*)*x',
    '^(([a-z])+.)+[A-Z]([a-z])+$',
    '.*a.*a.*a.*b',
  ]) {
    const pattern = regex(source);
    const before = performance.now();
    assert.equal(pattern.test(text), false, source);
    const took = performance.now() - before;
    assert.ok(took < 5000, `${source}: ${took} ms`);
  }
  assert.equal(glob('*a*a*a*a*a*a*a*b').test(text), false);
});

test('an automaton whose states multiply stays within its limits', () => {
  const pattern = regex('(a|b)*a(a|b){14}c');
  const text = Array.from({ length: 4096 }, (_, i) => ((i * 7919) % 13 < 6 ? 'a' : 'b')).join('');
  const before = performance.now();
  assert.equal(pattern.test(text), false);
  assert.equal(pattern.test(`${text}abbbbbbbbbbbbbbc`), true);
  assert.ok(performance.now() - before < 5000);
});

test('a text that reaches the limits of an automaton gets its answer soon, and the same after any other texts', () => {
  const source = '(a|b)*a(a|b){14}c';
  const used = regex(source);
  let seed = 7;
  const letter = () => {
    seed = (seed * 48_271) % 0x7fffffff;
    return seed % 2 ? 'a' : 'b';
  };
  const random = (length: number) => Array.from({ length }, letter).join('');
  const answers = Array.from({ length: 40 }, (_, i) => {
    used.test(random(200 + 100 * i));
    const text = `${random(100 * i)}abbbbbbbbbbbbbbc`;
    const answer = regex(source).test(text);
    assert.equal(used.test(text), answer, `after ${100 * i} letters`);
    return answer;
  });
  assert.equal(answers[0], true);
  assert.equal(answers.at(-1), false, 'what stands behind the limit is not seen');
  const before = performance.now();
  for (let i = 0; i < 10; i++) used.test(random(1 << 16));
  assert.ok(performance.now() - before < 5000);
});

test('regular expressions', () => {
  const cases: [source: string, text: string, matches: boolean][] = [
    ['^postgres: ', 'postgres: checkpointer ', true],
    ['^postgres: ', '/usr/bin/postgres: x', false],
    ['java.*com\\.myapp\\.Worker', '/bin/java -cp x com.myapp.Worker', true],
    ['', '', true],
    ['^$', '', true],
    ['^$', 'x', false],
    ['a|^b|c$', 'xb', false],
    ['a|^b|c$', 'xc', true],
    ['colou?r', 'colr color', true],
    ['^(ab){2,3}$', 'ababab', true],
    ['^(ab){2,3}$', 'abababab', false],
    ['^a{2}$', 'aaa', false],
    ['^a{,2}$', 'a{,2}', true],
    ['(?i)^MySQL', 'mysqld', true],
    ['a.b', 'a\nb', true],
    ['(?-s)a.b', 'a\nb', false],
    ['(?-s)a.b', 'a\n axb', true],
    ['(?-s:a.)b.c', 'axb\nc', true],
    ['(?-s:a.)b.c', 'a\nb\nc', false],
    ['(?-s)a(?s:.)b', 'a\nb', true],
    ['(?i-s)A.b', 'a\nb', false],
    ['(?i:a)b', 'AB', false],
    ['(?P<name>x)(?<other>y)(?:z)', 'xyz', true],
    ['[[:digit:]]+-[^a-z]', '12-X', true],
    ['[\\w.-]+@', 'a.b-c@', true],
    ['^[]x]+$', ']x', true],
    ['^[\\D]$', '5', false],
    ['\\bnode\\b', '/usr/bin/node x', true],
    ['\\bnode\\b', 'nodejs', false],
    ['\\Boo', 'foo', true],
    ['x\\tq\\x41\\u0042\\x{43}', 'x\tqABC', true],
    ['^.$', '😀', true],
    ['.', '\n', true],
    ['(?i)[^é]', 'É', false],
    ['a*?b', 'aaab', true],
  ];
  for (const [source, text, matches] of cases) assert.equal(regex(source).test(text), matches, `${source} on ${text}`);
});

test('what every text that a glob matches begins and ends with', () => {
  const cases: [source: string, prefix: string, suffix: string][] = [
    ['*_exporter', '', '_exporter'],
    ['/opt/[a]*', '/opt/a', ''],
    ['a\\*b*c[xy]de', 'a*b', 'de'],
    ['[celery*', '[celery', ''],
    ['[ab]c', '', 'c'],
    ['nginx', 'nginx', 'nginx'],
  ];
  for (const [source, prefix, suffix] of cases)
    assert.deepEqual([globPrefix(source), globSuffix(source)], [prefix, suffix], source);
});

test('globs', () => {
  const cases: [source: string, text: string, matches: boolean, paths?: boolean][] = [
    ['ora_*', 'ora_pmon_ORCL', true],
    ['ora_*', 'xora_pmon', false],
    ['python3.[0-9]*', 'python3.11', true],
    ['python3.[!0-9]', 'python3.1', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a.c', 'abc', false],
    ['a\\*c', 'a*c', true],
    ['a\\*c', 'abc', false],
    ['[', '[', true],
    ['[]a]', ']', true],
    ['/opt/*/bin/x', '/opt/a/bin/x', true, true],
    ['/opt/*/bin/x', '/opt/a/b/bin/x', false, true],
    ['/opt/**/x', '/opt/a/b/bin/x', true, true],
    ['**/x', '/a/x', true, true],
    ['*', 'a\nb', true],
  ];
  for (const [source, text, matches, paths] of cases)
    assert.equal(glob(source, paths).test(text), matches, `${source} on ${text}`);
  assert.equal(isGlob('clickhouse-server'), false);
  assert.equal(isGlob('ora_*'), true);
});

/** Patterns of every construct that both engines have, over a small alphabet so that they often match. */
const { node } = fc.letrec<{ node: string; atom: string }>((tie) => ({
  atom: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('a', 'b', 'c', '.', '[ab]', '[^a]', '\\w', '\\W', '\\b', '\\B', '^', '$', '\\d', '-'),
    tie('node').map((inner) => `(${inner})`),
  ),
  node: fc
    .array(fc.tuple(tie('atom'), fc.constantFrom('', '', '', '*', '+', '?', '{2}', '{1,2}', '*?')), { maxLength: 4 })
    .chain((parts) => {
      const text = parts.map(([atom, q]) => (/^(\^|\$|\\b|\\B)$/.test(atom) ? atom : atom + q)).join('');
      return fc.constantFrom(text, `${text}|a`, `b|${text}`);
    }),
}));

test('agrees with RegExp wherever both can answer', () => {
  fc.assert(
    fc.property(
      node,
      fc.array(fc.constantFrom('a', 'b', 'c', '-', '7', 'é', ' '), { maxLength: 8 }),
      (source, text) => {
        assert.equal(regex(source).test(text.join('')), new RegExp(source, 'su').test(text.join('')), source);
      },
    ),
    { numRuns: 1000 },
  );
});

test('any text as a pattern gives a matcher or a PatternError', () => {
  const part = fc.oneof(fc.string(), fc.constantFrom('(', ')', '[', ']', '\\', '{2', '}', '*', '?', '(?i)', '^', '-'));
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), fc.string(), (parts, text) => {
      for (const make of [regex, glob]) {
        try {
          make(parts.join('')).test(text);
        } catch (e) {
          assert.ok(e instanceof PatternError, String(e));
        }
      }
    }),
  );
});
