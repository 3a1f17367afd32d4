// Without privilege: what can be read is served, what cannot be read is absent and counted, and check says what to grant.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { Exposition } from './exposition-text.ts';
import {
  type Exporter,
  eventually,
  near,
  need,
  needRoot,
  nobody,
  runBundle,
  startChildren,
  startExporter,
} from './harness.ts';
import { readTruth } from './proc-truth.ts';

const MIB = 2 ** 20;

/** Runs its arguments as a user who has no other process, on a procfs that hides the processes of others. */
const hidden = [
  ...['unshare', '--mount', 'sh', '-c'],
  'mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid 64999 --regid 64999 --clear-groups -- "$@"',
  'sh',
];

const pids = (seen: Exposition, family: string) => seen.all(family).map(({ labels }) => Number(labels.pid));

/** A process whose PSS cannot be read has no series of it; it is not 0. */
function absentNotZero(seen: Exposition): void {
  for (const family of ['herakles_mem_process_pss_bytes', 'herakles_mem_process_uss_bytes'])
    for (const { value, line } of seen.all(family)) assert.ok(value > 0, line);
}

/** An unreadable process is counted; it is not a line of the log. */
async function fewLines(exporter: Exporter): Promise<void> {
  for (let i = 0; i < 3; i++) await exporter.scrape();
  const lines = exporter.stderr.split('\n').length;
  assert.ok(lines < 15, `${lines} lines of log:\n${exporter.stderr}`);
}

async function setUp(t: TestContext, wrap?: string[]): Promise<{ exporter: Exporter; theirs: number } | undefined> {
  if (!needRoot(t) || !need(t, 'cc', 'unshare', 'setpriv')) return undefined;
  const theirs = (await startChildren(t, 'private', 64)).pids[0]!;
  const how = wrap ? { wrap } : { uid: nobody };
  const exporter = await startExporter(t, { ...how, args: ['--cache-ttl', '0s', '--smaps', 'exact'] });
  return { exporter, theirs };
}

test('as an unprivileged user', async (t) => {
  const { exporter, theirs } = (await setUp(t)) ?? {};
  if (!exporter || !theirs) return;
  const seen = await eventually(() => exporter.scrape());

  near(seen.value('herakles_mem_process_rss_bytes', { pid: theirs }), readTruth(theirs)!.rss, MIB / 4, 'RSS');
  assert.ok(seen.value('herakles_cpu_process_time_seconds', { pid: theirs }) >= 0);
  assert.deepEqual(seen.all('herakles_mem_process_pss_bytes', { pid: theirs }), []);
  assert.deepEqual(seen.all('herakles_mem_process_uss_bytes', { pid: theirs }), []);
  assert.ok(seen.value('herakles_mem_process_uss_bytes', { pid: exporter.pid }) > 5 * MIB, 'it can read its own');
  absentNotZero(seen);

  const denied = seen.value('herakles_exporter_unreadable_processes', { file: 'smaps_rollup', reason: 'denied' });
  const without =
    pids(seen, 'herakles_mem_process_rss_bytes').length - pids(seen, 'herakles_mem_process_pss_bytes').length;
  assert.ok(denied > 0 && Math.abs(denied - without) <= 2, `${denied} denied, ${without} without PSS`);
  assert.equal(seen.value('herakles_exporter_cache_update_success'), 1);
  const { group = '', subgroup = '' } = seen.all('herakles_mem_process_rss_bytes', { pid: theirs })[0]!.labels;
  assert.ok(seen.value('herakles_mem_group_footprint_bytes', { group, subgroup }) >= 64 * MIB, 'needs no privilege');
  assert.ok(seen.value('herakles_mem_group_pss_coverage_ratio', { group, subgroup }) < 0.5);
  assert.ok(seen.sum('herakles_mem_group_footprint_bytes') <= seen.value('herakles_mem_system_total_bytes'));
  await fewLines(exporter);

  const explained = await runBundle(t, ['explain', String(theirs), '--port', '0'], { uid: nobody });
  assert.match(
    explained.stdout,
    /^ {2}memory {4}RSS [\d.]+ MiB; PSS and USS cannot be read \(denied\); run explain as root, or grant CAP_SYS_PTRACE/m,
  );
  const { rss_bytes, pss_bytes } = JSON.parse(
    (await runBundle(t, ['explain', String(theirs), '--port', '0', '--json'], { uid: nobody })).stdout,
  );
  near(rss_bytes, readTruth(theirs)!.rss, MIB / 4, 'RSS');
  assert.equal(pss_bytes, undefined);

  const check = await runBundle(t, ['check'], { uid: nobody });
  assert.match(
    check.stdout + check.stderr,
    /smaps_rollup of \d+ processes cannot be read \(denied\); it is needed for [^\n]*PSS[^\n]*\n *grant CAP_SYS_PTRACE/,
  );
  if (readFileSync('/proc/sys/kernel/dmesg_restrict', 'latin1') !== '1\n') return;
  assert.equal(seen.all('herakles_group_oom_kills_total').length, 0);
  assert.match(
    check.stdout,
    /^oom kills: +not counted by group: \/dev\/kmsg cannot be read \(denied\)\n +grant CAP_SYSLOG/m,
  );
});

test('on a procfs that hides the processes of others', async (t) => {
  const { exporter, theirs } = (await setUp(t, hidden)) ?? {};
  if (!exporter || !theirs) return;
  const seen = await eventually(() => exporter.scrape());

  assert.deepEqual(seen.all('herakles_mem_process_rss_bytes', { pid: theirs }), [], 'the process is hidden');
  assert.ok(
    seen.value('herakles_mem_process_uss_bytes', { pid: exporter.pid }) > 5 * MIB,
    'its own process is not hidden',
  );
  // It and its readers; what an earlier test left may take a moment to go.
  await eventually(async () => {
    const total = (await exporter.scrape()).value('herakles_exporter_processes_total');
    assert.ok(total <= 3, `${total} processes`);
  });
  assert.equal(seen.value('herakles_exporter_cache_update_success'), 1);
  absentNotZero(seen);
  await fewLines(exporter);

  const check = await runBundle(t, ['check'], { wrap: hidden });
  assert.match(check.stdout + check.stderr, /hidepid/, 'check says why it sees so few processes');
  assert.match(check.stdout + check.stderr, /CAP_SYS_PTRACE|gid=/);
});

test('as root nothing is missing, and check says so', async (t) => {
  if (!needRoot(t) || !need(t, 'cc')) return;
  const theirs = (await startChildren(t, 'private', 16)).pids[0]!;
  const exporter = await startExporter(t, { args: ['--cache-ttl', '0s', '--smaps', 'exact'] });
  const seen = await exporter.scrape();
  assert.ok(seen.value('herakles_mem_process_uss_bytes', { pid: theirs }) >= 16 * MIB);
  const check = await runBundle(t, ['check']);
  assert.equal(check.code, 0, check.stderr);
  assert.match(check.stdout, /^oom kills: +counted by group, from the kernel's log$/m);
  assert.ok(seen.all('herakles_group_oom_kills_total').length > 0);
});
