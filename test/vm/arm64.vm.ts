// The executable for arm64 on a Debian of arm64 that QEMU boots, with a kernel of that processor: installed by apt, started by
// systemd, scraped; what it says of a process is what that kernel says.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually } from '../harness.ts';
import { type BootedDebian, bootDebian } from './booted-debian.ts';
import {
  foreignPss,
  installPackage,
  LONG_MS,
  packageFor,
  pidOf,
  purgePackage,
  removePackage,
  SCENARIO_MS,
  SERVICE,
  scraped,
} from './debian-package.ts';

/** CPU time and RSS of a process of another user. */
async function foreignCounters(debian: BootedDebian): Promise<void> {
  const work = 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; exec sleep infinity';
  debian.done(`systemd-run --quiet --unit=busy --uid=nobody sh -c '${work.replaceAll('$', '$$')}'`);
  const pid = debian.property('busy', 'MainPID');
  await eventually(async () => {
    const page = await debian.scrape();
    const [user, system] = debian.done(`cat /proc/${pid}/stat`).split(' ').slice(13, 15).map(Number);
    const truth = (user! + system!) / 100;
    const cpu = page.value('herakles_cpu_process_time_seconds', { pid });
    assert.ok(cpu > 0.05 && Math.abs(cpu - truth) < 0.05, `${cpu} s; stat has ${truth}`);
    const pages = Number(debian.done(`awk '{ print $2 }' /proc/${pid}/statm`));
    const bytes = Number(debian.done('getconf PAGESIZE'));
    assert.equal(page.value('herakles_mem_process_rss_bytes', { pid }), pages * bytes);
  }, LONG_MS);
  debian.done('systemctl stop busy');
}

test('the Debian package for arm64 on bookworm', { timeout: SCENARIO_MS }, async (t) => {
  const debian = await bootDebian(t, 'bookworm', 1024, 'arm64');
  if (!debian) return;
  t.diagnostic(`${debian.done('uname -rm')}, pages of ${debian.done('getconf PAGESIZE')} bytes`);
  debian.write('/root/new.deb', readFileSync(packageFor('arm64')));

  await t.test('apt installs it, systemd starts it, and it is scraped', async () => {
    assert.equal(debian.done('dpkg --print-architecture'), 'arm64');
    installPackage(debian, '/root/new.deb');
    const page = await scraped(debian);
    assert.ok(page.all('herakles_mem_process_rss_bytes').length > 5);
    assert.equal(page.sum('herakles_mem_system_kind_bytes'), page.value('herakles_mem_system_total_bytes'));
    assert.match(debian.done('herakles-node-exporter --version'), /linux\/arm64$/m);
  });

  await t.test('PSS of a process of another user, by ambient capability', () => foreignPss(debian));

  await t.test('CPU time and RSS of a process of another user', () => foreignCounters(debian));

  await t.test('scan, explain and check look at this host', () => {
    assert.match(debian.done('herakles-node-exporter scan'), /systemd/);
    assert.match(debian.done(`herakles-node-exporter explain ${pidOf(debian)}`), /herakles/);
    assert.match(debian.done('herakles-node-exporter check'), /^kernel: .*smaps_rollup can be read/m);
  });

  await t.test('it ends when systemd asks, starts again, and a purge leaves nothing of it', async () => {
    debian.done(`systemctl restart ${SERVICE}`);
    await scraped(debian);
    assert.doesNotMatch(debian.done(`journalctl -u ${SERVICE} -o cat`), /SIGKILL|code=killed|collection failed/);
    removePackage(debian);
    assert.equal(debian.run('pgrep -u herakles').status, 1, 'no process is left');
    purgePackage(debian);
    assert.equal(debian.done('find /etc /usr /var/lib /run -name "*herakles*" -not -path "/var/lib/systemd/*"'), '');
  });
});
