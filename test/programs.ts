// Real programs as their packages run them: how one is started, and into which subgroup each kind of its processes must
// land. programs.e2e.ts runs the table. All come with Debian bookworm but pm2, which is npm's.
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { freePort } from './harness.ts';
import type { Place } from './place.ts';
import { startMemcached, startNginx, startPostgres, startRedis } from './real-servers.ts';

export interface Program {
  /** Names of scripts/test-servers.mjs; the first one's path is what start() gets. */
  readonly needs: readonly string[];
  /**
   * For each group/subgroup that its processes may have, the kinds of process there: text in comm or command line, and
   * as often as so many processes must have it.
   */
  readonly lands: Readonly<Record<string, readonly string[]>>;
  /** Starts it and waits until it answers. */
  start(place: Place, path: string): Promise<void>;
}

const HTTP = 'GET / HTTP/1.0\r\n\r\n';
/** A question for the name "localhost" over TCP, and what any answer repeats of it. */
const DNS_NAME = '\x09localhost';
const DNS = `\x00\x1b\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00${DNS_NAME}\x00\x00\x01\x00\x01`;
/** FCGI_GET_VALUES of FCGI_MAX_CONNS. */
const FASTCGI = '\x01\x09\x00\x00\x00\x10\x00\x00\x0e\x00FCGI_MAX_CONNS';
/** A request to negotiate a dialect: NetBIOS length, SMB1 header, one dialect. */
const SMB = `\x00\x00\x00\x2e\xffSMB\x72${'\x00'.repeat(27)}\x00\x0b\x00\x02SMB 2.002\x00`;
/** Small, and leaving nothing in /tmp; in the environment, so that the command line stays the package's own. */
const JVM = { JAVA_TOOL_OPTIONS: '-Xmx96m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData' };

const GUNICORN: Program['start'] = async (place, path) => {
  place.file('hello.py', 'def app(environ, start):\n    start("200 OK", [])\n    return [b"hello"]\n');
  const address = `127.0.0.1:${place.port}`;
  const flags = ['--chdir', place.dir, '--worker-tmp-dir', place.folder('workers', 'nobody', 'nobody')];
  const env = { PYTHONPATH: place.dir, PYTHONDONTWRITEBYTECODE: '1' };
  place.run([path, ...flags, '--bind', address, '--workers', '2', 'hello:app'], { user: 'nobody', env });
  await place.answers(HTTP, '200 OK');
};

const CELERY: Program['start'] = async (place, path) => {
  const queue = place.folder('queue', 'nobody');
  const folders = ['data_folder_in', 'data_folder_out', 'control_folder'].map((key) => `"${key}": "${queue}"`);
  const broker = `broker="filesystem://", broker_transport_options={${folders.join(', ')}}`;
  place.file('jobs.py', `from celery import Celery\napp = Celery("jobs", ${broker})\n`);
  const options = { user: 'nobody', env: { PYTHONPATH: place.dir, PYTHONDONTWRITEBYTECODE: '1' } };
  const worker = place.run([path, '-A', 'jobs', 'worker', '--concurrency', '2', '--loglevel', 'INFO'], options);
  const beat = place.run(
    [path, '-A', 'jobs', 'beat', '--schedule', `${queue}/beat`, '--pidfile', '', '--loglevel', 'INFO'],
    options,
  );
  await Promise.all([place.says(worker, 'ready.'), place.says(beat, 'beat: Starting')]);
};

/** Debian's machines may lack python3-setproctitle, and then look different. */
const untitled =
  (start: Program['start']): Program['start'] =>
  async (place, path) => {
    place.file('setproctitle.py', 'raise ImportError\n');
    await start(place, path);
  };

