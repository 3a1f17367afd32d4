// A user without any privilege does at random what a user may do (test/children/adversary.c). What is said of processes that
// he has nothing to do with stays what /proc says; the exporter answers, keeps its memory, and is not held.
// ADVERSARY_SECONDS=600 for a long run, ADVERSARY_SEED to begin where a failure began.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { median, quantile } from '../bench/machine.ts';
import { exporterUsage, memoryByQuarter } from './exporter-usage.ts';
import { Exposition } from './exposition-text.ts';
import {
  childProgram,
  childRules,
  type Exporter,
  eventually,
  near,
  need,
  needRoot,
  nobody,
  root,
  Started,
  scratch,
  startChildren,
  startExporter,
} from './harness.ts';
import { hostMemory, readTruth } from './proc-truth.ts';

const MIB = 2 ** 20;
const seconds = Number(process.env.ADVERSARY_SECONDS ?? 20);
const seed = Number(process.env.ADVERSARY_SEED ?? Math.floor(Math.random() * 1e9));

/** A cgroup that belongs to nobody, as that of a session does, below another; none where no controller of version 1 is mounted. */
function delegatedCgroup(): { top: string; own: string } | undefined {
  const mount = / (\/\S+) \S+ .*- cgroup \S+ \S*\bmemory\b/.exec(readFileSync('/proc/self/mountinfo', 'utf8'))?.[1];
  if (!mount) return undefined;
  const top = `${mount}/herakles-adversary-${process.pid}`;
  const own = `${top}/user-${nobody}.slice/user@${nobody}.service`;
  mkdirSync(own, { recursive: true });
  for (const path of [own, `${own}/cgroup.procs`, `${own}/tasks`]) chownSync(path, nobody, nobody);
  return { top, own };
}

/** With everything below it: not all of those names are UTF-8. */
function removeCgroup(folder: string): void {
  execFileSync('find', [folder, '-depth', '-type', 'd', '-delete']);
}

function startAdversary(t: TestContext): Started {
  const cgroup = delegatedCgroup();
  const command = [childProgram('adversary'), `${seconds + 3600}`, `${seed}`, scratch(nobody), cgroup?.own ?? '-'];
  const adversary = new Started(t, command, { uid: nobody, gid: nobody });
  t.after(async () => {
    await adversary.kill();
    if (cgroup) await eventually(() => removeCgroup(cgroup.top));
  });
  return adversary;
}

/** The exporter with a measurement of how long its event loop is held. */
async function startMeasured(t: TestContext, args: string[]) {
  const node = `${scratch()}/node`;
  writeFileSync(node, `#!/bin/sh\nexec ${process.execPath} --require ${root}test/children/loop-holds.cjs "$@"\n`);
  chmodSync(node, 0o755);
  const exporter = await startExporter(t, { args, node });
  let asked = 0;
  const holds = async (): Promise<number[]> => {
    process.kill(exporter.pid, 'SIGUSR2');
    const line = await eventually(() => {
      const found = exporter.stderr.split('\n').filter((each) => each.startsWith('holds '))[asked];
      assert.ok(found, exporter.stderr);
      return found;
    });
    asked++;
    return line.split(' ').slice(2).map(Number);
  };
  return { exporter, holds };
}

/** Processes of known memory and CPU that the adversary has nothing to do with, each kind a subgroup of its own. */
class Known {
  readonly pids: Record<string, number>;
  /** What /proc said of the CPU of the burning one: seconds, at which moment. */
  readonly #burned: { readonly at: number; readonly cpu: number }[] = [];
  /** Values of counters without a pid, by series, at the last look. */
  readonly #counters = new Map<string, number>();
  #groupAhead = Number.NaN;
  /** How many values were compared. */
  compared = 0;

  constructor(pids: Record<string, number>) {
    this.pids = pids;
  }

  /** To be called before a page is asked for. */
  look(): void {
    this.#burned.push({ at: performance.now() / 1000, cpu: readTruth(this.pids.burn!)!.cpuSeconds });
  }

  check(page: Exposition, askedAt: number): void {
    for (const [kind, pid] of Object.entries(this.pids)) this.#checkMemory(page, kind, pid);
    this.#checkBurned(page, askedAt);
    const counted = page.samples.filter(({ name, labels }) => page.types.get(name) === 'counter' && !labels.pid);
    for (const { line, value } of counted) {
      const series = line.slice(0, line.lastIndexOf(' '));
      assert.ok(
        value >= (this.#counters.get(series) ?? 0),
        `${series} fell from ${this.#counters.get(series)} to ${value}`,
      );
      this.#counters.set(series, value);
      this.compared++;
    }
  }

  #checkMemory(page: Exposition, kind: string, pid: number): void {
    const truth = readTruth(pid)!;
    const group = { group: 'known', subgroup: kind };
    for (const [labels, of] of [[{ pid }, 'process'] as const, [group, 'group'] as const]) {
      near(page.value(`herakles_mem_${of}_rss_bytes`, labels), truth.rss, MIB / 4, `rss of ${of} ${kind}`);
      near(page.value(`herakles_mem_${of}_pss_bytes`, labels), truth.pss, MIB, `pss of ${of} ${kind}`);
      near(page.value(`herakles_mem_${of}_uss_bytes`, labels), truth.uss, MIB, `uss of ${of} ${kind}`);
    }
    assert.equal(page.sum('herakles_group_processes', group), 1);
    assert.equal(page.value('herakles_group_processes_exited_total', group), 0);
    this.compared += 8;
  }

