// The host's books on this host, beside what the kernel says: a file in tmpfs, a System V segment that nobody has mapped,
// shared memory that processes have mapped. Other programs run as well, so each figure is waited for; the ratio is within
// the bounds of its alert, because memory moves between two reads of a busy host.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Exposition } from './exposition-text.ts';
import {
  childProgram,
  type Exporter,
  eventually,
  near,
  need,
  needRoot,
  nobody,
  runBundle,
  Started,
  scratch,
  startChildren,
  startExporter,
} from './harness.ts';
import { sharedMemory } from './proc-truth.ts';

const MIB = 1 << 20;
const KIND = 'herakles_mem_system_kind_bytes';
const SYSV = 'herakles_mem_sysv_bytes';
const UNOWNED = { group: '', subgroup: '', attached: 'false' };
const exact = { args: ['--smaps', 'exact', '--cache-ttl', '0s'] };

const kindOf = (page: Exposition, kind: string): number => page.value(KIND, { kind });

/** Each page balances, whatever happens meanwhile. */
async function balanced(exporter: Exporter): Promise<Exposition> {
  const page = await exporter.scrape();
  assert.equal(page.sum(KIND), page.value('herakles_mem_system_total_bytes'), 'the kinds sum to the total');
  return page;
}

/**
 * Waits until a kind of shared memory has at least these bytes, and both kinds together are what the kernel says, within 2 %. Other
 * tests have shared memory too, which comes and goes.
 */
const has = (exporter: Exporter, kind: 'tmpfs' | 'shared_memory', least: number) =>
  eventually(async () => {
    const page = await balanced(exporter);
    const value = kindOf(page, kind);
    assert.ok(value >= 0.98 * least, `${kind} is ${value / MIB} MiB, less than ${least / MIB}`);
    const [both, truth] = [kindOf(page, 'tmpfs') + kindOf(page, 'shared_memory'), sharedMemory()];
    assert.ok(Math.abs(both - truth) <= 0.02 * least, `shared memory is ${both / MIB} MiB, not ${truth / MIB}`);
  }, 120_000);

test('the kinds sum to the memory of the host, and the processes to what the kernel says', async (t) => {
  if (!needRoot(t) || !need(t, 'cc')) return;
  // Some hosts close their first process even to root. Beside this child it has less than the hundredth that may be unmeasured.
  await startChildren(t, 'private', 1500);
  const exporter = await startExporter(t, exact);
  await eventually(async () => {
    const page = await balanced(exporter);
    const unexplained = kindOf(page, 'unexplained') / page.value('herakles_mem_system_total_bytes');
    assert.ok(Math.abs(unexplained) <= 0.02, `${unexplained} is unexplained`);
    const ratio = page.value('herakles_mem_system_attributed_ratio');
    assert.ok(ratio > 0.95 && ratio < 1.05, `the processes are ${ratio} of what the kernel says`);
    assert.equal(page.value('herakles_exporter_host_kinds_contradictory'), 0);
  }, 300_000); // the ratio is absent while another test has processes that cannot be read
  await eventually(async () => {
    const health = await (await fetch(`${exporter.url}/health`)).text();
    assert.match(health, /^ok\nmemory: [\d.]+ \wiB; -?[\d.]+ % of it is unexplained\nprocesses: together [\d.]+ % of /);
    const { stdout } = await runBundle(t, ['check', '--smaps', 'exact']);
    assert.match(stdout, /^memory: +[\d.]+ \wiB; -?[\d.]+ % of it is unexplained$/m);
    assert.match(stdout, /^processes: +\d+ seen, together [\d.]+ % of what the kernel says they have mapped$/m);
  }, 300_000);
});

