// The BPF program as an operator has it: built, pinned, read without any capability, taken away, replaced by anything else,
// and read in another pid namespace.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { buildObject } from '../scripts/bpf.mjs';
import { bpfFiles } from '../src/kernel/bpf-files.ts';
import { FileRequests, type KernelFiles } from '../src/kernel/files.ts';
import { liveFiles } from '../src/kernel/live-host.ts';
import type { Exposition } from './exposition-text.ts';
import {
  bundle,
  type Exporter,
  eventually,
  need,
  nobody,
  root,
  runBundle,
  Started,
  scratch,
  startExporter,
} from './harness.ts';
import { pinProgram, whyNotPinned } from './pinned-program.ts';

const reason = whyNotPinned();
const file = reason ? '' : pinProgram(String(nobody));
const pinned = reason ? { skip: reason } : {};

test('the object that ships is what its source gives', (t) => {
  const tools = need(t, 'clang', 'llvm-strip');
  if (!tools) return;
  const version = execFileSync(tools.clang, ['--version'], { encoding: 'utf8' });
  if (!/ version 14\./.test(version)) return t.skip(`it is built with clang 14, and here is ${version.split('\n')[0]}`);
  const built = `${scratch()}/tasks.bpf.o`;
  buildObject(built, { clang: tools.clang, strip: tools['llvm-strip'] });
  assert.ok(
    readFileSync(built).equals(readFileSync(`${root}bpf/tasks.bpf.o`)),
    'run node scripts/bpf.mjs, and commit it',
  );
});

const sourceOf = (seen: Exposition): string[] =>
  seen.all('herakles_exporter_source_info').map(({ labels }) => labels.source!);

const start = (
  t: TestContext,
  path: string,
  { args = [], ...more }: Parameters<typeof startExporter>[1] = {},
): Promise<Exporter> =>
  startExporter(t, {
    args: ['--source', 'bpf', '--bpf-file', path, '--interval', '1s', '--cache-ttl', '1s', ...args],
    ...more,
  });

const until = (exporter: Exporter, check: (seen: Exposition) => void): Promise<void> =>
  eventually(async () => check(await exporter.scrape()), 60_000, 300);

test('CPU, I/O and exec of every process without any capability', pinned, async (t) => {
  const rules = `${scratch()}/rules.toml`;
  const rule = (subgroup: string): string =>
    `[[rule]]\ngroup = "mine"\nsubgroup = "${subgroup}"\ncomm = "bash"\nargv = "marker-${subgroup}"\n`;
  writeFileSync(rules, rule('first') + rule('second'));
  const written = `${scratch()}/written`;
  const work = `dd if=/dev/zero of=${written} bs=1M count=8 conv=fsync; for i in {1..200000}; do :; done`;
  // Both are bash, and only their arguments tell one from the other: what the second does is in the environment of the first.
  const program = new Started(t, ['bash', '-c', `${work}; read; exec bash -c "$NEXT"`, 'marker-first'], {
    env: { NEXT: 'read; : marker-second' },
  });
  const exporter = await start(t, file, { uid: nobody, args: ['--process-io', '--subgroups', rules] });
  const labels = { pid: program.pid, group: 'mine', subgroup: 'first' };
  await until(exporter, (seen) => {
    assert.deepEqual(sourceOf(seen), ['bpf']);
    assert.ok(seen.value('herakles_io_process_write_bytes_total', labels) >= 8 << 20);
    assert.ok(seen.value('herakles_cpu_process_time_seconds', labels) > 0.05);
  });
  program.say('go on');
  await until(exporter, (seen) =>
    assert.equal(seen.value('herakles_process_info', { ...labels, subgroup: 'second' }), 1),
  );
});

test('the file may go and come back while the exporter runs, and no counter falls', pinned, async (t) => {
  const exporter = await start(t, file);
  const herakles = (...words: string[]) =>
    execFileSync(process.execPath, [bundle, 'bpf', ...words, '--bpf-file', file]);
  const cpu = 'herakles_cpu_group_seconds_total';
  let last = new Map<string, number>();
  const became = (source: string): Promise<void> =>
    until(exporter, (seen) => {
      const now = new Map(seen.all(cpu).map(({ labels, value }) => [JSON.stringify(labels), value]));
      for (const [group, value] of last) assert.ok((now.get(group) ?? value) >= value, `${group} fell`);
      last = now;
      assert.deepEqual(sourceOf(seen), [source]);
    });
  await became('bpf');
  herakles('unpin');
  await became('procfs');
  const said = /the pinned BPF program is not used; counters come from \/proc/;
  await eventually(() => assert.match(exporter.stderr + exporter.stdout, said));
  herakles('pin', '--group', String(nobody));
  await became('bpf');
  assert.ok(last.size > 0);
});

test('anything else in its place is refused with the reason, and /proc is read', async (t) => {
  const folder = scratch();
  execFileSync('mkfifo', [`${folder}/fifo`]);
  const cases: [path: string, reason: RegExp][] = [
    ['/etc/passwd', /is not pinned on a bpffs/],
    [`${folder}/fifo`, /is not pinned on a bpffs/],
    ['/dev/zero', /is not pinned on a bpffs/],
    [folder, /is not pinned on a bpffs|cannot be opened/],
    [`${folder}/nothing`, /is not there/],
  ];
  for (const [path, why] of cases) {
    const { code, stdout } = await runBundle(t, ['check', '--source', 'bpf', '--bpf-file', path]);
    assert.equal(code, 0, path);
    assert.match(stdout, /^source: +procfs, because of /m, path);
    assert.match(stdout, why, path);
  }
});

test('a list that disagreed once is tried again after ten minutes, and a new one at once', pinned, async () => {
  const live = liveFiles();
  let [now, hidden] = [0, true];
  const host: KernelFiles = {
    get buffer() {
      return live.buffer;
    },
    hung: [],
    begin() {},
    prefetch: (requests) => live.prefetch(requests),
    process: (pid) => live.process(pid),
    read: (path) => live.read(path),
    pids: () => [...live.pids()].filter((pid) => !hidden || pid !== process.pid),
  };
  const files = bpfFiles(host, file, () => now, true);
  const sourceAt = async (at: number): Promise<string> => {
    now = at;
    files.begin();
    await files.prefetch(new FileRequests());
    return files.source!.name;
  };
  assert.equal(await sourceAt(0), 'procfs');
  hidden = false;
  assert.equal(await sourceAt(599), 'procfs');
  assert.equal(await sourceAt(600), 'bpf', files.source?.problem);
  hidden = true;
  execFileSync(process.execPath, [bundle, 'bpf', 'pin', '--bpf-file', file, '--group', String(nobody)]);
  assert.equal(await sourceAt(601), 'procfs');
});

test('in another pid namespace it lists the processes there, or is left alone', pinned, async (t) => {
  const tools = need(t, 'unshare');
  if (!tools) return;
  const wrap = [tools.unshare, '--pid', '--fork', '--kill-child'];
  const own = await start(t, file, { wrap: [...wrap, '--mount-proc'] });
  await until(own, (seen) => {
    assert.deepEqual(sourceOf(seen), ['bpf']);
    assert.ok(seen.value('herakles_exporter_processes_total') < 10);
    assert.equal(seen.value('herakles_process_info', { pid: 1 }), 1);
  });
  const foreign = await start(t, file, { wrap });
  await until(foreign, (seen) => assert.deepEqual(sourceOf(seen), ['procfs']));
});
