import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import fc from 'fast-check';
import { KernelLog, oomRecordsOf, parseKernelLog } from './kernel-log.ts';

const SIZES = 'total-vm:207152kB, anon-rss:91648kB, file-rss:1388kB, shmem-rss:0kB';
const record = (message: string, prefix = '3,12,11734737884,-') => `${prefix};${message}\n`;

/** A record, and the process of which it tells. */
type Row = readonly [name: string, text: string, kills: readonly (readonly [pid: number, comm: string])[]];
const KILLS: readonly Row[] = [
  ['an empty log', '', []],
  [
    'a name that looks like the end of the record',
    record(`Out of memory: Killed process 7 (x) total-vm:1kB) ${SIZES}`),
    [[7, 'x) total-vm:1kB']],
  ],
  [
    'a name of characters that the log writes in hexadecimal',
    record(`Out of memory: Killed process 7 (a\\x5cb\\x0a\\xff) ${SIZES}`),
    [[7, 'a\\b\n\xff']],
  ],
  ['an empty name', record(`Out of memory: Killed process 7 () ${SIZES}`), [[7, '']]],
  ['a program writes to the log, as user', record(`Out of memory: Killed process 7 (a) ${SIZES}`, '11,12,5,-'), []],
  ['a program writes to the log, as daemon', record(`Out of memory: Killed process 7 (a) ${SIZES}`, '28,12,5,-'), []],
  [
    'the name of another program stands at the beginning',
    record('Killed process [7]: segfault at 0 ip 0 sp 0 error 4 in a[1000+1000]') +
      record('Out of memory:[7]: segfault at 0 ip 0 sp 0 error 4 in a[1000+1000]'),
    [],
  ],
  ['words behind other words', record(`device: Out of memory: Killed process 7 (a) ${SIZES}`), []],
  [
    'a line that belongs to another record',
    record('usb 1-1: new\n Out of memory: Killed process 7 (a) total-vm:1kB'),
    [],
  ],
  ['no pid', record(`Out of memory: Killed process (a) ${SIZES}`), []],
  ['cut', record('Out of memory: Killed process 7 (a) total-vm:'), []],
  [
    'Linux 4.18: the first record is not yet the kill',
    record('Out of memory: Kill process 7 (java) score 901 or sacrifice child', '3,11,5,-') +
      record(`Killed process 8 (child) ${SIZES}`),
    [[8, 'child']],
  ],
  [
    'Red Hat, Linux 4.18',
    record('Killed process 24523 (python), UID 1000, total-vm:1kB, anon-rss:1kB, file-rss:1kB, shmem-rss:0kB'),
    [[24523, 'python']],
  ],
  [
    'Linux 5.4',
    record(`Out of memory: Killed process 7 (java) ${SIZES}, UID:0 pgtables:220kB oom_score_adj:0`),
    [[7, 'java']],
  ],
  [
    'Linux 5.15, with the caller in the prefix',
    record(
      `Out of memory: Killed process 7 (java) ${SIZES}, UID:0 pgtables:220kB oom_score_adj:0`,
      '3,12,5,-,caller=T9',
    ),
    [[7, 'java']],
  ],
  [
    'Linux 6.18, a memory cgroup',
    record(
      `Memory cgroup out of memory: Killed process 4713 (hk-private) ${SIZES}, UID:0 pgtables:220kB oom_score_adj:0`,
    ),
    [[4713, 'hk-private']],
  ],
  [
    'vm.oom_kill_allocating_task',
    record(
      `Out of memory (oom_kill_allocating_task): Killed process 7 (a) ${SIZES}, UID:0 pgtables:1kB oom_score_adj:0`,
    ),
    [[7, 'a']],
  ],
];

for (const [name, text, kills] of KILLS)
  test(`kernel log: ${name}`, () => {
    const found = parseKernelLog(text, -1);
    assert.deepEqual(
      found.kills.map(({ pid, comm }) => [pid, comm]),
      kills,
    );
    const kept = parseKernelLog(Buffer.from(oomRecordsOf(Buffer.from(text))).toString(), -1);
    assert.deepEqual(kept.kills, found.kills, 'a capture has the same');
  });

test('kernel log: records that are known already do not count, and the last number is told', () => {
  const killed = (number: number) => record(`Out of memory: Killed process ${number} (a) ${SIZES}`, `3,${number},5,-`);
  const { newest, kills } = parseKernelLog(killed(7) + killed(8) + killed(9) + record('other', '6,10,5,-'), 8);
  assert.deepEqual([newest, kills], [10, [{ pid: 9, comm: 'a' }]]);
  assert.equal(parseKernelLog('', 8).newest, -1);
});

test('kernel log: a capture has nothing else of it', () => {
  const log = record('usb 1-1: Product: secret\n SUBSYSTEM=usb') + record(`Killed process 7 (a) ${SIZES}`);
  assert.equal(Buffer.from(oomRecordsOf(Buffer.from(log))).toString(), record(`Killed process 7 (a) ${SIZES}`));
});

test('kernel log: any text gives numbers and no error', () => {
  const part = fc.constantFrom(
    '3',
    ',',
    ';',
    '\n',
    ' ',
    'Killed process ',
    '7',
    '(',
    ')',
    ' total-vm:1kB',
    '\\x',
    'ff',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(part, fc.string())), (parts) => {
      for (const { pid } of parseKernelLog(parts.join(''), -1).kills) assert.ok(Number.isSafeInteger(pid));
    }),
  );
});

test('kernel log: what is not its device is not opened', (t) => {
  const folder = mkdtempSync(`${tmpdir()}/herakles-log-`);
  t.after(() => rmSync(folder, { recursive: true }));
  symlinkSync('/dev/null', `${folder}/kmsg`);
  assert.throws(() => new KernelLog().read(`${folder}/kmsg`, new Uint8Array(9000), 0), { code: 'ENODEV' });
});

test("kernel log: this host's is read to its end, in pieces that fit, and the next read waits for nothing", (t) => {
  try {
    closeSync(openSync('/dev/kmsg', 'r'));
  } catch {
    return t.skip("this user may not read the kernel's log");
  }
  const [whole, inPieces] = [new KernelLog(), new KernelLog()];
  const all = (log: KernelLog, buffer: Uint8Array): number[] => {
    const numbers: number[] = [];
    for (let length = 1; length > 0; ) {
      length = log.read('/dev/kmsg', buffer, 5);
      const text = Buffer.from(buffer.subarray(5, 5 + length)).toString('latin1');
      numbers.push(...[...text.matchAll(/^\d+,(\d+),/gm)].map(([, number]) => Number(number)));
    }
    return numbers;
  };
  const numbers = all(whole, new Uint8Array(512 << 10));
  assert.ok(numbers.length > 0);
  assert.deepEqual(
    numbers,
    [...new Set(numbers)].sort((a, b) => a - b),
    'each record once, in order',
  );
  const small = all(inPieces, new Uint8Array(20_000));
  const both = numbers.filter((number) => number >= small[0]!);
  assert.deepEqual(small.slice(0, both.length), both);
});
