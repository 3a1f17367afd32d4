// The host's books on kernels of Debian: every page balances, little is unexplained, and the processes are what the kernel
// says they have mapped, with huge pages, a file in tmpfs and shared pages of a fork in swap. Then a cgroup's limit kills a
// process, and each counter says so once. Each machine leaves a capture of itself in dist/vm/, from which those in
// test/captures/ are made.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually, near, root } from '../harness.ts';
import { type BootedDebian, bootDebian } from './booted-debian.ts';
import type { Suite } from './debian-image.ts';
import { debianPackage, LONG_MS, MIB, SCENARIO_MS } from './debian-package.ts';

/** Touches memory, has it swapped out (MADV_PAGEOUT, Linux 5.4), and forks: syscall 28 is madvise on x86-64. */
const SWAPPED = [
  'my $size = 64 * 2**20; my $text = q(x) x $size; my $at = unpack(q(Q), pack(q(p), $text)) & ~4095;',
  'for (1 .. 20) { syscall(28, $at, $size - 4096, 21); select(undef, undef, undef, 0.2) }',
  'fork for 1 .. 2; sleep 1 while 1;',
].join(' ');

const MACHINES = [
  ['bookworm', 1024],
  ['bookworm', 4096],
  ['trixie', 1024],
  ['trixie', 4096],
] satisfies [Suite, number][];

/** The kernel kills a child of a unit because the unit's memory is used up; the unit lives on, so its counter stays. */
async function cgroupKill(debian: BootedDebian): Promise<void> {
  debian.write('/root/hungry.pl', 'sleep 1 until -e q(/run/go); my $text; $text .= q(x) x 2**20 while 1;');
  const limits = '-p MemoryMax=60M -p MemorySwapMax=0 -p OOMPolicy=continue';
  debian.done(`systemd-run --quiet --unit=hungry ${limits} sh -c 'perl /root/hungry.pl; sleep infinity'`);
  const cgroup = { unit: 'hungry.service' };
  const shell = debian.property('hungry', 'MainPID');
  const child = await eventually(() => debian.done(`pgrep -x -P ${shell} perl`), LONG_MS);
  const { labels, before } = await eventually(async () => {
    const page = await debian.scrape();
    const [process] = page.all('herakles_mem_process_rss_bytes', { pid: child });
    assert.equal(process?.labels.name, 'perl');
    assert.equal(page.value('herakles_cgroup_memory_limit_bytes', { ...cgroup, limit: 'max' }), 60 * MIB);
    assert.equal(page.value('herakles_cgroup_oom_kills_total', cgroup), 0);
    assert.equal(page.sum('herakles_group_oom_kills_total'), 0);
    return { labels: process.labels, before: page.value('herakles_mem_system_oom_kills_total') };
  }, LONG_MS);
  debian.done('touch /run/go');
  const { group, subgroup } = labels as { group: string; subgroup: string };
  await eventually(async () => {
    const page = await debian.scrape();
    assert.equal(page.value('herakles_cgroup_oom_kills_total', cgroup), 1);
    assert.equal(page.value('herakles_group_oom_kills_total', { group, subgroup }), 1);
    assert.equal(page.sum('herakles_group_oom_kills_total'), 1, 'of no other group');
    assert.equal(page.value('herakles_mem_system_oom_kills_total'), before + 1);
  }, LONG_MS);
  assert.equal(debian.property('hungry', 'ActiveState'), 'active');
  assert.match(
    debian.done('journalctl -k -o cat'),
    new RegExp(`Memory cgroup out of memory: Killed process ${child} `),
  );
}

for (const [suite, mebibytes] of MACHINES) {
  test(`the host's books on ${suite} with ${mebibytes} MiB`, { timeout: SCENARIO_MS }, async (t) => {
    const debian = await bootDebian(t, suite, mebibytes);
    if (!debian) return;
    debian.write('/root/new.deb', readFileSync(debianPackage));
    debian.write('/etc/herakles/config.yaml', 'smaps: exact\ninterval: 5s\ncollector_cgroup: true\n');
    debian.done('dpkg -i --force-confold /root/new.deb');
    debian.done('echo 16 > /proc/sys/vm/nr_hugepages');
    debian.done('dd if=/dev/zero of=/dev/shm/file bs=1M count=32 status=none');
    debian.done(
      'dd if=/dev/zero of=/swap bs=1M count=128 status=none && chmod 600 /swap && mkswap /swap && swapon /swap',
    );
    debian.write('/root/swapped.pl', SWAPPED);
    debian.done('systemd-run --quiet --unit=swapped perl /root/swapped.pl');
    debian.done('herakles-node-exporter capture -o /root/host.capture');
    writeFileSync(`${root}dist/vm/${suite}-${mebibytes}.capture`, debian.done('cat /root/host.capture'));
    const kernel = (key: string) => Number(debian.done(`awk '/^${key}:/ { print $2 * 1024 }' /proc/meminfo`));
    const figures = await eventually(async () => {
      const page = await debian.scrape();
      const total = page.value('herakles_mem_system_total_bytes');
      const kind = (name: string) => page.value('herakles_mem_system_kind_bytes', { kind: name });
      assert.equal(page.sum('herakles_mem_system_kind_bytes'), total);
      assert.equal(page.value('herakles_exporter_host_kinds_contradictory'), 0);
      // Pages of drivers are in no line of meminfo: 5 MiB of a gigabyte.
      near(kind('unexplained'), 0, 0.02 * total, 'unexplained');
      assert.equal(kind('hugetlb_free'), 32 * MIB);
      assert.ok(kind('tmpfs') >= 31 * MIB, `${kind('tmpfs')} bytes of tmpfs`);
      const attributed = page.value('herakles_mem_system_attributed_ratio');
      near(attributed, 1, 0.02, 'what the processes have');
      const swap = page.sum('herakles_mem_group_swap_bytes');
      const used = kernel('SwapTotal') - kernel('SwapFree');
      assert.ok(used > 60 * MIB, `${used} bytes are in swap`);
      near(swap, used, 0.02 * used, 'swap of four processes that share it');
      const percent = ((kind('unexplained') / total) * 100).toFixed(2);
      return `${percent} % unexplained, attributed ratio ${attributed.toFixed(4)}, swap ${(swap / used).toFixed(4)}`;
    }, LONG_MS);
    t.diagnostic(`${debian.done('uname -r')}, ${mebibytes} MiB: ${figures}`);
    await t.test('a process that the kernel kills for memory of its cgroup counts once everywhere', () =>
      cgroupKill(debian),
    );
  });
}
