// Memory that RSS and PSS do not show, or show twice: huge pages, address spaces that several processes use, page tables and
// kernel stacks. Real programs hold it, and what the exporter says is compared with what the kernel says of the host.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { Exposition } from './exposition-text.ts';
import {
  childRules,
  type Exporter,
  eventually,
  near,
  need,
  needRoot,
  startChildren,
  startExporter,
} from './harness.ts';
import { hugePagesInUse, numberIn, reserveHugePages } from './host-resources.ts';
import { readTruth } from './proc-truth.ts';

const MIB = 2 ** 20;
const subgroups = ['huge', 'hugeone', 'hugetwo', 'vfork', 'together', 'prefork', 'threads', 'shared', 'leaderless'];

async function start(t: TestContext): Promise<Exporter> {
  const file = childRules('test', subgroups);
  const args = ['--interval', '1s', '--cache-ttl', '0s', '--smaps', 'exact', '--process-kinds', '--subgroups', file];
  return startExporter(t, { args });
}

const until = (exporter: Exporter, check: (seen: Exposition) => void): Promise<void> =>
  eventually(async () => check(await exporter.scrape()), 30_000, 300);

const within = (seen: number, truth: number, what: string): void => near(seen, truth, 0.02 * truth, what);
const kind = (seen: Exposition, subgroup: string, kind: string): number =>
  seen.value('herakles_mem_group_kind_bytes', { group: 'test', subgroup, kind });
const group = (seen: Exposition, family: string, subgroup: string): number =>
  seen.value(`herakles_mem_group_${family}_bytes`, { group: 'test', subgroup });

test('huge pages are in the footprint of the process that has them, and in neither RSS nor USS', async (t) => {
  if (!needRoot(t) || !need(t, 'cc') || !reserveHugePages(t, 256)) return;
  const exporter = await start(t);
  const { pids } = await startChildren(t, 'huge', 512);
  await until(exporter, (seen) => {
    within(kind(seen, 'huge', 'hugetlb'), 512 * MIB, 'hugetlb');
    within(hugePagesInUse(), 512 * MIB, 'as the kernel has it');
    within(seen.value('herakles_mem_process_kind_bytes', { pid: pids[0]!, kind: 'hugetlb' }), 512 * MIB, 'process');
    within(group(seen, 'footprint', 'huge'), 513.5 * MIB, 'footprint');
    assert.ok(group(seen, 'rss', 'huge') < 8 * MIB);
    assert.ok(group(seen, 'uss', 'huge') < 8 * MIB);
  });
});

test('a segment of huge pages that four processes of two groups map counts once on the host', async (t) => {
  if (!needRoot(t) || !need(t, 'cc') || !reserveHugePages(t, 256)) return;
  const exporter = await start(t);
  await startChildren(t, 'huge', 512, 4);
  await until(exporter, (seen) => {
    within(hugePagesInUse(), 512 * MIB, 'as the kernel has it');
    within(kind(seen, 'hugeone', 'hugetlb'), 256 * MIB, 'one group');
    within(kind(seen, 'hugetwo', 'hugetlb'), 256 * MIB, 'the other');
    const sum = seen.sum('herakles_mem_group_kind_bytes', { kind: 'hugetlb' });
    assert.ok(sum <= hugePagesInUse(), `${sum}`);
  });
});

test('memory of a parent that vfork holds and of its child counts once', async (t) => {
  if (!need(t, 'cc')) return;
  const exporter = await start(t);
  const { pids } = await startChildren(t, 'vfork', 300);
  await until(exporter, (seen) => {
    assert.equal(seen.sum('herakles_group_processes', { subgroup: 'vfork' }), 2, 'parent and child');
    const { uss } = readTruth(pids[0]!)!;
    for (const family of ['footprint', 'pss', 'uss', 'rss']) within(group(seen, family, 'vfork'), uss, family);
  });
});

test('memory of one address space that processes of CLONE_VM use counts once', async (t) => {
  if (!need(t, 'cc')) return;
  const exporter = await start(t);
  await startChildren(t, 'together', 200, 4);
  await until(exporter, (seen) => {
    assert.equal(seen.sum('herakles_group_processes', { subgroup: 'together' }), 5);
    for (const family of ['footprint', 'pss', 'uss', 'rss'])
      within(group(seen, family, 'together'), 201.5 * MIB, family);
  });
});

test('a process that merely forked is not taken for its parent, also when the parent has written all of its memory', async (t) => {
  if (!need(t, 'cc')) return;
  const exporter = await start(t);
  const parent = await startChildren(t, 'prefork', 100, 1);
  await until(exporter, (seen) => {
    within(group(seen, 'pss', 'prefork'), 101 * MIB, 'shared by both');
    within(group(seen, 'rss', 'prefork'), 202.5 * MIB, 'RSS counts for each');
  });
  parent.say('write');
  await until(exporter, (seen) => {
    within(group(seen, 'pss', 'prefork'), 201.5 * MIB, 'one copy for each');
    within(group(seen, 'footprint', 'prefork'), 202 * MIB, 'footprint');
  });
});

test('page tables of 100 processes that map the same 128 MiB, and kernel stacks of 2,000 threads', async (t) => {
  if (!need(t, 'cc')) return;
  const exporter = await start(t);
  const { pids } = await startChildren(t, 'shared', 128, 100);
  const { pids: threaded } = await startChildren(t, 'threads', 2000);
  await until(exporter, (seen) => {
    const tables = pids.reduce((sum, pid) => sum + numberIn(`/proc/${pid}/status`, 'VmPTE') * 1024, 0);
    assert.ok(tables > 25 * MIB, 'each has page tables of its own');
    within(kind(seen, 'shared', 'page_tables'), tables, 'page tables');
    within(kind(seen, 'shared', 'shared'), 128 * MIB, 'the segment, once');
    const threads = numberIn(`/proc/${threaded[0]}/status`, 'Threads');
    assert.equal(threads, 2001);
    const all = seen.sum('herakles_mem_group_kind_bytes', { kind: 'kernel_stacks' });
    within(all, numberIn('/proc/meminfo', 'KernelStack') * 1024, 'stacks of all threads');
    within(kind(seen, 'threads', 'kernel_stacks'), (threads * all) / seen.sum('herakles_group_threads'), 'stacks');
  });
});

test('a process whose first thread has ended has the kinds of memory that its other threads use', async (t) => {
  if (!need(t, 'cc')) return;
  const exporter = await start(t);
  const { pids } = await startChildren(t, 'leaderless', 128);
  const pid = pids[0]!;
  const thread = readdirSync(`/proc/${pid}/task`).find((name) => name !== String(pid))!;
  const living = `/proc/${pid}/task/${thread}`;
  await until(exporter, (seen) => {
    within(kind(seen, 'leaderless', 'anonymous'), numberIn(`${living}/smaps_rollup`, 'Pss_Anon') * 1024, 'anonymous');
    assert.equal(kind(seen, 'leaderless', 'page_tables'), numberIn(`${living}/status`, 'VmPTE') * 1024);
    within(group(seen, 'footprint', 'leaderless'), 129.5 * MIB, 'footprint');
  });
});
