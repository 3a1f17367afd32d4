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
  ['a header', ['curl', '-H', `X-Api-Key: ${S}`, '-H', `Authorization: Bearer ${S}`], ['curl', '-H', 'X-Api-Key: ***', '-H', 'Authorization: ***']],
  ['a URL', ['x', `postgres://me:${S}@db/x`, `https://${S}@host/`, 'http://host/a@b'], ['x', 'postgres://***@db/x', 'https://***@host/', 'http://host/a@b']],
  ['a URL with @ in the password', ['x', `redis://:p@${S}@h:6379`], ['x', 'redis://***@h:6379']],
  ['a query', ['x', `http://h/?token=${S}&a=b`], ['x', 'http://h/?token=***&a=b']],
  ['a script', ['sh', '-c', `mysql --password=${S} -e x; PASS=1 y`], ['sh', '-c', 'mysql --password=*** -e x; PASS=*** y']],
  ['mysql', ['/usr/bin/mysql', `-p${S}`, '-uroot'], ['/usr/bin/mysql', '-p***', '-uroot']],
  ['curl', ['curl', '-u', `me:${S}`, `-ume:${S}`, '--user', S], ['curl', '-u', '***', '-u***', '--user', '***']],
  ['redis', ['redis-cli', '-a', S, '-h', 'host'], ['redis-cli', '-a', '***', '-h', 'host']],
  ['tokens wherever they stand', ['x', `ghp_${'a'.repeat(36)}`, `eyJhbGciOiJIUzI1.eyJzdWIiOiIx.${S}`, `AKIA${'A'.repeat(16)}`], ['x', '***', '***', '***']],
  ['a title that was rewritten', [`app password=${S} host=x`], ['app password=*** host=x']],
  ['headers to their end', ['curl', '-H', `Authorization: Token ${S} ${S}`, '-H', `Cookie: a=${S}; b=${S}`], ['curl', '-H', 'Authorization: ***', '-H', 'Cookie: ***']],
  ['flags of curl in one word', ['curl', '-sSu', `me:${S}`, '-fsume', '-b', `id=${S}`, '-U', S, 'http://h/'], ['curl', '-sSu', '***', '-fsu***', '-b', '***', '-U', '***', 'http://h/']],
  ['a program behind others', ['sudo', '-u', 'root', '/usr/bin/mysqldump', `-p${S}`, 'shop'], ['sudo', '-u', 'root', '/usr/bin/mysqldump', '-p***', 'shop']],
  ['a program in a container', ['docker', 'exec', 'db', 'mysql', '-uroot', `-p${S}`], ['docker', 'exec', 'db', 'mysql', '-uroot', '-p***']],
  ['ports are none', ['docker', 'run', '-p', '80:80', 'x'], ['docker', 'run', '-p', '80:80', 'x']],
  ['a log-in', ['docker', 'login', '-u', 'me', '-p', S], ['docker', 'login', '-u', 'me', '-p', '***']],
  ['the port of redis', ['redis-cli', '-p', '6379', '-a', S], ['redis-cli', '-p', '6379', '-a', '***']],
  ['commands of redis', ['redis-cli', 'CONFIG', 'SET', 'requirepass', S], ['redis-cli', 'CONFIG', 'SET', 'requirepass', '***']],
  ['redis', ['redis-server', '--requirepass', S, '--masterauth', S, '--port', '1'], ['redis-server', '--requirepass', '***', '--masterauth', '***', '--port', '1']],
  ['mysqladmin', ['mysqladmin', '-uroot', `-p${S}`, 'password', S], ['mysqladmin', '-uroot', '-p***', 'password', '***']],
  ['psql', ['psql', `host=h user=me password=${S} dbname=x`, '-c', `ALTER USER me PASSWORD '${S} x'`], ['psql', 'host=h user=me password=*** dbname=x', '-c', 'ALTER USER me PASSWORD ***']],
  ['SQL', ['mariadb', '-e', `create user a identified by '${S}'`], ['mariadb', '-e', 'create user a identified by ***']],
  ['PostgreSQL', ['postgres', '-c', `primary_conninfo=host=h password=${S}`], ['postgres', '-c', 'primary_conninfo=host=h password=***']],
  ['mongo', ['mongodump', '-u', 'a', '-p', S, `mongodb+srv://a:${S}@h/x`], ['mongodump', '-u', 'a', '-p', '***', 'mongodb+srv://***@h/x']],
  ['the cookie of Erlang', ['beam.smp', '--', '-setcookie', S, '-sname', 'rabbit'], ['beam.smp', '--', '-setcookie', '***', '-sname', 'rabbit']],
  ['rabbitmqctl', ['beam.smp', '-extra', '/usr/lib/rabbitmq/bin/rabbitmqctl', '--longnames', 'add_user', 'me', S], ['beam.smp', '-extra', '/usr/lib/rabbitmq/bin/rabbitmqctl', '--longnames', 'add_user', '***', '***']],
  ['rabbitmqctl of Debian', ['su', 'rabbitmq', '-c', `/usr/lib/rabbitmq/bin/rabbitmqctl  "change_password" "me" "${S}"`], ['su', 'rabbitmq', '-c', '/usr/lib/rabbitmq/bin/rabbitmqctl  "change_password" *** ***']],
  ['key stores of a JVM', ['java', `-Djavax.net.ssl.keyStorePassword=${S}`, `-Djavax.net.ssl.trustStorePassword=${S}`, '-jar', 'x.jar', '-secret', S], ['java', '-Djavax.net.ssl.keyStorePassword=***', '-Djavax.net.ssl.trustStorePassword=***', '-jar', 'x.jar', '-secret', '***']],
  ['keytool', ['keytool', '-storepass', S, '-keypass', S, '-alias', 'x'], ['keytool', '-storepass', '***', '-keypass', '***', '-alias', 'x']],
  ['a title of celery', [`[celery beat] -A jobs -b amqp://me:${S}@h//`], ['[celery beat] -A jobs -b amqp://***@h//']],
  ['flower', ['celery', 'flower', `--basic_auth=me:${S}`, `--broker=redis://:${S}@h/0`], ['celery', 'flower', '--basic_auth=***', '--broker=redis://***@h/0']],
  ['gunicorn', ['gunicorn', '-e', `SECRET_KEY=${S}`, '-b', ':80', 'app'], ['gunicorn', '-e', 'SECRET_KEY=***', '-b', ':80', 'app']],
  ['vmagent', ['vmagent', `-remoteWrite.basicAuth.password=${S}`, `-remoteWrite.bearerToken=${S}`], ['vmagent', '-remoteWrite.basicAuth.password=***', '-remoteWrite.bearerToken=***']],
  ['qemu', ['qemu-system-x86_64', '-object', `secret,id=s,data=${S}`, '-spice', `port=1,password=${S}`], ['qemu-system-x86_64', '-object', 'secret,id=s,data=***', '-spice', 'port=1,password=***']],
  ['Ceph of qemu', ['qemu-system-x86_64', '-drive', `file=rbd:p/i:id=me:key=${S}==:x=1`], ['qemu-system-x86_64', '-drive', 'file=rbd:p/i:id=me:key=***']],
  ['samba', ['smbclient', '//h/x', '-U', `me%${S}`, `-Ume%${S}`], ['smbclient', '//h/x', '-U', '***', '-U***']],
  ['samba-tool', ['samba-tool', 'user', 'create', 'me', S], ['samba-tool', 'user', 'create', '***', '***']],
  ['mount', ['mount.cifs', '//h/x', '/mnt', '-o', `username=me,password=${S},uid=1`], ['mount.cifs', '//h/x', '/mnt', '-o', 'username=me,password=***,uid=1']],
  ['ldapsearch', ['ldapsearch', '-x', '-D', 'cn=me', '-w', S, '-p', '389'], ['ldapsearch', '-x', '-D', 'cn=me', '-w', '***', '-p', '389']],
  ['sshpass', ['sshpass', `-p${S}`, 'ssh', 'h'], ['sshpass', '-p***', 'ssh', 'h']],
  ['htpasswd', ['htpasswd', '-cb', 'file', 'me', S], ['htpasswd', '-cb', '***', '***', '***']],
  ['openssl', ['openssl', 'enc', '-k', S, '-passin', `pass:${S}`], ['openssl', 'enc', '-k', '***', '-passin', 'pass:***']],
  ['archives', ['7z', 'a', `-p${S}`, 'x.7z'], ['7z', 'a', '-p***', 'x.7z']],
  ['snmp', ['snmpget', '-v2c', '-c', S, 'h'], ['snmpget', '-v2c', '-c', '***', 'h']],
  ['sqlplus', ['sqlplus', `me/${S}@db`], ['sqlplus', 'me/***']],
  ['an account key', ['azcopy', `AccountName=me;AccountKey=${S}==;x=1`], ['azcopy', 'AccountName=me;AccountKey=***;x=1']],
  ['commands of a shell', ['sh', '-c', `mysqldump -uroot -p${S} db | curl -u 'me:${S} x' -T - ftp://h/`], ['sh', '-c', 'mysqldump -uroot -p*** db | curl -u *** -T - ftp://h/']],
  ['commands in commands', ['sh', '-c', `su app -c "redis-cli -a '${S}' ping"; echo -p x`], ['sh', '-c', `su app -c "redis-cli -a *** ping"; echo -p x`]],
  ['a flag in a script', ['bash', '-c', `exec app --token ${S} --port 1 --password "${S} x"`], ['bash', '-c', 'exec app --token *** --port 1 --password ***']],
  ['glued in a script', ['bash', '-c', `mysql -p'${S} x' -e 'select 1'`], ['bash', '-c', "mysql -p*** -e 'select 1'"]],
  ['a script without secrets', ['sh', '-c', `for i in "a b" 'c d'; do echo "$i" && sleep 1; done\n#x\\`], ['sh', '-c', `for i in "a b" 'c d'; do echo "$i" && sleep 1; done\n#x\\`]],
  ['an author is no auth', ['git', '--author=me', '--pass-through=1'], ['git', '--author=me', '--pass-through=1']],
];
for (const [what, argv, shown] of cases) {
  test(`hides the secrets in ${what}`, () => {
    assert.deepEqual(scrub(argv), shown);
    const kernel = argv.map((argument) => `${argument}\0`).join('');
    assert.equal(
      Buffer.from(scrubCommandLine(Buffer.from(kernel))).toString(),
      shown.map((argument) => `${argument}\0`).join(''),
    );
  });
}

