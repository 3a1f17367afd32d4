import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { frameOf, uptimeText } from '../../test/kernel-text.ts';
import {
  type CapturedFile,
  CaptureError,
  type Frame,
  formatCapture,
  framedFiles,
  parseCapture,
  recordFrame,
} from './capture.ts';
import { type KernelFiles, PROCESS_FILES, readText } from './files.ts';

const MAGIC = '# herakles capture 1\n';

// biome-ignore format: one line a case
const refused: [what: string, text: string, message: RegExp][] = [
  ['nothing', '', /^line 1: a capture begins with the line "# herakles capture 1"/],
  ['another file', 'port: 9215\n', /^line 1: /],
  ['no frame', MAGIC, /^line 2: the capture holds no frame/],
  ['a file before any frame', `${MAGIC}file proc/stat\n`, /^line 2: expected "frame"/],
  ['a line of no kind', `${MAGIC}frame\nfiles proc/stat\n`, /^line 3: expected /],
  ['no path', `${MAGIC}frame\nfile\n`, /^line 3: expected /],
  ['content without a file', `${MAGIC}frame\n x\n`, /^line 3: expected /],
  ['an unknown reason', `${MAGIC}frame\nfailed proc/1/io forbidden\n`, /^line 3: "forbidden" is none of gone, denied, unsupported, malformed/],
  ['a reason of Object', `${MAGIC}frame\nfailed proc/1/io constructor\n`, /^line 3: /],
];
for (const [what, text, message] of refused) {
  test(`refused: ${what}`, () => assert.throws(() => parseCapture(text), { name: 'CaptureError', message }));
}

test('remarks and empty lines mean nothing', () => {
  const frames = parseCapture(
    `${MAGIC}# hello\n\nframe\n# x\nfile a\n 1\n 2\n\n# y\nbytes b \\x00\\\\\\x5cz\nlink c /x\\x0ay\nfailed d denied`,
  );
  assert.deepEqual(frames, [
    new Map<string, CapturedFile>([
      ['a', { bytes: Buffer.from('1\n2\n') }],
      ['b', { bytes: Buffer.from('\0\\\\z') }],
      ['c', { link: '/x\ny' }],
      ['d', { failed: 'denied' }],
    ]),
  ]);
});

test('parsing what was formatted gives the same frames, whatever they hold', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc
      .array(fc.constantFrom('a', ' ', '\n', '\\', '#', '\t', 'frame\n', '\\x41'), { maxLength: 20 })
      .map((parts) => Buffer.from(parts.join(''))),
  );
  const entry = fc.oneof(
    bytes.map((given): CapturedFile => ({ bytes: Buffer.from(given) })),
    fc.string({ unit: 'grapheme' }).map((link): CapturedFile => ({ link })),
    fc.constantFrom('gone', 'denied', 'unsupported', 'malformed').map((failed) => ({ failed }) as CapturedFile),
  );
  const path = fc.constantFrom('proc/1/stat', 'proc/1/exe', 'etc/passwd', '__proto__');
  const frame = fc
    .uniqueArray(fc.tuple(path, entry), { selector: ([at]) => at })
    .map((entries): Frame => new Map(entries));
  fc.assert(
    fc.property(fc.array(frame, { minLength: 1, maxLength: 3 }), fc.array(fc.string()), (frames, remarks) => {
      assert.deepEqual(parseCapture(formatCapture(frames, remarks)), frames);
    }),
    { numRuns: 300 },
  );
});

test('any text gives a capture or a CaptureError', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom('frame', 'file a', ' x', 'bytes a \\x', 'link a', 'failed a gone', '\r'),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      try {
        framedFiles(parseCapture(MAGIC + lines.join('\n')));
      } catch (error) {
        assert.ok(error instanceof CaptureError, String(error));
      }
    }),
  );
});

test('a recorded host gives the same text when it is served', async () => {
  const host = frameOf({}, [
    { pid: 2, kernelThread: true },
    { pid: 7, memory: {}, argv: ['x', '--password=secret'], cgroup: 'y\n' },
  ]);
  const scrub = (path: string, bytes: Uint8Array) => (path.endsWith('/cmdline') ? bytes.subarray(0, 2) : bytes);
  const recorded = await recordFrame(framedFiles([host]), scrub, (files) => {
    files.begin();
    for (const path of host.keys()) if (!/^proc\/\d/.test(path)) files.read(path);
    assert.throws(() => files.read('proc/self/auxv'), { reason: 'gone' });
  });
  for (const [path, entry] of host) {
    const expected = path === 'proc/7/cmdline' ? { bytes: Buffer.from('x\0') } : entry;
    const actual = recorded.get(path)!;
    assert.deepEqual('bytes' in actual ? { bytes: Buffer.from(actual.bytes) } : actual, expected, path);
  }
  assert.deepEqual(recorded.get('proc/self/auxv'), { failed: 'gone' }, 'what could not be read is recorded as that');
  assert.ok(!formatCapture([recorded]).includes('secret'));
});

