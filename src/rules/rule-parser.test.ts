import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'smol-toml';
import type { Rule } from './rule.ts';
import {
  parseCatalogue,
  parseRuleDocument,
  parseRules,
  RULES_MAX,
  RuleError,
  ruleDocumentSteps,
} from './rule-parser.ts';

/** Lines of the tables, by key. */
const linesOf = (lines: Record<string, number[]>) => new Map(Object.entries(lines));

const faults = (document: unknown): readonly string[] => {
  try {
    parseRules(document, 'x.toml');
    return [];
  } catch (error) {
    assert.ok(error instanceof RuleError);
    return error.messages;
  }
};

test('a faulty document is refused with every fault', () => {
  const toml = `
    groupe = "db"
    [[rule]]
    subgroup = "a"
    com = "x"
    uint = "x.service"
    [[rule]]
    group = "g"
    subgroup = ""
    comm = []
    argv = ["(", "ok", "(?=x)"]
    fallback = "yes"
    examples = [ { comm = "sixteen-bytes-16", cmd = "x" }, {} ]
    [[rule]]
    group = 7
    subgroup = "\\u0000"
    exe = ["a", 1]
    source = 1
    jvm_main = "[z-a]"
    not_examples = "x"
    [[subgroups]]
    matches = [""]
    cmdline_matches = ["*"]
    regex = "x"`;
  assert.deepEqual(faults(parse(toml)), [
    'x.toml: unknown key "groupe"; did you mean "group"?',
    'x.toml: rule 1: unknown key "com"; did you mean "comm"?',
    'x.toml: rule 1: unknown key "uint"; did you mean "unit"?',
    'x.toml: rule 1: matches nothing; give at least one of comm, exe, argv0, unit, container, jvm_main, python_module, script, argv',
    'x.toml: rule 1: group is missing; say group = "..."',
    'x.toml: rule 2: subgroup must have 1 to 100 characters, none of them a control character',
    'x.toml: rule 2: comm must be a string or a list of strings, none empty',
    'x.toml: rule 2: argv: the regular expression "(" cannot be used: missing ) at character 2',
    'x.toml: rule 2: argv: the regular expression "(?=x)" cannot be used: look-around and this kind of (? group are not supported at character 3',
    'x.toml: rule 2: fallback must be true or false, not string yes',
    'x.toml: rule 2: unknown key "cmd"; known keys are comm, exe, argv, user, unit, container',
    'x.toml: rule 2: an example\'s comm "sixteen-bytes-16" is longer than the kernel\'s 15 bytes; say "sixteen-bytes-1"',
    'x.toml: rule 2: an example needs a comm, an exe or an argv',
    'x.toml: rule 3: subgroup must have 1 to 100 characters, none of them a control character',
    'x.toml: rule 3: exe must be a string or a list of strings, none empty',
    'x.toml: rule 3: jvm_main: the glob "[z-a]" cannot be used: the range z-a is out of order',
    'x.toml: rule 3: source must be a string, not number 1',
    'x.toml: rule 3: group must be a string, not number 7',
    'x.toml: rule 3: not_examples must be a list of tables',
    'x.toml: subgroups entry 1: unknown key "regex"; known keys are group, subgroup, matches, cmdline_matches',
    'x.toml: subgroups entry 1: group is missing; say group = "..."',
    'x.toml: subgroups entry 1: subgroup is missing; say subgroup = "..."',
    'x.toml: subgroups entry 1: matches must be a string or a list of strings, none empty',
    'x.toml: subgroups entry 1: cmdline_matches: the regular expression "*" cannot be used: nothing to repeat before * at character 1',
  ]);
});

test('a value that is no rule document is refused with the reason', () => {
  assert.deepEqual(faults(null), ['x.toml: must be a table that holds rules, not object null']);
  assert.deepEqual(faults([]), ['x.toml: must be a table that holds rules, not a list']);
  assert.deepEqual(faults('x'), ['x.toml: must be a table that holds rules, not string x']);
  assert.match(faults({ rule: {} })[0]!, /rule must be a list of tables/);
  assert.match(faults({ subgroups: [1] })[0]!, /subgroups must be a list of tables/);
});

test('a key with hostile characters is named harmlessly', () => {
  assert.match(faults({ 'a\u001b[2J\n\u202e': 1 })[0]!, /unknown key "a\\x1b\[2J\\n\\u202e"/);
});

test('an empty document holds no rules', () => {
  assert.deepEqual(parseRules(parse('# not yet'), 'x'), []);
  assert.deepEqual(parseRules({ group: 'x' }, 'x'), []);
});

