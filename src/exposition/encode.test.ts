import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { Encoder, type Format, writeNumber } from './encode.ts';
import { GzipWriter, gzipBody } from './gzip.ts';
import { boundedLabelValue, counter, distinctLabelValue, gauge, info, labelText, oddlyNamedCounter } from './metric.ts';

const written = (value: number): string => {
  const bytes = Buffer.alloc(40);
  return bytes.toString('latin1', 0, writeNumber(bytes, 0, value));
};

test('numbers', () => {
  // biome-ignore format: one line a case
  const cases: [number, string][] = [
    [0, '0'], [-0, '0'], [1, '1'], [-1, '-1'], [10, '10'], [999, '999'], [1000, '1000'], [0.5, '0.5'], [-0.25, '-0.25'],
    [0.001, '0.001'], [0.1, '0.1'], [0.09, '0.09'], [1.005, '1.005'], [0.9996, '0.9996'], [12.34, '12.34'],
    [0.1 + 0.2, '0.30000000000000004'], [1e12 + 0.5, '1000000000000.5'], [999_999_999_999_999, '999999999999999'],
    [1e15, '1000000000000000'], [2 ** 53, '9007199254740992'], [1e21, '1e+21'], [1e-7, '1e-7'], [5e-324, '5e-324'],
    [Number.MAX_VALUE, '1.7976931348623157e+308'], [Number.POSITIVE_INFINITY, '+Inf'], [Number.NEGATIVE_INFINITY, '-Inf'],
  ];
  for (const [value, text] of cases) assert.equal(written(value), text);
});

test('every number reads back as itself', () => {
  const near = fc
    .tuple(fc.integer({ min: -2e9, max: 2e9 }), fc.constantFrom(1, 10, 100, 1000, 4096))
    .map(([a, b]) => a / b);
  const size = fc
    .tuple(fc.double({ noNaN: true }), fc.constantFrom(1, 1e3, 1e-3, 1e9, 4096))
    .map(([a, b]) => Math.round(a) * b);
  fc.assert(
    fc.property(fc.oneof(fc.double({ noNaN: true }), near, size), (value) => {
      if (Number.isNaN(value)) return;
      const text = written(value);
      assert.ok(text.length <= 32, text);
      assert.equal(Number(text.replace('Inf', 'Infinity')), value + 0);
    }),
    { numRuns: 2000 },
  );
});

const labelled = gauge('x_bytes', 'Help.', ['pid', 'name']);
const encode = (format: Format, write: (encoder: Encoder) => void, capacity?: number): string => {
  const encoder = new Encoder(format, capacity);
  encoder.begin();
  write(encoder);
  encoder.end();
  return encoder.bytes().toString();
};

test('a label value has at most 256 bytes: of a longer one the end, whole characters only', () => {
  const path = `/${'a'.repeat(400)}/bin/program`;
  assert.equal(boundedLabelValue('x'.repeat(256)), 'x'.repeat(256));
  assert.equal(boundedLabelValue(path), `…${path.slice(-253)}`);
  assert.equal(boundedLabelValue('é'.repeat(128)), 'é'.repeat(128));
  assert.equal(boundedLabelValue(`${'é'.repeat(127)}xx é`), `…${'é'.repeat(124)}xx é`);
  const any = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 700, size: 'max' }),
    fc.string({ unit: 'grapheme', maxLength: 700, size: 'max' }),
  );
  fc.assert(
    fc.property(any, (value) => {
      for (const bounded of [boundedLabelValue(value), distinctLabelValue(value)]) {
        assert.ok(Buffer.byteLength(bounded) <= 256);
        assert.ok(bounded.isWellFormed() || bounded === value);
        assert.ok(value.toWellFormed().endsWith(bounded.slice(bounded.indexOf('…') + 1)));
      }
    }),
  );
  const line = labelText(labelled, { pid: '1', name: '\ufffd'.repeat(4000) });
  assert.ok(line.length <= 280, `${line.length} bytes`);
});

