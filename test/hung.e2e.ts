// Processes whose files do not answer, for as long as they like: all others are exported in time, the exporter can be
// asked and ended, and says how many it left out.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import {
  childProgram,
  eventually,
  need,
  needRoot,
  runBundle,
  Started,
  scratch,
  startChildren,
  startExporter,
} from './harness.ts';

/** Starts so many processes that hang in exec. */
async function startHung(t: TestContext, count: number): Promise<Started & { pids: number[] }> {
  const folder = scratch();
  const fuse = new Started(t, [childProgram('fuse-exec'), folder, String(count)]);
  t.after(() => {
    try {
      execFileSync('umount', ['-l', folder], { stdio: 'ignore' });
    } catch {} // it has gone with its server
  });
  const pids = (await fuse.line('ready')).map(Number);
  return Object.assign(fuse, { pids });
}

const ready = (t: TestContext): boolean => needRoot(t) && need(t, 'cc') !== undefined;

test('ten processes that hang hold neither the others nor us', { timeout: 120_000 }, async (t) => {
  if (!ready(t)) return;
  const known = await startChildren(t, 'private', 8);
  const exporter = await startExporter(t, {
    args: ['--interval', '1s', '--cache-ttl', '500ms'],
  });
  await eventually(async () =>
    (await exporter.scrape()).value('herakles_mem_process_rss_bytes', { pid: known.pids[0]! }),
  );

  const hung = await startHung(t, 10);
  const later = await startChildren(t, 'private', 4);
  await eventually(async () => {
    const page = await exporter.scrape();
    assert.equal(page.value('herakles_exporter_unreadable_processes', { file: 'stat', reason: 'hung' }), 10);
    assert.ok(page.value('herakles_mem_process_rss_bytes', { pid: String(later.pids[0]) }));
    assert.ok(page.value('herakles_mem_process_rss_bytes', { pid: String(known.pids[0]) }));
    for (const pid of hung.pids) {
      assert.deepEqual(page.all('herakles_mem_process_rss_bytes', { pid }), [], `process ${pid}`);
    }
  });
  const descriptors = () => readdirSync(`/proc/${exporter.pid}/fd`).length;
  const held = descriptors();
  for (let round = 0; round < 10; round++) {
    const began = performance.now();
    assert.equal((await fetch(`${exporter.url}/health`)).status, 200);
    assert.ok(performance.now() - began < 2000, 'health answers while reads hang');
    await exporter.scrape();
  }
  assert.ok(descriptors() <= held + 5, `${descriptors()} descriptors, ${held} before`);
  const end = await exporter.stop();
  assert.deepEqual([end.code, end.signal], [0, null]);
  assert.ok(end.seconds < 5, `it took ${end.seconds} s to end`);
  assert.ok(readFileSync(`/proc/${hung.pids[0]}/status`, 'latin1').includes('State:'), 'they hang still');
});

test('when they go on, they are exported again', { timeout: 120_000 }, async (t) => {
  if (!ready(t)) return;
  const hung = await startHung(t, 1);
  const exporter = await startExporter(t, { args: ['--interval', '1s', '--cache-ttl', '500ms'] });
  const count = async () => {
    const page = await exporter.scrape();
    return page.all('herakles_exporter_unreadable_processes', { file: 'stat', reason: 'hung' })[0]?.value ?? 0;
  };
  await eventually(async () => assert.equal(await count(), 1));
  await hung.kill();
  await eventually(async () => assert.equal(await count(), 0), 60_000);
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
