import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { shippedClassifier, shippedExamples } from '../../../scripts/shipped-rules.ts';
import { commandLines, SECRET_SIGN } from '../../../test/command-lines.ts';
import { Classifier } from '../../rules/classifier.ts';
import type { Identity } from '../../rules/identity.ts';
import { parseRules } from '../../rules/rule-parser.ts';
import { isPlainWord, isWordyName } from './names.ts';
import { withoutSecrets, withoutValues } from './scrub.ts';

const identity = (given: Partial<Identity>): Identity => ({
  ...{ name: '', exe: '', argv: [], user: '', unit: '', container: '', podUid: '' },
  ...given,
});
const shown = (argv: readonly string[], given: Partial<Identity> = {}): readonly string[] =>
  withoutValues(identity({ ...given, argv })).argv;

/** Secrets as people and programs make them: a word, words, with a number, random in several alphabets, with signs. */
const SECRETS = [
  ...['tangerine', 'correct-horse-battery', 'Hunter22', '83620174', 'Tr0ub4dor&3', 'p@ss:w/rd?x', 'a,b;c=d,0123'],
  ...['wJalr+XUtn/FEMI7K==', '9f86d081884c7d659a2feaa0c55ad015', '13798ffc-bc1e-d437-4f3f-2e0fa6c923ad'],
  ...['SG.x9Kz2LqPab.Zk3Lm9', '/x9Kz/2LqP', '-x9Kz2LqP', 'eyJhbGciOiJI.eyJzdWIi.Sf_lKxw', 'AKIAIOSFODNN7EXAMPLE'],
];

test('no secret of the table is shown, whatever it looks like', () => {
  const lines = commandLines('secret');
  assert.ok(lines.length >= 300 && new Set(lines.map(({ argv }) => argv[0])).size >= 120, `${lines.length} lines`);
  for (const { line, argv } of lines) {
    assert.ok(line.includes(SECRET_SIGN), line);
    for (const secret of SECRETS) {
      const text = shown(argv.map((word) => word.replaceAll(SECRET_SIGN, secret))).join(' ');
      assert.ok(!text.includes(secret), `${line}: ${text}`);
    }
  }
});

test('and none behind a shell, sudo or a container', () => {
  const quoted = (word: string) => (/[^\w@%+=:,./-]/.test(word) ? `'${word.replaceAll("'", "'\\''")}'` : word);
  for (const { line, argv } of commandLines('secret')) {
    const words = argv.map((word) => word.replaceAll(SECRET_SIGN, 'tangerine'));
    const script = words.map(quoted).join(' ');
    for (const wrapped of [
      ['sh', '-c', script],
      ['bash', '-lc', `cd /tmp && ${script}; true`],
      ['su', '-', 'shop', '-c', script],
      ['sudo', '-u', 'shop', ...words],
      ['docker', 'exec', 'db', ...words],
      ['timeout', '5', 'env', 'A=b', ...words],
      [words.join(' ')],
    ]) {
      const text = shown(wrapped).join(' ');
      assert.ok(!text.includes('tangerine'), `${line}: ${text}`);
    }
  }
});

test('what is harmless stays readable', () => {
  const lines = commandLines('harmless');
  assert.ok(lines.length >= 80, `${lines.length} lines`);
  for (const { argv } of lines) assert.deepEqual(shown(argv), argv);
});

