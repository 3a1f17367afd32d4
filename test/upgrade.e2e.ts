// upgrade, and install into the folder of an image, really run.
import assert from 'node:assert/strict';
import { chownSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { bundle, needRoot, nobody, runBundle, scratch } from './harness.ts';
import { callsOfSystemctl, newerBundle, PROGRAM, standInForSystemctl, startMachine, UNIT } from './install-machine.ts';

test('upgrade replaces program and unit, keeps configuration and rules, and restarts once', async (t) => {
  const machine = await startMachine(t);
  if (!machine) return;
  const none = machine.herakles('upgrade');
  assert.equal(none.status, 1);
  assert.match(none.stderr, /nothing to upgrade: \/var\/lib\/herakles\/installed\.json does not exist/);
  assert.equal(machine.herakles('install', '--socket', '--bpf').status, 0);
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
  assert.match(upgrade.stdout, /^run systemctl try-restart herakles-bpf\.service herakles-node-exporter\.service$/m);
  assert.equal(machine.run('cmp', newer, PROGRAM).status, 0);
  assert.equal(machine.run('cat', '/etc/herakles/config.yaml').stdout, 'interval: 30s\n');
  assert.notEqual(
    machine.run('ls', '/etc/herakles/subgroups.toml').status,
    0,
    'a rule file that was removed stays away',
  );
  assert.deepEqual(callsOfSystemctl(machine), [
    'daemon-reload 4',
    'try-restart herakles-bpf.service herakles-node-exporter.service 4',
  ]);
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
