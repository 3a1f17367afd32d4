import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { scrub, scrubCommandLine } from './scrub.ts';

const S = 'hunter2';

// biome-ignore format: one line a case
const cases: [what: string, argv: string[], shown: string[]][] = [
  ['nothing', [], []],
  ['nothing secret', ['sleep', '100', '-v', '--name=x', '-p', '9215'], ['sleep', '100', '-v', '--name=x', '-p', '9215']],
  ['a flag with its value', ['x', `--password=${S}`, `--api-key=${S}`, `-token=${S}`], ['x', '--password=***', '--api-key=***', '-token=***']],
  ['a value of several words', ['x', `--password=correct ${S} staple`], ['x', '--password=***']],
  ['a flag and its value', ['x', '--password', S, '--secret', S, '-v'], ['x', '--password', '***', '--secret', '***', '-v']],
  ['a flag without a value', ['x', '--password', '--verbose', S], ['x', '--password', '--verbose', S]],
  ['a variable', ['env', `PGPASSWORD=${S}`, `AWS_SECRET_ACCESS_KEY=${S}`], ['env', 'PGPASSWORD=***', 'AWS_SECRET_ACCESS_KEY=***']],
  ['a variable behind a flag', ['docker', 'run', `--env=DB_PASSWORD=${S}`, '-e', `TOKEN=${S}`], ['docker', 'run', '--env=DB_PASSWORD=***', '-e', 'TOKEN=***']],
  ['a property', ['java', `-Dspring.datasource.password=${S}`], ['java', '-Dspring.datasource.password=***']],
  ['a key among settings', ['x', `a=b,password=${S},c=d`], ['x', 'a=b,password=***,c=d']],
  ['JSON', ['x', `--config={"user":"me","password":"${S} x","port":1}`], ['x', '--config={"user":"me","password":"***","port":1}']],
  ['a header', ['curl', '-H', `X-Api-Key: ${S}`, '-H', `Authorization: Bearer ${S}`], ['curl', '-H', 'X-Api-Key: ***', '-H', 'Authorization: *** ***']],
  ['a URL', ['x', `postgres://me:${S}@db/x`, `https://${S}@host/`, 'http://host/a@b'], ['x', 'postgres://***@db/x', 'https://***@host/', 'http://host/a@b']],
  ['a URL with @ in the password', ['x', `redis://:p@${S}@h:6379`], ['x', 'redis://***@h:6379']],
  ['a query', ['x', `http://h/?token=${S}&a=b`], ['x', 'http://h/?token=***&a=b']],
  ['a script', ['sh', '-c', `mysql --password=${S} -e x; PASS=1 y`], ['sh', '-c', 'mysql --password=*** -e x; PASS=*** y']],
  ['mysql', ['/usr/bin/mysql', `-p${S}`, '-uroot'], ['/usr/bin/mysql', '-p***', '-uroot']],
  ['curl', ['curl', '-u', `me:${S}`, `-ume:${S}`, '--user', S], ['curl', '-u', '***', '-u***', '--user', '***']],
  ['redis', ['redis-cli', '-a', S, '-h', 'host'], ['redis-cli', '-a', '***', '-h', 'host']],
  ['tokens wherever they stand', ['x', `ghp_${'a'.repeat(36)}`, `eyJhbGciOiJIUzI1.eyJzdWIiOiIx.${S}`, `AKIA${'A'.repeat(16)}`], ['x', '***', '***', '***']],
  ['a title that was rewritten', [`app password=${S} host=x`], ['app password=*** host=x']],
  ['an author is no auth', ['git', '--author=me', '--pass-through=1'], ['git', '--author=me', '--pass-through=1']],
];
for (const [what, argv, shown] of cases) {
  test(what, () => {
    assert.deepEqual(scrub(argv), shown);
    const kernel = argv.map((argument) => `${argument}\0`).join('');
    assert.equal(
      Buffer.from(scrubCommandLine(Buffer.from(kernel))).toString(),
      shown.map((argument) => `${argument}\0`).join(''),
    );
  });
}

test('bytes that are no text pass as they are', () => {
  const bytes = Buffer.from('x\0\xff\xfe=\x80\0', 'latin1');
  assert.deepEqual(Buffer.from(scrubCommandLine(bytes)), bytes);
});

test('a value behind a name that says secret is never shown, whatever stands around it', () => {
  const name = fc.constantFrom('password', 'DB_PASSWORD', 'api-key', 'client_secret', 'auth-token', 'PGPASSWORD');
  const frame = fc.constantFrom(
    ...['--%=', '--env=%=', '%=', 'a=1,%=', '-D%=', '{"%":"', 'x?a=b&%=', "'%':'", '%: '].map((form) => form),
  );
  const around = fc.array(fc.constantFrom('x', '-v', '--port=1', 'a:b', 'k=v'), { maxLength: 3 });
  fc.assert(
    fc.property(name, frame, around, around, (secret, form, before, after) => {
      const argument = `${form.replace('%', secret)}${S}`;
      assert.ok(
        !scrub(['prog', ...before, argument, ...after])
          .join(' ')
          .includes(S),
        argument,
      );
    }),
  );
});

test('no command line takes long', () => {
  const long = 256 << 10;
  for (const part of [
    'a',
    'a.',
    'a-',
    'eyJ-',
    'eyJaaaaaaaaa.',
    'a=',
    'password=',
    'password="',
    ' ',
    'x://',
    '://@',
    'Bearer ',
    '"',
    'sk-',
  ]) {
    const began = performance.now();
    scrub(['curl', `x ${part.repeat(long / part.length)}`]);
    assert.ok(performance.now() - began < 3000, `${part}: ${Math.round(performance.now() - began)} ms`);
  }
});
