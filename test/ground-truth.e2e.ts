// Real children whose memory, CPU and names are known: what the exporter says about them must be what they did.
// Every scrape of this file is also held to the invariants that are true of any host.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Exposition } from './exposition-text.ts';
import {
  childProgram,
  childRules,
  type Exporter,
  eventually,
  near,
  need,
  needRoot,
  Started,
  startChildren,
  startExporter,
} from './harness.ts';
import { family, hostMemory, readTruth } from './proc-truth.ts';

const MIB = 2 ** 20;
const kinds = ['private', 'leaderless', 'shared', 'together', 'burn', 'storm', 'reuse', 'init'];

/** Only the heartbeat collects, so that every CPU window is a whole interval. */
async function start(t: TestContext, ...args: string[]): Promise<Exporter> {
  const subgroups = childRules('test', kinds);
  const smaps = args.includes('--smaps') ? [] : ['--smaps', 'exact'];
  const pace = ['--interval', '1s', '--cache-ttl', '10s', '--process-start-time'];
  return startExporter(t, { args: [...pace, ...smaps, '--subgroups', subgroups, ...args] });
}

const processRss = 'herakles_mem_process_rss_bytes';
const processPss = 'herakles_mem_process_pss_bytes';
const processUss = 'herakles_mem_process_uss_bytes';

/** True of any host at any time. */
function holdInvariants(seen: Exposition): void {
  assert.ok(seen.all(processRss).length > 0, 'no process has an RSS');
  const rss = new Map(seen.all(processRss).map((sample) => [sample.labels.pid, sample.value]));
  const pss = new Map(seen.all(processPss).map((sample) => [sample.labels.pid, sample.value]));
  for (const { labels, value, line } of seen.all(processPss))
    assert.ok(value <= rss.get(labels.pid)!, `pss > rss: ${line}`);
  for (const { labels, value, line } of seen.all(processUss))
    assert.ok(value <= pss.get(labels.pid)!, `uss > pss: ${line}`);
  const footprint = seen.sum('herakles_mem_group_footprint_bytes');
  assert.ok(footprint > 0 && footprint <= hostMemory(), `footprints sum to ${footprint} on a host of ${hostMemory()}`);
  for (const { value, line, labels } of seen.samples) assert.ok(value >= 0 || labels.kind === 'unexplained', line);
}

async function scrape(exporter: Exporter): Promise<Exposition> {
  const seen = await exporter.scrape();
  holdInvariants(seen);
  return seen;
}

/** Scrapes until the assertions hold. */
const until = <T>(exporter: Exporter, check: (seen: Exposition) => T, timeoutMs = 45_000): Promise<T> =>
  eventually(async () => check(await scrape(exporter)), timeoutMs, 200);

