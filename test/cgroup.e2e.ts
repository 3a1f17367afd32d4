// The kernel's account of a real cgroup beside the processes that live in it: memory, OOM kills, and its end. Driven with
// version 1's memory controller where that is mounted; version 2 is tested from trees in src/kernel/cgroup.test.ts.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { childProgram, childRules, eventually, need, needRoot, Started, scratch, startExporter } from './harness.ts';

const MIB = 1 << 20;
const container = 'c0ffee'.padEnd(64, '0');

/** Cgroups below the one this test runs in, the last of them to be used; gone with the test. */
function makeCgroup(t: TestContext, ...names: string[]): { path: string; folder: string } | undefined {
  const mount = / (\/\S+) \S+ .*- cgroup \S+ \S*\bmemory\b/.exec(readFileSync('/proc/self/mountinfo', 'utf8'))?.[1];
  if (!mount) {
    t.skip("needs version 1's memory controller");
    return undefined;
  }
  const own = /^\d+:(?:.*,)?memory(?:,.*)?:(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))![1]!;
  let path = own === '/' ? '' : own;
  const made: string[] = [];
  for (const name of [`herakles-e2e-${process.pid}`, ...names]) {
    path += `/${name}`;
    mkdirSync(mount + path, { recursive: true });
    made.unshift(mount + path);
  }
  t.after(async () => {
    for (const pid of readFileSync(`${made[0]}/cgroup.procs`, 'utf8').split('\n').filter(Boolean))
      process.kill(Number(pid), 'SIGKILL');
    for (const folder of made) await eventually(() => rmdirSync(folder));
  });
  return { path, folder: mount + path };
}

/** A mode of child.c inside a cgroup. */
const startInside = (t: TestContext, folder: string, ...mode: string[]): Started =>
  new Started(t, ['/bin/sh', '-c', 'echo $$ > "$0/cgroup.procs"; exec "$@"', folder, childProgram(), ...mode]);

test('a real cgroup: its memory beside its processes, OOM kills, its end', async (t) => {
  if (!needRoot(t) || !need(t, 'cc')) return;
  const cgroup = makeCgroup(t, `docker-${container}.scope`);
  if (!cgroup) return;
  const { path, folder } = cgroup;
  const inside = (mib: number) => startInside(t, folder, 'private', `${mib}`);
  const resident = inside(30);
  const [pid] = await resident.line('ready');
  const exporter = await startExporter(t, { args: ['--collector-cgroup', '--cache-ttl', '0s', '--smaps', 'exact'] });
  const labels = { cgroup: path, container_id: container };

  const page = await exporter.scrape();
  const value = (family: string) => page.value(`herakles_cgroup_${family}`, labels);
  assert.equal(value('processes'), 1);
  const anon = value('memory_anon_bytes');
  assert.ok(Math.abs(anon - 30 * MIB) < 2 * MIB, `${anon} bytes are anonymous`);
  assert.ok(value('memory_bytes') >= anon, 'the whole is more than a part');
  const pss = page.value('herakles_mem_process_pss_bytes', { pid: pid! });
  assert.ok(Math.abs(value('process_pss_bytes') - pss) <= 1, 'bottom-up is what its one process has');
  assert.ok(Math.abs(pss - anon) < 2 * MIB, `from below ${pss}, from above ${anon}`);
  assert.equal(value('oom_kills_total'), 0);
  assert.equal(page.all('herakles_cgroup_memory_limit_bytes', labels).length, 0, 'it has no limit');
  assert.equal(page.all('herakles_process_info', { pid: pid!, container_id: container }).length, 1, 'can be joined');

  const killsBefore = page.value('herakles_mem_system_oom_kills_total');
  writeFileSync(`${folder}/memory.swappiness`, '0'); // where the host has swap, the kernel would swap and not kill
  writeFileSync(`${folder}/memory.limit_in_bytes`, `${120 * MIB}`);
  const { signal } = await inside(200).ended;
  assert.equal(signal, 'SIGKILL', 'it could not have its 200 MiB');
  await eventually(async () => {
    const after = await exporter.scrape();
    assert.equal(after.value('herakles_cgroup_oom_kills_total', labels), 1);
    assert.equal(after.value('herakles_cgroup_memory_limit_bytes', { ...labels, limit: 'max' }), 120 * MIB);
    assert.ok(after.value('herakles_mem_system_oom_kills_total') > killsBefore, 'the host counts it as well');
  });

  await resident.kill();
  await eventually(async () => {
    const after = await exporter.scrape();
    assert.deepEqual(
      after.samples.filter((sample) => sample.labels.cgroup === path),
      [],
    );
    assert.ok(after.value('herakles_exporter_cache_update_success') === 1);
  });
});

