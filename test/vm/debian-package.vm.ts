// The Debian package over its whole life on a booted Debian: installed by apt, started by systemd as process 1, scraped
// from outside, reloaded, killed, removed, purged. upgrade.vm.ts upgrades it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually } from '../harness.ts';
import { type BootedDebian, bootDebian } from './booted-debian.ts';
import type { Suite } from './debian-image.ts';
import {
  DROP_INS,
  debianPackage,
  foreignPss,
  installPackage,
  LONG_MS,
  MIB,
  pidOf,
  purgePackage,
  removePackage,
  SCENARIO_MS,
  SERVICE,
  SOCKET,
  scraped,
} from './debian-package.ts';

/** Every file of the system with mode, owner and size, and the accounts; without what any use of apt or systemd leaves. */
function stateOf(debian: BootedDebian): string[] {
  const passing = [
    ...['/root', '/tmp', '/var/tmp', '/var/log', '/var/cache', '/var/lib/apt', '/var/lib/dpkg'],
    ...['/var/lib/systemd/random-seed', '/var/lib/systemd/timers', '/etc/.pwd.lock'],
  ];
  const prune = passing.map((path) => `-path ${path}`).join(' -o ');
  const files = debian.done(`find / -xdev \\( ${prune} \\) -prune -o -printf '%p %y %m %U:%G %l\\n'`);
  // useradd and userdel keep the file that they have changed as passwd-, group- and so on.
  const kept = files.split('\n').filter((line) => !/^\/etc\/(?:passwd|group|g?shadow|sub[ug]id)- /.test(line));
  return [...kept, ...debian.done('cat /etc/passwd /etc/group; dpkg-query -W').split('\n')].sort();
}

/** What the kernel says of the process that serves, not what the unit asks for. */
function inForce(debian: BootedDebian): void {
  const pid = pidOf(debian);
  const status = debian.done(`cat /proc/${pid}/status`);
  const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1];
  const rights = ((1n << 34n) | (1n << 19n) | (1n << 2n)).toString(16).padStart(16, '0'); // SYSLOG, SYS_PTRACE, DAC_READ_SEARCH
  for (const set of ['CapEff', 'CapBnd', 'CapAmb']) assert.equal(field(set), rights, set);
  assert.deepEqual([field('NoNewPrivs'), field('Seccomp')], ['1', '2']);
  assert.equal(field('Uid'), debian.done('id -u herakles'));
  const within = `nsenter --target ${pid} --mount --`;
  for (const path of ['/usr', '/etc', '/var/lib']) {
    const { status, stderr } = debian.run(`${within} touch ${path}/written`);
    assert.notEqual(status, 0, path);
    assert.match(stderr, /Read-only file system/);
  }
  debian.write('/home/secret', 'secret');
  assert.notEqual(debian.run(`${within} cat /home/secret`).status, 0);
  debian.done('rm /home/secret');
  const group = `/sys/fs/cgroup/system.slice/${SERVICE}`;
  const device = (path: string) => debian.run(`sh -c 'echo $$ > ${group}/cgroup.procs; head -c 1 ${path}'`);
  assert.match(device('/dev/vda').stderr, /Operation not permitted/);
  assert.equal(device('/dev/null').status, 0, 'what each program needs is there');
  assert.equal(debian.done(`cat ${group}/memory.max ${group}/pids.max`), `${512 * MIB}\n64`);
  const used = Number(debian.done(`cat ${group}/memory.current`));
  assert.ok(used > 10 * MIB && used < 512 * MIB, `${used} bytes`);
}

/** A process is killed for memory after a collection saw it. */
async function oomKill(debian: BootedDebian): Promise<void> {
  const program = 'sleep 1 until -e q(/run/go); my $x; $x .= q(x) x 2**20 while 1';
  const limits = '-p MemoryMax=60M -p MemorySwapMax=0';
  debian.done(`systemd-run --quiet --unit=hungry ${limits} --uid=nobody perl -e '${program}'`);
  const pid = debian.property('hungry.service', 'MainPID');
  const kills = async () => (await debian.scrape()).sum('herakles_group_oom_kills_total');
  await eventually(async () => {
    const page = await debian.scrape();
    assert.equal(page.all('herakles_mem_process_rss_bytes', { pid }).length, 1);
    assert.ok(page.all('herakles_group_oom_kills_total').length > 0, "the kernel's log may be read");
  }, LONG_MS);
  assert.equal(await kills(), 0);
  debian.done('touch /run/go');
  await eventually(async () => assert.equal(await kills(), 1), LONG_MS);
  assert.equal(debian.property('hungry.service', 'Result'), 'oom-kill');
  debian.done('systemctl reset-failed hungry; rm /run/go');
}

