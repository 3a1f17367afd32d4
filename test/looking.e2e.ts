// The verbs that look at a host: scan, explain, subgroups and check. strace shows that none of them opens a smaps_rollup that
// the settings forbid; with a running exporter they say what that exporter says.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { eventually, freePort, need, runBundle, Started, scratch, startChildren, startExporter } from './harness.ts';

/** MiB: so large that a read takes tens of milliseconds. */
const LARGE = 3 * 1024;

/** Runs the bundle under strace. Gives the pids whose smaps_rollup it opened, and what it printed. */
async function opened(t: TestContext, strace: string, args: readonly string[]) {
  const record = `${scratch()}/trace`;
  const wrap = [strace, '-f', '-qq', '-e', 'trace=open,openat', '-o', record];
  const { code, stdout, stderr } = await runBundle(t, [...args], { wrap });
  assert.equal(code, 0, stderr);
  const pids = [...readFileSync(record, 'utf8').matchAll(/\/proc\/(\d+)\/smaps_rollup"/g)].map(([, pid]) =>
    Number(pid),
  );
  return { pids, stdout };
}

test('no verb opens a smaps_rollup that the settings forbid', { timeout: 300_000 }, async (t) => {
  const servers = need(t, 'cc', 'strace');
  if (!servers) return;
  const large = await startChildren(t, 'private', LARGE);
  const small = new Started(t, ['sleep', '600']);
  const none = ['--port', String(await freePort())];
  const within = ['--smaps-max-read', '5ms', '--smaps-budget', '100%', ...none];
  for (const args of [['scan'], ['explain', '--all'], ['check']]) {
    const { pids, stdout } = await opened(t, servers.strace, [...args, ...within]);
    assert.ok(!pids.includes(large.pid), `${args.join(' ')} leaves the large one alone`);
    assert.ok(pids.includes(small.pid), `${args.join(' ')} reads the small one`);
    assert.ok(stdout.length > 0);
  }
  const explained = await opened(t, servers.strace, ['explain', String(large.pid), ...within]);
  assert.deepEqual(explained.pids, []);
  assert.match(
    explained.stdout,
    /RSS 3\.0 GiB; PSS and USS are not read, because that is predicted to take \d\d ms, over/,
  );
  const subgroups = await opened(t, servers.strace, ['subgroups', ...within]);
  assert.deepEqual(subgroups.pids, [], 'to count processes takes nobody’s memory');
  const off = await opened(t, servers.strace, ['scan', '--smaps', 'off', ...none]);
  assert.deepEqual(off.pids, []);
  for (const args of [
    ['scan', '--exact', ...within],
    ['explain', String(large.pid), ...none],
  ]) {
    const { pids } = await opened(t, servers.strace, args);
    assert.equal(pids.filter((pid) => pid === large.pid).length, 1, `${args.join(' ')} reads it, once`);
  }
});

test('with a running exporter, scan and subgroups say what it says', async (t) => {
  if (!need(t, 'cc', 'strace')) return;
  const strace = need(t, 'strace')!.strace;
  const child = await startChildren(t, 'private', 50);
  const exporter = await startExporter(t, { args: ['--interval', '1h', '--cache-ttl', '1h'] });
  await eventually(async () =>
    (await exporter.scrape()).value('herakles_cpu_process_usage_percent', { pid: child.pid }),
  );
  const at = ['--port', String(exporter.port), '--bind', '127.0.0.1'];
  const page = await exporter.scrape();
  const { pids, stdout } = await opened(t, strace, ['scan', '--json', ...at]);
  assert.deepEqual(pids, []);
  const { source, processes } = JSON.parse(stdout);
  assert.equal(source, `from the exporter at http://127.0.0.1:${exporter.port}`);
  const { stdout: text } = await runBundle(t, ['scan', ...at]);
  assert.match(text, /^programs [\d.]+ [MG]iB, their files [\d.]+ [MG]iB, .*free [\d.]+ [MG]iB/m);
  assert.match(text, /^from the exporter at http:\S+, which collected [\d.]+ \w+ ago$/m);
  const found = processes.find(({ pid }: { pid: number }) => pid === child.pid);
  for (const kind of ['rss', 'pss', 'uss'])
    assert.equal(found[`${kind}_bytes`], page.value(`herakles_mem_process_${kind}_bytes`, { pid: child.pid }), kind);
  const subgroups = await runBundle(t, ['subgroups', ...at]);
  assert.match(subgroups.stdout, /^other +other +\d+$/m);
  assert.match(subgroups.stdout, /more subgroups without a process; --all prints them\nfrom the exporter at http:/);
  const all = await runBundle(t, ['subgroups', '--all', '--url', exporter.url]);
  assert.match(all.stdout, /^db +postgres +0 /m);
  assert.doesNotMatch(subgroups.stdout, /^db +postgres +0 /m);
  const other = await runBundle(t, ['scan', ...at, '--search-mode', 'include', '--search-groups', 'other']);
  assert.match(other.stdout, /^collected by this command: settings are given$/m);
  const wrong = await runBundle(t, ['scan', '--url', 'http://127.0.0.1:1']);
  assert.deepEqual([wrong.code, wrong.stdout], [1, '']);
  assert.match(wrong.stderr, /cannot ask http:\/\/127\.0\.0\.1:1: no program listens there/);
});

test('scan: order, number, group, and again and again', async (t) => {
  if (!need(t, 'cc')) return;
  await startChildren(t, 'private', 30);
  const none = ['--port', String(await freePort())];
  const scan = async (...args: string[]) => (await runBundle(t, ['scan', '--json', ...none, ...args])).stdout;
  const { processes, groups } = JSON.parse(await scan('--sort', 'pid', '--group', 'other/other'));
  const pids = processes.map(({ pid }: { pid: number }) => pid);
  assert.deepEqual(
    pids,
    pids.toSorted((a: number, b: number) => a - b),
  );
  assert.ok(pids.length > 1);
  assert.deepEqual([...new Set(groups.map(({ group }: { group: string }) => group))], ['other']);
  const { stdout } = await runBundle(t, ['scan', '--top', '3', ...none]);
  assert.match(stdout, /PID +NAME.*\n(?: *\d+ .*\n){3}… and \d+ more; --top N/);
  const watch = new Started(t, [process.execPath, 'dist/herakles.cjs', 'scan', '--json', '--watch', '200ms', ...none]);
  await eventually(() => assert.ok(watch.stdout.split('\n').length > 3, watch.stderr));
  const [first, second] = watch.stdout.split('\n').map((line) => JSON.parse(line || '{}').at);
  assert.ok(second > first);
});

test('explain NAME: one process is explained, several have a line each, none is an error', async (t) => {
  const none = ['--port', String(await freePort())];
  const [name, twice] = ['acme-billing', 'acme-twice'];
  const one = new Started(t, ['bash', '-c', `printf ${name} > /proc/self/comm; read x`]);
  for (let i = 0; i < 2; i++) new Started(t, ['bash', '-c', `printf ${twice} > /proc/self/comm; read x`]);
  const explain = (...args: string[]) => runBundle(t, ['explain', ...args, ...none]);
  await eventually(async () => {
    assert.match((await explain(name)).stdout, new RegExp(`^process ${one.pid} is in `));
    const several = await explain(twice);
    assert.match(several.stdout, /^2 processes have this name; explain PID explains one of them\n\n +PID +NAME/);
    assert.match(several.stdout, /^ *\d+ {2}acme-twice .*other\/other|runtime\/shell/m);
  });
  const { processes } = JSON.parse((await explain(twice, '--json')).stdout);
  assert.equal(processes.length, 2);
  const wrong = await explain('acme-biling');
  assert.deepEqual([wrong.code, wrong.stdout], [1, '']);
  assert.match(wrong.stderr, /acme-biling: no process has this name; did you mean acme-billing\?/);
});
