// Brings the servers that the tests drive: from apt, from other Debian suites into .cache/, from npm into .cache/.
// By hand: node scripts/test-servers.mjs [NAME ...]. In tests: ensure('prometheus', 'redis') gives their paths.
// It installs only as root on a machine with apt, and nothing where TEST_INSTALL=no; it starts no service, and it is
// done at once when everything is there.
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { aptProblem, installPackages, step, unpackOwn, unpackSuite } from './debian-packages.mjs';
import { root } from './install.mjs';

/**
 * Where a program comes from. `packages` are Debian's, or one of npm, which goes to the folder `home`; `path` is the
 * program, and may hold a * in one name (the version of PostgreSQL's folder); without `proof` the server is not there.
 * @typedef {{
 *   from: 'apt' | 'suite' | 'unpacked' | 'npm', packages: readonly string[], path: string, proof: string,
 *   suite: string, home: string,
 * }} Server
 */

const cache = `${root}.cache`;

/**
 * Packages of this machine's own suite, installed by apt.
 * @type {(packages: string | string[], path: string, proof?: string) => Server}
 */
const apt = (packages, path, proof = path) => ({
  ...{ from: 'apt', packages: [packages].flat(), path, proof },
  ...{ suite: '', home: '' },
});

/**
 * A package of another suite, unpacked into .cache/<package>-<suite>/: nothing of the system changes.
 * @type {(suite: string, name: string, file: string) => Server}
 */
const suite = (suite, name, file) => {
  const home = `${cache}/${name}-${suite}`;
  return { from: 'suite', packages: [name], path: `${home}/${file}`, proof: `${home}/${file}`, suite, home };
};

/**
 * A package of this machine's own suite, unpacked into .cache/<package>/: installed it would remove another package.
 * @type {(name: string, file: string) => Server}
 */
const unpacked = (name, file) => {
  const home = `${cache}/${name}`;
  return { from: 'unpacked', packages: [name], path: `${home}/${file}`, proof: `${home}/${file}`, suite: '', home };
};

/**
 * A package from npm, in .cache/<folder>/.
 * @type {(folder: string, name: string, file: string) => Server}
 */
const npm = (folder, name, file) => {
  const home = `${cache}/${folder}`;
  const path = `${home}/node_modules/${file}`;
  return { from: 'npm', packages: [name], path, proof: path, suite: '', home };
};

/**
 * A Node.js binary of another major version, from npm.
 * @type {(major: number) => Server}
 */
const node = (major) => {
  const name = `node-linux-${process.arch}`;
  return npm(`node${major}`, `${name}@${major}`, `${name}/bin/node`);
};

/** The library by which Python's servers title their processes, where it is there. */
const SETPROCTITLE = '/usr/lib/python3/dist-packages/setproctitle';

/**
 * What can be asked for, a line each.
 * @type {Readonly<Record<string, Server>>}
 */
