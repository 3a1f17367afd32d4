import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'smol-toml';
import { coveredValues } from './hiding-rules.ts';
import { lint, lintCatalogue } from './linter.ts';
import type { Rule } from './rule.ts';
import { parseCatalogue, parseRules } from './rule-parser.ts';

const rulesOf = (text: string) => ({ group: 'g', ...parse(text) });
const ofCatalogue = (text: string) => parseCatalogue([{ file: 'c', document: rulesOf(text) }]);
const ofUser = (text: string) => parseRules(rulesOf(text), 'u');
const rule = (subgroup: string, keys: string) => `[[rule]]\nsubgroup = "${subgroup}"\n${keys}\n`;

test('findings about a single rule', () => {
  const cases: [keys: string, says: RegExp | undefined][] = [
    ['comm = "clickhouse-server"', undefined],
    [
      'comm = "a/name-longer-than-comm"',
      /never seen: the kernel keeps 15 bytes \("a\/name-longer-t"\).*; write "a\/name/,
    ],
    ['comm = "ossec-"', /"ossec-" is compared with the whole name; for names that begin with it write "ossec-\*"/],
    ['comm = "cut-by-kernel--"', undefined],
    ['argv0 = "python3"', /a name that many programs have/],
    ['comm = "kworker/0:1"', undefined],
    ['exe = "usr/bin/x"', /a path starts with a slash/],
    ['exe = "/usr/bin/"', /does not end in a slash/],
    ['unit = "nginx"', /a unit ends in/],
    ['unit = "postgresql@*"', undefined],
    ['python_module = "a/b"', /neither spaces nor slashes/],
    ['jvm_main = "x.Y"\nscript = "z"', /no process has both jvm_main and script/],
    ['argv = "kafka"', /argv alone/],
    ['comm = "java"\nargv = "kafka"', undefined],
    ['comm = "agent"', /a name that many programs have/],
    ['exe = "ab"', /a name that many programs have/],
    ['comm = "agent"\nunit = "x.service"', undefined],
    ['comm = "py*"', /matches unrelated programs/],
    ['comm = "pyth*"', /matches unrelated programs/],
    ['comm = "pytho[n]*"\nfallback = true', undefined],
    ['comm = "ora_*"', undefined],
    ['comm = "x11"\nexamples = [ { comm = "y" } ]', /its example "y" \(no command line\) is decided by none/],
    [
      'comm = "x11*"\nnot_examples = [ { comm = "x11vnc", argv = "x11vnc -q" } ]',
      /its not_example "x11vnc" \(x11vnc -q\)/,
    ],
  ];
  for (const [keys, says] of cases) {
    const messages = lintCatalogue(ofCatalogue(rule('s', keys))).map(({ message }) => message);
    if (says) assert.match(messages.join('\n'), says, keys);
    else assert.deepEqual(messages, [], keys);
  }
});