test('any document gives rules or a RuleError', () => {
  const keys = [
    'group',
    'rule',
    'subgroups',
    'subgroup',
    'comm',
    'argv',
    'examples',
    'matches',
    'fallback',
    'exe',
    'expect',
  ];
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 5 }, fc.string(), fc.constant(null), fc.double(), fc.array(tie('value')), tie('table')),
    table: fc.dictionary(fc.constantFrom(...keys), tie('value')),
  }));
  fc.assert(fc.property(value, (document) => void faults(document)));
});

const shape = ({ name, group, subgroup, keys, fallback }: Rule) => ({
  ...{ name, group, subgroup, fallback },
  keys: Object.fromEntries(keys.list.map(([key, matchers]) => [key, matchers.map((m) => `${m.form} ${m.text}`)])),
});

test('rules get the group of the document, their names and the forms of their values', () => {
  const document = parse(`
    group = "db"
    [[rule]]
    subgroup = "postgres"
    comm = ["postgres", "pg_*"]
    exe = "/usr/lib/postgresql/*/bin/*"
    argv = '^postgres: '
    examples = [ { exe = "/usr/lib/postgresql/15/bin/pg_receivewal_long", argv = "a b  c" }, { comm = "x", argv = ["a b", "c"] } ]
    [[rule]]
    group = "own"
    subgroup = "postgres"
    unit = "x.service"
    fallback = true`);
  const rules = parseCatalogue([{ file: 'catalogue/db.toml', document }]);
  assert.deepEqual(rules.map(shape), [
    {
      ...{ name: 'catalogue/db.toml#postgres', group: 'db', subgroup: 'postgres', fallback: false },
      keys: {
        comm: ['literal postgres', 'glob pg_*'],
        exe: ['glob /usr/lib/postgresql/*/bin/*'],
        argv: ['regex ^postgres: '],
      },
    },
    {
      ...{ name: 'catalogue/db.toml#postgres.2', group: 'own', subgroup: 'postgres', fallback: true },
      keys: { unit: ['literal x.service'] },
    },
  ]);
  assert.deepEqual(
    rules[0]!.examples.map(({ name, argv }) => [name, argv]),
    [
      ['pg_receivewal_l', ['a', 'b', 'c']],
      ['x', ['a b', 'c']],
    ],
  );
  assert.equal(parseRules(document, './my.toml')[1]!.name, './my.toml:2');
});

test('a list among the values of argv is one value, whose expressions must all be found', () => {
  const [rule] = parseRules({ rule: [{ group: 'g', subgroup: 's', argv: ['^a', ['b', 'c$']] }] }, 'x');
  const finds = (line: string) => rule!.keys.get('argv')!.some((matcher) => matcher.test(line));
  for (const line of ['a', 'xbc', 'bxc', 'cbc']) assert.ok(finds(line), line);
  for (const line of ['xb', 'xc', 'cb', 'bcx']) assert.ok(!finds(line), line);
  assert.deepEqual(faults({ rule: [{ group: 'g', subgroup: 's', argv: [[]] }] }), [
    'x.toml: rule 1: argv must be a string or a list of strings, none empty',
  ]);
  assert.match(
    faults({ rule: [{ group: 'g', subgroup: 's', argv: [['x', '(']] }] })[0]!,
    /expression "\(" cannot be used/,
  );
  assert.match(faults({ rule: [{ group: 'g', subgroup: 's', comm: [['x', 'y']] }] })[0]!, /comm must be a string/);
});

test('expectations come from rules and from [[expect]], with their lines', () => {
  const document = parse(`
    group = "g"
    [[rule]]
    subgroup = "s"
    comm = "x"
    examples = [ { comm = "x" } ]
    [[expect]]
    group = "db"
    subgroup = "postgres"
    not_examples = [ { comm = "psql" } ]
    [[rule]]
    subgroup = "t"
    comm = "y"`);
  const { rules, expectations } = parseRuleDocument(document, 'x', linesOf({ rule: [3, 11], expect: [7] }));
  assert.deepEqual(
    rules.map(({ name, line }) => [name, line]),
    [
      ['x:1', 3],
      ['x:2', 11],
    ],
  );
  assert.deepEqual(
    expectations.map(({ line, rule, group, subgroup }) => [line, rule?.name, group, subgroup]),
    [
      [3, 'x:1', 'g', 's'],
      [7, undefined, 'db', 'postgres'],
      [11, 'x:2', 'g', 't'],
    ],
  );
  const wrong = { rule: [{ group: 'g', subgroup: 's', com: 'x' }], expect: [{ group: 'g', comm: 'x' }] };
  assert.throws(() => parseRuleDocument(wrong, 'x', linesOf({ rule: [3], expect: [7] })), {
    messages: [
      'x:3: rule 1: unknown key "com"; did you mean "comm"?',
      'x:3: rule 1: matches nothing; give at least one of comm, exe, argv0, unit, container, jvm_main, python_module, script, argv',
      'x:7: expect 1: unknown key "comm"; known keys are group, subgroup, examples, not_examples',
      'x:7: expect 1: expects nothing; give examples or not_examples',
      'x:7: expect 1: subgroup is missing; say subgroup = "..."',
    ],
  });
});