test('children of known memory, CPU and name', async (t) => {
  if (!need(t, 'cc')) return;
  const exporter = await start(t);

  await t.test('64 MiB private is a USS of 64 MiB', async (t) => {
    const { pids } = await startChildren(t, 'private', 64);
    const pid = pids[0]!;
    await until(exporter, (seen) => {
      near(seen.value(processUss, { pid }), 64 * MIB, MIB, 'uss');
      const truth = readTruth(pid)!;
      near(seen.value(processUss, { pid }), truth.uss, 65_536, 'uss as /proc has it');
      near(seen.value(processPss, { pid }), truth.pss, 262_144, 'pss as /proc has it');
      near(seen.value(processRss, { pid }), truth.rss, 262_144, 'rss as /proc has it');
      near(seen.value('herakles_mem_group_uss_bytes', { subgroup: 'private' }), truth.uss, 65_536, 'group uss');
      assert.equal(seen.sum('herakles_group_processes', { subgroup: 'private' }), 1);
    });
  });

  await t.test('64 MiB of a process whose first thread has ended are seen, with what it is', async (t) => {
    const { pids } = await startChildren(t, 'leaderless', 64);
    const pid = pids[0]!;
    await until(exporter, (seen) => {
      near(seen.value(processUss, { pid }), 64 * MIB, MIB, 'uss');
      near(seen.value(processRss, { pid }), 65.5 * MIB, 1.5 * MIB, 'rss');
      const group = { group: 'test', subgroup: 'leaderless' };
      near(seen.value('herakles_mem_group_footprint_bytes', group), 64.5 * MIB, MIB, 'group footprint');
      assert.equal(seen.value('herakles_group_processes', { ...group, state: 'sleeping' }), 1);
      assert.equal(seen.value('herakles_group_processes', { ...group, state: 'zombie' }), 0);
      const [info] = seen.all('herakles_process_info', { pid });
      assert.equal(info?.labels.exe, childProgram());
    });
  });

  await t.test(
    'four processes share 128 MiB: a quarter in the PSS of each, once in the footprint, four times in RSS',
    async (t) => {
      const { pids } = await startChildren(t, 'shared', 128, 4);
      assert.equal(pids.length, 4);
      await until(exporter, (seen) => {
        for (const pid of pids) {
          near(seen.value(processPss, { pid }), 32 * MIB, MIB, 'pss of one');
          assert.ok(seen.value(processUss, { pid }) < MIB, 'uss of one');
        }
        const group = { group: 'test', subgroup: 'shared' };
        near(seen.value('herakles_mem_group_footprint_bytes', group), 128.5 * MIB, 1.5 * MIB, 'footprint');
        near(seen.value('herakles_mem_group_pss_bytes', group), 128.5 * MIB, 1.5 * MIB, 'sum of pss');
        near(seen.value('herakles_mem_group_rss_bytes', group), 4 * 129 * MIB, 4 * 1.5 * MIB, 'sum of rss');
        assert.equal(seen.value('herakles_mem_group_pss_coverage_ratio', group), 1);
      });
    },
  );

  await t.test('half a core is 50 %', async (t) => {
    const { pids } = await startChildren(t, 'burn', 50);
    const pid = pids[0]!;
    const windows: number[] = [];
    let time = 0;
    const median = () => windows.slice(-7).sort((a, b) => a - b)[3]!; // a busy machine may disturb some
    const end = Date.now() + 60_000;
    while (windows.length < 7 || (Math.abs(median() - 50) > 4 && Date.now() < end)) {
      const seen = await until(exporter, (seen) => {
        assert.ok(seen.value('herakles_cpu_process_time_seconds', { pid }) > time, 'a new window');
        return seen;
      });
      time = seen.value('herakles_cpu_process_time_seconds', { pid });
      windows.push(seen.value('herakles_cpu_process_usage_percent', { pid }));
      near(
        seen.value('herakles_cpu_group_usage_percent_sum', { subgroup: 'burn' }),
        windows.at(-1)!,
        0.01,
        'its group',
      );
    }
    near(median(), 50, 4, `usage, of ${windows.join(' ')}`);
    const first = await scrape(exporter);
    const began = readTruth(pid)!.cpuSeconds;
    await until(exporter, (seen) => {
      const gained = (s: Exposition) => s.value('herakles_cpu_process_time_seconds', { pid });
      const group = (s: Exposition) => s.value('herakles_cpu_group_seconds_total', { subgroup: 'burn', mode: 'user' });
      assert.ok(gained(seen) - gained(first) > 1, 'it burns on');
      assert.ok(group(seen) - group(first) > 0.9, 'and so does its group');
      near(gained(seen), readTruth(pid)!.cpuSeconds, 1.2, 'as /proc has it, one interval ago at most');
      assert.ok(gained(first) <= began);
    });
  });

  await t.test('a name may be any bytes', async (t) => {
    const hex = Buffer.from('a) (b "c\\\n', 'latin1').toString('hex');
    const [one, other] = [await startChildren(t, 'name', `${hex}ff`, 8), await startChildren(t, 'name', `${hex}fe`, 8)];
    await until(exporter, (seen) => {
      const names = [one, other].map(({ pids }) => seen.all(processRss, { pid: pids[0]! })[0]?.labels.name);
      for (const name of names) assert.ok(name?.startsWith('a) (b "c\\\n') && name.length > 10, JSON.stringify(name));
      assert.notEqual(names[0], names[1], 'bytes that are not UTF-8 stay distinct');
      assert.ok(seen.value(processUss, { pid: one.pids[0]! }) > 8 * MIB);
    });
    const bytes = await (await fetch(`${exporter.url}/metrics`)).arrayBuffer();
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  });

  await t.test('the CPU of 2,000 short-lived children is credited to their group, once', async (t) => {
    const storm = await startChildren(t, 'storm', 2000, 20, 3);
    const time = (seen: Exposition) => seen.value('herakles_cpu_group_time_seconds_sum', { subgroup: 'storm' });
    let before = await until(exporter, time);
    const values = [before];
    storm.say('go');
    const accounted = storm.line('accounted', 0, 180_000).then((words) => Number(words[0]) + Number(words[1]));
    let total = Number.NaN;
    accounted.then(
      (seconds) => (total = seconds),
      () => (total = 0),
    );
    while (Number.isNaN(total)) {
      values.push(await until(exporter, time));
      await new Promise((done) => setTimeout(done, 250));
    }
    assert.ok((await accounted) >= 40, `2,000 of 20 ms are 40 s at least, not ${total}`);
    const check = (seen: Exposition) => {
      values.push(time(seen));
      near(time(seen) - before, total, 0.05 * total, 'seconds that arrived');
      const modes = seen.sum('herakles_cpu_group_seconds_total', { subgroup: 'storm' });
      near(modes, time(seen), 0.001 * total, 'user and system together');
    };
    await until(exporter, check);
    for (let i = 0; i < 3; i++) {
      await new Promise((done) => setTimeout(done, 1000)); // three more heartbeats: what was credited stays, and is not credited again
      check(await scrape(exporter));
    }
    before = 0;
    for (const value of values) {
      assert.ok(value >= before, `the counter fell from ${before} to ${value}`);
      before = value;
    }
    t.diagnostic(`the kernel accounted ${total.toFixed(2)} s, ${(values.at(-1)! - values[0]!).toFixed(2)} s arrived`);
  });
});

