import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'smol-toml';
import { Classifier, compareRule } from './classifier.ts';
import { type Identity, UNKNOWN_IDENTITY } from './identity.ts';
import { MatchTarget } from './match-target.ts';
import { byPrecedence } from './precedence.ts';
import { RuleIndex } from './rule-index.ts';
import { parseCatalogue, parseRules } from './rule-parser.ts';
import { rankedRule } from './rule-table.ts';
import { runToEnd } from './run-to-end.ts';

const identity = (given: Partial<Identity>): Identity => ({
  ...{ name: '', exe: '', argv: [], user: '', unit: '', container: '', podUid: '' },
  ...given,
});

const userRules = (toml: string) => parseRules(parse(toml), 'user.toml');
const catalogue = (toml: string) => parseCatalogue([{ file: 'c.toml', document: parse(toml) }]);
/** A document from one line a rule: "subgroup key=value key=value". */
const lines = (...rules: string[]) =>
  `group = "g"\n${rules
    .map((rule) => {
      const [subgroup, ...keys] = rule.split(' ');
      return `[[rule]]\nsubgroup = "${subgroup}"\n${keys.map((k) => k.replace(/=(?!true)(.*)/, " = '$1'")).join('\n')}\n`;
    })
    .join('')}`;

const decides = (classifier: Classifier, proc: Partial<Identity>) => classifier.classify(identity(proc)).subgroup;

test('hostile identities are classified, and soon', () => {
  const classifier = new Classifier(userRules(lines('x argv=(a+)+c', 'y comm=zzz*')), []);
  const huge = 'a'.repeat(2 << 20);
  const before = performance.now();
  for (const proc of [
    {},
    { name: '\n"{}\\', exe: '/', argv: ['', ''] },
    { name: 'x', argv: [`${huge}b`] },
    { name: huge, exe: huge, unit: huge, container: huge },
    { name: '__proto__', argv: ['constructor'], exe: 'toString' },
  ])
    assert.equal(decides(classifier, proc), 'other');
  assert.ok(performance.now() - before < 5000);
});

test('a rule for units of the host does not match what a user calls a unit, and one for units of users says so', () => {
  const classifier = new Classifier(userRules(lines('host unit=*sql*', 'all unit=*', 'user unit=user@*/x*')), []);
  const of = (unit: string) => decides(classifier, { name: 'x', unit });
  assert.deepEqual(['postgresql.service', 'user@7.service/postgresql.service', 'user@7.service/x.service'].map(of), [
    'host',
    'other',
    'user',
  ]);
});

test('argv0 is the first word of the command line, whatever the executable', () => {
  const classifier = new Classifier(
    userRules(lines('path argv0=/srv/run', 'name argv0=-bash', 'glob argv0=work*')),
    [],
  );
  const shell = { name: 'x', exe: '/bin/bash' };
  const cases: [argv: string[], subgroup: string][] = [
    [['/srv/run'], 'path'],
    [['/opt/srv/run'], 'other'],
    [['-bash'], 'name'],
    [['./-bash', 'x'], 'name'],
    [['bash', '-bash'], 'other'],
    [['/opt/worker 7'], 'glob'],
    [[], 'other'],
  ];
  for (const [argv, subgroup] of cases) assert.equal(decides(classifier, { ...shell, argv }), subgroup, argv[0]);
});

test('a process that no rule matches is other/other', () => {
  assert.deepEqual(new Classifier([], []).classify(identity({ name: 'x' })), {
    ...{ group: 'other', subgroup: 'other', rule: 'none' },
  });
});

