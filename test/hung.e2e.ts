// Processes whose files do not answer, for as long as they like: all others are exported in time, the exporter can be
// asked and ended, and says how many it left out. HUNG_SECONDS=600 makes the first test last so long.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { median, quantile } from '../bench/machine.ts';
import { exporterUsage, memoryByQuarter } from './exporter-usage.ts';
import type { Exposition } from './exposition-text.ts';
import {
  childProgram,
  eventually,
  need,
  needRoot,
  nobody,
  runBundle,
  Started,
  scratch,
  startChildren,
  startExporter,
} from './harness.ts';

const seconds = Number(process.env.HUNG_SECONDS ?? 5);
const pace = ['--interval', '1s', '--cache-ttl', '500ms'];

/**
 * Runs a command as a user without any privilege. In namespaces of his own he may mount FUSE, as he may on every machine
 * whose /dev/fuse is open to all: here it is made so, for him only.
 */
const asNobody = (...command: string[]): string[] => {
  const lines = [
    'mknod "$0/fuse" c 10 229 && chmod 666 "$0/fuse" && mount --bind "$0/fuse" /dev/fuse &&',
    `exec setpriv --reuid ${nobody} --regid ${nobody} --clear-groups unshare --user --map-root-user --mount "$@"`,
  ];
  return ['unshare', '--mount', 'sh', '-c', lines.join(' '), scratch(), ...command];
};

/** Starts processes that hang in exec, as a user without any privilege. */
async function startHung(t: TestContext, count: number): Promise<Started & { pids: number[] }> {
  const fuse = new Started(t, asNobody(childProgram('fuse-exec'), scratch(nobody), String(count)));
  const pids = (await fuse.line('ready')).map(Number);
  return Object.assign(fuse, { pids });
}

/** A file whose read never returns, and is not ended by SIGKILL. */
async function startSilentFile(t: TestContext): Promise<Started & { path: string }> {
  const folder = scratch();
  const fuse = new Started(t, [childProgram('fuse-exec'), folder, '0']);
  t.after(() => {
    try {
      execFileSync('umount', ['-l', folder], { stdio: 'ignore' });
    } catch {} // it has gone with its server
  });
  await fuse.line('ready');
  return Object.assign(fuse, { path: `${folder}/file` });
}

const ready = (t: TestContext): boolean => needRoot(t) && need(t, 'cc', 'unshare') !== undefined;
const rss = 'herakles_mem_process_rss_bytes';
const unreadable = 'herakles_exporter_unreadable_processes';

test('ten processes that hang hold neither the others nor us', { timeout: 120_000 + 1000 * seconds }, async (t) => {
  if (!ready(t)) return;
  const known = await startChildren(t, 'private', 8);
  const exporter = await startExporter(t, { args: pace });
  await eventually(async () => (await exporter.scrape()).value(rss, { pid: known.pids[0]! }));
  const scrapeMs = async () => {
    const began = performance.now();
    await exporter.scrape();
    return performance.now() - began;
  };
  const usual: number[] = [];
  for (let round = 0; round < 10; round++) usual.push(await scrapeMs());

  const hung = await startHung(t, 10);
  const later = await startChildren(t, 'private', 4);
  await eventually(async () => {
    const page = await exporter.scrape();
    assert.equal(page.value(unreadable, { file: 'stat', reason: 'hung' }), 10);
    assert.ok(page.value(rss, { pid: String(later.pids[0]) }));
    assert.ok(page.value(rss, { pid: String(known.pids[0]) }));
    for (const pid of hung.pids) assert.deepEqual(page.all(rss, { pid }), [], `process ${pid}`);
  });
  const usage = [exporterUsage(exporter.pid)];
  const times: number[] = [];
  for (const end = performance.now() + 1000 * seconds; performance.now() < end || times.length < 10; ) {
    times.push(await scrapeMs());
    const began = performance.now();
    assert.equal((await fetch(`${exporter.url}/health`)).status, 200);
    assert.ok(performance.now() - began < 2000, 'health answers while reads hang');
    usage.push(exporterUsage(exporter.pid));
    await pause(100);
  }
  const page = await exporter.scrape();
  assert.equal(page.value(unreadable, { file: 'stat', reason: 'hung' }), 10, 'they hang still');
  assert.ok(page.value('herakles_exporter_collection_age_seconds') < 10, 'it is new');
  const end = await exporter.stop();
  const memory = memoryByQuarter(usage);
  const [usually, before] = [median(times), median(usual)];
  t.diagnostic(
    `${times.length} scrapes: median ${usually.toFixed(0)} ms, ${before.toFixed(0)} before; p99 ${quantile(times, 0.99).toFixed(0)}, ` +
      `slowest ${Math.max(...times).toFixed(0)}; memory by quarter ${memory.join(', ')} MiB; ended in ${end.seconds.toFixed(2)} s`,
  );
  assert.ok(usually < 2 * before + 500, `median ${usually} ms, ${before} before`);
  // The reader that tries processes again has 8 to 10 MiB while it runs.
  assert.ok(memory[3]! - memory[1]! < 20, `memory by quarter: ${memory.join(', ')} MiB`);
  const most = (of: 'descriptors' | 'processes') => Math.max(...usage.map((each) => each[of])) - usage[0]![of];
  assert.ok(most('descriptors') <= 5, `${most('descriptors')} descriptors more`);
  assert.ok(most('processes') <= 2, `${most('processes')} readers more`);
  assert.deepEqual([end.code, end.signal], [0, null]);
  assert.ok(end.seconds < 5, `it took ${end.seconds} s to end`);
});