test('the older form keeps its meaning', () => {
  const document = parse(`
    subgroups = [
      { group = "a", subgroup = "one", matches = ["x", "lit*eral"], cmdline_matches = ["java.*com.acme"] },
      { group = "b", subgroup = "two", matches = ["x"] },
      { group = "other", subgroup = "unknown", matches = [] },
      { group = "c", subgroup = "three", cmdline_matches = "worker" },
    ]`);
  assert.deepEqual(
    parseRules(document, './subgroups.toml').map((rule) => [rule.name, rule.subgroup, shape(rule).keys]),
    [
      ['./subgroups.toml:2', 'two', { comm: ['literal x'] }],
      ['./subgroups.toml:1', 'one', { comm: ['literal x', 'literal lit*eral'] }],
      ['./subgroups.toml:1', 'one', { argv: ['regex java.*com.acme'] }],
      ['./subgroups.toml:4', 'three', { argv: ['regex worker'] }],
    ],
  );
});

test('keys named like what every object has are unknown keys, in every place and format', () => {
  const rule = 'group = "g"\nsubgroup = "s"\ncomm = "x"\n';
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const told = new RegExp(`unknown key "${name}"`);
    for (const toml of [
      `${name} = 1`,
      `[${name}]\na = 1`,
      `[[${name}]]\na = 1`,
      `${name} = [ { a = 1 } ]`,
      `[[rule]]\n${rule}${name} = 1`,
      `[[rule]]\n${rule}[rule.${name}]\na = 1`,
      `[[rule]]\n${rule}[[rule.${name}]]\na = 1`,
      `[[rule]]\n${rule}examples = [ { comm = "x", ${name} = "x" } ]`,
      `[[expect]]\ngroup = "g"\nsubgroup = "s"\nexamples = [ { comm = "x" } ]\n${name} = 1`,
      `subgroups = [ { group = "g", subgroup = "s", matches = ["x"], ${name} = 1 } ]`,
    ])
      assert.match(faults(parse(toml)).join('\n'), told, toml);
    assert.match(faults(JSON.parse(`{"${name}": {"a": 1}}`)).join('\n'), told);
  }
  const lines = new Map([['constructor', [7]]]);
  assert.throws(
    () => parseRules(parse('[[constructor]]\na = 1'), 'x', lines),
    /^RuleError: x:7: unknown key "constructor"/,
  );
});

test('rules, values and faults are limited in number', () => {
  const rules = (count: number) => ({
    rule: Array.from({ length: count }, () => ({ group: 'g', subgroup: 's', comm: 'x' })),
  });
  assert.equal(parseRules(rules(RULES_MAX), 'x').length, RULES_MAX);
  assert.match(faults(rules(RULES_MAX + 1)).join('\n'), /^x\.toml: 10001 rules are more than 10000; give rules lists/);
  const comm = Array.from({ length: 1001 }, (_, i) => `name${i}`);
  assert.match(
    faults({ rule: [{ group: 'g', subgroup: 's', comm }] })[0]!,
    /comm has 1001 values, more than 1000; use globs/,
  );
  const wrong = { rule: Array.from({ length: 10_000 }, () => ({ ['k\u001b'.padEnd(70, 'k')]: 'x'.repeat(1000) })) };
  const told = faults(wrong);
  assert.equal(told.length, 51);
  assert.equal(told[50], 'x.toml: … and 39950 more');
  assert.ok(told.join('\n').length < 51 * 700);
});

test('a long document is parsed in short steps', () => {
  const rule = Array.from({ length: 5000 }, (_, i) => ({
    group: 'g',
    subgroup: 's',
    comm: 'x',
    argv: [`a${i}`, [`b${i}`, 'c']],
  }));
  let steps = 0;
  for (const work = ruleDocumentSteps({ rule }, 'x'); !work.next().done; ) steps++;
  assert.ok(steps >= 4 * 5000, `${steps}`);
});