test('every file read during recording is in the frame, with what the kernel answered', async () => {
  const host = new Map<string, CapturedFile>([
    ['proc/7/stat', { bytes: Buffer.from('x') }],
    ['proc/7/smaps_rollup', { bytes: Buffer.from('late') }],
    ['proc/new/file', { bytes: Buffer.from('new') }],
  ]);
  const source = framedFiles([host]);
  let closed = 0;
  const open = source.process.bind(source);
  source.process = (pid) => ({ ...open(pid), close: () => closed++ });
  const recorded = await recordFrame(
    source,
    (_, bytes) => bytes,
    async (files) => {
      files.begin();
      assert.equal(readText(files, 'proc/new/file'), 'new');
      assert.throws(() => files.read('sys/fs/cgroup/with space/x'), { reason: 'unsupported' });
      const proc = files.process(7);
      assert.equal(Buffer.from(await proc.readLater('smaps_rollup')).toString(), 'late');
      await assert.rejects(proc.readLater('io'), { reason: 'gone' });
    },
  );
  const text = (path: string) => Buffer.from((recorded.get(path) as { bytes: Uint8Array }).bytes).toString();
  assert.deepEqual(['proc/new/file', 'proc/7/smaps_rollup', 'proc/7/stat'].map(text), ['new', 'late', 'x']);
  assert.deepEqual(recorded.get('proc/7/io'), { failed: 'gone' });
  assert.ok(!recorded.has('sys/fs/cgroup/with space/x'));
  for (const file of [...PROCESS_FILES, 'exe']) assert.ok(recorded.has(`proc/7/${file}`), file);
  assert.ok(closed >= 2, 'no descriptor stays open');
});

test('a file is recorded as it was read, although its memory is used again for the next one', async () => {
  const pids = [1, 2, 3];
  const content = (path: string) => Buffer.from(`${path}\n`);
  const host = new Map(
    pids
      .flatMap((pid) => PROCESS_FILES.map((file) => `proc/${pid}/${file}`))
      .map((path) => [path, { bytes: content(path) }]),
  );
  const memory = framedFiles([host]);
  const buffer = Buffer.from(memory.buffer.buffer); // the live host has Buffers, whose `slice` copies nothing
  const source: KernelFiles = {
    ...memory,
    buffer,
    process(pid) {
      const proc = memory.process(pid);
      return { ...proc, readLater: async (file) => buffer.subarray(0, proc.read(file)) };
    },
  };
  const recorded = await recordFrame(
    source,
    (_, bytes) => bytes,
    async (files) => {
      files.begin();
      for (const pid of pids) await files.process(pid).readLater('smaps_rollup');
      for (const pid of pids) for (const file of PROCESS_FILES.slice(0, 3)) files.process(pid).read(file);
    },
  );
  for (const path of host.keys()) assert.deepEqual(recorded.get(path), { bytes: new Uint8Array(content(path)) }, path);
});

test('each collection reads the next frame, and the last one from then on', () => {
  const files = framedFiles([1, 2, 3].map((second) => new Map([['proc/uptime', { bytes: uptimeText(second * 100) }]])));
  const read = () =>
    Buffer.from(files.buffer.slice(0, files.read('proc/uptime')))
      .toString()
      .split('.')[0];
  assert.equal(read(), '1', 'before the first collection too');
  const seen = [0, 1, 2, 3, 4].map(() => {
    files.begin();
    return read();
  });
  assert.deepEqual(seen, ['1', '2', '3', '3', '3']);
});

test('a link cannot be read as a file, nor a file as a link', () => {
  const files = framedFiles([
    new Map<string, CapturedFile>([
      ['proc/1/stat', { link: 'x' }],
      ['proc/1/exe', { bytes: Buffer.from('x') }],
    ]),
  ]);
  assert.throws(() => files.process(1).read('stat'), { reason: 'unsupported' });
  assert.throws(() => files.process(1).exe(), { reason: 'unsupported' });
});

test('a capture of many frames and processes', () => {
  const entries: [string, CapturedFile][] = [];
  for (let pid = 1; pid <= 70_000; pid++) entries.push([`proc/${pid}/stat`, { failed: 'gone' }]);
  const frame = new Map(entries);
  const pids = [...framedFiles([frame, frame]).pids()];
  assert.equal(pids.length, 70_000);
});
