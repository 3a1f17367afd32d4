// AppArmor as Debian has it: in force in every machine that boots. The unit needs nothing of it. The profile that Docker gives
// a container takes PSS from the exporter, and one line of a profile gives it back: what docs/troubleshooting.md says.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually, near, root } from '../harness.ts';
import { type BootedDebian, bootDebian } from './booted-debian.ts';
import {
  DROP_INS,
  debianPackage,
  installPackage,
  LONG_MS,
  MIB,
  pidOf,
  SCENARIO_MS,
  SERVICE,
  scraped,
} from './debian-package.ts';

/** The profile `docker-default` (github.com/moby/profiles, apparmor/template.go), as Docker 28 loads it. */
const DOCKER_DEFAULT = `
#include <tunables/global>

profile docker-default flags=(attach_disconnected,mediate_deleted) {
  #include <abstractions/base>

  network,
  capability,
  file,
  umount,
  signal (receive) peer=unconfined,
  signal (receive) peer=runc,
  signal (receive) peer=crun,
  signal (send,receive) peer=docker-default,

  deny @{PROC}/* w,
  deny @{PROC}/{[^1-9],[^1-9][^0-9],[^1-9s][^0-9y][^0-9s],[^1-9][^0-9][^0-9][^0-9/]*}/** w,
  deny @{PROC}/sys/[^k]** w,
  deny @{PROC}/sys/kernel/{?,??,[^s][^h][^m]**} w,
  deny @{PROC}/sysrq-trigger rwklx,
  deny @{PROC}/kcore rwklx,
  deny mount,
  deny /sys/[^f]*/** wklx,
  deny /sys/f[^s]*/** wklx,
  deny /sys/fs/[^c]*/** wklx,
  deny /sys/fs/c[^g]*/** wklx,
  deny /sys/fs/cg[^r]*/** wklx,
  deny /sys/firmware/** rwklx,
  deny /sys/devices/virtual/powercap/** rwklx,
  deny /sys/kernel/security/** rwklx,

  ptrace (trace,read,tracedby,readby) peer=docker-default,
}
`;

/** A copy of Docker's profile with the line that the document shows. */
function documented(): string {
  const line = /```\n(ptrace .*)\n```/.exec(readFileSync(`${root}docs/troubleshooting.md`, 'utf8'))![1]!;
  return DOCKER_DEFAULT.replaceAll('docker-default', 'herakles-exporter').replace(/}\n$/, `  ${line}\n}\n`);
}

/** Runs the service under a profile; '' is none. */
function confine(debian: BootedDebian, profile: string): void {
  debian.write(`${DROP_INS}/profile.conf`, `[Service]\nAppArmorProfile=${profile}\n`);
  debian.done(`systemctl daemon-reload && systemctl restart ${SERVICE}`);
  const current = `cat /proc/$(systemctl show --value -p MainPID ${SERVICE})/attr/current`;
  assert.equal(debian.done(current), profile === '' ? 'unconfined' : `${profile} (enforce)`);
}

/** A process of nobody with 16 MiB, under a profile. @returns its pid */
function large(debian: BootedDebian, unit: string, profile: string): string {
  const confined = profile === '' ? '' : `-p AppArmorProfile=${profile}`;
  debian.done(
    `systemd-run --quiet --unit=${unit} ${confined} --uid=nobody perl -e 'sub f { sleep } f(q(x) x (16 * 2**20))'`,
  );
  return debian.property(unit, 'MainPID');
}

const pssOf = async (debian: BootedDebian, pid: string): Promise<number | undefined> =>
  (await debian.scrape()).all('herakles_mem_process_pss_bytes', { pid })[0]?.value;

async function seesPss(debian: BootedDebian, pid: string): Promise<void> {
  const truth = () => Number(debian.done(`awk '/^Pss:/ { print $2 * 1024 }' /proc/${pid}/smaps_rollup`));
  await eventually(async () => {
    assert.ok(truth() >= 16 * MIB);
    near(await pssOf(debian, pid), truth(), MIB, `PSS of ${pid}`);
  }, LONG_MS);
}

for (const suite of ['bookworm', 'trixie'] as const) {
  test(`AppArmor on ${suite}`, { timeout: SCENARIO_MS }, async (t) => {
    const debian = await bootDebian(t, suite);
    if (!debian) return;
    debian.write('/etc/herakles/config.yaml', 'smaps: exact\nprocess_io: true\ncache_ttl: 0s\n');
    debian.write('/root/new.deb', readFileSync(debianPackage));
    installPackage(debian, '-o Dpkg::Options::=--force-confold /root/new.deb');
    await scraped(debian);
    debian.write('/etc/apparmor.d/docker-default', DOCKER_DEFAULT);
    debian.write('/etc/apparmor.d/herakles-exporter', documented());
    debian.done('apparmor_parser --replace /etc/apparmor.d/docker-default /etc/apparmor.d/herakles-exporter');
    const free = large(debian, 'free', '');
    const contained = large(debian, 'contained', 'docker-default');

    await t.test('it is in force, and the unit sees PSS of every process, confined or not', async () => {
      assert.equal(debian.done('cat /sys/module/apparmor/parameters/enabled'), 'Y');
      assert.match(debian.done(`cat /proc/${contained}/attr/current`), /^docker-default \(enforce\)$/);
      assert.equal(debian.done(`cat /proc/${pidOf(debian)}/attr/current`), 'unconfined');
      await seesPss(debian, free);
      await seesPss(debian, contained);
    });

    await t.test(
      "Docker's profile denies PSS and storage I/O of processes outside of it, and nothing else",
      async () => {
        confine(debian, 'docker-default');
        await seesPss(debian, contained);
        const page = await debian.scrape();
        const of = (family: string) => page.all(`herakles_${family}`, { pid: free }).length;
        const families = ['mem_process_pss_bytes', 'io_process_read_bytes_total'];
        assert.deepEqual(families.map(of), [0, 0]);
        assert.deepEqual(['mem_process_rss_bytes', 'cpu_process_time_seconds'].map(of), [1, 1]);
        const denied = page.all('herakles_exporter_unreadable_processes', { reason: 'denied' });
        for (const file of ['smaps_rollup', 'io'])
          assert.ok(
            denied.some(({ labels, value }) => labels.file === file && value > 0),
            file,
          );
        assert.equal(page.all('herakles_group_oom_kills_total').length > 0, true, "the kernel's log stays readable");
        const record =
          /apparmor="DENIED" operation="ptrace".* profile="docker-default" .*denied_mask="read" peer="unconfined"/;
        assert.match(debian.done('journalctl -k -o cat'), record);
      },
    );

    await t.test('the line of the document gives both back', async () => {
      confine(debian, 'herakles-exporter');
      await seesPss(debian, free);
      await seesPss(debian, contained);
      const page = await debian.scrape();
      assert.equal(page.all('herakles_io_process_read_bytes_total', { pid: free }).length, 1);
      assert.doesNotMatch(debian.done('journalctl -k -o cat'), /DENIED.* profile="herakles-exporter"/);
    });
  });
}