// biome-ignore format: one line a case
const cases: [argv: string[], shown: string[]][] = [
  [[], []],
  [['mysql', '-uroot', '-pgreen-tea', '--port=3306', '-h', 'db.example.com', 'shop'], ['mysql', '-u***', '-p***', '--port=3306', '-h', 'db.example.com', '***']],
  [['env', 'PGPASSWORD=12345', 'SHOP_COLOR=green', 'LOG_LEVEL=debug', 'psql'], ['env', 'PGPASSWORD=***', 'SHOP_COLOR=***', 'LOG_LEVEL=debug', 'psql']],
  [['x', '--password', '12345', '--pin=1234', '-v'], ['x', '--password', '***', '--pin=***', '-v']],
  [['x', '--password', '--verbose'], ['x', '--password', '--verbose']],
  [['x', '--password-file=/run/secrets/db', '--token', '/etc/shop/token'], ['x', '--password-file=/run/secrets/db', '--token', '/etc/shop/token']],
  [['java', '-Dspring.datasource.url=jdbc:mysql://me:x@db.example.com:3306/shop?password=y&useSSL=true'], ['java', '-Dspring.datasource.url=jdbc:mysql://***@db.example.com:3306/***?password=***&useSSL=***']],
  [['x', 'https://hooks.slack.com/services/T0001/B0001/Xy9z'], ['x', 'https://hooks.slack.com/services/***/***/***']],
  [['x', '/srv/shop/cb?token=y'], ['x', '/srv/shop/cb?token=***']],
  [['x', '/var/lib/docker/9f86d081884c7d659a2feaa0c55ad015/merged'], ['x', '/var/lib/docker/***/merged']],
  [['x', '/opt/me@home/mail'], ['x', '/opt/me@home/mail']],
  [['sh', '-c', "cd /srv && mysql -p'green tea' <dump.sql"], ['sh', '-c', 'cd /srv && mysql -p*** <dump.sql']],
  [['sh', '-c', 'echo 12345 start | passwd --stdin shop'], ['sh', '-c', 'echo *** *** | passwd --stdin ***']],
  [['sh', '-c', `su app -c "redis-cli -a 'green tea' ping"; sleep 5`], ['sh', '-c', 'su *** -c "redis-cli -a *** ping"; sleep 5']],
  [['sh', '-c', 'passwd --stdin shop <<< 12345'], ['sh', '-c', 'passwd --stdin *** <<< ***']],
  [['sh', '-c', 'chpasswd <<EOF\ntangerine\nEOF'], ['sh', '-c', 'chpasswd <<***\n***\n***']],
  [['sh', '-c', 'PASS=x exec /srv/run "$MODE" $1 2>&1'], ['sh', '-c', 'PASS=*** exec /srv/run "$MODE" $1 2>&1']],
  [['sudo', '-u', 'shop', '/usr/bin/mysqldump', '-pgreen'], ['sudo', '-u', '***', '/usr/bin/mysqldump', '-p***']],
  [['python3', '-m', 'shop.billing', 'tangerine'], ['python3', '-m', 'shop.billing', '***']],
  [['java', '-cp', '/opt/shop/lib/*', 'Billing', 'Billing2'], ['java', '-cp', '/opt/shop/lib/*', 'Billing', '***']],
  [['app password=tangerine host=10.0.0.4'], ['app password=*** host=10.0.0.4']],
  [['postgres: 15/main: shop orders 10.0.0.7(4711) idle'], ['postgres: ***: *** *** ***) idle']],
  [['[celery beat] -A jobs -b amqp://me:green@mq.example.com//'], ['[celery beat] -A jobs -b amqp://***@mq.example.com//']],
];
for (const [argv, expected] of cases)
  test(`${argv.join(' ')} is shown as ${expected.join(' ')}`, () => assert.deepEqual(shown(argv), expected));

test('a title that begins with the name or the executable of the process keeps it', () => {
  const exe = '/usr/lib/plex/Plex Script Host';
  assert.deepEqual(shown([`${exe} tangerine`], { name: 'Plex Script Hos', exe }), [`${exe} ***`]);
  assert.deepEqual(shown(['amavisd (virgin child) tangerine'], { name: 'amavisd (virgin' }), [
    'amavisd (virgin ***) ***',
  ]);
});

test('every example of the catalogue keeps its rule, and most words', () => {
  let [words, hidden] = [0, 0];
  for (const example of shippedExamples) {
    const safe = withoutSecrets(example, [shippedClassifier]);
    assert.equal(
      shippedClassifier.classify(safe).rule,
      shippedClassifier.classify(example).rule,
      example.argv.join(' '),
    );
    words += example.argv.length;
    hidden += example.argv.filter((word, i) => word !== safe.argv[i]).length;
  }
  assert.ok(shippedExamples.length > 1000 && hidden * 10 < words, `${hidden} of ${words} words are hidden`);
});

test('a rule of the user shows what it needs of a hidden word, and no more', () => {
  const toml = (argv: string) => parseRules({ rule: [{ group: 'g', subgroup: 's', argv }] }, 'mine');
  const of = (pattern: string, argv: string[]) => {
    const classifier = new Classifier(toml(pattern), []);
    const safe = withoutSecrets(identity({ name: 'x', argv }), [classifier]);
    assert.equal(classifier.classify(safe).rule, classifier.classify(identity({ name: 'x', argv })).rule);
    return safe.argv.join(' ');
  };
  assert.equal(of('tenant-(a|b)lue', ['x', 'zz-tenant-blue-tangerine']), 'x ***tenant-blue***');
  assert.equal(of('^x .*orange', ['x', 'tangerine', 'my-orange-tree']), 'x *** ***orange***');
  assert.equal(of('shard[0-9]{7}', ['x', 'tangerine', 'shard7654321']), 'x *** shard7654321');
  assert.equal(of('shard-[0-9]+', ['x', 'tangerine']), 'x ***');
});

