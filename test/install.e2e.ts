// install and uninstall really run, on overlays of /etc, /run, /usr/local and /var/lib that only the test sees.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chownSync, readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { bundle, need, needRoot, nobody, runBundle, Started, scratch } from './harness.ts';

const TREES = ['/etc', '/run', '/usr/local', '/var/lib'];
const UNIT = '/etc/systemd/system/herakles-node-exporter.service';
const PROGRAM = '/usr/local/lib/herakles/herakles.cjs';

/** A mount namespace in which the trees can be written without an effect on the machine. */
class Machine {
  readonly #enter: string[];

  constructor(pid: number) {
    this.#enter = ['nsenter', `--target=${pid}`, '--mount', '--wd=/', '--'];
  }

  run(...command: string[]) {
    const [file, ...args] = [...this.#enter, ...command] as [string, ...string[]];
    const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8' });
    return { status, stdout, stderr };
  }

  herakles(...args: string[]) {
    return this.run(process.execPath, bundle, ...args);
  }

  /** Everything in the trees: kind, mode, owner, size, target; without the backups of useradd and userdel. */
  state(): string[] {
    const printed = this.run('find', ...TREES, '-not', '-type', 'd', '-printf', '%p %y %m %U:%G %s %l\n').stdout;
    const folders = this.run('find', ...TREES, '-type', 'd', '-printf', '%p/ %m %U:%G\n').stdout;
    const backup = /^\/etc\/(?:(?:passwd|group|g?shadow|sub[ug]id)- |\.pwd\.lock )/;
    return `${printed}${folders}`
      .split('\n')
      .filter((line) => line !== '' && !backup.test(line))
      .sort();
  }

  accounts(): string {
    return this.run('sort', '/etc/passwd', '/etc/group').stdout;
  }

  write(path: string, text: string): void {
    assert.equal(this.run('sh', '-c', 'printf %s "$1" > "$2"', 'sh', text, path).status, 0);
  }
}

async function startMachine(t: TestContext): Promise<Machine | undefined> {
  if (!needRoot(t) || !need(t, 'unshare', 'systemd-sysusers', 'systemd-analyze')) return undefined;
  const dir = scratch();
  const layer =
    'mkdir -p $0$d/up $0$d/work; mount -t overlay overlay -o lowerdir=$d,upperdir=$0$d/up,workdir=$0$d/work $d';
  const script = `mount -t tmpfs tmpfs $0 && for d in ${TREES.join(' ')}; do ${layer} || exit 1; done; echo ready 1; read -r line`;
  const started = new Started(t, ['unshare', '--mount', 'sh', '-c', script, dir]);
  await started.line('ready');
  return new Machine(started.pid);
}

/** No systemd runs where the tests run. This script stands in for systemctl and writes down how it is called. */
function standInForSystemctl(machine: Machine): void {
  machine.run('mkdir', '-p', '/run/systemd/system', '/usr/local/bin');
  machine.write(
    '/usr/local/bin/systemctl',
    '#!/bin/sh\necho "$@" "$(ls /etc/systemd/system | grep -c herakles)" >> /run/calls\n',
  );
  machine.run('chmod', '+x', '/usr/local/bin/systemctl');
}

const callsOfSystemctl = (machine: Machine): string[] =>
  machine.run('cat', '/run/calls').stdout.trim().split('\n').filter(Boolean);

test('installs, installs again, and leaves nothing behind', async (t) => {
  const machine = await startMachine(t);
  if (!machine) return;
  const [before, accounts] = [machine.state(), machine.accounts()];

  const plan = machine.herakles('install', '--socket', '--dry-run');
  assert.equal(plan.status, 0, plan.stderr);
  assert.match(plan.stdout, /^would create \/usr\/local\/lib\/herakles\/herakles\.cjs$/m);
  assert.match(plan.stdout, /^would create user herakles$/m);
  assert.deepEqual(machine.state(), before, 'a dry run changes nothing');

  const first = machine.herakles('install', '--socket');
  assert.equal(first.status, 0, first.stderr);
  assert.equal(first.stdout, plan.stdout.replaceAll('would ', ''), 'it does what the dry run says');
  assert.match(first.stdout, /^Next: systemctl enable --now herakles-node-exporter\.socket$/m);
  const installed = machine.state();
  assert.match(machine.accounts(), /^herakles:x:\d+:\d+:[^:]*:\/:\/usr\/sbin\/nologin$/m);

  const second = machine.herakles('install', '--socket');
  assert.match(second.stdout, /^unchanged user herakles$/m);
  assert.doesNotMatch(second.stdout, /^(?:create|update|keep|run) /m);
  assert.deepEqual(machine.state(), installed, 'a second time changes nothing');

  const plannedEnd = machine.herakles('uninstall', '--dry-run');
  assert.deepEqual(machine.state(), installed, 'a dry run changes nothing');
  const end = machine.run('/usr/local/bin/herakles-node-exporter', 'uninstall');
  assert.equal(end.status, 0, end.stderr);
  assert.equal(end.stdout, plannedEnd.stdout.replaceAll('would ', ''));
  assert.deepEqual(machine.state(), before);
  assert.equal(machine.accounts(), accounts);

  const again = machine.herakles('uninstall');
  assert.equal(again.status, 1);
  assert.match(again.stderr, /nothing to uninstall/);
});

test('the installed units, command, configuration and rules work', async (t) => {
  const machine = await startMachine(t);
  if (!machine) return;
  assert.equal(machine.herakles('install', '--socket').status, 0);
  const verified = machine.run('systemd-analyze', 'verify', UNIT, UNIT.replace('.service', '.socket'));
  assert.deepEqual([verified.status, verified.stderr], [0, '']);
  const start = machine.run('grep', '^ExecStart=', UNIT).stdout.trim().replace('ExecStart=', '').split(' ');
  assert.deepEqual(start, [process.execPath, '--inspect-port=192.0.2.1:9229', PROGRAM]);
  for (const library of ['commander', 'yaml', 'smol-toml', 'bcryptjs'])
    assert.match(machine.run('cat', '/usr/local/lib/herakles/NOTICE').stdout, new RegExp(`^${library} \\d`, 'm'));
  const as = ['setpriv', '--reuid=herakles', '--regid=herakles', '--clear-groups', '--', 'env', 'HOME=/'];
  const check = machine.run(...as, ...start, 'check');
  assert.equal(check.status, 0, check.stderr);
  assert.match(check.stdout, /^configuration: ok, \/etc\/herakles\/config\.yaml$/m);
  assert.match(check.stdout, /^rules: +ok, 1 of yours/m);
  assert.match(machine.run('/usr/local/bin/herakles-node-exporter', '--version').stdout, /^herakles-node-exporter \d/);
});

test('keeps files that somebody else made or changed', async (t) => {
  const machine = await startMachine(t);
  if (!machine) return;
  machine.run('mkdir', '-p', '/etc/herakles');
  machine.run('useradd', '--system', 'herakles');
  machine.write('/etc/herakles/subgroups.toml', '# mine\n');
  const first = machine.herakles('install');
  assert.match(first.stdout, /^keep \/etc\/herakles\/subgroups\.toml: /m);
  assert.equal(first.status, 0, 'a configuration is there to be changed');
  machine.write('/etc/herakles/config.yaml', 'interval: 30s\n');
  const upgrade = machine.herakles('install');
  assert.match(upgrade.stdout, /^keep \/etc\/herakles\/config\.yaml: /m);

  const plan = machine.herakles('uninstall', '--dry-run');
  const end = machine.herakles('uninstall');
  assert.equal(end.stdout, plan.stdout.replaceAll('would ', ''));
  assert.match(end.stdout, /^keep \/etc\/herakles\/config\.yaml: /m);
  assert.equal(machine.run('cat', '/etc/herakles/config.yaml').stdout, 'interval: 30s\n');
  assert.equal(machine.run('cat', '/etc/herakles/subgroups.toml').stdout, '# mine\n');
  assert.notEqual(machine.run('ls', PROGRAM).status, 0);
  assert.equal(machine.run('getent', 'passwd', 'herakles').status, 0, 'a user that was there before stays');
});

test('says that a folder stays, and which file of it', async (t) => {
  const machine = await startMachine(t);
  if (!machine) return;
  assert.equal(machine.herakles('install').status, 0);
  machine.write('/etc/herakles/config.yaml', 'interval: 30s\n');
  machine.write('/usr/local/lib/herakles/notes', 'mine\n');
  const setting = machine.herakles('uninstall', '--port', '9300');
  assert.equal(setting.status, 2);
  assert.match(setting.stderr, /uninstall removes what install has recorded.*leave --port out/);
  const end = machine.herakles('uninstall');
  assert.equal(end.status, 0, end.stderr);
  assert.match(end.stdout, /^keep \/etc\/herakles\/: it holds config\.yaml$/m);
  assert.match(end.stdout, /^keep \/usr\/local\/lib\/herakles\/: it holds notes$/m);
  for (const [, folder] of end.stdout.matchAll(/^remove (\/.*\/)$/gm))
    assert.notEqual(machine.run('ls', folder!).status, 0, `${folder} is removed`);
  for (const [, folder] of end.stdout.matchAll(/^keep (\/.*\/): /gm))
    assert.equal(machine.run('ls', folder!).status, 0, `${folder} is kept`);
});

test('replaces installed files with newer ones', async (t) => {
  const machine = await startMachine(t);
  if (!machine) return;
  const newer = newerBundle(machine);
  assert.equal(machine.herakles('install').status, 0);
  const upgrade = machine.run(process.execPath, newer, 'install');
  assert.match(upgrade.stdout, /^update \/usr\/local\/lib\/herakles\/herakles\.cjs$/m);
  assert.match(upgrade.stdout, /^Next: systemctl try-restart/m);
  assert.equal(machine.run('cmp', newer, PROGRAM).status, 0);
});

test('where systemd runs, units are reloaded, and stopped before they are removed', async (t) => {
  const machine = await startMachine(t);
  if (!machine) return;
  standInForSystemctl(machine);
  const calls = () => callsOfSystemctl(machine);
  assert.equal(machine.herakles('install').status, 0);
  assert.deepEqual(calls(), ['daemon-reload 1']);
  machine.herakles('install');
  assert.equal(calls().length, 1, 'nothing to reload');
  assert.equal(machine.herakles('uninstall').status, 0);
  assert.deepEqual(calls().slice(1), ['disable --now herakles-node-exporter.service 1', 'daemon-reload 0']);
});

/** A program that is newer than the installed one. */
function newerBundle(machine: Machine): string {
  const newer = `${scratch()}/herakles.cjs`;
  assert.equal(machine.run('sh', '-c', 'cat "$0" > "$1"; echo "// newer" >> "$1"', bundle, newer).status, 0);
  return newer;
}

test('upgrade replaces program and unit, keeps configuration and rules, and restarts once', async (t) => {
  const machine = await startMachine(t);
  if (!machine) return;
  const none = machine.herakles('upgrade');
  assert.equal(none.status, 1);
  assert.match(none.stderr, /nothing to upgrade: \/var\/lib\/herakles\/installed\.json does not exist/);
  assert.equal(machine.herakles('install', '--socket').status, 0);
  machine.write('/etc/herakles/config.yaml', 'interval: 30s\n');
  machine.run('rm', '/etc/herakles/subgroups.toml');
  standInForSystemctl(machine);
  const newer = newerBundle(machine);
  const before = machine.state();

  const same = machine.herakles('upgrade');
  assert.equal(same.status, 0, same.stderr);
  assert.match(
    same.stdout,
    /\nNothing to do: herakles-node-exporter \d\S* is installed\. Run upgrade with the program/,
  );
  const plan = machine.run(process.execPath, newer, 'upgrade', '--dry-run');
  assert.deepEqual(machine.state(), before, 'a dry run and an upgrade to the same change nothing');

  const upgrade = machine.run(process.execPath, newer, 'upgrade');
  assert.equal(upgrade.status, 0, upgrade.stderr);
  assert.equal(upgrade.stdout, plan.stdout.replaceAll('would ', ''));
  assert.match(upgrade.stdout, /^update \/usr\/local\/lib\/herakles\/herakles\.cjs$/m);
  assert.match(upgrade.stdout, /^run systemctl try-restart herakles-node-exporter\.service$/m);
  assert.equal(machine.run('cmp', newer, PROGRAM).status, 0);
  assert.equal(machine.run('cat', '/etc/herakles/config.yaml').stdout, 'interval: 30s\n');
  assert.notEqual(
    machine.run('ls', '/etc/herakles/subgroups.toml').status,
    0,
    'a rule file that was removed stays away',
  );
  assert.deepEqual(callsOfSystemctl(machine), ['daemon-reload 3', 'try-restart herakles-node-exporter.service 3']);
  machine.run(process.execPath, newer, 'upgrade');
  assert.equal(callsOfSystemctl(machine).length, 2, 'nothing to restart');

  machine.write(UNIT, '[Service]\n');
  const kept = machine.run(process.execPath, newer, 'upgrade');
  assert.equal(kept.status, 1);
  assert.match(kept.stdout, /^keep .*\.service: [\s\S]*move away what was kept, and run upgrade again\.$/m);
  machine.write(PROGRAM, '// mine\n');
  const foreign = machine.run(process.execPath, newer, 'upgrade');
  assert.deepEqual([foreign.status, foreign.stdout], [1, '']);
  assert.match(foreign.stderr, /herakles\.cjs: install did not write it.*move it away, and try again/);
});

test('install --root fills the folder of an image, touches nothing else, and says what is left to do', async (t) => {
  const machine = await startMachine(t);
  if (!machine) return;
  const image = `${scratch()}/image`;
  const into = (...args: string[]) => machine.herakles('install', `--root=${image}`, ...args);
  const missing = into();
  assert.deepEqual([missing.status, missing.stdout], [1, '']);
  assert.match(missing.stderr, /\/image is not a folder; make the folder of the image or package first/);
  machine.run('mkdir', '-p', `${image}/etc`, `${image}/usr/lib`);
  standInForSystemctl(machine);
  const before = machine.state();

  const plan = into('--socket', '--dry-run');
  const done = into('--socket');
  assert.equal(done.status, 0, done.stderr);
  assert.equal(done.stdout, plan.stdout.replaceAll('would ', ''));
  assert.deepEqual(machine.state(), before, 'the host stays as it is');
  assert.deepEqual(callsOfSystemctl(machine), []);
  assert.match(done.stdout, /^ {2}Node\.js 20\.15 or newer at \/usr\/bin\/node$/m);
  assert.equal(machine.run('cmp', bundle, image + PROGRAM).status, 0);
  assert.match(
    machine.run('grep', '^ExecStart=', image + UNIT).stdout,
    /^ExecStart=\/usr\/bin\/node .*herakles\.cjs$/m,
  );
  assert.equal(machine.run('readlink', `${image}/usr/local/bin/herakles-node-exporter`).stdout.trim(), PROGRAM);
  assert.doesNotMatch(into('--socket').stdout, /^(?:create|update|keep|run) /m, 'a second time changes nothing');
  const [, users] = /^ {2}(systemd-sysusers \S+) /m.exec(done.stdout) ?? [];
  assert.equal(machine.run('sh', '-c', users!).status, 0, users);
  assert.match(machine.run('cat', `${image}/etc/passwd`).stdout, /^herakles:x:/m);
  const [, enable] = /^ {2}(systemctl --root\S+ enable \S+)$/m.exec(done.stdout) ?? [];
  machine.run('rm', '/usr/local/bin/systemctl');
  assert.equal(machine.run('sh', '-c', enable!).status, 0, enable);
  assert.equal(
    machine.run('ls', `${image}/etc/systemd/system/sockets.target.wants`).stdout,
    'herakles-node-exporter.socket\n',
  );

  machine.run('sh', '-c', 'rm -r "$0"/etc; ln -s /etc "$0"/etc', image);
  const outside = into();
  assert.equal(outside.status, 1);
  assert.match(outside.stderr, /\/image\/etc leads out of .*\/image, to \/etc; use a relative link/);
  assert.deepEqual(
    machine.state().filter((line) => !line.startsWith('/usr/local/bin')),
    before.filter((line) => !line.startsWith('/usr/local/bin')),
  );
});

test('install --root needs no root, and refuses the host itself', async (t) => {
  if (!needRoot(t)) return;
  const dir = scratch();
  chownSync(dir, nobody, nobody);
  const made = await runBundle(t, ['install', `--root=${dir}`], { uid: nobody });
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stdout, /^ {2}give the files to root: they belong to you now$/m);
  assert.ok(readFileSync(dir + PROGRAM).equals(readFileSync(bundle)));
  const host = await runBundle(t, ['install', '--root=/']);
  assert.equal(host.code, 2);
  assert.match(host.stderr, /--root is this host itself; name a folder, or leave --root out/);
});

