import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HUGE_MAPPINGS_BYTES_MAX, parseHugeMappings, readHugeMappings } from './huge-mappings.ts';

/** The lines of a mapping that matter here, with others of Linux 6.18 between them. */
function mapping(path: string, shared: number, { start = 0x7f2a40000000, inode = 81234, offset = 0 } = {}): string {
  const hex = (value: number) => value.toString(16).padStart(8, '0');
  const first = `${hex(start)}-${hex(start + 0x10000000)} rw-s ${hex(offset)} 00:0f ${inode}`.padEnd(72);
  const lines = ['Size:             262144 kB', 'KernelPageSize:     2048 kB', 'Rss:                   0 kB'];
  const last = ['VmFlags: rd wr sh mr mw me ms de ht sd'];
  const huge = [`Shared_Hugetlb: ${String(shared).padStart(8)} kB`, 'Private_Hugetlb:       0 kB'];
  return [`${first} ${path}`, ...lines, ...huge, ...last].map((line) => `${line}\n`).join('');
}

function kept(text: string): string {
  const bytes = Buffer.from(text, 'latin1');
  let given = 0;
  const read = (into: Buffer, at: number): number => {
    const got = bytes.copy(into, at, given, given + 4096); // a page of the kernel, wherever it ends
    given += got;
    return got;
  };
  const out = Buffer.alloc(HUGE_MAPPINGS_BYTES_MAX + 10, '#');
  const length = readHugeMappings(read, out, 5);
  assert.equal(out.toString('latin1', 0, 5), '#####');
  assert.ok(length <= HUGE_MAPPINGS_BYTES_MAX);
  return out.toString('latin1', 5, 5 + length);
}

test('of smaps the mappings of shared huge pages are kept, without their paths', () => {
  const text = [
    mapping('/usr/bin/postgres', 0),
    mapping('/dev/hugepages/secret name (deleted)', 262144),
    mapping('/anon_hugepage (deleted)', 2048, { inode: 7 }),
    mapping('[heap]', 0),
  ].join('');
  const first = '7f2a40000000-7f2a50000000 rw-s 00000000 00:0f';
  const expected = `${first} 81234\nShared_Hugetlb:   262144 kB\n${first} 7\nShared_Hugetlb:     2048 kB\n`;
  assert.equal(kept(text), expected);
  assert.deepEqual(parseHugeMappings(expected), [
    { key: '00:0f 81234', bytes: 2 ** 28, size: 2 ** 28 },
    { key: '00:0f 7', bytes: 2 ** 21, size: 2 ** 28 },
  ]);
  assert.equal(kept(''), '');
  assert.deepEqual(parseHugeMappings(''), []);
});

test('a segment that is mapped in two places is one', () => {
  const text = mapping('/a', 1024) + mapping('/a', 512, { start: 0x100000, offset: 0x40000000 });
  assert.deepEqual(parseHugeMappings(kept(text)), [
    { key: '00:0f 81234', bytes: 1536 * 1024, size: 2 ** 30 + 2 ** 28 },
  ]);
});

test('whatever mappings stand before and behind, and however long the text is, each is found', () => {
  const path = fc.oneof(
    fc.constant('/x\\012Shared_Hugetlb: 9 kB'),
    fc.string({ maxLength: 40 }).map((name) => `/${name.replace(/[^ -~]/g, '')}`),
  );
  const other = fc.record({ path, shared: fc.constantFrom(0, 0, 0, 0, 2048) });
  const many = fc
    .array(other, { maxLength: 20 })
    .chain((some) => fc.nat(60).map((times) => Array(times).fill(some).flat()));
  fc.assert(
    fc.property(many, (given: { path: string; shared: number }[]) => {
      const text = given.map(({ path: at, shared }, index) => mapping(at, shared, { inode: index })).join('');
      const found = parseHugeMappings(kept(text))!.map(({ key }) => key);
      const all = given.flatMap(({ shared }, index) => (shared > 0 ? [`00:0f ${index}`] : []));
      assert.deepEqual(found, all.slice(0, found.length));
      if (all.length < 600) assert.equal(found.length, all.length);
    }),
    { numRuns: 60 },
  );
});

test('a text without end and without mappings ends', () => {
  assert.equal(kept('X'.repeat(200_000)), '');
  assert.equal(kept('7f00'.repeat(50_000)), '');
});

test('any text gives segments or nothing, and ends', () => {
  const pieces = ['\n', 'Shared_Hugetlb:', ' 4 kB', '7f2a-7f2b rw-s 0 00:0f 7', 'x', '0'];
  const text = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((some) => some.join(''));
  fc.assert(fc.property(text, (given) => void parseHugeMappings(kept(given))));
});

test('a text of another form is refused', () => {
  for (const text of [
    'x\n',
    '7f-80 rw-s 0 00:0f 1\n',
    '7f-80 rw-s 0 00:0f 1\nShared_Hugetlb: x kB\n',
    'a\nb\n',
    'no end',
  ])
    assert.equal(parseHugeMappings(text), undefined, text);
});