test('page tables without memory, dear to read, take nothing from the reads of others', async (t) => {
  if (!need(t, 'cc')) return;
  const zero = await startChildren(t, 'zero', 32);
  // A read of these page tables takes some 0.4 s, which this budget has in 80 s; reads of other processes on a busy host
  // take some seconds of it.
  const exporter = await start(t, '--smaps', 'bounded', '--smaps-budget', '0.5%', '--smaps-max-read', '50ms');
  const deferred = 'herakles_exporter_smaps_deferred_processes';
  await until(exporter, (seen) => {
    assert.ok(seen.value('herakles_exporter_smaps_seconds_total') > 0.05, 'the dear one was read');
    assert.ok(seen.value(processRss, { pid: zero.pids[0]! }) < 8 * MIB);
  });
  for (let round = 0; round < 3; round++) {
    const { pids } = await startChildren(t, 'private', 16);
    await until(
      exporter,
      (seen) =>
        near(seen.value(processUss, { pid: pids[0]! }), 16 * MIB, MIB, `uss, with ${seen.value(deferred)} deferred`),
      60_000,
    );
  }
});

test('150 processes in one address space count once, and take nothing from the footprints of others', async (t) => {
  if (!need(t, 'cc')) return;
  const exporter = await start(t);
  const other = { group: 'test', subgroup: 'private' };
  const footprint = 'herakles_mem_group_footprint_bytes';
  await startChildren(t, 'private', 64);
  await until(exporter, (seen) => near(seen.value(footprint, other), 64.5 * MIB, MIB, 'before'));
  // The kernel tells the memory of each as if it were its own: together more than the host has.
  const mib = Math.ceil((1.2 * hostMemory()) / 150 / MIB);
  const { pids } = await startChildren(t, 'together', mib, 150);
  await until(
    exporter,
    (seen) => {
      const sum = pids.reduce((sum, pid) => sum + readTruth(pid)!.pss, 0);
      assert.ok(sum > hostMemory(), `${sum}`);
      const counted = pids.filter((pid) => seen.all(processPss, { pid }).length > 0);
      assert.deepEqual(counted, [], 'their parent has it');
      near(seen.value(footprint, { group: 'test', subgroup: 'together' }), (mib + 3) * MIB, 4 * MIB, 'once');
      near(seen.value(footprint, other), 64.5 * MIB, MIB, 'while they live');
    },
    60_000,
  );
});

test('a pid that is used again never makes its group fall', async (t) => {
  if (!needRoot(t) || !need(t, 'cc', 'unshare')) return;
  const command = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child', childProgram(), 'reuse', '400'];
  const namespace = new Started(t, command);
  const [pid] = (await namespace.line('ready')).map(Number) as [number];
  const init = await eventually(() => family(namespace.pid)[1]!);
  const exporter = await start(t, '--path-procfs', `/proc/${init}/root/proc`);

  const time = 'herakles_cpu_group_time_seconds_sum';
  const reuse = { group: 'test', subgroup: 'reuse' };
  const values: number[] = [];
  const look = <T>(check: (seen: Exposition) => T) =>
    eventually(
      async () => {
        const seen = await exporter.scrape();
        values.push(seen.value(time, reuse));
        return check(seen);
      },
      15_000,
      100,
    );

  let born = await look((seen) => {
    near(seen.value('herakles_cpu_process_time_seconds', { pid }), 0.4, 0.1, 'the first one burned');
    return seen.value('herakles_process_start_time_seconds', { pid });
  });
  const started = (await exporter.scrape()).value('herakles_group_processes_started_total', reuse);
  for (let i = 1; i <= 3; i++) {
    namespace.say('next');
    assert.deepEqual((await namespace.line('ready', i)).map(Number), [pid], namespace.stderr);
    born = await look((seen) => {
      const now = seen.value('herakles_process_start_time_seconds', { pid });
      assert.ok(now > born, 'the start time shows another process');
      assert.ok(seen.value('herakles_cpu_process_time_seconds', { pid }) < 0.2, 'which has burned nothing yet');
      assert.equal(seen.value('herakles_group_processes_started_total', reuse), started + i);
      assert.equal(seen.value('herakles_group_processes_exited_total', reuse), i);
      assert.equal(seen.sum('herakles_group_processes', reuse), 1);
      return now;
    });
  }
  const last = await exporter.scrape();
  near(last.value(time, reuse), 0.4, 0.1, 'the group keeps what the first one burned');
  const everything = last.sum(time, { group: 'test' });
  near(everything, 0.42, 0.12, 'and its parent, which has reaped it, adds it no second time');
  for (const [i, value] of values.entries()) assert.ok(i === 0 || value >= values[i - 1]!, `fell: ${values.join(' ')}`);
});
