import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UNKNOWN_IDENTITY } from './identity.ts';
import { baseName } from './interpreter.ts';
import { calledAfter, launchedBy } from './launcher.ts';
import { commandOf, programNamesOf } from './shell-command.ts';

/** What a command line launches: the name, and in brackets the executable. */
function launched(line: string | string[]): string {
  const argv = typeof line === 'string' ? line.split(' ') : line;
  const identity = { ...UNKNOWN_IDENTITY, name: baseName(argv[0]!).slice(0, 15), argv };
  return launchedBy(identity)
    .map(({ name, exe }) => (exe === '' ? name : `${name} [${exe}]`))
    .join(', ');
}

test('the program behind the words of a launcher', () => {
  const cases: [line: string, program: string][] = [
    ['', ''],
    ['nginx -c x', ''],
    ['timeout', ''],
    ['timeout 60', ''],
    ['timeout -k 5 --signal=TERM 60 /usr/sbin/nginx -c x', 'nginx [/usr/sbin/nginx]'],
    ['timeout -- 60 nginx', 'nginx'],
    ['env -i -u HOME A=b PATH=/bin redis-server', 'redis-server'],
    ['nice -n 10 redis-server', 'redis-server'],
    ['nice -10 redis-server', 'redis-server'],
    ['ionice -c2 -n 7 redis-server', 'redis-server'],
    ['taskset -c 0-3 redis-server', 'redis-server'],
    ['numactl --interleave=all -N 0 mongod --config x', 'mongod'],
    ['stdbuf -oL -e 0 telegraf', 'telegraf'],
    ['chroot --userspec=u:g /srv/jail /bin/httpd', 'httpd [/bin/httpd]'],
    ['setpriv --reuid 5 --clear-groups postgres', 'postgres'],
    ['nsenter -t 1 -m -u -i -n -p -- kubelet', 'kubelet'],
    ['unshare --fork --pid --mount-proc mysqld', 'mysqld'],
    ['gosu postgres postgres -D /data', 'postgres'],
    ['su-exec redis redis-server', 'redis-server'],
    ['chpst -u www -e ./env nginx', 'nginx'],
    ['s6-setuidgid nobody memcached', 'memcached'],
    ['sudo -u shop -E A=b /srv/shop/bin/api', 'api [/srv/shop/bin/api]'],
    ['firejail --net=eth0 --private firefox', 'firefox'],
    ['valgrind --tool=massif --log-file=x ./slapd -d 0', 'slapd'],
    ['flock -n /run/lock rsnapshot daily', 'rsnapshot'],
    ['tini -g -- rabbitmq-server', 'rabbitmq-server'],
    ['dumb-init nginx', 'nginx'],
    ['catatonit -- registry serve x', 'registry'],
    ['wait-for-it.sh db:5432 -t 60 -- gunicorn app:app', 'gunicorn'],
    ['dockerize -wait tcp://db:5432 gunicorn', ''],
    ['uv run --with x gunicorn app', 'gunicorn'],
    ['uv pip install x', ''],
    ['conda run -n ml mlflow server', 'mlflow'],
    ['/bin/busybox udhcpc -i eth0', 'udhcpc [busybox]'],
    ['toybox httpd', 'httpd [toybox]'],
    ['/hyperkube kubelet --v=2', 'kubelet [hyperkube]'],
    ['/lib64/ld-linux-x86-64.so.2 --library-path /x /usr/bin/mongod', 'mongod [/usr/bin/mongod]'],
    ['/lib/ld-musl-aarch64.so.1 /usr/bin/vault', 'vault [/usr/bin/vault]'],
    ['/usr/bin/qemu-aarch64-static -L /x /usr/sbin/nginx', 'nginx [/usr/sbin/nginx]'],
    ['/usr/bin/qemu-x86_64 /usr/local/bin/node node app.js', 'node [/usr/local/bin/node]'],
    ['qemu-system-x86_64 -m 1024 x', ''],
    ['perl -x /usr/share/h2o/start_server --port=80 -- /usr/sbin/h2o -c x', 'h2o [/usr/sbin/h2o]'],
    ['perl /usr/local/openresty/bin/resty -I lib /usr/local/bin/kong start', 'kong [/usr/local/bin/kong]'],
    ['node /usr/bin/nodemon --watch src server.js', 'server.js'],
    ['/bin/sh /usr/bin/wait-for-it.sh db:5432 -- gunicorn', 'gunicorn'],
  ];
  for (const [line, program] of cases) assert.equal(launched(line), program, line);
});