test('the more specific level decides, then more keys, then file order', () => {
  const rules = catalogue(
    lines(
      'fallback comm=java fallback=true',
      'container container=web*',
      'unit unit=a.service',
      'glob comm=jav*',
      'exact comm=java',
      'twice comm=java unit=a.service',
      'later comm=java unit=a.service',
      'path exe=/usr/bin/java',
      'argv comm=java argv=\\bacme\\b',
      'main jvm_main=org.acme.*',
    ),
  );
  const classifier = new Classifier([], rules);
  const java = { name: 'java', exe: '/opt/java', argv: ['/opt/java', 'x'] };
  const cases: [process: Partial<Identity>, subgroup: string][] = [
    [{ ...java, exe: '/usr/bin/java', argv: ['java', '-Dx', 'org.acme.Main', 'acme'] }, 'main'],
    [{ ...java, exe: '/usr/bin/java', argv: ['java', 'X', 'acme'] }, 'argv'],
    [{ ...java, exe: '/usr/bin/java', unit: 'a.service' }, 'path'],
    [{ ...java, exe: '', argv: ['/usr/bin/java', 'X'] }, 'path'],
    [{ ...java, unit: 'a.service' }, 'twice'],
    [{ ...java, container: 'web1' }, 'exact'],
    [{ name: 'javac', unit: 'a.service' }, 'glob'],
    [{ name: 'x', unit: 'a.service', container: 'web1' }, 'unit'],
    [{ name: 'x', container: 'web1' }, 'container'],
    [{ name: 'x' }, 'other'],
  ];
  for (const [proc, subgroup] of cases) assert.equal(decides(classifier, proc), subgroup, subgroup);
});

test("the user's rules decide first, in file order; fallback rules decide last", () => {
  const own = userRules(
    lines('wide comm=ng*', 'narrow comm=nginx', 'rest exe=nginx fallback=true', 'last unit=x.service fallback=true'),
  );
  const classifier = new Classifier(
    own,
    catalogue(lines('web comm=nginx', 'proxy comm=haproxy', 'late comm=late fallback=true')),
  );
  const cases: [process: Partial<Identity>, subgroup: string][] = [
    [{ name: 'nginx' }, 'wide'],
    [{ name: 'haproxy', exe: '/usr/sbin/nginx' }, 'proxy'],
    [{ name: 'late', exe: '/usr/sbin/nginx' }, 'rest'],
    [{ name: 'late', unit: 'x.service' }, 'last'],
    [{ name: 'late' }, 'late'],
  ];
  for (const [proc, subgroup] of cases) assert.equal(decides(classifier, proc), subgroup, subgroup);
});

test('truncated and rewritten names are compared as completed, and as they are', () => {
  const classifier = new Classifier(
    [],
    catalogue(
      lines(
        'ch comm=clickhouse-server',
        'gu comm=gunicorn',
        'cut comm=blackbox_export',
        'two comm=shop-checkout-api',
        'two comm=shop-checkout-app',
      ),
    ),
  );
  const cases: [process: Partial<Identity>, subgroup: string][] = [
    [{ name: 'clickhouse-serv', argv: ['/usr/bin/clickhouse-server'] }, 'ch'],
    // Only one known name begins so, and nothing says another; but two begin with shop-checkout-a.
    [{ name: 'clickhouse-serv' }, 'ch'],
    [{ name: 'clickhouse-serv', argv: ['clickhouse-serv'] }, 'ch'],
    [{ name: 'clickhouse-serv', argv: ['/usr/bin/clickhouse-service'] }, 'other'],
    [{ name: 'clickhouse-ser' }, 'other'],
    [{ name: 'shop-checkout-a' }, 'other'],
    [{ name: 'gunicorn: maste', argv: ['gunicorn: master [x]'] }, 'gu'],
    [{ name: 'blackbox_export', argv: ['blackbox_exporter'] }, 'cut'],
  ];
  for (const [proc, subgroup] of cases) assert.equal(decides(classifier, proc), subgroup, proc.name);
});

test('an explanation names the keys that held, other rules that match, and near misses', () => {
  const rules = catalogue(
    lines(
      'pg comm=postgres exe=/usr/lib/postgresql/*/bin/*',
      'plain comm=postgres',
      'near comm=postgres unit=x.service',
    ),
  );
  const proc = identity({ name: 'postgres', exe: '/usr/lib/postgresql/15/bin/postgres' });
  const { classification, winner, otherMatches: others, nearMisses } = new Classifier([], rules).explain(proc);
  assert.deepEqual(classification, { group: 'g', subgroup: 'pg', rule: 'c.toml#pg' });
  assert.deepEqual(winner?.held, [
    { key: 'comm', wanted: ['postgres'], value: 'postgres' },
    { key: 'exe', wanted: ['/usr/lib/postgresql/*/bin/*'], value: '/usr/lib/postgresql/15/bin/postgres' },
  ]);
  assert.deepEqual(
    others.map(({ rule }) => rule.subgroup),
    ['plain'],
  );
  assert.deepEqual(
    nearMisses.map(({ rule, failed }) => [rule.subgroup, failed]),
    [['near', [{ key: 'unit', wanted: ['x.service'], value: '' }]]],
  );
});

