import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'smol-toml';
import { tableLines } from './table-lines.ts';

// biome-ignore format: one line a case
const cases: [what: string, toml: string, lines: Record<string, number[]>][] = [
  ['nothing', '', {}],
  ['headers', '# x\n[[rule]]\na = 1\n\n  [[ "rule" ]] # y\n[[expect]]\n', { rule: [2, 5], expect: [6] }],
  ['a list of inline tables', 'subgroups = [\n  { a = 1 }, { b = 2 },\n  # { no }\n  { c = [\n "]", ] },\n]\n[[rule]]\n', { subgroups: [2, 2, 4], rule: [7] }],
  ['strings that look like headers', 'a = """\n[[rule]]\n\\"""{ [ """\nb = \'\'\'\n[[rule]]\n\'\'\'\n[[rule]]\nc = "# [ {"\nd = \'\\\'\n[[rule]]\n', { a: [1], b: [4], rule: [7, 10] }],
  ['quotes before the closing ones', 'a = """x"""""\n[[rule]]\nb = \'\'\'x\'\'\'\'\n[[rule]]', { a: [1], rule: [2, 4] }],
  ['other keys', 'group = 1\n"b".c = 2\n[rule]\nx = 1\n[ \'d\' ]\ngroup = 1\n', { group: [1], b: [2], rule: [3], d: [5] }],
  ['names of what every object has', 'toString = 1\n[__proto__]\n[[constructor]]\n[[constructor]]\n', { toString: [1], ['__proto__']: [2], constructor: [3, 4] }],
  ['lists of other things', '[[rule]]\nexamples = [\n  { argv = ["[[rule]]", "x"] },\n]\nargv = [\n  ["a", "b"],\n]\n[[rule]]\n', { rule: [1, 8], examples: [3] }],
];
for (const [what, toml, lines] of cases) {
  test(what, () => {
    parse(toml); // what it promises for is TOML
    assert.deepEqual([...tableLines(toml)], Object.entries(lines));
  });
}

test('the time is linear in the length, whatever a rule file holds', () => {
  const length = 1 << 20;
  const fill = (head: string, part: string, tail: string) =>
    head + part.repeat(Math.floor(length / part.length)) + tail;
  const texts = [
    fill('', '[[rule]]\n', ''),
    fill('a = [', '"x",', ']'),
    fill('a = [', '"""x""",', ']'),
    fill('a = """', '\\n', '"""'),
    fill("a = '''", '"""', "'''"),
    fill('a = [', '{},', ']'),
    fill('a = [', '\n#"', '\n]'),
    fill('', ' ', ''),
    fill('', '\n', ''),
  ];
  for (const text of texts) {
    const before = process.cpuUsage();
    tableLines(text);
    const { user, system } = process.cpuUsage(before);
    // Twenty milliseconds of an idle machine; a list that is copied for each table takes more than ten seconds.
    assert.ok(user + system < 2_000_000, `${text.slice(0, 12)}: ${user + system} µs`);
  }
  assert.equal(tableLines(texts[0]!).get('rule')!.length, Math.floor(length / 9));
});