test('what a shell starts', () => {
  const cases: [line: string[], programs: string][] = [
    [['sh', '-c', 'nginx -g "daemon off;" > /dev/null 2>&1'], 'nginx'],
    [['/bin/sh', '-c', 'cd /srv && A=b exec /usr/bin/redis-server x'], 'redis-server [/usr/bin/redis-server]'],
    [['bash', '-lc', 'gunicorn app:app'], 'gunicorn'],
    [['sh', '-c', 'pg_dump x | gzip'], ''],
    [['sh', '-c', 'nginx; redis-server'], ''],
    [['sh', '-c', 'redis-server $(cat x)'], ''],
    [['sh', '-c'], ''],
    [['su', '-', 'shop', '-c', 'exec redis-server'], 'redis-server'],
    [['flock', '/run/x', '-c', 'rsnapshot daily'], 'rsnapshot'],
    [['/bin/bash', './kafka-run-class.sh', 'kafka.Kafka', 'x'], 'java'],
    [['/bin/bash', '/x/startRocketChat'], ''],
    [['/bin/sh', '/docker-entrypoint.sh', 'postgres', '-D', 'x'], 'postgres'],
    [['/bin/sh', '/srv/cleanup'], ''],
  ];
  for (const [line, programs] of cases) assert.equal(launched(line), programs, line.join(' '));
});

test('the programs that a start script is called after', () => {
  const after = (...argv: string[]) => calledAfter({ ...UNKNOWN_IDENTITY, argv }).map(({ argv }) => argv.join(' '));
  assert.deepEqual(after('/bin/bash', '/x/startRocketChat', '-v'), ['RocketChat -v', 'rocketchat -v']);
  assert.deepEqual(after('sh', '-e', './kafka-run-class.sh'), ['kafka-run-class', 'kafka-run', 'kafka']);
  for (const none of [
    ['sh'],
    ['sh', '-c', 'minio'],
    ['sh', '/srv/cleanup'],
    ['python3', 'minio-run.sh'],
    ['minio-run.sh'],
  ])
    assert.deepEqual(after(...none), []);
});

test('the one command of a text, and the programs of a script', () => {
  assert.deepEqual(commandOf(''), []);
  assert.deepEqual(commandOf('cd /x; ulimit -n 9; exec consul agent'), ['consul', 'agent']);
  assert.deepEqual(commandOf("java -jar 'a b.jar' &"), ['java', '-jar', 'a_b.jar']);
  assert.deepEqual(programNamesOf('minio-run.sh'), ['minio-run', 'minio']);
  assert.deepEqual(programNamesOf('run-nginx.sh'), ['run-nginx', 'nginx']);
  assert.deepEqual(programNamesOf('kafka-server-start.sh'), ['kafka-server-start', 'kafka-server', 'kafka']);
  assert.deepEqual(programNamesOf('backup'), []);
  assert.deepEqual(programNamesOf('x.sh'), []);
});

test('any command line gives an answer', () => {
  const word = fc.oneof(
    fc.constantFrom('sh', '-c', '--', 'timeout', 'env', 'busybox', 'exec', 'A=b', '-n', 'run', 'uv', 'su', '', '&&'),
    fc.string({ maxLength: 12 }),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 10 }), (argv) => {
      for (const one of launchedBy({ ...UNKNOWN_IDENTITY, argv }))
        assert.ok(one.argv.length > 0 && one.name !== undefined);
    }),
  );
});