test('a failure half-way says which steps were done, and uninstall undoes them', async (t) => {
  const machine = await startMachine(t);
  if (!machine) return;
  const before = machine.state();
  machine.run('mount', '-t', 'tmpfs', '-o', 'ro,mode=755', 'tmpfs', '/etc/systemd/system');
  const failed = machine.herakles('install');
  assert.equal(failed.status, 1);
  assert.match(failed.stderr, /herakles-node-exporter\.service[\s\S]*remove the cause[\s\S]*create user herakles/);
  machine.run('umount', '/etc/systemd/system');
  assert.equal(machine.herakles('uninstall').status, 0);
  assert.deepEqual(machine.state(), before);
});

test('refuses before it changes anything where it cannot work', async (t) => {
  const user = await runBundle(t, ['install'], { uid: nobody });
  assert.equal(user.code, 1);
  assert.match(user.stderr, /has to be run by root; --dry-run/);
  const nowhere = await runBundle(t, ['install', '--dry-run'], { env: { PATH: '/nonexistent' } });
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.stderr, /hosts run by systemd/);
  const setting = await runBundle(t, ['install', '--port', '9300', '--dry-run']);
  assert.equal(setting.code, 2);
  assert.match(setting.stderr, /config\.yaml in place; leave --port out/);
});

