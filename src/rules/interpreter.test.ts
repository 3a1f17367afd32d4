import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fullName } from './full-name.ts';
import { InterpretedProgram } from './interpreter.ts';

const jvmMain = (argv: string[], exe?: string) => InterpretedProgram.of(argv, exe)?.jvmMain() ?? '';
const pythonModule = (argv: string[], exe?: string) => InterpretedProgram.of(argv, exe)?.pythonModule() ?? '';
const script = (argv: string[], exe?: string) => InterpretedProgram.of(argv, exe)?.script() ?? '';

const split = (line: string) => line.split(' ');

test('main class or archive of a JVM', () => {
  const cases: [line: string, main: string][] = [
    ['', ''],
    ['java', ''],
    ['java -cp', ''],
    ['java -jar', ''],
    ['java @/etc/app/args', ''],
    ['java -version', ''],
    ['vim java -jar x.jar', ''],
    ['/usr/bin/java -Xmx1G -cp /opt/a.jar:/opt/b.jar kafka.Kafka server.properties', 'kafka.Kafka'],
    ['java -Dwrapper.pid=7 org.tanukisoftware.wrapper.WrapperSimpleApp net.i2p.router.Router', 'net.i2p.router.Router'],
    ['java org.tanukisoftware.wrapper.WrapperJarApp /opt/shop/shop.jar', 'shop.jar'],
    ['java org.tanukisoftware.wrapper.WrapperSimpleApp', 'org.tanukisoftware.wrapper.WrapperSimpleApp'],
    ['java -jar org.tanukisoftware.wrapper.WrapperJarApp x', 'org.tanukisoftware.wrapper.WrapperJarApp'],
    [
      'java -classpath x -Dfoo=bar -XX:+UseG1GC org.apache.catalina.startup.Bootstrap start',
      'org.apache.catalina.startup.Bootstrap',
    ],
    ['java -Djava.awt.headless=true -jar /usr/share/java/jenkins.war --httpPort=8080', 'jenkins.war'],
    ['java -jar -Xmx1g /app/app.jar -cp z', 'app.jar'],
    ['java --class-path=/x:/y --add-opens java.base/java.lang=ALL-UNNAMED --add-opens=java.base/x=y Main', 'Main'],
    ['java -p mods --add-modules a,b -m server/org.x.Main', 'org.x.Main'],
    ['java --module-path mods --module=org.x.server', 'org.x.server'],
    ['java --upgrade-module-path m -javaagent:/x/agent.jar=1 @more -agentlib:jdwp=x com.x.Y', 'com.x.Y'],
    [
      'jsvc.exec -user tomcat -home /usr/lib/jvm/x -pidfile /run/t.pid -cp /x.jar org.apache.catalina.startup.Bootstrap',
      'org.apache.catalina.startup.Bootstrap',
    ],
    ['/opt/jdk/bin/java -Xss512k Foo.java', 'Foo.java'],
  ];
  for (const [line, main] of cases) assert.equal(jvmMain(split(line)), main, line);
  assert.equal(jvmMain(split('jenkins -jar jenkins.war'), '/usr/lib/jvm/java-17/bin/java'), 'jenkins.war');
});

test('module or script of Python', () => {
  const cases: [line: string, module: string, path: string][] = [
    ['python3', '', ''],
    ['python3 -', '', ''],
    ['python3 -m', '', ''],
    ['python3 -c import(x) /not/a/script', '', ''],
    ['python3.11 -m http.server 80', 'http.server', ''],
    ['python3 -um celery worker', 'celery', ''],
    ['python3 -mcelery', 'celery', ''],
    ['/usr/bin/python3 /usr/bin/celery -A app worker', '', '/usr/bin/celery'],
    ['python -W ignore -X dev -u -OO manage.py runserver', '', 'manage.py'],
    ['python -Wignore -Bs x.py -m no', '', 'x.py'],
    ['python3 --check-hash-based-pycs always x.py', '', 'x.py'],
    ['python3.13t x.py', '', 'x.py'],
    ['pypy3 -- x.py', '', 'x.py'],
    ['-m celery', '', ''],
  ];
  for (const [line, module, path] of cases) {
    assert.equal(pythonModule(split(line)), module, line);
    assert.equal(script(split(line)), path, line);
  }
  assert.equal(pythonModule(split('worker -m celery'), '/usr/bin/python3.11'), 'celery');
});