export const SERVERS = {
  prometheus: apt('prometheus', '/usr/bin/prometheus'),
  promtool: apt('prometheus', '/usr/bin/promtool'),
  'prometheus-trixie': suite('trixie', 'prometheus', 'usr/bin/prometheus'),
  'promtool-trixie': suite('trixie', 'promtool', 'usr/bin/promtool'),
  'prometheus-forky': suite('forky', 'prometheus', 'usr/bin/prometheus'),
  'promtool-forky': suite('forky', 'promtool', 'usr/bin/promtool'),
  'victoria-metrics-forky': suite('forky', 'victoria-metrics', 'usr/bin/victoria-metrics'),
  'vmagent-forky': suite('forky', 'victoria-metrics', 'usr/bin/vmagent'),
  'consul-bullseye': suite('bullseye', 'consul', 'usr/bin/consul'),
  alertmanager: apt('prometheus-alertmanager', '/usr/bin/prometheus-alertmanager'),
  amtool: apt('prometheus-alertmanager', '/usr/bin/amtool'),
  jsonnet: apt('jsonnet', '/usr/bin/jsonnet'),
  jsonnetfmt: apt('jsonnet', '/usr/bin/jsonnetfmt'),
  'docker-compose': apt('docker-compose', '/usr/bin/docker-compose'),
  'node-exporter': apt('prometheus-node-exporter', '/usr/bin/prometheus-node-exporter'),
  'process-exporter': apt('prometheus-process-exporter', '/usr/bin/prometheus-process-exporter'),
  postgres: apt('postgresql', '/usr/lib/postgresql/*/bin/postgres'),
  redis: apt('redis-server', '/usr/bin/redis-server'),
  nginx: apt('nginx', '/usr/sbin/nginx'),
  memcached: apt('memcached', '/usr/bin/memcached'),
  // What test/programs.ts starts. Where a server's own package would change the machine: the package of its program.
  mariadb: apt(['mariadb-server-core', 'mariadb-client-core'], '/usr/sbin/mariadbd', '/usr/bin/my_print_defaults'),
  apache: apt('apache2-bin', '/usr/sbin/apache2'),
  haproxy: apt('haproxy', '/usr/sbin/haproxy'),
  'php-fpm': apt('php-fpm', '/usr/sbin/php-fpm*'),
  rabbitmq: apt('rabbitmq-server', '/usr/lib/rabbitmq/bin/rabbitmq-server'),
  zookeeper: apt('zookeeper', '/usr/share/zookeeper/bin/zkServer.sh'),
  tomcat: apt('tomcat10-common', '/usr/share/tomcat10/bin/catalina.sh'),
  activemq: apt('activemq', '/usr/bin/activemq'),
  gunicorn: apt(['gunicorn', 'python3-setproctitle'], '/usr/bin/gunicorn', SETPROCTITLE),
  celery: apt(['celery', 'python3-setproctitle'], '/usr/bin/celery', SETPROCTITLE),
  'victoria-metrics': apt('victoria-metrics', '/usr/bin/victoria-metrics'),
  chronyd: unpacked('chrony', 'usr/sbin/chronyd'), // its package takes the place of systemd-timesyncd
  pm2: npm('pm2', 'pm2@7', 'pm2/bin/pm2'), // not in Debian
  'busybox-static': unpacked('busybox-static', 'bin/busybox'), // it takes the place of busybox
  cron: apt('cron', '/usr/sbin/cron'),
  sshd: apt(['openssh-server', 'openssh-client'], '/usr/sbin/sshd', '/usr/bin/ssh'),
  dnsmasq: apt('dnsmasq-base', '/usr/sbin/dnsmasq'),
  named: apt('bind9', '/usr/sbin/named'),
  postfix: apt('postfix', '/usr/sbin/postfix'),
  qemu: apt('qemu-system-x86', '/usr/bin/qemu-system-x86_64'),
  'qemu-arm64': apt('qemu-system-arm', '/usr/bin/qemu-system-aarch64'),
  'qemu-aarch64': apt('qemu-user-static', '/usr/bin/qemu-aarch64-static'),
  mke2fs: apt('e2fsprogs', '/usr/sbin/mke2fs'),
  ssh: apt('openssh-client', '/usr/bin/ssh'),
  samba: apt('samba', '/usr/sbin/smbd'),
  // The path is the interpreter that has the parser, whatever `python3` is on PATH.
  'openmetrics-parser': apt(
    'python3-prometheus-client',
    '/usr/bin/python3',
    '/usr/lib/python3/dist-packages/prometheus_client/openmetrics/parser.py',
  ),
  cc: apt(['gcc', 'libc6-dev'], '/usr/bin/cc', '/usr/include/stdio.h'),
  clang: apt(['clang', 'libbpf-dev'], '/usr/bin/clang', '/usr/include/bpf/bpf_helpers.h'),
  'llvm-strip': apt('llvm', '/usr/lib/llvm-*/bin/llvm-strip'),
  bpftool: apt('bpftool', '/usr/sbin/bpftool'),
  unshare: apt('util-linux', '/usr/bin/unshare'),
  kubectl: suite('trixie', 'kubectl', 'usr/bin/kubectl'),
  'systemd-analyze': apt('systemd', '/usr/bin/systemd-analyze'),
  'systemd-sysusers': apt('systemd', '/usr/bin/systemd-sysusers'),
  // The path is the interpreter that has the library.
  seccomp: apt('python3-seccomp', '/usr/bin/python3', '/usr/share/doc/python3-seccomp'),
  setcap: apt('libcap2-bin', '/usr/sbin/setcap'),
  podman: apt('podman', '/usr/bin/podman'),
  skopeo: apt('skopeo', '/usr/bin/skopeo'),
  buildah: apt('buildah', '/usr/bin/buildah'),
  mmdebstrap: apt('mmdebstrap', '/usr/bin/mmdebstrap'),
  setpriv: apt('util-linux', '/usr/bin/setpriv'),
  zsh: apt('zsh', '/usr/bin/zsh'),
  fish: apt('fish', '/usr/bin/fish'),
  man: apt(['man-db', 'groff'], '/usr/bin/man', '/usr/bin/groff'),
  rpmbuild: apt('rpm', '/usr/bin/rpmbuild'),
  rpmlint: apt('rpmlint', '/usr/bin/rpmlint'),
  lintian: apt('lintian', '/usr/bin/lintian'),
  strace: apt('strace', '/usr/bin/strace'),
  tmux: apt('tmux', '/usr/bin/tmux'),
  ss: apt('iproute2', '/usr/bin/ss'),
  ip: apt('iproute2', '/usr/bin/ip'),
  openssl: apt('openssl', '/usr/bin/openssl'),
  chromium: apt('chromium', '/usr/bin/chromium'),
  node22: node(22),
  node24: node(24),
};

/**
 * The paths of the named servers; missing servers are installed first. A server of another suite that is out
 * of reach is left out of the answer, and a line says so.
 * @template {string} Name
 * @param {Name[]} names
 * @returns {Record<Name, string>}
 * @throws {Error} where a server is missing and cannot be installed: which one, and why
 */
