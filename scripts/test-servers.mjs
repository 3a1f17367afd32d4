// Brings the servers that the tests drive: from apt, from other Debian suites into .cache/, from npm into .cache/.
// By hand: node scripts/test-servers.mjs [NAME ...]. In tests: ensure('prometheus', 'redis') gives their paths.
// Installs only as root on a machine with apt, starts no service, and is done at once when everything is there.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';

const root = new URL('..', import.meta.url).pathname;
const cache = `${root}.cache`;
const day = 24 * 3600 * 1000;

/**
 * A package of this machine's own suite, installed by apt. `proof` is a further file without which it is not there;
 * a path may hold a * in one name (the version of PostgreSQL's folder).
 */
const apt = (pkg, path, proof = path) => ({ from: 'apt', pkg, path, proof });

/** A package of another suite, unpacked into .cache/<package>-<suite>/: nothing of the system changes. */
const suite = (name, pkg, path) => ({ from: 'suite', suite: name, pkg, path: `${cache}/${pkg}-${name}/${path}` });

/** One of this machine's own suite, unpacked into .cache/<package>/: installed it would remove another package. */
const unpacked = (pkg, path) => ({ from: 'unpacked', pkg, path: `${cache}/${pkg}/${path}` });

/** A package from npm, in .cache/<name>/. */
const npm = (name, pkg, path) => ({
  from: 'npm',
  pkg,
  dir: `${cache}/${name}`,
  path: `${cache}/${name}/node_modules/${path}`,
});

/** A Node.js binary of another major version, from npm. */
const node = (major) => {
  const pkg = `node-linux-${process.arch}`;
  return npm(`node${major}`, `${pkg}@${major}`, `${pkg}/bin/node`);
};

/** The library by which Python's servers title their processes, where it is there. */
const SETPROCTITLE = '/usr/lib/python3/dist-packages/setproctitle';

/** What can be asked for. A later issue adds its server as one line here. */
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
  'node-exporter': apt('prometheus-node-exporter', '/usr/bin/prometheus-node-exporter'),
  'process-exporter': apt('prometheus-process-exporter', '/usr/bin/prometheus-process-exporter'),
  postgres: apt('postgresql', '/usr/lib/postgresql/*/bin/postgres'),
  redis: apt('redis-server', '/usr/bin/redis-server'),
  nginx: apt('nginx', '/usr/sbin/nginx'),
  memcached: apt('memcached', '/usr/bin/memcached'),
  // What test/programs.ts starts; where a server's own package would change the machine, the one with its binary.
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
  cron: apt('cron', '/usr/sbin/cron'),
  sshd: apt(['openssh-server', 'openssh-client'], '/usr/sbin/sshd', '/usr/bin/ssh'),
  dnsmasq: apt('dnsmasq-base', '/usr/sbin/dnsmasq'),
  named: apt('bind9', '/usr/sbin/named'),
  postfix: apt('postfix', '/usr/sbin/postfix'),
  qemu: apt('qemu-system-x86', '/usr/bin/qemu-system-x86_64'),
  samba: apt('samba', '/usr/sbin/smbd'),
  // The path is the interpreter that has the parser, whatever `python3` is on PATH.
  'openmetrics-parser': apt(
    'python3-prometheus-client',
    '/usr/bin/python3',
    '/usr/lib/python3/dist-packages/prometheus_client/openmetrics/parser.py',
  ),
  cc: apt(['gcc', 'libc6-dev'], '/usr/bin/cc', '/usr/include/stdio.h'),
  unshare: apt('util-linux', '/usr/bin/unshare'),
  kubectl: suite('trixie', 'kubectl', 'usr/bin/kubectl'),
  'systemd-analyze': apt('systemd', '/usr/bin/systemd-analyze'),
  'systemd-sysusers': apt('systemd', '/usr/bin/systemd-sysusers'),
  // The path is the interpreter that has the library.
  seccomp: apt('python3-seccomp', '/usr/bin/python3', '/usr/share/doc/python3-seccomp'),
  setcap: apt('libcap2-bin', '/usr/sbin/setcap'),
  buildah: apt('buildah', '/usr/bin/buildah'),
  mmdebstrap: apt('mmdebstrap', '/usr/bin/mmdebstrap'),
  setpriv: apt('util-linux', '/usr/bin/setpriv'),
  ss: apt('iproute2', '/usr/bin/ss'),
  openssl: apt('openssl', '/usr/bin/openssl'),
  chromium: apt('chromium', '/usr/bin/chromium'),
  node22: node(22),
  node24: node(24),
};

