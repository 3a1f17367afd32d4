import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ConfigError } from '../../config/load.ts';
import { readRuleFiles } from '../../config/rule-files.ts';
import { Classifier } from '../../rules/classifier.ts';
import { catalogueRules, readDocuments } from '../load-host.ts';
import { testExpectations } from './expectations.ts';
import { lintFiles } from './lint.ts';

const folder = mkdtempSync(join(tmpdir(), 'herakles-'));
const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const nothing = { flags: [], file: undefined };
const lint = (files: readonly string[], json = false) => lintFiles(nothing, files, json);
const check = (path: string) => testExpectations(nothing, path);
/** Without the folder, which differs from run to run. */
const lines = ({ output }: { output: string }) => output.replaceAll(`${folder}/`, '').trimEnd().split('\n');

const faulty = `group = "shop"
[[rule]]
subgroup = "web"
comm = ["acme-web", "acme-"]

[[rule]]
subgroup = "late"
comm = "acme-web"
[[rule]]
subgroup = "jobs"
comm = "acme-jobs"
argv = [["-q", "--all"]]
`;

test('lint names file, line, subgroup and remedy', async () => {
  const first = write('a.toml', faulty);
  const second = write('b.toml', '# nothing\n\n[[rule]]\ngroup = "g"\nsubgroup = "s"\nunit = "nginx"\n');
  const found = await lint([first, second]);
  assert.equal(found.status, 1);
  assert.deepEqual(lines(found), [
    'a.toml:2: warning: shop/web: comm "acme-" is compared with the whole name; for names that begin with it write "acme-*" in a [[rule]]',
    'a.toml:6: error: shop/late: is never reached: a.toml:1 (line 2) matches every process that this rule matches, and decides first; delete this rule, or place it before the other, or give it more keys',
    'b.toml:3: error: g/s: unit "nginx" is never seen: a unit ends in .service, .scope, .mount, .socket or .swap; write all of its name',
    '3 findings in 4 rules of a.toml, b.toml',
  ]);
  const [finding] = JSON.parse((await lint([first], true)).output);
  const { message, ...rest } = finding;
  const place = { file: first, line: 2, rule: `${first}:1`, group: 'shop', subgroup: 'web', severity: 'warning' };
  assert.deepEqual(rest, place);
  assert.match(message, /acme-/);
});

test('lint finds nothing in sound rules and in a file without rules, and refuses a file that cannot be used', async () => {
  const sound = write('sound.toml', '[[rule]]\ngroup = "shop"\nsubgroup = "web"\ncomm = "acme-web"\n');
  assert.deepEqual(await lint([sound]), { output: `0 findings in 1 rule of ${sound}\n`, status: 0 });
  assert.deepEqual(await lint([sound], true), { output: '[]\n', status: 0 });
  const comments = write('comments.toml', '# none yet\n');
  assert.equal((await lint([comments])).status, 0);
  const wrong = write('wrong.toml', '\n[[rule]]\ngroup = "g"\nsubgroup = "s"\ncom = "x"\n');
  await assert.rejects(lint([wrong, join(folder, 'none.toml')]), ConfigError);
  await assert.rejects(lint([wrong]), /wrong\.toml:2: rule 1: unknown key "com"; did you mean "comm"\?/);
});

const tested = `[[rule]]
group = "shop"
subgroup = "checkout"
comm = "checkout-*"
unit = "shop-*.service"
examples = [
  { comm = "checkout-api", unit = "shop-a.service" },
  { comm = "checkout-api", argv = "checkout-api -p 80" },
]
not_examples = [ { comm = "checkout-z", unit = "shop-z.service" } ]

[[rule]]
group = "shop"
subgroup = "all"
comm = "checkout-*"
examples = [ { comm = "checkout-all", unit = "shop-a.service" } ]
`;

test('test tells which rule decided about an example in place of the expected one, and why', async () => {
  const failed = await check(write('tested.toml', tested));
  assert.equal(failed.status, 1);
  assert.deepEqual(lines(failed), [
    'tested.toml:1: shop/checkout: example "checkout-api" (checkout-api -p 80) is in shop/all',
    '  tested.toml:12 matches: comm is "checkout-api", as checkout-*',
    '  tested.toml:1 does not match: unit is not there, not shop-*.service',
    'tested.toml:1: shop/checkout: not_example "checkout-z" (no command line) is in it',
    '  tested.toml:1 matches: comm is "checkout-z", as checkout-*; unit is "shop-z.service", as shop-*.service',
    'tested.toml:12: shop/all: example "checkout-all" (no command line) is in shop/checkout',
    '  tested.toml:1 matches: comm is "checkout-all", as checkout-*; unit is "shop-a.service", as shop-*.service',
    '  tested.toml:12 matches as well, but the other rule decides first; put this one before it',
    'Examples as expected: 1 of 4.',
  ]);
});

