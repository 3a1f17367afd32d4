import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ioText, processEntries, rollupText, statmText, statText, statusText } from '../../test/kernel-text.ts';
import { framedFiles } from './capture.ts';
import { KernelFileError, type KernelFiles, type ProcessFile, type ProcessFiles } from './files.ts';
import * as pid from './pid.ts';

const UNITS: pid.Units = { pageSize: 4096, ticksPerSecond: 100 };
const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1');

function stat(text: Uint8Array): (pid.StatReading & { comm: string }) | undefined {
  const out = new pid.StatReading();
  if (!pid.parseStat(text, text.length, UNITS, out)) return undefined;
  return { ...out, comm: Buffer.from(text.subarray(out.commFrom, out.commTo)).toString('latin1') };
}

test('stat: what is none', () => {
  const whole = statText({ pid: 7 }).toString();
  const fields = whole.split(' ');
  // biome-ignore format: one line a case
  const cases: [what: string, text: string][] = [
    ['nothing', ''],
    ['a NUL', '\0'],
    ['no parentheses', '7 sleep S 1'],
    ['only one', '7 (sleep S 1'],
    ['the wrong way round', ')7('],
    ['nothing behind them', '7 (sleep)'],
    ['only a state', '7 (sleep) S'],
    ['too few fields', fields.slice(0, 21).join(' ')],
    ['a word for a number', whole.replace(' 20 0 1 ', ' 20 0 one ')],
    ['letters behind the start time', `${fields.slice(0, 21).join(' ')} 100x 1`],
  ];
  for (const [what, text] of cases) assert.equal(stat(latin1(text)), undefined, what);
});

test('stat: names that look like the rest of the line', () => {
  for (const comm of [
    '',
    ')',
    '(',
    ') (',
    ') S 1 2 3',
    'a) (b "c\\\n',
    '\xff\xfe',
    ' ',
    '\n',
    '))))))))))))))',
    'x'.repeat(63),
  ]) {
    const reading = stat(statText({ pid: 7, comm, ppid: 3, startTicks: 99, startStack: 5 }));
    assert.deepEqual([reading?.comm, reading?.ppid, reading?.startTicks, reading?.startStack], [comm, 3, 99, 5]);
  }
});

test('stat: what was rendered is parsed, whatever the name', () => {
  const number = fc.nat(2 ** 31 - 1);
  const given = fc.record({
    comm: fc.uint8Array({ maxLength: 15 }).map((bytes) => bytes.map((byte) => byte || 1)),
    state: fc.constantFrom(...'RSDTtZXI'),
    kernelThread: fc.boolean(),
    ...{ pid: number, ppid: number, minorFaults: number, majorFaults: number, user: number, system: number },
    ...{
      childrenUser: number,
      childrenSystem: number,
      threads: number,
      startTicks: number,
      startStack: number,
      roughRss: number,
      virtualSize: number,
    },
  });
  fc.assert(
    fc.property(given, (s) => {
      const { commFrom, commTo, ...reading } = stat(statText(s))!;
      assert.deepEqual(reading, {
        ...{ comm: Buffer.from(s.comm).toString('latin1'), state: s.state.charCodeAt(0), ppid: s.ppid },
        ...{ kernelThread: s.kernelThread, minorFaults: s.minorFaults, majorFaults: s.majorFaults },
        ...{ user: s.user / 100, system: s.system / 100 },
        ...{ childrenUser: s.childrenUser / 100, childrenSystem: s.childrenSystem / 100 },
        ...{
          threads: s.threads,
          startTicks: s.startTicks,
          startStack: s.startStack,
          roughRss: s.roughRss,
          virtualSize: s.virtualSize,
          execs: 0,
        },
      });
    }),
  );
});

test('stat as Linux 6.18 wrote it: a process, a kernel thread, a zombie', () => {
  const max = '18446744073709551615';
  const cat = `29632 (cat) R 29626 29626 21565 0 -1 4194304 101 0 2 0 150 25 0 0 20 0 1 0 361889 3133440 418 ${max} 94082016337920 94082016357801 140731381885264 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 94082016373808 94082016375424 94082226372608 140731381889759 140731381889779 140731381889779 140731381891051 0\n`;
  const kthreadd = `2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 21 0 0 ${max} 0 0 0 0 0 0 0 2147483647 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n`;
  const zombie = `29725 (python3) Z 29638 29626 21565 0 -1 4227148 225 0 0 0 0 0 0 0 20 0 1 0 361927 0 0 ${max} 0 0 0 0 0 0 0 16781312 2 1 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n`;
  assert.deepEqual(stat(latin1(cat)), {
    ...{ commFrom: 7, commTo: 10, comm: 'cat', state: 0x52, ppid: 29626, kernelThread: false, minorFaults: 101 },
    ...{ majorFaults: 2, user: 1.5, system: 0.25, childrenUser: 0, childrenSystem: 0, threads: 1, startTicks: 361889 },
    ...{ startStack: 140731381885264, roughRss: 418, virtualSize: 3133440, execs: 0 },
  });
  assert.equal(stat(latin1(kthreadd))?.kernelThread, true);
  assert.deepEqual([stat(latin1(zombie))?.state, stat(latin1(zombie))?.startStack], [0x5a, 0]);
});