  /** Between what it had used when the collection began, at the earliest, and what it has used now. */
  #checkBurned(page: Exposition, askedAt: number): void {
    const pid = this.pids.burn!;
    const age = page.value('herakles_exporter_collection_age_seconds');
    const took = page.value('herakles_exporter_cache_update_duration_seconds');
    const said = page.value('herakles_cpu_process_time_seconds', { pid });
    const before = this.#burned.findLast(({ at }) => at < askedAt - age - took - 0.1)?.cpu ?? 0;
    const now = readTruth(pid)!.cpuSeconds;
    assert.ok(said >= before - 0.02 && said <= now + 0.02, `CPU: ${said} s, /proc says ${before} to ${now}`);
    const group = page.value('herakles_cpu_group_time_seconds_sum', { subgroup: 'burn', group: 'known' });
    if (Number.isNaN(this.#groupAhead)) this.#groupAhead = group - said;
    near(group - said, this.#groupAhead, 0.02, 'its group gains what it gains');
    if (this.#burned.length > 1000) this.#burned.splice(0, 500);
    this.compared += 2;
  }
}

/** True of any page at any time. */
function holdInvariants(page: Exposition): void {
  const values = (name: string) => new Map(page.all(name).map(({ labels, value }) => [labels.pid, value]));
  const [rss, pss, uss] = ['rss', 'pss', 'uss'].map((kind) => values(`herakles_mem_process_${kind}_bytes`));
  for (const [pid, value] of pss!) assert.ok(value <= rss!.get(pid)!, `pss > rss of ${pid}`);
  for (const [pid, value] of uss!) assert.ok(value <= pss!.get(pid)!, `uss > pss of ${pid}`);
  assert.ok(page.sum('herakles_mem_group_footprint_bytes') <= hostMemory());
  for (const { value, line, labels } of page.samples) {
    assert.ok(value >= 0 || labels.kind === 'unexplained', line); // the kernel adds up what its CPUs counted a little later
    for (const text of Object.values(labels)) assert.ok(Buffer.byteLength(text) <= 256, line);
  }
}

async function scrapeOften(exporter: Exporter, known: Known, lasts: number) {
  const times: number[] = [];
  const usage = [exporterUsage(exporter.pid)];
  let [processes, hung] = [0, 0];
  const end = performance.now() + 1000 * lasts;
  while (performance.now() < end || times.length < 10) {
    known.look();
    const began = performance.now();
    const response = await fetch(`${exporter.url}/metrics`);
    assert.equal(response.status, 200);
    const text = await response.text();
    times.push(performance.now() - began);
    const page = new Exposition(text);
    known.check(page, began / 1000);
    holdInvariants(page);
    assert.equal(page.value('herakles_exporter_cache_update_success'), 1, exporter.stderr);
    processes = Math.max(processes, page.value('herakles_exporter_processes_total'));
    hung = Math.max(hung, page.sum('herakles_exporter_unreadable_processes', { reason: 'hung' }));
    usage.push(exporterUsage(exporter.pid));
    await pause(200);
  }
  return { times, usage, processes, hung };
}

test('a random adversary changes nothing for others', { timeout: 120_000 + 1000 * seconds }, async (t) => {
  if (!needRoot(t) || !need(t, 'cc')) return;
  t.diagnostic(`ADVERSARY_SEED=${seed}`);
  const kinds = { private: 32, burn: 10, name: Buffer.from('hk-name').toString('hex') };
  const pids: Record<string, number> = {};
  for (const [kind, size] of Object.entries(kinds)) pids[kind] = (await startChildren(t, kind, size)).pids[0]!;
  const rules = childRules('known', Object.keys(kinds));
  const { exporter, holds } = await startMeasured(t, [
    ...['--interval', '1s', '--cache-ttl', '500ms', '--subgroups', rules, '--collector-cgroup'],
  ]);
  await eventually(async () => {
    const page = await exporter.scrape();
    for (const pid of Object.values(pids)) page.value('herakles_mem_process_pss_bytes', { pid });
  });
  const known = new Known(pids);
  const usual = await scrapeOften(exporter, known, 5);
  await holds();

  const adversary = startAdversary(t);
  await adversary.line('ready');
  const { times, usage, processes, hung } = await scrapeOften(exporter, known, seconds);
  const longest = await holds();
  assert.ok(adversary.running, `the adversary ended: ${adversary.stderr}`);
  const start = usual.usage.at(-1)!;
  const mib = (bytes: number) => (bytes / MIB).toFixed(1);
  const most = (of: 'memory' | 'descriptors' | 'processes') => Math.max(...usage.map((each) => each[of]));
  t.diagnostic(
    `${times.length} scrapes of up to ${processes} processes, ${known.compared} values compared: median ${median(times).toFixed(0)} ms ` +
      `(${median(usual.times).toFixed(0)} before), p99 ${quantile(times, 0.99).toFixed(0)}, slowest ${Math.max(...times).toFixed(0)} ms`,
  );
  t.diagnostic(
    `memory ${mib(start.memory)} MiB before, at most ${mib(most('memory'))}, by quarters ${memoryByQuarter(usage).join(', ')}; ` +
      `event loop held for ${longest.join(', ')} ms; ${most('descriptors')} descriptors; up to ${hung} files counted as hung`,
  );
  const bound = 1000 + 10 * median(usual.times);
  assert.ok(median(times) < bound, `median ${median(times)} ms, not below ${bound}`);
  assert.ok(most('memory') - start.memory < 30 * MIB, 'memory');
  assert.ok(longest[0]! < 100, `the event loop was held for ${longest[0]} ms`);
  assert.ok(most('processes') <= 4, 'readers');
  // He holds nothing for long; on a busy machine a lock may be held for longer than a reader waits.
  assert.ok(hung - usual.hung <= 2, `${hung} files counted as hung, ${usual.hung} before`);
  const end = await exporter.stop();
  assert.deepEqual([end.code, end.signal], [0, null]);
});
