import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { MalformedFileError } from './malformed-file.ts';
import { parseOnThread, parseText } from './parser-thread.ts';
import { parseRuleText } from './rule-text.ts';

const table = '[[rule]]\ngroup = "g"\nsubgroup = "s"\ncomm = "x"\n';
const faultOf = (parsed: Promise<unknown>) =>
  parsed.then(
    () => assert.fail('was taken'),
    (error: unknown) => {
      assert.ok(error instanceof MalformedFileError, String(error));
      return `${error.line}: ${error.message}`;
    },
  );

/** Processor time of this thread alone, whatever else the machine does, milliseconds (proc_pid_schedstat in the kernel's documentation). */
const ownCpuMs = () => Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[0]) / 1e6;

test('a long text is parsed like a short one, with the same faults', async () => {
  const rules = table.repeat(400);
  const [long, same] = [await parseText('rules', rules), await parseRuleText(rules)];
  assert.deepEqual(long.lines, same.lines);
  assert.equal(JSON.stringify(long.document), JSON.stringify(same.document));
  const dates = `${'#\n'.repeat(9000)}a = 2024-01-01\nb = [nan, inf, -0.0]\n`;
  const { document } = await parseText('rules', dates);
  assert.ok(document.a instanceof Date);
  assert.deepEqual(document.b, [Number.NaN, Number.POSITIVE_INFINITY, -0]);
  assert.equal(
    await faultOf(parseText('rules', `${rules}[[rule]`)),
    '1601: is not valid TOML (expected end of table array declaration); correct this line',
  );
  const values = `a: {b: [1, x]}\n${'# x\n'.repeat(4500)}c: 2024-01-01\n<<: d`;
  const short = values.replaceAll('# x\n', '');
  const withoutLines = (node: unknown) => JSON.stringify(node).replace(/"line":\d+/g, '');
  for (const dialect of ['YAML 1.1', 'YAML 1.2'] as const)
    assert.equal(
      withoutLines(await parseText('yaml', values, 8, dialect)),
      withoutLines(await parseText('yaml', short, 8, dialect)),
    );
  const config = `port = 1\n${'# x\n'.repeat(9000)}c = [1, {}]`;
  assert.deepEqual(await parseText('toml', config), [
    { key: 'port', value: 1, line: 1 },
    { key: 'c', value: [1, {}], line: 9002 },
  ]);
});

test('a text that costs much does not hold this thread, and is refused where its document would', async (t) => {
  const length = 1 << 20;
  const fill = (head: string, part: string, tail: string, size = length) =>
    head + part.repeat(size / part.length) + tail;
  const keys = Array.from({ length: 9000 }, (_, i) => `k${i} = 1\n`).join('');
  const excess = /^1: has more than 50000 tables and lists; remove some$/;
  // biome-ignore format: one line a case
  const cases: [text: string, refused: RegExp | undefined][] = [
    [table.repeat(10_000), undefined],
    [fill('a = [', '"x",', ']'), undefined],
    [fill('a = [', '{},', ']', length / 4), excess],
    [fill('a = [', '[],', ']', length / 4), excess],
    [fill('', '[[a]]\n', '', length / 3), excess],
    [keys, /^1: has a table of 9000 keys, more than 1000; write rules as/],
    [`${table}${keys}`, /^1: has a table of 9003 keys/],
    [`${'a.'.repeat(length / 16)}b = 1`, /^1: is nested too deep; write rules as \[\[rule\]\] tables$/],
    [fill('', ' ', 'a', length / 4), /^1: is not valid TOML/],
  ];
  for (const [text, refused] of cases) {
    const before = ownCpuMs();
    if (refused) assert.match(await faultOf(parseText('rules', text)), refused);
    else await parseText('rules', text);
    const held = ownCpuMs() - before;
    t.diagnostic(`${held.toFixed(0)} ms: ${text.slice(0, 12)}`);
    // 30 ms on an idle machine. To parse some of them takes 250 and 550 ms.
    assert.ok(held < 150, `${held} ms: ${text.slice(0, 12)}`);
  }
  assert.match(
    await faultOf(parseText('yaml', `a: [${'1,'.repeat(30_000)}]`, 4, 'YAML 1.2')),
    /^1: is the first of more than 20000 values; remove some$/,
  );
});

test('a parser that ends, fails or never ends is a fault of the text', async () => {
  const job = { name: 'rules', args: [''] } as const;
  const ended: string[] = [];
  const started = (what: string, then: (thread: EventEmitter) => void) => async () => {
    const thread = Object.assign(new EventEmitter(), { terminate: async () => ended.push(what) });
    setImmediate(() => then(thread));
    return thread as never;
  };
  // biome-ignore format: one line a case
  const cases: [what: string, start: Parameters<typeof parseOnThread>[1], message: RegExp][] = [
    ['without end', started('without end', () => {}), /^1: cannot be parsed \(the parser needs more than 0.05 seconds\); make it shorter/],
    ['exit', started('exit', (thread) => thread.emit('exit')), /^1: cannot be parsed \(the thread of the parser ended\)/],
    ['memory', started('memory', (thread) => thread.emit('error', new Error('out of memory'))), /^1: cannot be parsed \(out of memory\)/],
    ['no thread', async () => { throw new Error('EMFILE'); }, /^1: cannot be parsed \(EMFILE\)/],
  ];
  for (const [, start, message] of cases) assert.match(await faultOf(parseOnThread(job, start, 50)), message);
  assert.deepEqual(ended, ['without end', 'exit', 'memory'], 'the threads are ended');
});
