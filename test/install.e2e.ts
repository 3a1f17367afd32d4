// install and uninstall really run, on overlays of /etc, /run, /usr/local and /var/lib that only the test sees.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundle, nobody, runBundle } from './harness.ts';
import {
  BPF_UNIT,
  callsOfSystemctl,
  type Machine,
  newerBundle,
  PROGRAM,
  standInForSystemctl,
  startMachine,
  UNIT,
} from './install-machine.ts';

test('installs, installs again, and leaves nothing behind', async (t) => {
  const machine = await startMachine(t);
  if (!machine) return;
  const [before, accounts] = [machine.state(), machine.accounts()];

  const plan = machine.herakles('install', '--socket', '--bpf', '--dry-run');
  assert.equal(plan.status, 0, plan.stderr);
  assert.match(plan.stdout, /^would create \/usr\/local\/lib\/herakles\/herakles\.cjs$/m);
  assert.match(plan.stdout, /^would create user herakles$/m);
  assert.deepEqual(machine.state(), before, 'a dry run changes nothing');

  const first = machine.herakles('install', '--socket', '--bpf');
  assert.equal(first.status, 0, first.stderr);
  assert.equal(first.stdout, plan.stdout.replaceAll('would ', ''), 'it does what the dry run says');
  assert.match(first.stdout, /^Next: systemctl enable --now herakles-bpf\.service herakles-node-exporter\.socket$/m);
  const installed = machine.state();
  assert.match(machine.accounts(), /^herakles:x:\d+:\d+:[^:]*:\/:\/usr\/sbin\/nologin$/m);

  const second = machine.herakles('install', '--socket', '--bpf');
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
  assert.equal(machine.herakles('install', '--socket', '--bpf').status, 0);
  const verified = machine.run('systemd-analyze', 'verify', UNIT, UNIT.replace('.service', '.socket'), BPF_UNIT);
  assert.deepEqual([verified.status, verified.stderr], [0, '']);
  const start = machine.run('grep', '^ExecStart=', UNIT).stdout.trim().replace('ExecStart=', '').split(' ');
  assert.deepEqual(start, [process.execPath, '--inspect-port=192.0.2.1:9229', PROGRAM]);
  assert.deepEqual(machine.run('grep', '-E', '^Exec(Start|Stop)=', BPF_UNIT).stdout.trim().split('\n'), [
    `ExecStart=${start.join(' ')} bpf pin --group herakles`,
    `ExecStop=${start.join(' ')} bpf unpin`,
  ]);
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
