import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { hostEntries } from '../../test/kernel-text.ts';
import { type CapturedFile, framedFiles } from './capture.ts';
import { KernelFileError, type KernelFiles } from './files.ts';
import { readBoot, readOomKills, readPressure, readUnits, readUptime, readUsers } from './host.ts';
import { readMemory } from './host-memory.ts';
import { liveFiles } from './live-host.ts';
import { readPrivileges, readSelf } from './self.ts';

const one = (path: string, text: string | Uint8Array): KernelFiles =>
  framedFiles([new Map<string, CapturedFile>([[path, { bytes: Buffer.from(text) }]])]);

function auxv(...pairs: [key: bigint, value: bigint][]): Buffer {
  const bytes = Buffer.alloc(pairs.length * 16);
  for (const [index, [key, value]] of pairs.entries()) {
    bytes.writeBigUInt64LE(key, index * 16);
    bytes.writeBigUInt64LE(value, index * 16 + 8);
  }
  return bytes;
}

const USUAL = { pageSize: 4096, ticksPerSecond: 100 };
// biome-ignore format: one line a case
const units: [what: string, text: Uint8Array, expected: typeof USUAL][] = [
  ['nothing', Buffer.alloc(0), USUAL],
  ['half a pair', auxv([6n, 65536n]).subarray(0, 15), USUAL],
  ['an absurd page size', auxv([6n, 3n], [17n, 0n]), USUAL],
  ['huge words', auxv([6n, 2n ** 64n - 1n], [17n, 2n ** 64n - 1n]), USUAL],
  ['pages of 64 KiB and 250 ticks', auxv([33n, 1n], [6n, 65536n], [17n, 250n], [0n, 0n]), { pageSize: 65536, ticksPerSecond: 250 }],
];
for (const [what, text, expected] of units) {
  test(`units: ${what}`, () => assert.deepEqual(readUnits(one('proc/self/auxv', text)), expected));
}
test('units: unreadable', () => assert.deepEqual(readUnits(one('x', '')), USUAL));

const NO_BOOT = { bootTime: Number.NaN, forks: Number.NaN, cpus: Number.NaN };
// biome-ignore format: one line a case
const cases: [what: string, read: () => unknown, expected: unknown][] = [
  ['OOM kills', () => readOomKills(one('proc/vmstat', 'oom_kill_x 9\nnr_free_pages 5\noom_kill 3\n')), 3],
  ['OOM kills before Linux 4.13', () => readOomKills(one('proc/vmstat', 'nr_free_pages 5\n')), Number.NaN],
  ['OOM kills: a word', () => readOomKills(one('proc/vmstat', 'oom_kill x\n')), Number.NaN],
  ['OOM kills: no file', () => readOomKills(one('x', '')), Number.NaN],
  ['pressure', () => readPressure(one('proc/pressure/memory', 'some avg10=1.00 avg60=0.00 avg300=0.00 total=1500000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=250000\n'), 'proc/pressure/memory'), { some: 1.5, full: 0.25 }],
  ['pressure without full', () => readPressure(one('proc/pressure/memory', 'some total=0\n'), 'proc/pressure/memory'), { some: 0, full: Number.NaN }],
  ['pressure switched off', () => readPressure(one('proc/pressure/memory', ''), 'proc/pressure/memory'), 'malformed'],
  ['uptime', () => readUptime(one('proc/uptime', '361889.07 5.00\n')), 361889.07],
  ['uptime in whole seconds', () => readUptime(one('proc/uptime', '7 5\n')), 7],
  ['uptime: a word', () => readUptime(one('proc/uptime', 'x')), 'malformed'],
  ['uptime: nothing', () => readUptime(one('proc/uptime', '')), 'malformed'],
  ['boot', () => readBoot(one('proc/stat', 'cpu  1\ncpu0 1\ncpu1 1\nintr 1\nbtime 1700000000\nprocesses 26442\n')), { bootTime: 1_700_000_000, forks: 26442, cpus: 2 }],
  ['boot without a count of forks', () => readBoot(one('proc/stat', 'cpu 1\nbtime 5\n')), { bootTime: 5, forks: Number.NaN, cpus: Number.NaN }],
  ['boot: nothing', () => readBoot(one('proc/stat', '')), NO_BOOT],
  ['boot: no file', () => readBoot(one('x', '')), NO_BOOT],
  ['boot: a word', () => readBoot(one('proc/stat', '\nbtime x\n')), NO_BOOT],
  ['boot: cut before btime, as lxcfs does on 160 CPUs', () => readBoot(one('proc/stat', 'cpu 1\ncpu0 1\ncpu1 1\n')), { ...NO_BOOT, cpus: 2 }],
  ['users', () => [...readUsers(one('etc/passwd', 'root:x:0:0:r:/:/bin/sh\ntoor:x:0:0::/:\n#x\n:x:5:5::/:\nbad\nme:x:1000:1000:Ä:/:\n+::::::\n'))], [[0, 'root'], [1000, 'me']]],
  ['users: unreadable', () => [...readUsers(one('x', ''))], []],
];
for (const [what, read, expected] of cases) {
  test(what, () => {
    if (typeof expected === 'string') assert.throws(read, { name: 'KernelFileError', reason: expected });
    else assert.deepEqual(read(), expected);
  });
}

const readers: Record<string, (files: KernelFiles) => unknown> = {
  'proc/self/auxv': readUnits,
  'proc/meminfo': (files) => readMemory(files, 4096, 2),
  'proc/zoneinfo': (files) => readMemory(files, 4096, 2),
  'proc/vmstat': readOomKills,
  'proc/pressure/memory': (files) => readPressure(files, 'proc/pressure/memory'),
  'proc/uptime': readUptime,
  'proc/stat': readBoot,
  'etc/passwd': readUsers,
};
for (const [path, read] of Object.entries(readers)) {
  test(`${path}: any bytes give a value or a KernelFileError, nothing else`, () => {
    const usual = new Map(hostEntries()).get(path);
    const whole = usual && 'bytes' in usual ? usual.bytes : Buffer.alloc(64);
    const any = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .tuple(fc.nat(whole.length), fc.uint8Array({ maxLength: 9 }))
        .map(([at, noise]) => Buffer.concat([whole.subarray(0, at), noise, whole.subarray(at)])),
    );
    fc.assert(
      fc.property(any, (bytes) => {
        try {
          read(one(path, bytes));
        } catch (error) {
          assert.ok(error instanceof KernelFileError, String(error));
        }
      }),
    );
  });
}

test('this host: its own tools say the same', () => {
  const files = liveFiles();
  const { total } = readMemory(files, 4096, 2);
  assert.equal(total, Number(/MemTotal:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))![1]) * 1024);
  assert.ok(Math.abs(readBoot(files).bootTime + readUptime(files) - Date.now() / 1000) < 3);
  assert.ok(readBoot(files).cpus >= 1);
  assert.equal(readUsers(files).get(0), 'root');
  assert.deepEqual(readUnits(files), USUAL);
});

test('this process', () => {
  const self = readSelf();
  assert.ok(self.openFiles > 3 && self.openFiles < self.maxFiles);
  assert.ok(self.virtualMemory > process.memoryUsage.rss());
  const { uid, capabilities, hidepid } = readPrivileges();
  assert.equal(uid, process.getuid?.());
  const effective = BigInt(`0x${/CapEff:\s+(\S+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]}`);
  assert.equal(capabilities.includes('CAP_SYS_PTRACE'), (effective & (1n << 19n)) !== 0n);
  assert.match(hidepid, /^$|^[1-4]$|^noaccess$|^invisible$|^ptraceable$/);
});