test('of fallback rules the more specific level decides as well', () => {
  const classifier = new Classifier(
    [],
    catalogue(lines('java comm=java fallback=true', 'vendor exe=/opt/acme/** fallback=true', 'known comm=squid')),
  );
  assert.equal(decides(classifier, { name: 'java', exe: '/opt/acme/jre/bin/java' }), 'vendor');
  assert.equal(decides(classifier, { name: 'java', exe: '/usr/bin/java' }), 'java');
  for (const name of ['squid', 'squid-6.2', 'main'])
    assert.equal(decides(classifier, { name, exe: '/opt/acme/bin/squid' }), 'known', name);
});

test('subgroups are listed once, with their rules', () => {
  const classifier = new Classifier(userRules(lines('b comm=x')), catalogue(lines('b comm=y', 'a comm=z')));
  assert.deepEqual(
    classifier.subgroups().map(({ group, subgroup, rules }) => [group, subgroup, rules.map(({ name }) => name)]),
    [
      ['g', 'a', ['c.toml#a']],
      ['g', 'b', ['user.toml:1', 'c.toml#b']],
    ],
  );
});

const NAMES = ['java', 'javac', 'ja', 'postgres', 'post', 'x', '[java'];
const PATHS = NAMES.flatMap((name) => [name, `/usr/bin/${name}`, `/opt/${name}/bin/x`, `/opt//${name}`]);
const GLOBS = [
  'java*',
  'j*',
  '*',
  'post[gx]*',
  'java',
  'x',
  'jav?',
  'post*s',
  '*ava',
  '*s',
  '?av[a]',
  '*gres',
  '[ja*',
  '?\\java',
];
const PATH_GLOBS = [
  '/usr/**',
  '/usr/bin/post*',
  '/opt/*/bin/x',
  '/opt/jav[/a]/bin/x',
  '/opt**bin/x',
  '/usr/bin/jav**',
  '**/x',
  '**/bin/**',
  '**/post*/bin/?',
  '**/*gres/**',
  '**java',
  'bin/java',
  '**/opt/post[g]*/*',
  '/usr/bin/x',
  '**//x',
  '**//*',
  '/opt//java',
];
const values = (...from: string[]) => fc.uniqueArray(fc.constantFrom(...from), { minLength: 1, maxLength: 3 });
const rule = fc
  .record(
    {
      comm: values(...NAMES, ...GLOBS),
      exe: values(...NAMES, ...GLOBS, ...PATH_GLOBS),
      argv: values('java', '^x', 'post$'),
      script: values(...GLOBS, ...PATH_GLOBS),
      jvm_main: values(...GLOBS),
      unit: values(...GLOBS),
      fallback: fc.boolean(),
    },
    { requiredKeys: [] },
  )
  .filter((keys) => Object.keys(keys).some((key) => key !== 'fallback'));

test('the index gives the answer of asking every rule in order', () => {
  const rules = fc
    .array(rule, { maxLength: 8 })
    .map((list) => list.map((keys, i) => ({ group: 'g', subgroup: `s${i}`, ...keys })));
  const proc = fc.record({
    name: fc.constantFrom(...NAMES),
    exe: fc.constantFrom('', ...PATHS),
    argv: fc.array(fc.constantFrom(...PATHS, '-jar', 'java', 'node')),
    unit: fc.constantFrom('', ...NAMES),
  });
  // The only name of this path is the one between its two slashes, and has no letter.
  const twoSlashes = { group: 'g', subgroup: 's0', exe: ['**//*'] };
  fc.assert(
    fc.property(rules, rules, proc, (own, shipped, given) => {
      const ours = parseCatalogue([{ file: 'c.toml', document: { rule: shipped } }]);
      const ranked = byPrecedence(parseRules({ rule: own }, 'u'), ours);
      const index = new RuleIndex();
      runToEnd(index.fill(ranked.map(rankedRule)));
      const seen = identity(given);
      const asked = ranked.findIndex((rule) => compareRule(rule, seen).failed.length === 0);
      assert.equal(index.find(new MatchTarget(seen))?.rank ?? -1, asked);
    }),
    { numRuns: 200, examples: [[[twoSlashes], [], { name: 'java', exe: '/opt//x', argv: [], unit: '' }]] },
  );
});