test('scripts of other interpreters', () => {
  const cases: [line: string, path: string][] = [
    ['node', ''],
    ['node -e x', ''],
    ['node --run start', ''],
    [
      '/usr/bin/node --max-old-space-size=4096 -r dotenv/config --import ./x.mjs /srv/app/server.js -p 1',
      '/srv/app/server.js',
    ],
    ['nodejs --env-file .env --inspect=0.0.0.0:9229 dist/main.js', 'dist/main.js'],
    ['node /usr/bin/npm start', '/usr/bin/npm'],
    ['/usr/bin/perl -T -w -I/usr/share/x /usr/sbin/spamd --create-prefs', '/usr/sbin/spamd'],
    ['perl -MFoo::Ie x.pl', 'x.pl'],
    ['perl -ne print x', ''],
    ['php -d memory_limit=1G -c /etc/php.ini artisan queue:work', 'artisan'],
    ['php8.2 -dx=y -f /srv/job.php', '/srv/job.php'],
    ['php -r echo', ''],
    ['ruby2.7 -W0 -rbundler/setup -I lib bin/rails server', 'bin/rails'],
    ['/usr/bin/ruby /usr/bin/bundle exec puma -C config/puma.rb', 'puma'],
    ['/bin/sh /usr/bin/mysqld_safe --x', '/usr/bin/mysqld_safe'],
    ['bash -euo pipefail /x.sh', '/x.sh'],
    ['-bash', ''],
    ['bash -lc sleep', ''],
    ['sh -c x', ''],
    ['dotnet --roll-forward Major /app/Web.dll --urls x', '/app/Web.dll'],
    ['dotnet exec --depsfile a.json Web.dll', 'Web.dll'],
    ['dotnet run', ''],
    ['deno run --allow-net main.ts', 'main.ts'],
    ['bun server.ts', 'server.ts'],
    [
      '/usr/lib/erlang/erts-13.1.5/bin/beam.smp -W w -- -root /x -progname erl -- -home /var -- -noshell -s rabbit boot -boot start_sasl',
      'rabbit',
    ],
    [
      'beam.smp -- -root /opt/couchdb -progname couchdb -- -home /opt -- -boot /opt/couchdb/releases/3.3.3/couchdb',
      'couchdb',
    ],
    ['beam.smp -- -root /x -progname usr/lib/emqx/bin/emqx -- -boot /usr/lib/emqx/releases/5.0/start', 'emqx'],
    ['beam.smp -- -progname erl -boot start_clean', ''],
    ['vi node', ''],
  ];
  for (const [line, path] of cases) assert.equal(script(split(line)), path, line);
});

test('titles', () => {
  const cases: [title: string, program: string][] = [
    ['gunicorn: master [app.wsgi]', 'gunicorn'],
    ['[ready] gunicorn: worker [airflow-webserver]', 'gunicorn'],
    ['[celeryd: celery@host:MainProcess] -active- (worker -l info)', 'celeryd'],
    ['[celery beat] -A jobs beat --loglevel INFO', 'celery'],
    ['puma 5.6.5 (tcp://0.0.0.0:3000) [app]', 'puma'],
    ['puma: cluster worker 0: 71 [app]', 'puma'],
    ['sidekiq 6.5.12 app [0 of 5 busy]', 'sidekiq'],
    ['unicorn master -c /etc/unicorn.rb', 'unicorn'],
    ['PM2 v5.3.0: God Daemon (/root/.pm2)', 'PM2'],
    ['node /srv/app/server.js', '/srv/app/server.js'],
    ['npm run start', 'npm'],
    ['/usr/sbin/foo with words', '/usr/sbin/foo'],
    ['] [', ''],
    [' ', ''],
  ];
  for (const [title, program] of cases) {
    assert.equal(script([title]), program, title);
    assert.equal(script([title, '', '']), program, `${title}, padded`);
  }
});

test('full names', () => {
  const cases: [name: string, argv: string[], exe: string, full: string][] = [
    ['', [], '', ''],
    ['bash', ['clickhouse-server'], '', 'bash'],
    ['clickhouse-serv', ['/usr/bin/clickhouse-server', '-c', 'x'], '', 'clickhouse-server'],
    ['clickhouse-serv', ['renamed'], '/usr/bin/clickhouse-server', 'clickhouse-server'],
    ['clickhouse-serv', [], '', 'clickhouse-serv'],
    ['blackbox_export', ['blackbox_exporter'], '', 'blackbox_exporter'],
    ['salt-api-wrapper', ['x'], '', 'salt-api-wrapper'],
    [
      'networkd-dispat',
      ['/usr/bin/python3', '/usr/bin/networkd-dispatcher', '-r'],
      '/usr/bin/python3.11',
      'networkd-dispatcher',
    ],
    ['gunicorn: maste', ['gunicorn: master [/srv/app]'], '/usr/bin/python3.11', 'gunicorn'],
    ['postgres', ['postgres: checkpointer '], '', 'postgres'],
    ['nginx', ['nginx: worker process'], '', 'nginx'],
    ['sshd', ['sshd: root@pts/0'], '', 'sshd'],
    ['php-fpm8.2', ['php-fpm: pool www'], '', 'php-fpm8.2'],
    ['kworker/0:1-eve', [], '', 'kworker/0:1-eve'],
    ['(sd-pam)', ['(sd-pam)'], '', '(sd-pam)'],
  ];
  for (const [name, argv, exe, full] of cases) assert.equal(fullName(name, argv, exe), full, name);
});

test('any command line gives a value', () => {
  const programs = ['java', 'python3', 'node', 'sh', 'beam.smp', 'ruby', 'bundle', 'perl', 'dotnet'];
  const word = fc.oneof(fc.string(), fc.constantFrom(...programs, '-', '--', '-m', '-cp', '-s', '-jar', '[x:', ''));
  fc.assert(
    fc.property(fc.array(word), fc.oneof(fc.string(), fc.constantFrom(...programs)), (argv, exe) => {
      const found = [jvmMain, pythonModule, script].map((read) => read(argv, exe));
      assert.ok(found.every((text) => typeof text === 'string'));
      assert.ok(fullName('fifteen-bytes-1', argv, exe).length <= 1024);
    }),
  );
  const before = performance.now();
  script([`[${'a: '.repeat(1 << 20)}`]);
  script([`${'1'.repeat(1 << 20)}x`], `/${'.'.repeat(1 << 20)}x`);
  jvmMain(['java', ...Array.from({ length: 100_000 }, () => '-x')]);
  assert.ok(performance.now() - before < 5000);
});