for (const suite of ['bookworm', 'trixie'] satisfies Suite[]) {
  test(`the life of the Debian package on ${suite}`, { timeout: SCENARIO_MS }, async (t) => {
    const debian = await bootDebian(t, suite);
    if (!debian) return;
    t.diagnostic(debian.done('uname -r'));
    const before = stateOf(debian);
    debian.write('/root/new.deb', readFileSync(debianPackage));

    await t.test('apt installs it, systemd starts it, and it is scraped from outside', async () => {
      installPackage(debian, '/root/new.deb');
      assert.equal(debian.done(`systemctl is-enabled ${SERVICE}`), 'enabled');
      const page = await scraped(debian);
      assert.ok(page.all('herakles_mem_process_rss_bytes').length > 5);
      assert.deepEqual(page.all('herakles_mem_process_rss_bytes', { pid: '1' }).length, 1);
    });

    await t.test('the hardening of the unit is in force', () => inForce(debian));

    await t.test('PSS of a process of another user, by ambient capability', () => foreignPss(debian));

    await t.test('a process that the kernel kills for memory counts once in its group', () => oomKill(debian));

    await t.test('a reload takes effect in the same process; one with a fault changes nothing', async () => {
      const pid = pidOf(debian);
      const successful = async () =>
        (await debian.scrape()).all('herakles_exporter_config_last_reload_successful')[0]?.value;
      const processes = async () => (await debian.scrape()).all('herakles_mem_process_rss_bytes').length;
      debian.write('/etc/herakles/config.yaml', 'per_process: nonsense\n');
      debian.done(`systemctl reload ${SERVICE}`);
      await eventually(async () => assert.equal(await successful(), 0), LONG_MS);
      assert.ok((await processes()) > 0);
      debian.write('/etc/herakles/config.yaml', 'per_process: none\n');
      debian.done(`systemctl reload ${SERVICE}`);
      await eventually(async () => assert.deepEqual([await successful(), await processes()], [1, 0]), LONG_MS);
      assert.equal(pidOf(debian), pid);
    });

    await t.test('systemd starts it again when it is killed', async () => {
      const pid = pidOf(debian);
      debian.done(`kill -KILL ${pid}`);
      await eventually(() => assert.ok(![0, pid].includes(pidOf(debian))), LONG_MS);
      assert.equal(debian.property(SERVICE, 'NRestarts'), '1');
      await scraped(debian);
    });

    await t.test('it listens on a Unix socket in its own folder of /run', async () => {
      const path = '/run/herakles/metrics.sock';
      debian.write(`${DROP_INS}/unix.conf`, `[Service]\nEnvironment=HERAKLES_WEB_LISTEN_ADDRESS=unix:${path}\n`);
      debian.done(`systemctl daemon-reload && systemctl restart ${SERVICE}`);
      const curl = `curl --silent --fail --unix-socket ${path} http://localhost/metrics`;
      await eventually(() => assert.match(debian.done(curl), /^herakles_exporter_build_info/m), LONG_MS);
      assert.equal(debian.done(`stat -c %U ${path}`), 'herakles');
      debian.done(`rm ${DROP_INS}/unix.conf`);
    });

    await t.test('systemd listens, and the first scrape starts it', async () => {
      const example = '/usr/share/doc/herakles-node-exporter/examples/socket-activation.conf';
      debian.done(`systemctl disable --now ${SERVICE} && mkdir -p ${DROP_INS} && cp ${example} ${DROP_INS}/`);
      debian.done(`systemctl daemon-reload && systemctl enable --now ${SOCKET}`);
      assert.equal(debian.property(SERVICE, 'ActiveState'), 'inactive');
      await scraped(debian);
      assert.equal(debian.property(SERVICE, 'ActiveState'), 'active');
    });

    await t.test('a removal keeps the configuration, a purge leaves nothing', () => {
      removePackage(debian);
      assert.equal(debian.run('pgrep -u herakles').status, 1, 'no process is left');
      assert.equal(debian.done('cat /etc/herakles/config.yaml'), 'per_process: none');
      purgePackage(debian);
      const [then, now] = [new Set(before), new Set(stateOf(debian))];
      assert.deepEqual({ left: [...now].filter((line) => !then.has(line)) }, { left: [] });
      assert.deepEqual({ gone: [...then].filter((line) => !now.has(line)) }, { gone: [] });
    });
  });
}