export function ensure(...names) {
  const unknown = names.filter((name) => !SERVERS[name]);
  if (unknown.length > 0)
    throw new Error(`no such test server: ${unknown.join(', ')}; there are ${Object.keys(SERVERS).join(', ')}`);
  const servers = names.map((name) => ({ name, server: /** @type {Server} */ (SERVERS[name]) }));
  const wanted = servers.map(({ server }) => server).filter((server) => !find(server));
  const reasons = wanted.length > 0 ? bring(wanted).join('\n') : '';
  const missing = servers.filter(({ server }) => !find(server));
  const list = (/** @type {typeof missing} */ some) => some.map(describe).join(', ');
  const needed = missing.filter(({ server }) => server.from !== 'suite');
  if (needed.length > 0) throw new Error(`missing for the tests: ${list(needed)}\n${reasons}`.trim());
  if (missing.length > 0) console.error(`# NOT TESTED, out of reach: ${list(missing)}\n${reasons}`);
  const found = servers.flatMap(({ name, server }) => {
    const path = find(server);
    return path ? [[name, path]] : [];
  });
  return Object.fromEntries(found);
}

/**
 * Says, before the tests begin, what they may install here and how to forbid it.
 */
export function announce() {
  const missing = Object.values(SERVERS).filter((server) => !find(server));
  const debian = new Set(missing.filter(({ from }) => from === 'apt').flatMap(({ packages }) => packages));
  const others = new Set(missing.filter(({ from }) => from !== 'apt').flatMap(({ packages }) => packages));
  const forbidden = installingForbidden() ?? aptProblem();
  const all = [...debian, ...others].join(', ');
  if (all === '') return;
  if (forbidden) console.error(`# not on this machine, and tests that need it are skipped: ${all} (${forbidden})`);
  else {
    if (debian.size > 0)
      console.error(
        `# tests that need one of these Debian packages install it here by apt-get: ${[...debian].join(', ')}`,
      );
    if (others.size > 0) console.error(`# and unpack one of these into .cache/: ${[...others].join(', ')}`);
    console.error('# to forbid both: npm test -- --no-install, or TEST_INSTALL=no in the environment');
  }
}

/** Why nothing may be installed; undefined where it may. */
const installingForbidden = () => (process.env.TEST_INSTALL === 'no' ? 'installing is forbidden here' : undefined);

/**
 * Installs servers that are not there.
 * @param {readonly Server[]} servers
 * @returns {string[]} what went wrong
 */
function bring(servers) {
  const forbidden = installingForbidden();
  if (forbidden) return [forbidden];
  const problems = [installPackages(servers.filter(({ from }) => from === 'apt').flatMap(({ packages }) => packages))];
  for (const server of servers) {
    if (find(server)) continue; // another server came in the same package
    const { from, packages, suite, home } = server;
    const name = /** @type {string} */ (packages[0]);
    if (from === 'suite') problems.push(unpackSuite(suite, name, cache, home));
    if (from === 'unpacked') problems.push(unpackOwn(name, cache, home));
    if (from === 'npm') problems.push(installNpm(name, home));
  }
  return problems.flatMap((problem) => problem ?? []);
}

/** @param {{ name: string, server: Server }} missing */
const describe = ({ name, server: { from, packages, suite } }) => {
  const kind = from === 'npm' ? 'npm' : suite === '' ? 'Debian' : `Debian ${suite}`;
  return `${name} (${kind} package ${packages.join(' and ')})`;
};

/**
 * Where the server is; undefined where it is not there.
 * @param {Server} server
 */
const find = ({ path, proof }) => expand(proof) && expand(path);

/**
 * The path, with its * replaced by the newest name that exists; undefined where nothing exists.
 * @param {string} path
 * @returns {string | undefined}
 */
function expand(path) {
  const [before = '', after] = path.split('*');
  if (after === undefined) return existsSync(path) ? path : undefined;
  const folder = before.slice(0, before.lastIndexOf('/') + 1);
  if (!existsSync(folder)) return undefined;
  const paths = readdirSync(folder).map((name) => folder + name);
  const newestFirst = paths.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  return newestFirst
    .filter((p) => p.startsWith(before))
    .find((p) => existsSync(p + after))
    ?.concat(after);
}

/**
 * @param {string} name of the package, with its version
 * @param {string} folder
 */
function installNpm(name, folder) {
  if (process.platform !== 'linux') return `${name} is for Linux only`;
  mkdirSync(folder, { recursive: true });
  return step(`installing ${name}`, 'npm', [
    ...['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'],
    name,
  ]);
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const names = process.argv.slice(2);
  try {
    for (const [name, path] of Object.entries(ensure(...(names.length > 0 ? names : Object.keys(SERVERS))))) {
      console.log(`${name.padEnd(20)}${path}`);
    }
  } catch (error) {
    console.error(/** @type {Error} */ (error).message);
    process.exitCode = 1;
  }
}