/** install on a machine that a command has prepared; it has to refuse and to leave everything as it was. */
function refused(machine: Machine, prepare: string, node = process.execPath): string {
  const prepared = machine.run('sh', '-ec', prepare);
  assert.equal(prepared.status, 0, prepared.stderr);
  const before = machine.state();
  for (const option of [[], ['--dry-run']]) {
    const run = machine.run(node, bundle, 'install', ...option);
    assert.equal(run.status, 1, `${prepare}: ${run.stdout}`);
    assert.equal(run.stdout, '');
    assert.deepEqual(machine.state(), before, 'nothing changes');
    if (option.length > 0) return run.stderr;
  }
  return '';
}

const FOLDER = '/usr/local/lib/herakles';
// A copy of node would take 100 MB; the same file mounted at another place looks the same to install.
const OTHER_NODE = `touch /usr/local/bob/bin/node; mount --bind ${process.execPath} /usr/local/bob/bin/node`;
const cases: [what: string, prepare: string, said: RegExp, node?: string][] = [
  [
    'node below a folder of a user',
    `mkdir -p /usr/local/bob/bin; chown nobody /usr/local/bob; ${OTHER_NODE}`,
    /^herakles-node-exporter: \/usr\/local\/bob\/bin\/node: \/usr\/local\/bob belongs to user nobody \(uid 65534\).*; run install with a Node\.js that only root can change/,
    '/usr/local/bob/bin/node',
  ],
  [
    'node below a folder that its group may write',
    `mkdir -p /usr/local/bob/bin; chmod g+w /usr/local/bob/bin; ${OTHER_NODE}`,
    /\/usr\/local\/bob\/bin may be written by others than root \(mode 0775\)/,
    '/usr/local/bob/bin/node',
  ],
  [
    'node that a user owns',
    `mkdir -p /usr/local/bob; cp ${process.execPath} /usr/local/bob/node; chown nobody /usr/local/bob/node`,
    /^herakles-node-exporter: \/usr\/local\/bob\/node belongs to user nobody/,
    '/usr/local/bob/node',
  ],
  [
    'a program folder that a user has made',
    `mkdir -p ${FOLDER}; chown nobody ${FOLDER}`,
    /\/herakles\.cjs: \/usr\/local\/lib\/herakles belongs to user nobody \(uid 65534\).*; look at what it holds/,
  ],
  [
    'a program folder where everybody may write, with a sticky bit',
    `mkdir -m 1777 ${FOLDER}`,
    /\/usr\/local\/lib\/herakles may be written by others than root \(mode 01777\)/,
  ],
  [
    'a program folder behind a link to a place of a user',
    `mkdir -p /usr/local/bob/lib; chown nobody /usr/local/bob; ln -s ../bob/lib ${FOLDER}`,
    /\/usr\/local\/bob belongs to user nobody/,
  ],
  [
    'a program that a user has put there',
    `mkdir ${FOLDER}; echo planted > ${PROGRAM}; chown nobody ${PROGRAM}`,
    /\/usr\/local\/lib\/herakles\/herakles\.cjs belongs to user nobody/,
  ],
  [
    'another program of root',
    `mkdir ${FOLDER}; echo planted > ${PROGRAM}`,
    /herakles\.cjs: install did not write it.* start it with two capabilities; move it away/,
  ],
  [
    'a configuration of a user',
    'mkdir /etc/herakles; touch /etc/herakles/config.yaml; chown nobody /etc/herakles/config.yaml',
    /\/etc\/herakles\/config\.yaml belongs to user nobody/,
  ],
  [
    'a record in a folder of a user, who could have files of root removed',
    'mkdir /var/lib/herakles; chown nobody /var/lib/herakles',
    /installed\.json: \/var\/lib\/herakles belongs to user nobody/,
  ],
];