/** All but chrony (unpacked) and pm2 (npm) as Debian bookworm installs it. */
export const PROGRAMS: Readonly<Record<string, Program>> = {
  postgres: {
    needs: ['postgres'],
    lands: {
      'db/postgres': [
        ...['postgres -D', 'postgres: checkpointer', 'postgres: background writer', 'postgres: walwriter'],
        ...['postgres: autovacuum launcher', 'postgres: logical replication launcher'],
        'postgres: postgres postgres 127.0.0.1',
      ],
    },
    start: (place, path) => startPostgres(place.scope, place.namespace, path),
  },
  mariadb: {
    needs: ['mariadb'],
    lands: { 'db/mysql': ['mariadbd'] },
    async start(place, path) {
      const dir = place.folder('data', 'nobody');
      const options = { user: 'nobody' };
      const normal = ['--auth-root-authentication-method=normal', '--skip-test-db'];
      await place.complete(['mariadb-install-db', '--no-defaults', `--datadir=${dir}`, ...normal], options);
      const flags = [`--port=${place.port}`, '--bind-address=127.0.0.1', `--socket=${dir}/socket`];
      place.run([path, '--no-defaults', `--datadir=${dir}`, `--pid-file=${dir}/pid`, ...flags], options);
      await place.answers('', 'MariaDB');
    },
  },
  redis: {
    needs: ['redis'],
    lands: { 'cache/redis': ['redis-server'] },
    start: (place, path) => startRedis(place.scope, place.namespace, path),
  },
  memcached: {
    needs: ['memcached'],
    lands: { 'cache/memcached': ['memcached'] },
    start: (place, path) => startMemcached(place.scope, place.namespace, path),
  },
  nginx: {
    needs: ['nginx'],
    lands: { 'web/nginx': ['nginx: master process', 'nginx: worker process', 'nginx: worker process'] },
    start: (place, path) => startNginx(place.scope, place.namespace, path),
  },
  apache: {
    needs: ['apache'],
    lands: { 'web/apache': ['apache2', 'apache2', 'apache2'] },
    async start(place, path) {
      const modules = ['mpm_event', 'authz_core'].map(
        (name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`,
      );
      const lines = [`ServerRoot ${place.dir}`, `DefaultRuntimeDir ${place.dir}`, `PidFile ${place.dir}/pid`];
      const server = ['ServerName localhost', `Listen 127.0.0.1:${place.port}`, 'User nobody', 'Group nogroup'];
      const files = [`DocumentRoot ${place.dir}`, `ErrorLog ${place.dir}/log`, 'StartServers 2'];
      const conf = place.file('apache.conf', [...modules, ...lines, ...server, ...files, ''].join('\n'));
      place.run([path, '-D', 'FOREGROUND', '-f', conf]);
      await place.answers(HTTP, 'Server: Apache');
    },
  },
  haproxy: {
    needs: ['haproxy'],
    lands: { 'network/haproxy': ['haproxy -W', 'haproxy -W'] },
    async start(place, path) {
      const web = `frontend web\n mode http\n timeout client 5s\n bind 127.0.0.1:${place.port}\n`;
      const conf = place.file('haproxy.cfg', `global\n user nobody\n${web} http-request return status 200\n`);
      place.run([path, '-W', '-f', conf]);
      await place.answers(HTTP, '200 OK');
    },
  },
  'php-fpm': {
    needs: ['php-fpm'],
    lands: {
      'runtime/php': ['php-fpm: master process', 'php-fpm: pool www', 'php-fpm: pool shop', 'php-fpm: pool shop'],
    },
    async start(place, path) {
      const pool = (name: string, port: number, children: number) =>
        `[${name}]\nuser=nobody\ngroup=nogroup\nlisten=127.0.0.1:${port}\npm=static\npm.max_children=${children}\n`;
      const pools = pool('www', place.port, 1) + pool('shop', place.port2, 2);
      const conf = place.file('php-fpm.conf', `[global]\nerror_log=${place.dir}/log\n${pools}`);
      place.run([path, '--nodaemonize', '--no-php-ini', '--fpm-config', conf]);
      await place.answers(FASTCGI, '\x01\x0a');
    },
  },
  rabbitmq: {
    needs: ['rabbitmq'],
    // Erlang's own helpers do not say whose they are: without the unit they are Erlang's.
    lands: {
      'messaging/rabbitmq': ['rabbitmq-server', 'beam.smp', 'rabbit_disk_monitor'],
      'runtime/erlang': ['epmd -daemon', 'erl_child_setup', 'inet_gethost', 'inet_gethost'],
    },
    async start(place, path) {
      for (const name of ['lib', 'log']) await place.bind(place.folder(name, 'rabbitmq'), `/var/${name}/rabbitmq`);
      await place.bind(place.folder('etc', 'rabbitmq'), '/etc/rabbitmq');
      const [dist, epmd] = [await freePort(), place.port2];
      const env = {
        HOME: '/var/lib/rabbitmq',
        RABBITMQ_NODENAME: `hk${place.port}@localhost`,
        RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
        RABBITMQ_NODE_PORT: place.port,
        RABBITMQ_DIST_PORT: dist,
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
        ERL_EPMD_PORT: epmd,
        ERL_EPMD_ADDRESS: '127.0.0.1',
      };
      place.run([path], { user: 'rabbitmq', env });
      await place.answers('AMQP\x00\x00\x09\x01', 'RabbitMQ');
    },
  },
  zookeeper: {
    needs: ['zookeeper'],
    lands: { 'db/zookeeper': ['org.apache.zookeeper.server.quorum.QuorumPeerMain'] },
    async start(place, path) {
      await place.bind(place.folder('log'), '/var/log/zookeeper');
      const lines = [`dataDir=${place.folder('data')}`, `clientPort=${place.port}`, 'clientPortAddress=127.0.0.1'];
      const open = ['admin.enableServer=false', '4lw.commands.whitelist=ruok', ''];
      const conf = place.file('zoo.cfg', [...lines, ...open].join('\n'));
      place.run([path, 'start-foreground', conf], { env: { ...JVM, JMXDISABLE: 'true' } });
      await place.answers('ruok', 'imok');
    },
  },
  tomcat: {
    needs: ['tomcat'],
    lands: { 'web/tomcat': ['org.apache.catalina.startup.Bootstrap'] },
    async start(place, path) {
      const connector = `<Connector address="127.0.0.1" port="${place.port}"/>`;
      const engine = '<Engine name="Catalina" defaultHost="localhost"><Host name="localhost"/></Engine>';
      const service = `<Service name="Catalina">${connector}${engine}</Service>`;
      place.file('conf/server.xml', `<Server port="-1">${service}</Server>\n`);
      const folders = { CATALINA_BASE: place.dir, CATALINA_TMPDIR: place.folder('temp') };
      place.run([path, 'run'], { env: { ...JVM, CATALINA_HOME: dirname(dirname(path)), ...folders } });
      await place.answers(HTTP, 'HTTP/1.1 404');
    },
  },
  activemq: {
    needs: ['activemq'],
    lands: { 'messaging/activemq': ['sh -c "/usr/bin/java"', 'java /usr/bin/java'] },
    async start(place, path) {
      const instance = 'etc/instances-enabled/main';
      const memory = 'ACTIVEMQ_OPTS="-Xms32M -Xmx96M -Dorg.apache.activemq.UseDedicatedTaskRunner=true"';
      place.file(`${instance}/options`, `ACTIVEMQ_BASE=${place.dir}\nACTIVEMQ_USER=root\n${memory}\n`);
      const transport = `<transportConnector uri="tcp://127.0.0.1:${place.port}"/>`;
      const broker = `<broker xmlns="http://activemq.apache.org/schema/core" useJmx="false" persistent="false">
        <transportConnectors>${transport}</transportConnectors></broker>`;
      place.file(
        `${instance}/activemq.xml`,
        `<beans xmlns="http://www.springframework.org/schema/beans" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
        xsi:schemaLocation="http://www.springframework.org/schema/beans
        http://www.springframework.org/schema/beans/spring-beans-2.0.xsd http://activemq.apache.org/schema/core
        http://activemq.apache.org/schema/core/activemq-core.xsd">${broker}</beans>\n`,
      );
      place.folder('data');
      await place.bind(place.folder('etc'), '/etc/activemq');
      const env = { ...JVM, INSTANCE: 'main', ACTIVEMQ_BASE: place.dir, ACTIVEMQ_PIDFILE: `${place.dir}/pid` };
      const conf = `${place.dir}/${instance}`;
      place.run([path, 'console', 'xbean:activemq.xml'], { env: { ...env, ACTIVEMQ_CONF: conf } });
      await place.answers('', 'ActiveMQ');
    },
  },
  gunicorn: {
    needs: ['gunicorn'],
    lands: { 'web/gunicorn': ['gunicorn: master [hello:app]', 'gunicorn: worker', 'gunicorn: worker'] },
    start: GUNICORN,
  },
  'gunicorn without titles': {
    needs: ['gunicorn'],
    lands: { 'web/gunicorn': ['/usr/bin/gunicorn', '/usr/bin/gunicorn', '/usr/bin/gunicorn'] },
    start: untitled(GUNICORN),
  },
  celery: {
    needs: ['celery'],
    lands: { 'messaging/celery': ['MainProcess] -active-', 'ForkPoolWorker-1]', 'ForkPoolWorker-2]', 'beat'] },
    start: CELERY,
  },
  'celery without titles': {
    needs: ['celery'],
    lands: { 'messaging/celery': ['jobs worker', 'jobs worker', 'jobs worker', 'jobs beat'] },
    start: untitled(CELERY),
  },
  pm2: {
    needs: ['pm2'],
    lands: {
      'runtime/pm2': ['God Daemon'],
      'runtime/nodejs': ['web.js', 'web.js', 'job.js'],
    },
    async start(place, path) {
      const script = place.file(
        'web.js',
        `require('http').createServer((_, r) => r.end('hello')).listen(${place.port}, '127.0.0.1');\n`,
      );
      const job = place.file('job.js', 'setInterval(() => {}, 1000);\n');
      const apps = [
        { name: 'web', script, instances: 2, exec_mode: 'cluster' },
        { name: 'job', script: job },
      ];
      const ecosystem = place.file('ecosystem.config.json', JSON.stringify({ apps }));
      const env = { PM2_HOME: `${place.dir}/.pm2`, PM2_DISABLE_VERSION_CHECK: 'true' };
      await place.complete([process.execPath, path, 'start', ecosystem], { env });
      await place.answers(HTTP, 'hello');
    },
  },
  prometheus: {
    needs: ['prometheus'],
    lands: { 'monitoring/prometheus': ['prometheus --config.file'] },
    async start(place, path) {
      const conf = place.file('prometheus.yml', 'scrape_configs: []\n');
      const flags = [`--storage.tsdb.path=${place.dir}/data`, `--web.listen-address=127.0.0.1:${place.port}`];
      place.run([path, `--config.file=${conf}`, ...flags]);
      await place.answers('GET /-/ready HTTP/1.0\r\n\r\n', '200 OK');
    },
  },
  alertmanager: {
    needs: ['alertmanager'],
    lands: { 'monitoring/alertmanager': ['prometheus-alertmanager --config.file'] },
    async start(place, path) {
      const conf = place.file('alertmanager.yml', 'route: {receiver: none}\nreceivers: [{name: none}]\n');
      const flags = [`--storage.path=${place.dir}`, `--web.listen-address=127.0.0.1:${place.port}`];
      place.run([path, `--config.file=${conf}`, ...flags, '--cluster.listen-address=']);
      await place.answers('GET /-/ready HTTP/1.0\r\n\r\n', '200 OK');
    },
  },
  'victoria-metrics': {
    needs: ['victoria-metrics'],
    lands: { 'monitoring/victoriametrics': ['victoria-metrics -storageDataPath'] },
    async start(place, path) {
      place.run([path, `-storageDataPath=${place.dir}/data`, `-httpListenAddr=127.0.0.1:${place.port}`]);
      await place.answers('GET /health HTTP/1.0\r\n\r\n', '200 OK');
    },
  },
  cron: {
    needs: ['cron'],
    // A job is what it is, whoever started it.
    lands: {
      'system/cron': ['cron -f', 'CRON -f'],
      'runtime/shell': ['sh -c sleep 600'],
      'other/other': ['sleep sleep 600'],
    },
    async start(place, path) {
      place.file('crontabs/root', '@reboot sleep 600\n', 0o600);
      await place.bind(`${place.dir}/crontabs`, '/var/spool/cron/crontabs');
      await place.bind(place.folder('cron.d'), '/etc/cron.d');
      await place.bind('/dev/null', '/etc/crontab');
      await place.bind(place.folder('run'), '/run');
      place.run([path, '-f']);
    },
  },
  sshd: {
    needs: ['sshd'],
    lands: { 'system/ssh': ['[listener]', 'sshd: root@notty', 'sftp-server', 'ssh -F none'] },
    async start(place, path) {
      const key = `${place.dir}/key`;
      await place.complete(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', key]);
      place.folder('run/sshd');
      await place.bind(place.folder('run'), '/run');
      const lines = [`HostKey ${key}`, `AuthorizedKeysFile ${key}.pub`, 'StrictModes no', 'PidFile none'];
      const sftp = 'Subsystem sftp /usr/lib/openssh/sftp-server';
      const listen = [`ListenAddress 127.0.0.1:${place.port}`, 'PermitRootLogin yes', sftp, ''];
      place.run([path, '-D', '-e', '-f', place.file('sshd_config', [...lines, ...listen].join('\n'))]);
      await place.answers('', 'SSH-2.0');
      const trust = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'];
      place.client(['ssh', '-F', 'none', '-i', key, '-p', `${place.port}`, ...trust, '-s', 'root@127.0.0.1', 'sftp']);
    },
  },
  dnsmasq: {
    needs: ['dnsmasq'],
    lands: { 'network/dnsmasq': ['dnsmasq -k'] },
    async start(place, path) {
      const flags = ['-C', '/dev/null', '-u', 'nobody', '-x', `${place.dir}/pid`, '--no-resolv', '--no-hosts'];
      const listen = ['-p', `${place.port}`, '-a', '127.0.0.1', '--bind-interfaces', '-A', '/localhost/127.0.0.1'];
      place.run([path, '-k', ...flags, ...listen]);
      await place.answers(DNS, DNS_NAME);
    },
  },
  named: {
    needs: ['named'],
    lands: { 'network/bind': ['named -f'] },
    async start(place, path) {
      const dir = place.folder('cache', 'bind');
      const listen = `listen-on port ${place.port} { 127.0.0.1; }; listen-on-v6 { none; };`;
      const quiet = 'recursion no; dnssec-validation no; notify no;';
      const files = `directory "${dir}"; pid-file "${dir}/pid"; session-keyfile "${dir}/key";`;
      const conf = place.file('named.conf', `options { ${files} ${listen} ${quiet} };\ncontrols { };\n`);
      place.run([path, '-f', '-u', 'bind', '-c', conf]);
      await place.answers(DNS, DNS_NAME);
    },
  },
  postfix: {
    needs: ['postfix'],
    lands: {
      'system/postfix': [
        'postfix-script',
        '/master',
        'pickup -l',
        'qmgr -l',
        'postlogd -l',
        'smtpd -n',
        'trivial-rewrite -n',
        'cleanup -z',
      ],
    },
    async start(place, path) {
      const settings = [
        ...['compatibility_level=3.6', 'inet_protocols=ipv4', 'inet_interfaces=127.0.0.1', 'myhostname=localhost'],
        ...[`queue_directory=${place.folder('queue')}`, `data_directory=${place.folder('data', 'postfix')}`],
        ...[
          `maillog_file=${place.dir}/log`,
          `maillog_file_prefixes=${place.dir}`,
          'alias_maps=',
          'local_recipient_maps=',
          '',
        ],
      ];
      const services = readFileSync('/usr/share/postfix/master.cf.dist', 'utf8');
      place.file('etc/master.cf', services.replace(/^smtp +inet/m, `127.0.0.1:${place.port} inet`));
      place.file('etc/main.cf', settings.join('\n'));
      place.run([path, '-c', `${place.dir}/etc`, 'start-fg']);
      const mail = 'EHLO localhost\r\nMAIL FROM:<root@localhost>\r\nRCPT TO:<root@localhost>\r\n';
      await place.answers(mail, '250 2.1.5');
    },
  },
  chronyd: {
    needs: ['chronyd'],
    lands: { 'network/ntp': ['chronyd -d'] },
    async start(place, path) {
      const lines = ['cmdport 0', `port ${place.port}`, 'bindaddress 127.0.0.1', 'bindcmdaddress /', 'allow 127.0.0.1'];
      const conf = place.file('chrony.conf', [...lines, `pidfile ${place.dir}/pid`, 'user root', ''].join('\n'));
      await place.says(place.run([path, '-d', '-x', '-f', conf]), 'starting');
    },
  },
  qemu: {
    needs: ['qemu'],
    lands: { 'virtualization/qemu': ['qemu-system-x86_64 -name guest=web1'] },
    async start(place, path) {
      const monitor = `${place.dir}/monitor`;
      const guest = ['-name', 'guest=web1,debug-threads=on', '-m', '32', '-display', 'none', '-nodefaults', '-S'];
      place.run([path, ...guest, '-qmp', `unix:${monitor},server=on,wait=off`]);
      await place.answers('', 'QMP', monitor);
    },
  },
  samba: {
    needs: ['samba'],
    lands: { 'storage/samba': ['smbd --foreground', 'smbd-notifyd', 'cleanupd'] },
    async start(place, path) {
      const folders = ['lock', 'state', 'cache', 'pid', 'private', 'ncalrpc'].map(
        (kind) => `${kind}${kind === 'private' || kind === 'ncalrpc' ? ' dir' : ' directory'} = ${place.folder(kind)}`,
      );
      const listen = ['interfaces = 127.0.0.1', 'bind interfaces only = yes', `smb ports = ${place.port}`];
      const lines = ['[global]', ...folders, ...listen, `log file = ${place.dir}/log`, 'load printers = no', ''];
      place.run([path, '--foreground', '--no-process-group', '-s', place.file('smb.conf', lines.join('\n'))]);
      await place.answers(SMB, 'SMB');
    },
  },
};
