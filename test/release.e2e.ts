// A release is made twice, in two folders, and its artefacts are really used: the executable on a Debian without Node.js,
// the Debian package by dpkg and lintian, the npm package in an empty prefix.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { hashSync } from 'bcryptjs';
import { here, nodeFolder } from '../scripts/release/node-binaries.ts';
import { debianRoot } from './debian-root.ts';
import {
  Exporter,
  eventually,
  freePort,
  need,
  needRoot,
  nobody,
  Started,
  scratch,
  startChildren,
  startExporter,
} from './harness.ts';
import { artefacts, LIBRARIES, type Made, makeRelease, NAME, version } from './made-release.ts';

const MIB = 2 ** 20;

let made: Made;
before(() => {
  made = makeRelease();
});

const archive = (out: string): string => `${out}/${NAME}-${version}.linux-${here}.tar.gz`;
const debianPackage = (out: string): string => `${out}/${NAME}_${version}_${here}.deb`;
const rpmPackage = (out: string): string =>
  `${out}/${NAME}-${version}-1.${here === 'arm64' ? 'aarch64' : 'x86_64'}.rpm`;
const npmPackage = (out: string): string => `${out}/${NAME}-${version}.tgz`;

test('two releases in two folders are the same, byte for byte', (t) => {
  const out = artefacts(t, made);
  if (!out) return;
  const sums = readFileSync(`${out}/SHA256SUMS`, 'utf8');
  assert.equal(readFileSync(`${artefacts(t, makeRelease())}/SHA256SUMS`, 'utf8'), sums);
  execFileSync('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: out });
  const listed = sums.split('\n').slice(0, -1);
  assert.deepEqual(
    listed.map((line) => line.split('  ')[1]).sort(),
    readdirSync(out).filter((name) => name !== 'SHA256SUMS'),
  );
  const manifest = JSON.parse(readFileSync(`${out}/manifest.json`, 'utf8'));
  assert.deepEqual([manifest.version, manifest.date], [version, '2026-01-01T00:00:00.000Z']);
  assert.deepEqual(Object.keys(manifest.libraries), LIBRARIES);
});

test('every artefact has the licences of what is inside, and the archive and the package a list of it', (t) => {
  const out = artefacts(t, made);
  if (!out) return;
  const unpacked = (...command: string[]): ((path: string) => string) => {
    const folder = scratch();
    execFileSync(command[0]!, [...command.slice(1), folder]);
    return (path) => readFileSync(`${folder}/${path}`, 'utf8');
  };
  const inArchive = unpacked('tar', '-xzf', archive(out), '--strip-components=1', '-C');
  const inPackage = unpacked('dpkg-deb', '--extract', debianPackage(out));
  const inNpm = unpacked('tar', '-xzf', npmPackage(out), '-C');
  const docs = `usr/share/doc/${NAME}`;
  const notices = [inArchive('NOTICE'), inPackage(`${docs}/NOTICE`)];
  for (const notice of [...notices, inNpm('package/dist/NOTICE')])
    for (const library of LIBRARIES) assert.match(notice, new RegExp(`^${library} \\d.* \\(`, 'm'));
  for (const notice of notices) assert.match(notice, /^Node\.js \d+[\s\S]*OpenSSL/m);
  for (const text of [inArchive('sbom.cdx.json'), inPackage(`${docs}/sbom.cdx.json`)]) {
    const names = JSON.parse(text).components.map((component: { name: string }) => component.name);
    assert.deepEqual(names, [...LIBRARIES, 'node']);
  }
  const others = [`man/${NAME}.1`, `completions/_${NAME}`, `systemd/${NAME}.service`, 'config/config.yaml'];
  for (const path of ['LICENSE', ...others]) assert.notEqual(inArchive(path), '', path);
});

test('every link of a document in an artefact leads to a file of it', (t) => {
  const out = artefacts(t, made);
  if (!out) return;
  const trees = [scratch(), scratch(), scratch()] as const;
  execFileSync('tar', ['-xzf', archive(out), '--strip-components=1', '-C', trees[0]]);
  execFileSync('tar', ['-xzf', npmPackage(out), '--strip-components=1', '-C', trees[1]]);
  execFileSync('dpkg-deb', ['--extract', debianPackage(out), trees[2]]);
  for (const folder of [trees[0], trees[1], `${trees[2]}/usr/share/doc/${NAME}`]) {
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    const pages = names.filter((name) => name.endsWith('.md') && !name.startsWith('catalogue'));
    assert.ok(pages.includes('README.md') && pages.includes('docs/troubleshooting.md'), folder);
    const broken = pages.flatMap((page) => {
      const text = readFileSync(`${folder}/${page}`, 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '');
      const links = [...text.matchAll(/\]\(([^)#\s]+)|(?:src|srcset)="([^"]+)"/g)].map(
        ([, link, picture]) => link ?? picture!,
      );
      const own = links.filter((link) => !link.includes(':'));
      return own.filter((link) => !existsSync(join(folder, dirname(page), link))).map((link) => `${page}: ${link}`);
    });
    assert.deepEqual(broken, [], folder);
  }
});

test('lintian finds no error in the Debian package', { timeout: 300_000 }, (t) => {
  const out = artefacts(t, made);
  const paths = out && need(t, 'lintian');
  if (!paths) return;
  const args = ['--fail-on', 'error,warning', debianPackage(out)];
  const { status, stdout } = spawnSync(paths.lintian, args, { encoding: 'utf8' });
  assert.deepEqual([status, stdout], [0, '']);
});

test('rpmlint finds no error in the package for rpm', { timeout: 300_000 }, (t) => {
  const out = artefacts(t, made);
  const paths = out && need(t, 'rpmbuild', 'rpmlint');
  if (!paths) return;
  const { stdout } = spawnSync(paths.rpmlint, [rpmPackage(out)], { encoding: 'utf8' });
  const errors = stdout.split('\n').filter((line) => line.includes(': E: '));
  // Whoever publishes signs.
  assert.deepEqual(
    errors.map((line) => line.split(': E: ')[1]!.trim()),
    ['no-signature'],
    stdout,
  );
});

/** A Debian without Node.js in a mount namespace; commands run in it see the processes of this machine. */
class Debian {
  readonly enter: string[];
  readonly folder: string;

  constructor(pid: number, folder: string) {
    this.folder = folder;
    this.enter = ['nsenter', `--target=${pid}`, '--mount', '--', 'chroot', folder];
  }

  run(...command: string[]) {
    const [file, ...args] = [...this.enter, ...command] as [string, ...string[]];
    const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', DEBIAN_FRONTEND: 'noninteractive', HOME: '/' };
    return spawnSync(file, args, { encoding: 'utf8', env, maxBuffer: 2 ** 26 });
  }

  done(...command: string[]): string {
    const { status, stdout, stderr } = this.run(...command);
    assert.equal(status, 0, `${command.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  }

  /** Starts an exporter inside, and waits until it is ready. */
  async serve(t: TestContext, command: readonly string[], args: readonly string[] = [], env = {}): Promise<Exporter> {
    const port = await freePort();
    const words = [...this.enter, ...command, '--bind', '127.0.0.1', '--port', String(port), ...args];
    const exporter = new Exporter(t, port, words, { env: { HOME: '/', ...env } });
    await eventually(async () => {
      assert.ok(exporter.running, exporter.stderr);
      assert.ok([200, 401].includes((await fetch(`${exporter.url}/metrics`)).status));
    });
    return exporter;
  }
}

/** A fresh Debian, with the artefacts below /artefacts. */
async function startDebian(t: TestContext, out: string, suite?: 'bullseye'): Promise<Debian | undefined> {
  const paths = needRoot(t) ? need(t, 'mmdebstrap', 'unshare') : undefined;
  if (!paths) return undefined;
  const folder = scratch();
  execFileSync('tar', ['-xf', debianRoot(paths.mmdebstrap, suite), '--exclude=./dev/*', '-C', folder]);
  mkdirSync(`${folder}/artefacts`);
  const script =
    'mount -t proc proc $0/proc && mount --rbind /dev $0/dev && mount --bind $1 $0/artefacts && echo ready 1; read -r line';
  const started = new Started(t, ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, folder, out]);
  await started.line('ready');
  const debian = new Debian(started.pid, folder);
  assert.notEqual(debian.run('node', '--version').status, 0, 'there is no Node.js');
  return debian;
}

/** Rights of the unit, for a command inside. */
const as = (user: string | number): string[] => {
  const rights = '+sys_ptrace,+dac_read_search';
  const drop = [
    '--clear-groups',
    `--inh-caps=-all,${rights}`,
    `--ambient-caps=-all,${rights}`,
    `--bounding-set=-all,${rights}`,
  ];
  return ['setpriv', `--reuid=${user}`, `--regid=${user}`, ...drop, '--'];
};

const anonymousBytes = (pid: number): number =>
  Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);

/** The process that serves, at or below the one that was started. */
function pidOf(exporter: Exporter): number {
  const below = (pid: number): number[] => [pid, ...childrenOf(pid).flatMap(below)];
  const port = String(exporter.port);
  return below(exporter.pid).findLast((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(port),
  )!;
}

test('the executable serves on a Debian without Node.js, as root and as another user', {
  timeout: 300_000,
}, async (t) => {
  const out = artefacts(t, made);
  const debian = out && (await startDebian(t, out));
  if (!debian) return;
  debian.done(
    'tar',
    '-xzf',
    `/artefacts/${NAME}-${version}.linux-${here}.tar.gz`,
    '--strip-components=1',
    '-C',
    '/opt',
  );
  const program = `/opt/${NAME}`;
  assert.match(debian.done(program, '--version'), new RegExp(`^${NAME} ${version} `));
  // Words of the command line are none of Node.js.
  assert.match(debian.run(program, '-e', 'console.log(1)').stderr, /unknown option '-e'/);
  const pid = String((await startChildren(t, 'private', 32)).pids[0]!);
  for (const [user, command] of [
    ['root', []],
    ['nobody', as(nobody)],
  ] as const) {
    const exporter = await debian.serve(t, [...command, program], [], { NODE_OPTIONS: '--inspect=127.0.0.1:0' });
    const pss = await eventually(async () => {
      const found = (await exporter.scrape()).value('herakles_mem_process_pss_bytes', { pid });
      assert.ok(found !== undefined, `${user} sees no PSS of ${pid}`);
      return found;
    });
    assert.ok(pss > 32 * MIB, user);
    const own = pidOf(exporter);
    // A reader that has just been forked has the command line of the exporter for a moment.
    const readers = await eventually(() => {
      const found = childrenOf(own);
      assert.notEqual(found.length, 0);
      for (const reader of found)
        assert.match(readFileSync(`/proc/${reader}/cmdline`, 'utf8'), /^herakles-reader\0--herakles-reader\0\/proc\0$/);
      return found;
    });
    for (const pid of [own, ...readers]) process.kill(pid, 'SIGUSR1');
    await exporter.scrape();
    assert.doesNotMatch(exporter.stderr, /Debugger|debugger|unrecognized/);
    assert.equal((await exporter.stop()).code, 0, exporter.stderr);
  }
});

test('the executable serves on Debian 11, whose glibc is older, and says where there is none', {
  timeout: 300_000,
}, async (t) => {
  const out = artefacts(t, made);
  const debian = out && (await startDebian(t, out, 'bullseye'));
  const busybox = debian && need(t, 'busybox-static')?.['busybox-static'];
  if (!out || !debian || !busybox) return;
  debian.done('tar', '-xzf', `/artefacts/${basename(archive(out))}`, '--strip-components=1', '-C', '/opt');
  const exporter = await debian.serve(t, [...as(nobody), `/opt/${NAME}`]);
  assert.ok((await exporter.scrape()).all('herakles_mem_process_rss_bytes').length > 0);
  await exporter.stop();

  // As Alpine has it: the shell of busybox, and no loader of glibc.
  const bare = scratch();
  mkdirSync(`${bare}/bin`);
  copyFileSync(busybox, `${bare}/bin/sh`);
  copyFileSync(`${debian.folder}/opt/${NAME}`, `${bare}/${NAME}`);
  const { status, stderr } = spawnSync('chroot', [bare, '/bin/sh', '-c', `/${NAME} --version`], { encoding: 'utf8' });
  assert.equal(status, 127);
  assert.match(stderr, /not found$/m); // docs/deployment.md tells that
});

test('the executable checks passwords, and needs no more memory than Node.js with the bundle', async (t) => {
  const out = artefacts(t, made);
  if (!out) return;
  const folder = scratch();
  execFileSync('tar', ['-xzf', archive(out), '--strip-components=1', '-C', folder]);
  writeFileSync(`${folder}/web.yml`, `basic_auth_users:\n  dave: ${hashSync('secret', 4)}\n`);
  const port = await freePort();
  const args = ['--bind', '127.0.0.1', '--port', String(port), '--web.config.file', `${folder}/web.yml`];
  const exporter = new Exporter(t, port, [`${folder}/${NAME}`, ...args], { env: { HOME: folder } });
  const status = async (password: string) => {
    const authorization = `Basic ${Buffer.from(`dave:${password}`).toString('base64')}`;
    return (await fetch(`${exporter.url}/metrics`, { headers: { authorization } })).status;
  };
  await eventually(async () => assert.equal(await status('secret'), 200));
  assert.equal(await status('wrong'), 401);
  await exporter.stop();

  const alone = new Exporter(t, port, [`${folder}/${NAME}`, ...args.slice(0, 4)], { env: { HOME: folder } });
  await eventually(() => alone.scrape());
  const other = await startExporter(t, { node: `${nodeFolder(here)}/bin/node` });
  await other.scrape();
  await eventually(
    () => {
      const [executable, bundle] = [anonymousBytes(alone.pid), anonymousBytes(other.pid)];
      t.diagnostic(`${executable / MIB} MiB, with Node.js ${bundle / MIB} MiB`);
      assert.ok(executable < bundle + 3 * MIB, `${executable} bytes, and with Node.js ${bundle}`);
    },
    60_000,
    2000,
  );
});

/** The installed exporter, as its own user, sees the PSS of a process of root. */
async function seesPssOfOthers(t: TestContext, debian: Debian): Promise<void> {
  const pid = String((await startChildren(t, 'private', 32)).pids[0]!);
  const exporter = await debian.serve(t, [...as('herakles'), `/usr/bin/${NAME}`]);
  await eventually(async () => {
    const pss = (await exporter.scrape()).value('herakles_mem_process_pss_bytes', { pid });
    assert.ok((pss ?? 0) > 32 * MIB, `PSS ${pss}`);
  });
  await exporter.stop();
}

test('the Debian package installs, upgrades, and after a purge nothing of it is left', {
  timeout: 300_000,
}, async (t) => {
  const out = artefacts(t, made);
  const debian = out && (await startDebian(t, out));
  if (!debian) return;
  const noise =
    '^/(proc|dev|artefacts|tmp|run|var/(log|cache|lib/dpkg)|etc/(passwd|group|shadow|gshadow|subuid|subgid)-|etc/.pwd.lock)';
  const state = () => debian.done('sh', '-c', `find / -xdev | grep -Ev '${noise}' | sort; getent passwd; getent group`);
  const beforehand = state();
  debian.done('dpkg', '-i', `/artefacts/${NAME}_${version}_${here}.deb`);
  assert.match(
    debian.done('getent', 'passwd', 'herakles'),
    /^herakles:x:\d+:\d+:Herakles exporter:\/:\/usr\/sbin\/nologin$/m,
  );
  const unit = debian.done('cat', `/usr/lib/systemd/system/${NAME}.service`);
  assert.match(unit, /^ExecStart=\/usr\/bin\/herakles-node-exporter$/m);
  const enabled = `/etc/systemd/system/multi-user.target.wants/${NAME}.service`;
  assert.equal(debian.run('test', '-L', enabled).status, 0, 'the service starts with the machine');
  await seesPssOfOthers(t, debian);

  const mine = '# mine\ninterval: 30s\n';
  debian.done('sh', '-c', `printf '%s' "$0" > /etc/herakles/config.yaml; touch /etc/herakles/web.yml`, mine);
  const newer = `dpkg-deb -R /artefacts/${NAME}_${version}_${here}.deb /tmp/p && sed -i 's/^Version: .*/Version: 99/' /tmp/p/DEBIAN/control && dpkg-deb -Znone -b /tmp/p /tmp/newer.deb`;
  debian.done('sh', '-c', newer);
  debian.done('dpkg', '-i', '/tmp/newer.deb');
  assert.equal(debian.done('cat', '/etc/herakles/config.yaml'), mine);
  assert.match(debian.done(`/usr/bin/${NAME}`, 'config', 'show'), /interval.*30s/);
  debian.done('dpkg', '--remove', NAME);
  assert.equal(debian.run('test', '-e', `/usr/bin/${NAME}`).status, 1);
  assert.equal(debian.done('cat', '/etc/herakles/config.yaml'), mine);
  debian.done('dpkg', '--purge', NAME);
  assert.equal(state(), beforehand);
});

test('the package for rpm installs, upgrades, and a removal keeps what was changed', {
  timeout: 300_000,
}, async (t) => {
  const out = artefacts(t, made);
  const debian = out && need(t, 'rpmbuild') && (await startDebian(t, out));
  if (!out || !debian) return;
  // rpm works on the folder from outside, and runs the scripts of the package inside. What Debian has is in no database of rpm.
  const rpm = (...args: string[]): string => {
    const places = ['--root', debian.folder, '--dbpath', '/var/lib/rpm', '--nodeps'];
    const { status, stdout, stderr } = spawnSync('rpm', [...places, ...args], { encoding: 'utf8' });
    assert.equal(status, 0, `${args.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  };
  rpm('--install', rpmPackage(out));
  assert.match(debian.done('getent', 'passwd', 'herakles'), /:Herakles exporter:\/:\/sbin\/nologin$/m);
  assert.equal(rpm('--verify', NAME), '');
  await seesPssOfOthers(t, debian);
  const mine = 'interval: 30s\n';
  debian.done('sh', '-c', `printf '%s' "$0" > /etc/herakles/config.yaml`, mine);
  rpm('--upgrade', '--force', rpmPackage(out));
  assert.equal(debian.done('cat', '/etc/herakles/config.yaml'), mine);
  rpm('--erase', NAME);
  assert.equal(debian.done('cat', '/etc/herakles/config.yaml.rpmsave'), mine);
  const left = debian.done('find', '/usr', '/etc', '-path', '*herakles*');
  assert.deepEqual(left.trim().split('\n').sort(), ['/etc/herakles', '/etc/herakles/config.yaml.rpmsave']);
});

test('the npm package works in an empty prefix', (t) => {
  const out = artefacts(t, made);
  if (!out) return;
  const folder = scratch();
  const env = { PATH: `${folder}/bin:${dirname(process.execPath)}:${process.env.PATH}`, HOME: folder };
  const npm = ['install', '--global', '--prefix', folder, '--offline', '--no-audit', npmPackage(out)];
  execFileSync('npm', npm, { env, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  const scan = execFileSync(NAME, ['scan', '--json'], { env, cwd: folder, encoding: 'utf8', maxBuffer: 2 ** 28 });
  assert.ok(JSON.parse(scan).processes.length > 0);
  const installed = `${folder}/lib/node_modules/${NAME}`;
  for (const path of ['catalogue', 'deploy/systemd', 'docs', 'LICENSE', `deploy/man/${NAME}.1`])
    assert.ok(existsSync(`${installed}/${path}`), path);
});