test('rules that share a common name are found by their rarer values, and cost other programs of that name nothing', () => {
  const rule = Array.from({ length: 50 }, (_, i) => ({
    ...{ group: 'g', subgroup: `s${i}`, comm: ['node', 'MainThread'] },
    script: [`**/node_modules/tool${i}/**`, `**/tool${i}-*/server.js`],
  }));
  const rules = parseRules({ rule }, 'u');
  let compared = 0;
  for (const { keys } of rules)
    for (const matcher of keys.get('script') ?? []) {
      const test = matcher.test.bind(matcher);
      matcher.test = (...values) => {
        compared++;
        return test(...values);
      };
    }
  const classifier = new Classifier(rules, []);
  const of = (script: string) => decides(classifier, { name: 'node', argv: ['node', script] });
  assert.deepEqual([of('/srv/app/server.js'), compared], ['other', 0]);
  assert.equal(of('/srv/node_modules/tool7/bin/x.js'), 's7');
  assert.equal(of('/srv/tool49-2/server.js'), 's49');
  assert.ok(compared < 20, `${compared} values compared`);
});

test('a thousand expressions and a command line of 64 KiB take bounded time, and the end of it is explained', () => {
  const words = 'abcdefghij'.repeat(6554);
  // biome-ignore format: one line a case
  const cases: [what: string, argv: (i: number) => string, text: string, cutShort: boolean][] = [
    ['required literals', (i) => `service${i}x.*worker`, words, false],
    ['required literals that are all there', (i) => `efgh.*cde.{0,${i % 9}}${i}`, words, true],
    ['nested quantifiers', (i) => `((a+)+b?)+[k-z]{${1 + (i % 9)}}`, words, true],
    ['large repetitions', (i) => `([a-j]?){${300 + (i % 9)}}[k-z]`, words, true],
    ['states that multiply', (i) => `(?i)(a|b)*a(.){${9 + (i % 9)}}[k-z]`, words, true],
  ];
  for (const [what, argv, text, cutShort] of cases) {
    const rule = Array.from({ length: 1000 }, (_, i) => ({ group: 'g', subgroup: 's', argv: argv(i) }));
    rule.push({ group: 'g', subgroup: 'last', argv: '^x' });
    const classifier = new Classifier(parseRules({ rule: rule.slice(1) }, 'u'), []);
    const proc = { name: 'x', argv: [text] };
    const before = process.cpuUsage();
    for (let i = 0; i < 3; i++) assert.equal(decides(classifier, proc), 'other', what);
    const { user, system } = process.cpuUsage(before);
    // 5 to 40 ms each on an idle machine; without a limit, seconds each.
    assert.ok(user + system < 1_200_000, `${what}: ${user + system} µs for three`);
    if (!what.startsWith('required')) continue; // to compare all without a limit takes too long for a test
    const short = classifier.explain(identity({ name: 'x', argv: ['x y'] }));
    assert.equal(`${short.classification.subgroup} ${short.cutShort}`, 'last false', what);
    assert.equal(classifier.explain(identity(proc)).cutShort, cutShort, what);
  }
});

test('names of what every object has are names like any other', () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype'];
  const rule = names.map((name) => ({ group: name, subgroup: name, comm: name, unit: `${name}.service` }));
  const classifier = new Classifier(parseRules({ rule }, 'u'), []);
  for (const name of names) {
    const found = classifier.classify(identity({ name, unit: `${name}.service` }));
    assert.deepEqual([found.group, found.subgroup], [name, name]);
  }
  assert.deepEqual(
    classifier.subgroups().map(({ group }) => group),
    [...names].sort(),
  );
});

test('an option that many programs have makes no near miss', () => {
  const rules = parseRules(
    { rule: [{ group: 'cache', subgroup: 'dragonfly', comm: 'dragonfly', argv: '--port' }] },
    'r',
  );
  const missed = (name: string, argv: string[]) =>
    new Classifier([], rules).explain({ ...UNKNOWN_IDENTITY, name, argv }).nearMisses.length;
  assert.equal(missed('shop', ['shop', '--port=80']), 0);
  assert.equal(missed('dragonfly', ['dragonfly', '-D']), 1);
});