type Parser = (text: Uint8Array) => Record<string, number> | undefined;
const parser =
  <R extends object>(make: () => R, parse: (text: Uint8Array, length: number, out: R) => boolean): Parser =>
  (text) => {
    const out = make();
    return parse(text, text.length, out) ? ({ ...out } as Record<string, number>) : undefined;
  };
const statm = parser(
  () => new pid.StatmReading(),
  (text, length, out) => pid.parseStatm(text, length, UNITS, out),
);
const io = parser(() => new pid.IoReading(), pid.parseIo);
const rollup = parser(() => new pid.FootprintReading(), pid.parseSmapsRollup);
const status = parser(() => new pid.StatusReading(), pid.parseStatus);

const KB = 1024;
const kernelThread = latin1('Name:\tkthreadd\nUid:\t0\t0\t0\t0\nThreads:\t1\n');

// biome-ignore format: one line a case
const readings: [what: string, parse: Parser, text: Uint8Array, expected: Record<string, number> | undefined][] = [
  ['statm: nothing', statm, latin1(''), undefined],
  ['statm: one field short', statm, latin1('5432 1210'), undefined],
  ['statm: negative sizes of a broken kernel', statm, latin1('1 x 2'), undefined],
  ['statm', statm, latin1('5432 1210 903 220 0 310 0\n'), { rss: 1210 * 4096, shared: 903 * 4096 }],
  ['statm of a zombie', statm, latin1('0 0 0 0 0 0 0\n'), { rss: 0, shared: 0 }],
  ['statm of 16 TB', statm, latin1('0 4294967296 0\n'), { rss: 2 ** 44, shared: 0 }],
  ['statm, rendered', statm, statmText({ rss: 400, file: 40, shmem: 8 }), { rss: 400 * KB, shared: 48 * KB }],
  ['io: nothing', io, latin1(''), undefined],
  ['io: one line missing', io, latin1('rchar: 1\nread_bytes: 1\n'), undefined],
  ['io: rchar is not read_bytes', io, latin1('rchar: 5\nwchar: 6\nread_bytes: 1\nwrite_bytes: 2\ncancelled_write_bytes: 9\n'), { readBytes: 1, writeBytes: 2 }],
  ['io beyond 2^53', io, latin1('read_bytes: 18446744073709551615\nwrite_bytes: 0\n'), { readBytes: 2 ** 64, writeBytes: 0 }],
  ['io, rendered', io, ioText(7, 8), { readBytes: 7, writeBytes: 8 }],
  ['rollup: nothing', rollup, latin1(''), undefined],
  ['rollup: only its head', rollup, latin1('5624b539f000-7ffcaabff000 ---p 00000000 00:00 0  [rollup]\n'), undefined],
  ['rollup: no Pss', rollup, latin1('Rss: 1 kB\nPrivate_Clean: 0 kB\nPrivate_Dirty: 1 kB\n'), undefined],
  ['rollup: no hugetlb and no swap, as Linux 4.14 has it', rollup, latin1('Rss: 4 kB\nPss: 3 kB\nPrivate_Clean: 1 kB\nPrivate_Dirty: 1 kB\n'), { rss: 4 * KB, pss: 3 * KB, uss: 2 * KB, swap: 0, swapPss: 0, anonymous: Number.NaN, shmem: 0, sharedAnonymous: Number.NaN, hugetlb: 0, sharedHugetlb: 0 }],
  ['rollup: hugetlb stands in none of Rss, Pss and Uss', rollup, rollupText({ rss: 100, pss: 50, privateDirty: 4, privateHugetlb: 2048, sharedHugetlb: 1024 }), { rss: 100 * KB, pss: 50 * KB, uss: 4 * KB, swap: 0, swapPss: 0, anonymous: 0, shmem: 0, sharedAnonymous: 0, hugetlb: 2048 * KB, sharedHugetlb: 1024 * KB }],
  ['rollup: swap', rollup, rollupText({ rss: 8, pss: 8, privateClean: 3, privateDirty: 4, swap: 12 }), { rss: 8 * KB, pss: 8 * KB, uss: 7 * KB, swap: 12 * KB, swapPss: 12 * KB, anonymous: 0, shmem: 0, sharedAnonymous: 0, hugetlb: 0, sharedHugetlb: 0 }],
  ['rollup: shared memory', rollup, rollupText({ rss: 8, pss: 6, pssShmem: 5, privateDirty: 1 }), { rss: 8 * KB, pss: 6 * KB, uss: 1 * KB, swap: 0, swapPss: 0, anonymous: 0, shmem: 5 * KB, sharedAnonymous: 0, hugetlb: 0, sharedHugetlb: 0 }],
  ['rollup: swap that others share', rollup, rollupText({ rss: 8, pss: 8, swap: 12, swapPss: 3, pssAnon: 5, anonymous: 5, pssFile: 2, pssShmem: 1 }), { rss: 8 * KB, pss: 8 * KB, uss: 256 * KB, swap: 12 * KB, swapPss: 3 * KB, anonymous: 5 * KB, shmem: KB, sharedAnonymous: 9 * KB, hugetlb: 0, sharedHugetlb: 0 }],
  ['status: nothing', status, latin1(''), undefined],
  ['status: no Uid', status, latin1('Name:\tx\nRssAnon:\t5 kB\n'), undefined],
  ['status of a kernel thread', status, kernelThread, { uid: 0, rssAnon: 0, rssFile: 0, rssShmem: 0, pageTables: 0, swap: 0, hugetlb: 0 }],
  ['status of a process whose name lies', status, statusText('x\\nUid:\t7', 1000, { rss: 100, file: 10, shmem: 5, swap: 3, privateHugetlb: 2048, sharedHugetlb: 1024 }), { uid: 1000, rssAnon: 85 * KB, rssFile: 10 * KB, rssShmem: 5 * KB, pageTables: 48 * KB, swap: 3 * KB, hugetlb: 3072 * KB }],
  ['status of uid 4294967294', status, latin1('Uid:\t4294967294\t0\t0\t0\n'), { uid: 4294967294, rssAnon: 0, rssFile: 0, rssShmem: 0, pageTables: 0, swap: 0, hugetlb: 0 }],
];
for (const [what, parse, text, expected] of readings) {
  test(what, () => assert.deepEqual(parse(text), expected));
}