test('refuses where somebody other than root could change what runs with capabilities', async (t) => {
  for (const [what, prepare, said, node] of cases)
    await t.test(what, async (t) => {
      const machine = await startMachine(t);
      if (machine) assert.match(refused(machine, prepare, node), said);
    });
});

test('uninstall does not believe a record that a user can write', async (t) => {
  const machine = await startMachine(t);
  if (!machine) return;
  machine.write('/etc/precious', '');
  const hash = machine.run('sha256sum', '/etc/precious').stdout.split(' ')[0];
  machine.run('mkdir', '/var/lib/herakles');
  machine.write('/var/lib/herakles/installed.json', JSON.stringify({ put: { '/etc/precious': hash }, user: false }));
  machine.run('chown', '-R', 'nobody', '/var/lib/herakles');
  const end = machine.herakles('uninstall');
  assert.equal(end.status, 1);
  assert.match(end.stderr, /belongs to user nobody .* cannot be believed/);
  assert.equal(machine.run('ls', '/etc/precious').status, 0);
});

test('ends with status 1 where something had to be kept', async (t) => {
  const machine = await startMachine(t);
  if (!machine) return;
  machine.write(UNIT, '[Service]\nExecStart=/bin/true\n');
  const kept = machine.herakles('install');
  assert.equal(kept.status, 1);
  assert.match(kept.stdout, /^keep \/etc\/systemd\/system\/herakles-node-exporter\.service: /m);
  assert.match(kept.stdout, /\nNot all of it is in place: move away what was kept, and run install again\.\n$/);
});