test('shared memory that nobody has mapped is tmpfs, what processes have mapped is not', async (t) => {
  if (!needRoot(t) || !need(t, 'cc')) return;
  const exporter = await startExporter(t, { args: [...exact.args, '--collector-shared-memory'] });
  const before = (await exporter.scrape()).sum(SYSV, UNOWNED);
  const at = `${scratch()}/tmpfs`;
  mkdirSync(at);
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', at]);
  t.after(() => void execFileSync('umount', [at]));

  writeFileSync(`${at}/file`, Buffer.alloc(256 * MIB, 1));
  await has(exporter, 'tmpfs', 256 * MIB);
  const file = (await exporter.scrape()).value('herakles_mem_tmpfs_bytes', { mountpoint: at });
  assert.equal(file, 256 * MIB);

  const [segment] = await new Started(t, [childProgram('segment'), '128']).line('ready');
  t.after(() => void execFileSync('ipcrm', ['-m', segment!]));
  await has(exporter, 'tmpfs', 384 * MIB);
  const left = (await exporter.scrape()).sum(SYSV, UNOWNED) - before;
  near(left, 128 * MIB, MIB, 'a segment whose process has ended');

  await startChildren(t, 'shared', 100, 3);
  await has(exporter, 'shared_memory', 100 * MIB);
  await has(exporter, 'tmpfs', 384 * MIB);
});

test('a System V segment belongs to the group of the process that made it, while that lives', async (t) => {
  if (!needRoot(t) || !need(t, 'cc')) return;
  const rules = `${scratch()}/subgroups.toml`;
  const program = childProgram('segment');
  writeFileSync(rules, `[[rule]]\ngroup = "test"\nsubgroup = "segment"\nexe = "${program}"\n`);
  const args = ['--cache-ttl', '0s', '--collector-shared-memory', '--subgroups', rules];
  const exporter = await startExporter(t, { args });
  const maker = new Started(t, [program, '64', 'stay']);
  await maker.line('ready');
  const mine = { group: 'test', subgroup: 'segment' };
  const page = await exporter.scrape();
  assert.equal(page.value(SYSV, { ...mine, attached: 'true' }), 64 * MIB);
  assert.equal(page.all(SYSV, { ...mine, attached: 'false' }).length, 0);
  await maker.kill();
  assert.equal((await exporter.scrape()).all(SYSV, mine).length, 0);
});

/** Mounts a tmpfs at $0/open, and one at $0/hidden/below; over that one a file system whose program never answers. */
const SILENT = [
  'mount -t proc proc /proc && mkdir -p "$0/open" "$0/hidden/below"',
  'mount -t tmpfs tmpfs "$0/open" && mount -t tmpfs tmpfs "$0/hidden/below" && head -c 1048576 /dev/zero > "$0/open/file"',
  'exec 3<>/dev/fuse && mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 silent "$0/hidden"',
  'exec "$@"',
].join(' && ');

test('a file system that never answers holds nothing: what it covers is left out', async (t) => {
  if (!needRoot(t) || !need(t, 'unshare')) return;
  const at = scratch();
  const wrap = ['unshare', '--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', SILENT, at];
  const exporter = await startExporter(t, { args: ['--cache-ttl', '0s', '--collector-shared-memory'], wrap });
  const page = await exporter.scrape();
  assert.equal(page.value('herakles_mem_tmpfs_bytes', { mountpoint: `${at}/open` }), 1 << 20);
  assert.equal(page.all('herakles_mem_tmpfs_bytes', { mountpoint: `${at}/hidden/below` }).length, 0);
});

test('in an IPC namespace of its own, the exporter takes no segments for those of the host', async (t) => {
  if (!needRoot(t) || !need(t, 'unshare')) return;
  const args = ['--collector-shared-memory'];
  const exporter = await startExporter(t, { args, wrap: ['unshare', '--ipc', '--'] });
  const page = await exporter.scrape();
  assert.equal(page.all(SYSV).length, 0);
  assert.ok(page.all('herakles_mem_tmpfs_bytes').length > 0, 'the rest is there');
});

test('without any privilege the kinds are there, and what cannot be compared is absent', async (t) => {
  if (!needRoot(t)) return;
  const exporter = await startExporter(t, { args: [...exact.args, '--collector-shared-memory'], uid: nobody });
  const page = await balanced(exporter);
  assert.ok(page.all(KIND).length >= 14, `${page.all(KIND).length} kinds`);
  assert.equal(page.all('herakles_mem_system_attributed_ratio').length, 0);
  assert.ok(page.all('herakles_mem_tmpfs_bytes').length > 0, 'of the mounts that it sees itself');
  const health = await (await fetch(`${exporter.url}/health`)).text();
  assert.match(
    health,
    /\nprocesses: not compared with what the kernel says they have mapped, because PSS is not measured/,
  );
});