// What kernels wrote of one process: the lines differ, and so does the size of a page.
const heads = '5624b539f000-7ffcaabff000 ---p 00000000 00:00 0                          [rollup]\n';
const lines = (text: string): Uint8Array =>
  latin1(
    heads +
      text
        .replaceAll(/(\w+) (\d+)/g, (_, name, kB) => `${`${name}:`.padEnd(16)}${kB.padStart(8)} kB\n`)
        .replaceAll('; ', ''),
  );
const sizes = { rss: 5120 * KB, pss: 3072 * KB, uss: 2048 * KB, swap: 64 * KB, swapPss: 32 * KB };
const parts = { anonymous: 2048 * KB, shmem: 256 * KB, sharedAnonymous: 160 * KB };
const huge = { hugetlb: 4096 * KB, sharedHugetlb: 2048 * KB };
// biome-ignore format: one line a kernel
const kernels: [kernel: string, text: string, expected: Record<string, number>][] = [
  ['4.18: no kinds of PSS', 'Rss 5120; Pss 3072; Shared_Clean 3072; Shared_Dirty 0; Private_Clean 1024; Private_Dirty 1024; Referenced 5120; Anonymous 2176; LazyFree 0; AnonHugePages 0; ShmemPmdMapped 0; Shared_Hugetlb 2048; Private_Hugetlb 4096; Swap 64; SwapPss 32; Locked 0; ', { ...sizes, anonymous: Number.NaN, shmem: 0, sharedAnonymous: Number.NaN, ...huge }],
  ['5.4 and 5.15', 'Rss 5120; Pss 3072; Pss_Anon 2048; Pss_File 768; Pss_Shmem 256; Shared_Clean 3072; Shared_Dirty 0; Private_Clean 1024; Private_Dirty 1024; Referenced 5120; Anonymous 2176; LazyFree 0; AnonHugePages 0; ShmemPmdMapped 0; Shared_Hugetlb 2048; Private_Hugetlb 4096; Swap 64; SwapPss 32; Locked 0; ', { ...sizes, ...parts, ...huge }],
  ['6.1: Pss_Dirty', 'Rss 5120; Pss 3072; Pss_Dirty 100; Pss_Anon 2048; Pss_File 768; Pss_Shmem 256; Shared_Clean 3072; Shared_Dirty 0; Private_Clean 1024; Private_Dirty 1024; Referenced 5120; Anonymous 2176; LazyFree 0; AnonHugePages 0; ShmemPmdMapped 0; FilePmdMapped 0; Shared_Hugetlb 2048; Private_Hugetlb 4096; Swap 64; SwapPss 32; Locked 0; ', { ...sizes, ...parts, ...huge }],
  ['6.12: KSM', 'Rss 5120; Pss 3072; Pss_Dirty 100; Pss_Anon 2048; Pss_File 768; Pss_Shmem 256; Shared_Clean 3072; Shared_Dirty 0; Private_Clean 1024; Private_Dirty 1024; Referenced 5120; Anonymous 2176; KSM 0; LazyFree 0; AnonHugePages 0; ShmemPmdMapped 0; FilePmdMapped 0; Shared_Hugetlb 2048; Private_Hugetlb 4096; Swap 64; SwapPss 32; Locked 0; ', { ...sizes, ...parts, ...huge }],
  ['arm64 with pages of 64 KiB, huge ones of 512 MiB', 'Rss 5120; Pss 3072; Pss_Anon 2048; Pss_File 768; Pss_Shmem 256; Private_Clean 1024; Private_Dirty 1024; Anonymous 2176; Shared_Hugetlb 524288; Private_Hugetlb 1048576; Swap 64; SwapPss 32; Locked 0; ', { ...sizes, ...parts, hugetlb: 2 ** 30, sharedHugetlb: 2 ** 29 }],
];
for (const [kernel, text, expected] of kernels) {
  test(`rollup as Linux ${kernel} writes it`, () => assert.deepEqual(rollup(lines(text)), expected));
}
test('cmdline', () => {
  // biome-ignore format: one line a case
  const cases: [text: string, argv: string[]][] = [
    ['', []],
    ['\0', []],
    ['\0\0\0\0', []],
    ['sleep\x00' + '100\x00', ['sleep', '100']],
    ['a\0\0b\0', ['a', '', 'b']],
    ['\0b\0', ['', 'b']],
    ['nginx: worker process', ['nginx: worker process']],
    ['nginx: worker process\0\0\0\0\0', ['nginx: worker process']],
    ['\xff\0', ['\ufffd']],
  ];
  for (const [text, argv] of cases)
    assert.deepEqual(pid.parseCmdline(latin1(text), text.length), argv, JSON.stringify(text));
  const long = latin1('x'.repeat(4 * pid.COMMAND_LINE_MAX_BYTES));
  assert.deepEqual(pid.parseCmdline(long, long.length), ['x'.repeat(pid.COMMAND_LINE_MAX_BYTES)]);
});