/** The paths of the named servers, installing what is not there. A newer suite's is left out when out of reach. */
export function ensure(...names) {
  const unknown = names.filter((name) => !SERVERS[name]);
  if (unknown.length > 0)
    throw new Error(`no such test server: ${unknown.join(', ')}; there are ${Object.keys(SERVERS).join(', ')}`);
  const wanted = names.map((name) => SERVERS[name]).filter((server) => !find(server));
  const problems = [installApt(wanted.filter((server) => server.from === 'apt'))];
  for (const server of wanted) {
    if (find(server)) continue; // an earlier name came in the same package
    if (server.from === 'suite') problems.push(unpackSuite(server));
    if (server.from === 'unpacked') problems.push(unpackOwn(server));
    if (server.from === 'npm') problems.push(installNpm(server));
  }
  const reasons = problems.filter(Boolean).join('\n');
  const missing = names.filter((name) => !find(SERVERS[name]));
  const needed = missing.filter((name) => SERVERS[name].from !== 'suite');
  if (needed.length > 0)
    throw new Error(`missing for the tests: ${needed.map(describe).join(', ')}\n${reasons}`.trim());
  if (missing.length > 0) console.error(`# NOT TESTED, out of reach: ${missing.map(describe).join(', ')}\n${reasons}`);
  return Object.fromEntries(names.filter((name) => !missing.includes(name)).map((name) => [name, find(SERVERS[name])]));
}

const describe = (name) => {
  const { from, pkg, suite } = SERVERS[name];
  return `${name} (${from === 'npm' ? 'npm' : `Debian ${suite ? `${suite} ` : ''}`}package ${[pkg].flat().join(' and ')})`;
};

/** Where the server is, or undefined. */
function find({ path, proof = path }) {
  return expand(proof) && expand(path);
}