test('findings about two rules', () => {
  const cases: [first: string, second: string, says: RegExp | undefined][] = [
    ['comm = "nginx"', 'comm = "nginx"', /#two: is never reached: c#one matches every process that this rule matches/],
    ['comm = ["abc", "nginx"]', 'comm = "nginx"\nfallback = true', /#two: is never reached/],
    [
      'comm = ["abc", "nginx"]',
      'comm = ["nginx", "def"]',
      /#two: comm "nginx" is claimed by c#one, for g\/one as well/,
    ],
    ['comm = "ora_*"', 'comm = "ora_pmon_*"', /#two: is never reached/],
    ['comm = "ora_*"', 'comm = "ora_pmon"', undefined],
    ['comm = "nginx"', 'comm = "nginx"\nunit = "x.service"', undefined],
    ['comm = "nginx"\nunit = "x.service"', 'comm = "nginx"', undefined],
    ['exe = "/opt/**"', 'comm = "nginx"\nexe = "/opt/**"', undefined],
    ['exe = "/opt/*/x"\ncomm = "abc"', 'exe = "/opt/*/x"\ncomm = "abc"\nfallback = true', /never reached/],
  ];
  for (const [first, second, says] of cases) {
    const findings = lintCatalogue(ofCatalogue(rule('one', first) + rule('two', second)));
    const text = findings.map(({ rule: name, message }) => `${name}: ${message}`).join('\n');
    if (says) assert.match(text, says, `${first} / ${second}`);
    else assert.equal(text, '', `${first} / ${second}`);
  }
});

test('a finding names the line of the other rule too', () => {
  const two = { rule: ['one', 'two'].map((subgroup) => ({ group: 'g', subgroup, comm: 'acme' })) };
  const [finding] = lint(parseRules(two, 'u', new Map([['rule', [4, 9]]])), []);
  assert.match(finding!.message, /^is never reached: u:1 \(line 4\) matches/);
});

test("the user's rules may hide the catalogue's, not each other", () => {
  const shipped = ofCatalogue(rule('web', 'comm = "nginx"') + rule('late', 'comm = "late"\nfallback = true'));
  assert.deepEqual(lint(ofUser(rule('own', 'comm = "nginx"')), shipped), []);
  const both = ofUser(
    rule('one', 'comm = ["nginx", "abc"]') + rule('two', 'comm = "nginx"') + rule('three', 'comm = ["abc", "d-e"]'),
  );
  assert.deepEqual(
    lint(both, shipped).map((finding) => `${finding.severity} ${finding.rule}: ${finding.message}`),
    [
      'error u:2: is never reached: u:1 matches every process that this rule matches, and decides first; delete this rule, or place it before the other, or give it more keys',
      'warning u:3: comm "abc" is decided earlier by u:1, for g/one; take it out of one of them',
    ],
  );
});

/** What the linter says of rules that hide each other, found by comparing every pair. */
function hiddenByPairs(rules: readonly Rule[]): string[] {
  return rules.flatMap((rule, rank) => {
    const hiding = rules.slice(0, rank).filter((other) =>
      other.keys.list.every(([key, wide]) => {
        const narrow = rule.keys.get(key);
        return narrow && coveredValues(narrow, wide).length === narrow.length;
      }),
    );
    return hiding.slice(0, 5).map(({ name }) => `${rule.name} by ${name}`);
  });
}

test('a rule that is never reached is found whatever hides it', () => {
  const value = fc.constantFrom(
    ...['nginx', 'ngi*', 'ng*', 'abc', 'a*', '*-a', '*', 'x?z', 'xyz', 'n[g]inx', 'abcdefghijklmno', 'abcdefghijklmn*'],
  );
  const values = fc.option(fc.array(value, { minLength: 1, maxLength: 3 }), { nil: undefined });
  const path = fc.option(fc.constantFrom('/opt/**', '/opt/a/*', '/opt/a/b', '/opt/a/b/c', 'abc'), { nil: undefined });
  const rules = fc.array(
    fc
      .record({ comm: values, exe: path, jvm_main: values, argv: fc.constantFrom(undefined, 'x', 'y.*') })
      .map((keys) => Object.fromEntries(Object.entries(keys).filter(([, given]) => given !== undefined)))
      .filter((keys) => Object.keys(keys).length > 0),
    { maxLength: 10 },
  );
  fc.assert(
    fc.property(rules, (some) => {
      const parsed = parseRules({ rule: some.map((keys) => ({ group: 'g', subgroup: 's', ...keys })) }, 'u');
      const found = lint(parsed, []).flatMap(({ rule: name, message }) => {
        const other = /^is never reached: (\S+) /.exec(message)?.[1];
        return other ? [`${name} by ${other}`] : [];
      });
      assert.deepEqual(found, hiddenByPairs(parsed));
    }),
    { numRuns: 150 },
  );
});

test('thousands of rules are linted in a few seconds, whatever they have in common', () => {
  // biome-ignore format: one line a case
  const cases: [what: string, keys: (i: number) => object, findings: number][] = [
    ['nothing', (i) => ({ comm: `name${i}` }), 0],
    ['one key', (i) => ({ comm: 'same', unit: `u${i}.service` }), 0],
    ['everything', () => ({ comm: 'same' }), 14_985],
    ['the folder of a path', (i) => ({ exe: `/opt/application/server/bin/${i}/**` }), 0],
    ['a glob without a start', (i) => ({ comm: `*a*b*${i}*`, unit: 'x.service' }), 0],
  ];
  for (const [what, keys, findings] of cases) {
    const given = Array.from({ length: 3000 }, (_, i) => ({ group: 'g', subgroup: 's', ...keys(i) }));
    const rules = parseRules({ rule: given }, 'u');
    const before = process.cpuUsage();
    assert.equal(lint(rules, []).length, findings, what);
    const { user, system } = process.cpuUsage(before);
    // A third of a second on an idle machine; comparing every pair takes six on a busy one.
    assert.ok(user + system < 2_000_000, `${what}: ${user + system} µs`);
  }
});