test('a file may hold only expectations, also about groups of the catalogue and groups without rules', async () => {
  const expectations = write(
    'expectations.toml',
    `group = "db"
    [[expect]]
    subgroup = "postgres"
    examples = [ { argv = "/usr/lib/postgresql/15/bin/postgres -D /srv" } ]
    not_examples = [ { argv = "vim postgres.conf" } ]
    [[expect]]
    group = "nobody"
    subgroup = "knows"
    examples = [ { argv = "/usr/sbin/mysqld" }, { argv = "acme-thing" } ]`,
  );
  const failed = await check(expectations);
  assert.deepEqual(lines(failed), [
    'expectations.toml:6: nobody/knows: example "mysqld" (/usr/sbin/mysqld) is in db/mysql',
    '  catalogue/db.toml#mysql matches: comm is "mysqld", as mysqld',
    '  no rule has this group and subgroup; add a rule, or correct the expectation',
    'expectations.toml:6: nobody/knows: example "acme-thing" (acme-thing) is in other/other',
    '  no rule matches it',
    '  no rule has this group and subgroup; add a rule, or correct the expectation',
    'Examples as expected: 2 of 4.',
  ]);
});

test('examples as expected, and a file without examples', async () => {
  const sound = write(
    'holds.toml',
    '[[expect]]\ngroup = "other"\nsubgroup = "other"\nexamples = [ { comm = "acme-x" } ]\n',
  );
  assert.deepEqual(await check(sound), { output: 'Examples as expected: 1 of 1.\n', status: 0 });
  await assert.rejects(check(write('a.toml', faulty)), /a\.toml: has no examples; add examples to its rules/);
});

/** The form of earlier programs of this name: a list of tables, trailing commas, prefixes, duplicates. */
const older = `# Ours
subgroups = [
  # === databases ===
  { group = "db", subgroup = "warehouse", matches = [
    "warehouse-server",     # one byte too long for the kernel
    "wh-",
    "wh/agent-of-the-warehouse",
  ] },
  { group = "db", subgroup = "pool", matches = [
    "poolerd",
  ] },

  { group = "erp", subgroup = "ledger", matches = ["disp+work", "poolerd"], cmdline_matches = [
    "com.acme.ledger",
    "python.*ledger\\\\.py",
  ] },
  { group = "other", subgroup = "unknown", matches = [
  ] },
]
`;

test('a subgroups.toml of the older form is read as it is, with a warning for every name that never matches', async () => {
  const path = write('subgroups.toml', older);
  const rules = readDocuments(await readRuleFiles([path], [path])).flatMap((document) => document.rules);
  const classifier = new Classifier(rules, catalogueRules);
  const proc = { exe: '', argv: [] as string[], user: '', unit: '', container: '', podUid: '' };
  // biome-ignore format: one line a case
  const cases: [name: string, argv: string, place: string][] = [
    ['warehouse-serve', '/opt/warehouse-server -x', 'db/warehouse'],
    ['wh-', 'wh-', 'db/warehouse'],
    ['wh-agent', 'wh-agent', 'other/other'],
    ['poolerd', 'poolerd', 'erp/ledger'], // Two entries name it; the later one counts.
    ['disp+work', 'disp+work', 'erp/ledger'],
    ['dispwork', 'dispwork', 'other/other'],
    ['java', 'java -cp x com.acme.ledger.Main', 'erp/ledger'],
    ['python3', 'python3 /srv/ledger.py', 'erp/ledger'],
    ['postgres', 'postgres -D /srv', 'db/postgres'],
  ];
  for (const [name, argv, place] of cases) {
    const { group, subgroup } = classifier.classify({ ...proc, name, argv: argv.split(' ') });
    assert.equal(`${group}/${subgroup}`, place, name);
  }
  assert.deepEqual(
    lines(await lint([path])).map((line) => line.replace(/;.*/, '')),
    [
      'subgroups.toml:4: warning: db/warehouse: comm "wh-" is compared with the whole name',
      'subgroups.toml:4: error: db/warehouse: comm "wh/agent-of-the-warehouse" is never seen: the kernel keeps 15 bytes ("wh/agent-of-the"), and a completed name has no "/" or ": "',
      'subgroups.toml:9: error: db/pool: is never reached: subgroups.toml:3 (line 13) matches every process that this rule matches, and decides first',
      'subgroups.toml:13: warning: erp/ledger: argv alone also matches an editor, shell or grep whose command line names the program',
      '4 findings in 4 rules of subgroups.toml',
    ],
  );
});