/** Resolves the one * of a path to the newest name that exists. */
function expand(path) {
  const [before, after] = path.split('*');
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

/** Why apt cannot be used here, or nothing. */
function aptProblem() {
  if (spawnSync('apt-get', ['--version']).status !== 0) return 'there is no apt-get on this machine';
  if (process.getuid() !== 0) return 'installing needs root: sudo node scripts/test-servers.mjs';
}

function installApt(servers) {
  const packages = [...new Set(servers.flatMap((server) => server.pkg))];
  if (packages.length === 0) return;
  const problem = aptProblem() ?? refresh();
  if (problem) return problem;
  const leave = forbidServices();
  try {
    return run(`installing ${packages.join(', ')}`, 'apt-get', [
      ...['install', '-y', '-qq', '--no-install-recommends', '--no-remove', '-o', 'DPkg::Lock::Timeout=300'],
      ...packages,
    ]);
  } finally {
    leave();
  }
}

/** Package lists: fetched when there are none or they are older than a day. */
function refresh() {
  const lists = '/var/lib/apt/lists';
  const fresh =
    existsSync(lists) &&
    readdirSync(lists).some((n) => n.includes('_Packages') && Date.now() - statSync(`${lists}/${n}`).mtimeMs < day);
  return fresh ? undefined : update([]);
}

const update = (options) =>
  run('fetching package lists', 'apt-get', ['update', '-qq', '-o', 'DPkg::Lock::Timeout=300', ...options]);

/** While apt runs, maintainer scripts may start nothing; a policy that is already there stays in charge. */
function forbidServices() {
  const policy = '/usr/sbin/policy-rc.d';
  if (existsSync(policy)) return () => {};
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  return () => rmSync(policy);
}

/** Downloads one package of this machine's own suite and unpacks it. */
const unpackOwn = ({ pkg }) =>
  aptProblem() ?? refresh() ?? unpack(pkg, ['-o', 'APT::Sandbox::User=root'], `${cache}/apt-own`, `${cache}/${pkg}`);

/** The same of another suite, with lists, cache and sources of its own. */
function unpackSuite({ suite, pkg }) {
  const problem = aptProblem() ?? refresh();
  if (problem) return problem;
  const mirror = ownMirror();
  if (!mirror) return 'no mirror found in this machine’s own apt sources';
  const scratch = `${cache}/apt-${suite}`;
  for (const dir of ['lists/partial', 'cache/archives/partial']) mkdirSync(`${scratch}/${dir}`, { recursive: true });
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  writeFileSync(`${scratch}/sources.list`, `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`);
  const options = [
    ...['-o', `Dir::Etc::sourcelist=${scratch}/sources.list`, '-o', 'Dir::Etc::sourceparts=-'],
    ...['-o', `Dir::State::lists=${scratch}/lists`, '-o', `Dir::Cache=${scratch}/cache`],
    ...['-o', 'APT::Sandbox::User=root', '-o', 'Acquire::Languages=none'],
  ];
  return update(options) ?? unpack(`${pkg}/${suite}`, options, scratch, `${cache}/${pkg}-${suite}`);
}

/** Downloads what apt's options and the name say into the scratch folder, unpacks it, and removes the folder. */
function unpack(name, options, scratch, target) {
  const cwd = `${scratch}/download`;
  mkdirSync(cwd, { recursive: true });
  const failed = run(`downloading ${name}`, 'apt-get', ['download', '-qq', ...options, name], { cwd });
  if (failed) return failed;
  const file = readdirSync(cwd).find((entry) => entry.startsWith(`${name.split('/')[0]}_`));
  if (!file) return `apt-get downloaded no file of ${name}`;
  rmSync(target, { recursive: true, force: true });
  const problem = run(`unpacking ${file}`, 'dpkg', ['-x', `${cwd}/${file}`, `${target}.partial`]);
  if (problem) return problem;
  renameSync(`${target}.partial`, target);
  rmSync(scratch, { recursive: true });
}

/** Where this machine's own release comes from: other suites are found at the same place. */
function ownMirror() {
  const own = spawnSync('sh', ['-c', '. /etc/os-release; echo "$VERSION_CODENAME"']).stdout.toString().trim();
  const targets = spawnSync('apt-get', ['indextargets', '--format', '$(RELEASE) $(REPO_URI)', 'Created-By: Packages']);
  const line = targets.stdout
    .toString()
    .split('\n')
    .find((target) => target.startsWith(`${own} `));
  return line?.split(' ')[1];
}

function installNpm({ pkg, dir }) {
  if (process.platform !== 'linux') return `${pkg} is for Linux only`;
  mkdirSync(dir, { recursive: true });
  return run(`installing ${pkg}`, 'npm', [
    ...['install', '--prefix', dir, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'],
    pkg,
  ]);
}

/** Runs one step; what went wrong comes back as text, nothing when all went well. */
function run(what, command, args, options = {}) {
  console.error(`# ${what}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', env, ...options });
  if (status === 0) return;
  return `${what} failed: ${error?.message ?? `${stdout}${stderr}`.trim()}`;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const names = process.argv.slice(2);
  try {
    for (const [name, path] of Object.entries(ensure(...(names.length > 0 ? names : Object.keys(SERVERS))))) {
      console.log(`${name.padEnd(20)}${path}`);
    }
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