test('when they go on, they are exported again', { timeout: 120_000 }, async (t) => {
  if (!ready(t)) return;
  const hung = await startHung(t, 1);
  const exporter = await startExporter(t, { args: pace });
  const count = async () => {
    const page = await exporter.scrape();
    return page.all(unreadable, { file: 'stat', reason: 'hung' })[0]?.value ?? 0;
  };
  await eventually(async () => assert.equal(await count(), 1));
  await hung.kill();
  await eventually(async () => assert.equal(await count(), 0), 60_000);
});

test('more that hang than one collection can find out: it ends, and the next ones find the rest', {
  timeout: 180_000,
}, async (t) => {
  if (!ready(t)) return;
  const hung = await startHung(t, 40);
  const exporter = await startExporter(t, { args: pace });
  const count = (page: Exposition) => page.value(unreadable, { file: 'stat', reason: 'hung' });
  await eventually(() => assert.match(exporter.stderr, /reads of processes do not return; .*processes=32 /));
  const later = await startChildren(t, 'private', 4);
  await eventually(async () => {
    const page = await exporter.scrape();
    assert.equal(count(page), 40);
    assert.ok(page.value(rss, { pid: later.pids[0]! }));
    for (const pid of hung.pids) assert.deepEqual(page.all(rss, { pid }), [], `process ${pid}`);
  }, 60_000);
});

test('readers that no signal ends are few, and the rest is read on', { timeout: 180_000 }, async (t) => {
  if (!ready(t)) return;
  const silent = await startSilentFile(t);
  const exporter = await startExporter(t, { args: [...pace, '--smaps', 'exact'], wrap: ['unshare', '--mount'] });
  const readers = () =>
    readFileSync(`/proc/${exporter.pid}/task/${exporter.pid}/children`, 'latin1').trim().split(' ').length;
  const cover = (pid: number, file: string) => {
    const place = [`--mount=/proc/${exporter.pid}/ns/mnt`, 'mount', '--bind', silent.path, `/proc/${pid}/${file}`];
    execFileSync('nsenter', place);
  };
  const victims = await startChildren(t, 'fleet', 8, 4, 256, 'victim');
  for (const pid of victims.pids) cover(pid, 'smaps_rollup');
  await eventually(async () => {
    const page = await exporter.scrape();
    assert.ok(page.value(unreadable, { file: 'smaps_rollup', reason: 'hung' }) >= 8);
    for (const pid of victims.pids) assert.ok(page.value(rss, { pid }), `process ${pid}`);
  });
  const later = await startChildren(t, 'private', 4);
  await eventually(async () => assert.ok((await exporter.scrape()).value(rss, { pid: later.pids[0]! })));
  assert.ok(readers() <= 5, `${readers()} readers`);

  // More than that many files that every collection reads: nothing is read any more, and no reader is started.
  exporter.signal('SIGSTOP');
  const more = await startChildren(t, 'fleet', 12, 4, 256, 'more');
  for (const pid of more.pids) cover(pid, 'stat');
  exporter.signal('SIGCONT');
  await eventually(async () => {
    await exporter.scrape();
    assert.match(exporter.stderr, /wait in the kernel and cannot be ended/);
  });
  await pause(3000);
  assert.ok(readers() <= 8, `${readers()} readers`);
  assert.equal((await fetch(`${exporter.url}/metrics`)).status, 200, 'the last page is served');

  await silent.kill(); // now their reads return, with an error
  const last = await startChildren(t, 'private', 4);
  await eventually(async () => {
    const page = await exporter.scrape();
    assert.ok(page.value('herakles_mem_process_pss_bytes', { pid: last.pids[0]! }) > 4 * 2 ** 20);
    assert.ok(readers() <= 2, `${readers()} readers`);
  }, 60_000);
  const end = await exporter.stop();
  assert.deepEqual([end.code, end.signal], [0, null]);
});

test('scan, check, explain and capture end in time and name the process', { timeout: 120_000 }, async (t) => {
  if (!ready(t)) return;
  const hung = await startHung(t, 2);
  const [pid] = hung.pids;
  for (const args of [['scan'], ['check'], ['explain', String(pid), '--url', 'unix:/nowhere'], ['capture']]) {
    const { stdout, stderr, signal } = await runBundle(t, args);
    assert.equal(signal, null, `${args.join(' ')} ended by itself`);
    assert.match(stdout + stderr, new RegExp(`\\b${pid}\\b`), `${args.join(' ')} names it`);
  }
});