test('a long value that alone tells two series apart stays different from every other', () => {
  const tail = '/x'.repeat(200);
  const values = ['/a', '/b', '/c'].map((head) => distinctLabelValue(head + tail));
  assert.equal(new Set(values).size, 3);
  assert.match(values[0]!, /^[0-9a-f]{32}….*\/x$/);
  assert.equal(distinctLabelValue('/short'), '/short');
});

test('label values: escaped for this sink, valid UTF-8 always', () => {
  // biome-ignore format: one line a case
  const cases: [value: string, text: string][] = [
    ['', ''], ['plain', 'plain'], ['a"b', 'a\\"b'], ['a\\b', 'a\\\\b'], ['a\nb', 'a\\nb'], ['\\n', '\\\\n'], ['"}\nx 1', '\\"}\\nx 1'],
    ['Zoë 🦜', 'Zoë 🦜'], ['\ud800', '\ufffd'], ['a\udc00b', 'a\ufffdb'], ['\0\t\r\x7f', '\0\t\r\x7f'], ['{}=,', '{}=,'],
  ];
  for (const [value, text] of cases) {
    const labels = labelText(labelled, { pid: '1', name: value });
    assert.equal(Buffer.from(labels, 'latin1').toString(), `{pid="1",name="${text}"}`);
    const out = encode('text', (encoder) => {
      encoder.family(labelled);
      encoder.sample(labels, 1);
    });
    assert.equal(out.split('\n').length, 4, 'a value never ends a line');
  }
});

test('labels are written in the declared order; empty labels are left out only of info families', () => {
  const about = info('x_info', 'Help.', ['pid', 'unit']);
  assert.equal(labelText(labelled, { name: 'b', pid: '' }), '{pid="",name="b"}');
  assert.equal(labelText(about, { unit: '', pid: '1' }), '{pid="1"}');
  assert.equal(labelText(about, { unit: '', pid: '' }), '');
  assert.equal(labelText(gauge('x', 'Help.'), {}), '');
});

test('families in both formats', () => {
  // biome-ignore format: one line a case
  const cases: [family: Parameters<Encoder['family']>[0], text: string, openmetrics: string][] = [
    [gauge('a_bytes', 'A "b" \\ c\nd.'), '# HELP a_bytes A "b" \\\\ c\\nd.\n# TYPE a_bytes gauge\na_bytes 1\n', '# HELP a_bytes A \\"b\\" \\\\ c\\nd.\n# TYPE a_bytes gauge\n# UNIT a_bytes bytes\na_bytes 1\n# EOF\n'],
    [counter('a_seconds_total', 'A.'), '# HELP a_seconds_total A.\n# TYPE a_seconds_total counter\na_seconds_total 1\n', '# HELP a_seconds A.\n# TYPE a_seconds counter\n# UNIT a_seconds seconds\na_seconds_total 1\n# EOF\n'],
    [counter('a_total', 'A.'), '# HELP a_total A.\n# TYPE a_total counter\na_total 1\n', '# HELP a A.\n# TYPE a counter\na_total 1\n# EOF\n'],
    [info('a_info', 'A.'), '# HELP a_info A.\n# TYPE a_info gauge\na_info 1\n', '# HELP a A.\n# TYPE a info\na_info 1\n# EOF\n'],
    [oddlyNamedCounter('a_seconds', 'A.'), '# HELP a_seconds A.\n# TYPE a_seconds counter\na_seconds 1\n', '# HELP a_seconds A.\n# TYPE a_seconds unknown\n# UNIT a_seconds seconds\na_seconds 1\n# EOF\n'],
    [oddlyNamedCounter('a_seconds_sum', 'A.'), '# HELP a_seconds_sum A.\n# TYPE a_seconds_sum counter\na_seconds_sum 1\n', '# HELP a_seconds_sum A.\n# TYPE a_seconds_sum unknown\na_seconds_sum 1\n# EOF\n'],
  ];
  for (const [family, text, openmetrics] of cases) {
    const write = (encoder: Encoder) => {
      encoder.family(family);
      encoder.sample('', 1);
    };
    assert.equal(encode('text', write), text);
    assert.equal(encode('openmetrics', write), openmetrics);
  }
});

