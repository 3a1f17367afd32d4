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
import { readUsers } from './host.ts';

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
  ['a reason nobody knows', `${MAGIC}frame\nfailed proc/1/io forbidden\n`, /^line 3: "forbidden" is none of gone, denied, unsupported, malformed/],
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

test('what was written is read again, whatever it holds', () => {
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

test('recorded and served, a host says the same', () => {
  const host = frameOf({}, [
    { pid: 2, kernelThread: true },
    { pid: 7, memory: {}, argv: ['x', '-v'], cgroup: 'y\n' },
  ]);
  const recorded = recordFrame(framedFiles([host]));
  for (const [path, entry] of host) {
    const actual = recorded.get(path)!;
    assert.deepEqual('bytes' in actual ? { bytes: Buffer.from(actual.bytes) } : actual, entry, path);
  }
  assert.deepEqual(recorded.get('proc/self/auxv'), { failed: 'gone' }, 'what could not be read is recorded as that');
});

test('of the users of a host, a capture holds names and numbers', () => {
  const passwd =
    'root:$6$salt$hash:0:0:Ann,Room 7,555-0100:/root:/bin/sh\n# a remark\n+::::::\nshop:x:1000:1000::/srv:/bin/sh\n';
  const host = new Map([['etc/passwd', { bytes: Buffer.from(passwd) }]]);
  const recorded = recordFrame(framedFiles([host]));
  const entry = recorded.get('etc/passwd')!;
  assert.equal('bytes' in entry && Buffer.from(entry.bytes).toString(), 'root:x:0:\nshop:x:1000:\n');
  assert.deepEqual([...readUsers(framedFiles([recorded]))], [...readUsers(framedFiles([host]))]);
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

test('a link is no file, and a file no link', () => {
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