/** Files of one number are tested in view/file-columns.test.ts. */
const READERS: { [file in ProcessFile]?: (files: KernelFiles, proc: ProcessFiles) => unknown } = {
  stat: (files, proc) => pid.readStat(files, proc, UNITS, new pid.StatReading()),
  statm: (files, proc) => pid.readStatm(files, proc, UNITS, new pid.StatmReading()),
  io: (files, proc) => pid.readIo(files, proc, new pid.IoReading()),
  status: (files, proc) => pid.readStatus(files, proc, new pid.StatusReading()),
  smaps_rollup: (files, proc) => pid.readSmapsRollup(files, proc, new pid.FootprintReading()),
  cmdline: (files, proc) => pid.readCmdline(files, proc),
  cgroup: (files, proc) => pid.readCgroup(files, proc),
};

/** Like a kernel file, but with a few bytes changed, or no kernel file at all. */
const almost = (text: Uint8Array) =>
  fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc
      .array(fc.tuple(fc.nat(Math.max(0, text.length - 1)), fc.integer({ min: 0, max: 255 })), { maxLength: 5 })
      .map((changes) => {
        const changed = Uint8Array.from(text);
        for (const [at, byte] of changes) changed[at] = byte;
        return changed;
      }),
    fc.nat(text.length).map((length) => text.slice(0, length)),
  );

for (const [file, read] of Object.entries(READERS)) {
  test(`${file}: any bytes give a value or a KernelFileError, nothing else`, () => {
    const path = `proc/7/${file}`;
    const entry = new Map(processEntries({ pid: 7, memory: {} })).get(path)!;
    fc.assert(
      fc.property(almost('bytes' in entry ? entry.bytes : new Uint8Array()), (bytes) => {
        const files = framedFiles([new Map([[path, { bytes }]])]);
        try {
          read(files, files.process(7));
        } catch (error) {
          assert.ok(error instanceof KernelFileError, String(error));
          assert.deepEqual([error.reason, error.path], ['malformed', path]);
        }
      }),
      { numRuns: 300 },
    );
  });
}

test('smaps_rollup read off the main thread gives the same value, or the same error', async () => {
  const files = framedFiles([new Map(processEntries({ pid: 7, memory: { rss: 80, pss: 40 } }))]);
  const reading = new pid.FootprintReading();
  await pid.readSmapsRollupLater(files.process(7), 0, reading);
  assert.deepEqual([reading.rss, reading.pss], [80 * KB, 40 * KB]);
  const malformed = framedFiles([new Map([['proc/7/smaps_rollup', { bytes: latin1('x') }]])]).process(7);
  await assert.rejects(pid.readSmapsRollupLater(malformed, 0, reading), { reason: 'malformed' });
});