test('an unknown value is left out, and not counted', () => {
  const encoder = new Encoder('text');
  encoder.begin();
  encoder.family(gauge('x', 'Help.'));
  encoder.sample('', Number.NaN);
  assert.equal(encoder.series, 0);
  encoder.sample('', 0);
  assert.equal(encoder.series, 1);
  encoder.begin();
  assert.deepEqual([encoder.series, encoder.bytes().length], [0, 0], 'nothing is left of the last response');
});

test('a response taken chunk by chunk is the same, and its memory is used again', () => {
  const whole = encode('text', (encoder) => {
    for (let i = 0; i < 3000; i++) encoder.sample(labelText(labelled, { pid: String(i), name: 'x' }), i);
  });
  const encoder = new Encoder('text', 1000);
  let seen = '';
  const memory = new Set<ArrayBufferLike>();
  for (let i = 0; i < 3000; i++) {
    if (i === 0) encoder.begin();
    encoder.sample(labelText(labelled, { pid: String(i), name: 'x' }), i);
    if (i % 100 < 99) continue;
    const taken = encoder.take();
    for (const piece of taken) memory.add(piece.buffer);
    seen += Buffer.concat(taken).toString();
    encoder.recycle(taken);
  }
  assert.equal(seen, whole);
  assert.equal(encoder.series, 3000);
  assert.ok(whole.length > 50_000 && memory.size < 10, `${memory.size} chunks`);
});

test('a response of any length is whole, whatever the size of a chunk', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { maxLength: 30 }),
      fc.integer({ min: 0, max: 200 }),
      (names, capacity) => {
        const write = (encoder: Encoder) => {
          encoder.family(labelled);
          for (const name of names) encoder.sample(labelText(labelled, { pid: '1', name }), 1e15 / 7);
        };
        assert.equal(encode('text', write, capacity), encode('text', write, 1 << 20));
      },
    ),
    { numRuns: 50 },
  );
});

test('parts compressed once give the plain bytes in every combination, with any number of tails', async () => {
  const text = fc.oneof(
    fc.uint8Array({ maxLength: 2000 }),
    fc.string({ maxLength: 50 }).map((text) => Buffer.from(text.repeat(500))),
  );
  const writer = new GzipWriter();
  const compress = async (pieces: readonly Uint8Array[]) => {
    writer.begin();
    for (const piece of pieces) await writer.write(piece.length > 0 ? [Buffer.from(piece)] : []);
    return writer.finish();
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(text), { maxLength: 4 }),
      fc.array(text, { minLength: 1, maxLength: 3 }),
      async (parts, tails) => {
        const compressed = [];
        for (const part of parts) compressed.push(await compress(part));
        for (const tail of tails) {
          for (const left of [-1, ...parts.keys()]) {
            const kept = <T>(all: readonly T[]): T[] => all.filter((_, i) => i !== left);
            const whole = Buffer.concat(gzipBody(kept(compressed), Buffer.from(tail)));
            assert.ok(gunzipSync(whole).equals(Buffer.concat([...kept(parts).flat(), tail])));
          }
        }
      },
    ),
    { numRuns: 60 },
  );
  const noise = randomBytes(3 << 20); // more than any buffer in between holds
  writer.begin();
  await writer.write([noise, noise]);
  const part = writer.finish();
  for (const tail of [Buffer.alloc(0), noise]) {
    const whole = Buffer.concat(gzipBody([part, part], tail));
    assert.ok(gunzipSync(whole).equals(Buffer.concat([noise, noise, noise, noise, tail])));
  }
});
