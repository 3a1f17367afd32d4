import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { frameOf } from '../../../test/kernel-text.ts';
import { type CapturedFile, formatCapture, framedFiles } from '../../kernel/capture.ts';
import { MOUNTINFO } from '../../kernel/cgroup.ts';
import { PROCESS_FILES } from '../../kernel/files.ts';
import { guardedFiles } from '../../kernel/guarded-files.ts';
import { readUsers } from '../../kernel/host.ts';
import { recordHost } from './record-host.ts';

const PASSWD = [
  'root:$6$salt$hash:0:0:Ann,Room 7,555-0100:/root:/bin/sh',
  '# a remark',
  '+::::::',
  'shop:x:1000:1000::/srv:/bin/sh\n',
].join('\n');
const host = new Map([
  ...frameOf({}, [{ pid: 7, memory: {}, argv: ['x', '-k', 'tangerine'] }]),
  ['etc/passwd', { bytes: Buffer.from(PASSWD) }] as const,
]);

test('values are hidden, and recorded only where the operator says so', async () => {
  assert.match(formatCapture([await recordHost(framedFiles([host]))]), /cmdline x\\x00-k\\x00\*\*\*\\x00\n/);
  const whole = await recordHost(framedFiles([host]), { showValues: true });
  assert.match(formatCapture([whole]), /cmdline x\\x00-k\\x00tangerine\\x00\n/);
});

test('of the users of a host, a capture holds names and numbers', async () => {
  const recorded = await recordHost(framedFiles([host]));
  const entry = recorded.get('etc/passwd')!;
  assert.equal('bytes' in entry && Buffer.from(entry.bytes).toString(), 'root:x:0:\nshop:x:1000:\n');
  assert.deepEqual([...readUsers(framedFiles([recorded]))], [...readUsers(framedFiles([host]))]);
});

const textOf = (entry: CapturedFile | undefined): string =>
  entry && 'bytes' in entry ? Buffer.from(entry.bytes).toString() : JSON.stringify(entry);

test('of a live host with many processes, each file is recorded under its own process', async (t) => {
  const children = await Promise.all(
    Array.from({ length: 24 }, async (_, index) => {
      const child = spawn('sleep', [`100000.${index}`], { stdio: 'ignore' });
      t.after(() => child.kill());
      await once(child, 'spawn');
      return { pid: child.pid!, argument: `100000.${index}` };
    }),
  );
  const recorded = await recordHost(await guardedFiles('/proc', () => performance.now() / 1000), { showValues: true });
  for (const { pid, argument } of children) {
    const text = (file: string) => textOf(recorded.get(`proc/${pid}/${file}`));
    assert.ok(text('stat').startsWith(`${pid} (sleep) `), text('stat'));
    assert.ok(text('status').includes(`\nPid:\t${pid}\n`), text('status'));
    assert.equal(text('cmdline'), `sleep\0${argument}\0`);
    assert.match(text('statm'), /^\d+ \d+ \d+ \d+ \d+ \d+ \d+\n$/);
    assert.match(text('io'), /^rchar: /);
    assert.match(text('smaps_rollup'), /\nPss: /);
    assert.match(text('cgroup'), /^\d+:.*:\//);
    assert.match(text('oom_score'), /^\d+\n$/);
  }
  for (const [path, entry] of recorded) {
    const pid = /^proc\/(\d+)\/stat$/.exec(path)?.[1];
    if (pid && 'bytes' in entry) assert.ok(textOf(entry).startsWith(`${pid} (`), `${path}: ${textOf(entry)}`);
  }
});

test('a capture holds what every setting makes a collection read, also of kernel threads and of cgroups', async () => {
  const cgroup = 'sys/fs/cgroup/shop.slice/';
  const whole = new Map([
    ...frameOf({}, [
      { pid: 2, kernelThread: true },
      { pid: 7, memory: {}, cgroup: '0::/shop.slice\n' },
    ]),
    [MOUNTINFO, { bytes: Buffer.from('30 23 0:27 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw\n') }] as const,
    [`${cgroup}cgroup.controllers`, { bytes: Buffer.from('cpu memory\n') }] as const,
    [`${cgroup}memory.current`, { bytes: Buffer.from('4096\n') }] as const,
  ]);
  const recorded = await recordHost(framedFiles([whole]), { showValues: true });
  for (const pid of [2, 7])
    for (const file of PROCESS_FILES) {
      const entry = whole.get(`proc/${pid}/${file}`);
      assert.equal(textOf(recorded.get(`proc/${pid}/${file}`)), textOf(entry), `${file} of ${pid}`);
    }
  assert.equal(textOf(recorded.get(`${cgroup}memory.current`)), '4096\n');
  assert.equal(textOf(recorded.get('proc/pressure/memory')), textOf(whole.get('proc/pressure/memory')));
});
