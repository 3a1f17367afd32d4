// Real programs as their packages run them: how each is started, and the subgroup that each kind of its processes must
// get. programs.e2e.ts runs the table. All are as Debian bookworm installs them, except chrony, which is only unpacked.
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { freePort } from './harness.ts';
import { INTERPRETED_PROGRAMS } from './interpreted-programs.ts';
import { HTTP, type Program } from './place.ts';
import { startMemcached, startNginx, startPostgres, startRedis } from './real-servers.ts';

/** A DNS query for the name "localhost" over TCP, and the part of it that any answer repeats. */
const DNS_NAME = '\x09localhost';
const DNS = `\x00\x1b\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00${DNS_NAME}\x00\x00\x01\x00\x01`;
/** FCGI_GET_VALUES of FCGI_MAX_CONNS. */
const FASTCGI = '\x01\x09\x00\x00\x00\x10\x00\x00\x0e\x00FCGI_MAX_CONNS';
/** A request to negotiate a dialect: NetBIOS length, SMB1 header, one dialect. */
const SMB = `\x00\x00\x00\x2e\xffSMB\x72${'\x00'.repeat(27)}\x00\x0b\x00\x02SMB 2.002\x00`;

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
    start: async (place, path) => {
      await startPostgres(place.scope, place.namespace, path);
    },
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
      const pools = pool('www', place.port, 1) + pool('shop', await freePort(), 2);
      const conf = place.file('php-fpm.conf', `[global]\nerror_log=${place.dir}/log\n${pools}`);
      place.run([path, '--nodaemonize', '--no-php-ini', '--fpm-config', conf]);
      await place.answers(FASTCGI, '\x01\x0a');
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
    // A job has its own group, not that of the program that started it.
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
      await place.bind(place.file('shadow', 'root:*:1::::::\n', 0o600), '/etc/shadow'); // some machines lock root
      await place.bind(place.folder('home'), userInfo().homedir); // its .bashrc may start programs of its own
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
        ...['postfix-script', '/master', 'pickup -l', 'qmgr -l'],
        ...['postlogd -l', 'smtpd -n', 'trivial-rewrite -n', 'cleanup -z'],
      ],
    },
    async start(place, path) {
      const settings = [
        ...['compatibility_level=3.6', 'inet_protocols=ipv4', 'inet_interfaces=127.0.0.1', 'myhostname=localhost'],
        ...[`queue_directory=${place.folder('queue')}`, `data_directory=${place.folder('data', 'postfix')}`],
        ...[`maillog_file=${place.dir}/log`, `maillog_file_prefixes=${place.dir}`],
        ...['alias_maps=', 'local_recipient_maps=', ''],
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
      const folders = [
        'lock directory',
        'state directory',
        'cache directory',
        'pid directory',
        'private dir',
        'ncalrpc dir',
      ];
      const own = folders.map((name) => `${name} = ${place.folder(name.split(' ')[0]!)}`);
      const listen = ['interfaces = 127.0.0.1', 'bind interfaces only = yes', `smb ports = ${place.port}`];
      const lines = ['[global]', ...own, ...listen, `log file = ${place.dir}/log`, 'load printers = no', ''];
      place.run([path, '--foreground', '--no-process-group', '-s', place.file('smb.conf', lines.join('\n'))]);
      await place.answers(SMB, 'SMB');
    },
  },
  ...INTERPRETED_PROGRAMS,
};