test('a process that the kernel kills for memory counts once in its group, and the counter stays', async (t) => {
  if (!needRoot(t) || !need(t, 'cc')) return;
  const cgroup = makeCgroup(t, 'oom');
  if (!cgroup) return;
  const { folder } = cgroup;
  const args = ['--cache-ttl', '0s', '--subgroups', childRules('test', ['private'])];
  const exporter = await startExporter(t, { args });
  const kills = async () =>
    (await exporter.scrape()).value('herakles_group_oom_kills_total', { group: 'test', subgroup: 'private' });
  const hostKills = async () => (await exporter.scrape()).value('herakles_mem_system_oom_kills_total');

  const victim = startInside(t, folder, 'private', '30');
  const [pid] = await victim.line('ready');
  assert.equal(await kills(), 0);
  const before = await hostKills();
  writeFileSync(`/proc/${pid}/oom_score_adj`, '1000');
  writeFileSync(`${folder}/memory.limit_in_bytes`, `${120 * MIB}`);
  // It reads a line that never ends, and so takes all memory that there is.
  const taker = new Started(t, ['/bin/sh', '-c', 'echo $$ > "$0/cgroup.procs"; exec tail /dev/zero', folder]);
  assert.equal((await victim.ended).signal, 'SIGKILL');
  assert.equal((await taker.ended).signal, 'SIGKILL');
  await eventually(async () => assert.equal(await kills(), 1));
  for (let scrape = 0; scrape < 3; scrape++) assert.equal(await kills(), 1, 'once');
  assert.ok((await hostKills()) >= before + 2, 'the host counts both');
});

test('the kernel takes pages of processes that sleep: their RSS and PSS follow at the next collection', async (t) => {
  if (!needRoot(t) || !need(t, 'cc')) return;
  const cgroup = makeCgroup(t, 'reclaim');
  if (!cgroup) return;
  const { folder } = cgroup;
  const file = `${scratch()}/pages`;
  // The cgroup that writes the file has its pages, and only clean ones can be taken where there is no swap.
  const script = 'echo $$ > "$0/cgroup.procs"; head -c 33554432 /dev/zero > "$1"; sync "$1"; exec "$2" file 32 3 "$1"';
  const [pid] = await new Started(t, ['/bin/sh', '-c', script, folder, file, childProgram()]).line('ready');
  const exporter = await startExporter(t, { args: ['--cache-ttl', '0s'] });
  const mebibytes = async () => {
    const page = await exporter.scrape();
    return ['rss', 'pss'].map((kind) => page.value(`herakles_mem_process_${kind}_bytes`, { pid: pid! }) / MIB);
  };
  const [rss, pss] = (await mebibytes()) as [number, number];
  assert.ok(rss > 32 && pss > 10 && pss < 13, `${rss} ${pss}`);
  const ran = readFileSync(`/proc/${pid}/schedstat`, 'latin1');
  writeFileSync(`${folder}/memory.limit_in_bytes`, `${4 * MIB}`);
  await eventually(async () => {
    const [left, shared] = (await mebibytes()) as [number, number];
    assert.ok(left < 16 && shared < 6, `${left} ${shared}`);
  });
  assert.equal(readFileSync(`/proc/${pid}/schedstat`, 'latin1'), ran, 'it has not run meanwhile');
});

test('a cgroup that a user calls like a unit of the host is shown as that of the user, and no rule takes it for the unit', async (t) => {
  if (!needRoot(t) || !need(t, 'cc')) return;
  const cgroup = makeCgroup(t, 'user-7.slice', 'user@7.service', 'postgresql.service');
  if (!cgroup) return;
  const rules = `${scratch()}/subgroups.toml`;
  const rule = (unit: string, subgroup: string) =>
    `[[rule]]\ngroup = "test"\nsubgroup = "${subgroup}"\nunit = "${unit}"\n`;
  writeFileSync(rules, [rule('postgresql.service', 'host'), rule('user@*.service/*', 'user')].join('\n'));
  const [pid] = await startInside(t, cgroup.folder, 'private', '1').line('ready');
  const exporter = await startExporter(t, { args: ['--cache-ttl', '0s', '--subgroups', rules] });
  const page = await exporter.scrape();
  const { labels } = page.all('herakles_process_info', { pid: pid! })[0]!;
  assert.deepEqual([labels.unit, labels.subgroup], ['user@7.service/postgresql.service', 'user']);
});
