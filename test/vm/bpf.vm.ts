// The BPF program on the kernels of Debian 11, 12 and 13: its unit pins it, the exporter reads it without any capability,
// goes back to /proc when it is gone, and a removal of the package leaves nothing of it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually, need } from '../harness.ts';
import { type BootedDebian, bootDebian } from './booted-debian.ts';
import type { Suite } from './debian-image.ts';
import { BPF, debianPackage, LONG_MS, MIB, SCENARIO_MS, SERVICE } from './debian-package.ts';

const FILE = '/run/herakles-bpf/tasks';

/** One bpftool for all kernels: that of this machine, with its libraries and their loader, because the images have none. */
function bringBpftool(debian: BootedDebian, bpftool: string): void {
  const libraries = execFileSync('ldd', [bpftool], { encoding: 'utf8' }).match(/\/\S+/g)!;
  const archive = execFileSync('tar', ['-chf', '-', bpftool, ...libraries], {
    maxBuffer: 64 * MIB,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  debian.done('mkdir /opt/tool && tar -C /opt/tool -xf -', archive);
  const loader = libraries.find((path) => path.includes('/ld-linux'));
  const folder = '/opt/tool/lib/x86_64-linux-gnu';
  debian.write(
    '/usr/sbin/bpftool',
    `#!/bin/sh\nexec /opt/tool${loader} --library-path ${folder} /opt/tool${bpftool} "$@"\n`,
  );
  debian.done('chmod 755 /usr/sbin/bpftool && bpftool version');
}

const asUser = (debian: BootedDebian, command: string) =>
  debian.run(`setpriv --reuid=herakles --regid=herakles --clear-groups ${command}`);

const becomes = (debian: BootedDebian, source: string): Promise<void> =>
  eventually(async () => {
    const seen = (await debian.scrape()).all('herakles_exporter_source_info').map(({ labels }) => labels.source);
    assert.deepEqual(seen, [source]);
  }, LONG_MS);

/** CPU and storage I/O of a process of another user, by an exporter that may not read that process's io. */
async function foreignCounters(debian: BootedDebian): Promise<void> {
  const work =
    'dd if=/dev/zero of=/var/tmp/written bs=1M count=8 conv=fsync; i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done';
  debian.done(
    `systemd-run --quiet --unit=busy --uid=nobody sh -c '${work.replaceAll('$', '$$')}; read line < /run/fifo'`,
  );
  const pid = debian.property('busy.service', 'MainPID');
  assert.notEqual(asUser(debian, `cat /proc/${pid}/io`).status, 0, 'procfs does not let the exporter read it');
  await eventually(async () => {
    const page = await debian.scrape();
    const value = (name: string) => page.all(name, { pid })[0]?.value;
    const [user, system] = debian.done(`cat /proc/${pid}/stat`).split(' ').slice(13, 15).map(Number);
    const written = Number(debian.done(`awk '/^write_bytes:/ { print $2 }' /proc/${pid}/io`));
    assert.ok(written >= 8 * MIB, `${written} bytes are written`);
    assert.equal(value('herakles_io_process_write_bytes_total'), written);
    const cpu = value('herakles_cpu_process_time_seconds')!;
    assert.ok(cpu > 0.05 && Math.abs(cpu - (user! + system!) / 100) < 0.05, `${cpu} s; stat: ${user} and ${system}`);
    const resident = Number(debian.done(`awk '{ print $2 * 4096 }' /proc/${pid}/statm`));
    assert.equal(value('herakles_mem_process_rss_bytes'), resident);
  }, LONG_MS);
  debian.done('systemctl stop busy.service');
}

for (const suite of ['bullseye', 'bookworm', 'trixie'] satisfies Suite[]) {
  test(`the BPF program on ${suite}`, { timeout: SCENARIO_MS }, async (t) => {
    const bpftool = need(t, 'bpftool')?.bpftool;
    const debian = bpftool && (await bootDebian(t, suite));
    if (!debian) return;
    t.diagnostic(debian.done('uname -r'));
    debian.write('/root/new.deb', readFileSync(debianPackage));
    debian.write('/etc/herakles/config.yaml', 'process_io: true\ninterval: 2s\n');
    const none = '[Service]\nAmbientCapabilities=\nCapabilityBoundingSet=\n';
    debian.write(`/etc/systemd/system/${SERVICE}.d/none.conf`, none);
    debian.done('mkfifo /run/fifo && chmod 666 /run/fifo');
    debian.done('dpkg -i --force-confold /root/new.deb');

    await t.test(
      'the package brings its unit and does not enable it; without bpftool the unit says what is missing',
      async () => {
        assert.equal(debian.run(`systemctl is-enabled ${BPF}`).stdout, 'disabled\n');
        assert.notEqual(debian.run(`systemctl start ${BPF}`).status, 0);
        assert.match(debian.done(`journalctl -u ${BPF} -o cat`), /no bpftool that runs: apt install bpftool/);
        await becomes(debian, 'procfs');
      },
    );

    await t.test('the unit pins it for the group, and the trial finds that it agrees with /proc', async () => {
      bringBpftool(debian, bpftool);
      const started = debian.run(`systemctl enable --now ${BPF}`);
      assert.equal(started.status, 0, started.stderr + debian.done(`journalctl -u ${BPF} -o cat`));
      assert.equal(
        debian.done(`stat -c '%a %U:%G' ${FILE} $(dirname ${FILE})`),
        '440 root:herakles\n1750 root:herakles',
      );
      const { status, stdout } = asUser(debian, 'herakles-node-exporter bpf status');
      t.diagnostic(stdout);
      assert.equal(status, 0, stdout);
      assert.match(stdout, /lists \d+ processes, and agrees with \/proc$/m);
      await becomes(debian, 'bpf');
    });

    await t.test('CPU, storage I/O and RSS of a process of another user, without any capability', async () => {
      const pid = debian.property(SERVICE, 'MainPID');
      assert.match(debian.done(`cat /proc/${pid}/status`), /^CapEff:\t0+$/m);
      await foreignCounters(debian);
    });

    await t.test('without the program the exporter goes back to /proc, and says so', async () => {
      debian.done(`systemctl stop ${BPF}`);
      assert.equal(debian.run(`ls /run/herakles-bpf`).status, 2, 'the mount and its folder are gone');
      await becomes(debian, 'procfs');
      const log = debian.done(`journalctl -u ${SERVICE} -o cat`);
      assert.match(log, /the pinned BPF program is not used; counters come from \/proc/);
      debian.done(`systemctl start ${BPF}`);
      await becomes(debian, 'bpf');
      assert.doesNotMatch(debian.done(`journalctl -u ${SERVICE} -o cat`), /collection failed/);
    });

    await t.test('a purge of the package unpins it', () => {
      debian.done('dpkg --purge herakles-node-exporter');
      assert.doesNotMatch(debian.done('cat /proc/mounts'), /herakles/);
      assert.equal(debian.done('find /run /etc/systemd -name "*herakles*"'), '');
    });
  });
}