test('a shell that runs the command line shows no more of it', () => {
  const quoted = (argument: string) =>
    /[^\w@%+=:,./-]/.test(argument) ? `'${argument.replaceAll("'", "'\\''")}'` : argument;
  for (const [what, argv] of cases) {
    const script = argv.map(quoted).join(' ');
    for (const wrapped of [
      ['sh', '-c', script],
      ['sh', '-c', `cd /tmp && ${script}; true`],
      ['timeout', '5', ...argv],
    ]) {
      const shown = scrub(wrapped).join(' ');
      assert.ok(!shown.includes(S) || scrub(argv).includes(S), `${what}: ${shown}`); // The same as without the shell.
    }
  }
});

test('bytes that are not text stay as they are', () => {
  const bytes = Buffer.from('x\0\xff\xfe=\x80\0', 'latin1');
  assert.deepEqual(Buffer.from(scrubCommandLine(bytes)), bytes);
});

test('a value behind the name of a secret is never shown, whatever stands around it', () => {
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

test('no command line takes a long time', () => {
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
    'mysql ',
    '-p ',
    '\\',
    "'",
    "password '",
    'cookie: ',
  ]) {
    const began = performance.now();
    scrub(['curl', `x ${part.repeat(long / part.length)}`]);
    assert.ok(performance.now() - began < 5000, `${part}: ${Math.round(performance.now() - began)} ms`);
  }
});