/** Shapes that docs/classification.md declares harmless: numbers of few digits, plain words, lists of them, files, options. */
const isDeclaredHarmless = (text: string): boolean =>
  /^(?:--?\w[\w-]*|[+-]?[\d.:x/-]+[a-z%]{0,3}|[\W_]*|(?:~[\w-]*|\.{1,2}|\/[a-z]+)\/.*)$/i.test(text) ||
  text.split(/[,;]/).every((part) => /^(?:\w{0,2}|\d+)$/.test(part) || isPlainWord(part)) ||
  /\.[a-z]\w{0,4}$/.test(text) ||
  isWordyName(`p${text}`);

test('that no rule matches, or that a rule matches a password, shows no value', () => {
  const rule = (argv: string) =>
    new Classifier(parseRules({ rule: [{ group: 'g', subgroup: 's', argv }] }, 'mine'), []);
  const safe = (argv: string[], pattern: string) => withoutSecrets(identity({ name: 'x', argv }), [rule(pattern)]).argv;
  assert.deepEqual(safe(['x', 'green tea'], '^x \\S+$'), ['x', '***']);
  assert.deepEqual(safe(['x', '--password', 'tangerine'], 'rd [a-z]{9}$'), ['x', '--password', '***']);
  assert.deepEqual(safe(['x', 'token=tangerine'], 'token=[a-z]{9}$'), ['x', 'token=***']);
});

test('a random secret is shown at no place of a value', () => {
  const letters = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'];
  const random = (unit: readonly string[], minLength: number) =>
    fc.string({ unit: fc.constantFrom(...unit), minLength, maxLength: 40 });
  const secret = fc
    .oneof(
      random(letters, 6),
      random([...'0123456789abcdef'], 16),
      random([...'0123456789'], 6),
      random([...letters, ...'+/='], 10),
      random([...letters, ...'!@#$%^&*()_+-=[]{}|;:,.<>?/~`\'"\\'], 10),
      fc.string({ unit: 'binary', minLength: 6, maxLength: 20 }),
    )
    .filter((text) => !isDeclaredHarmless(text.trim()));
  const place = fc.constantFrom(
    ...[
      ['§'],
      ['-p', '§'],
      ['-p§'],
      ['--name', '§'],
      ['--name=§'],
      ['--password', '§'],
      ['--password=§'],
      ['-Dshop.x=§'],
    ],
    ...[
      ['KEY=§'],
      ['https://me:§@h.example.com/'],
      ['https://h.example.com/x?token=§'],
      ['https://h.example.com/hook/§'],
    ],
    ...[
      ['-H', 'Authorization: Bearer §'],
      ['-e', "SET PASSWORD = '§'"],
      ['me:§'],
      ['me/§@db'],
      ['a=b,key=§'],
      ['-k', '§'],
    ],
    ...[['{"key":"§"}'], ['user=me password=§']],
  );
  const word = fc.constantFrom(
    'x',
    '-v',
    '--port=1',
    'run',
    '/etc/x.conf',
    '-c',
    'sh',
    'sudo',
    'java',
    'mysql',
    '--',
    'echo',
  );
  const around = fc.array(word, { maxLength: 3 });
  fc.assert(
    fc.property(
      secret,
      place,
      fc.constantFrom(['app'], ['sh', '/srv/x.sh'], ['java', '-jar', 'x.jar'], ['python3', 'x.py'], ['docker']),
      around,
      around,
      (text, form, program, before, after) => {
        const words = form.map((each) => each.replace('§', () => text));
        const line = shown([...program, ...before, ...words, ...after]).join(' ');
        assert.ok(!line.includes(text), line);
      },
    ),
    { numRuns: 3000 },
  );
});

test('any command line gives as many words, and what is shown stands in it', () => {
  const any = fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('sh', '-c', 'a b', '', '-', '--x=')), {
    maxLength: 5,
  });
  fc.assert(
    fc.property(any, (argv) => {
      const line = shown(argv);
      assert.equal(line.length, argv.length);
    }),
  );
});

test('no command line takes a long time', () => {
  const long = 8 << 10;
  // biome-ignore format: a list
  for (const part of ['a', 'a.', 'a-', 'a=', 'a,', 'a:', 'a/', '/a', '/a:', '=,', 'x://', '://@', 'http://a,', '"', "'", '\\', ' ', 'a b', '$(', '&a=', '?a', '%', '1', '1.', '-a', '--a=', '[', '***', '\n', ';;', 'aB1']) {
    const text = part.repeat(long / part.length);
    for (const argv of [['sh', '-c', text], [text], [`x ${text}`], ['x', text], ['x', `--a=${text}`], ['x', ...text.split(/(?<=.)/).slice(0, 30_000)]]) {
      const before = process.cpuUsage();
      withoutSecrets(identity({ name: 'x', argv }), [shippedClassifier]);
      const { user, system } = process.cpuUsage(before);
      // 3 ms on an idle machine; quadratic work takes a second.
      assert.ok(user + system < 400_000, `${part}: ${user + system} µs`);
    }
  }
});
