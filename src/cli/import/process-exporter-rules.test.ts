import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'smol-toml';
import { stringify } from 'yaml';
import { MalformedFileError } from '../../config/malformed-file.ts';
import { parseRules } from '../../rules/rule-parser.ts';
import { ruleFileText } from './import-process-exporter.ts';
import { type Entry, parseEntries, parseNameFlags } from './process-exporter-config.ts';
import { importEntries } from './process-exporter-rules.ts';

// test/import.e2e.ts shows with the real process-exporter that imported rules match the same processes.

const entry = (given: Partial<Entry>): Entry => ({
  ...{ line: 2, name: '{{.ExeBase}}', comm: undefined, exe: undefined, cmdline: undefined },
  ...given,
});

test('entries are read as Go reads them', async () => {
  const text = `
process_names:
  - comm: [bash, 12, yes, 0x1F, ~]
    exe:
    name: 7
  - cmdline: []
    name:
    colour: red
    cmdline: ["x"]`;
  assert.deepEqual(await parseEntries(text), [
    entry({ line: 3, name: '7', comm: ['bash', '12', 'yes', '0x1F', ''] }),
    entry({ line: 6, cmdline: ['x'] }),
  ]);
  await assert.rejects(parseEntries('a: &x [b]\nprocess_names:\n  - comm: *x\n'), /comm is a YAML alias/);
  await assert.rejects(parseEntries(''), /has no list process_names|must have keys/);
});

test('flags: pairs come first, a name counts once, an odd list is refused', () => {
  assert.deepEqual(parseNameFlags('a,b,a,,c', 'b,(x)'), [
    entry({ line: undefined, name: 'b:{{.Capture}}', comm: ['b'], cmdline: ['(x)'] }),
    entry({ line: undefined, name: 'a', comm: ['a'] }),
    entry({ line: undefined, name: 'c', comm: ['c'] }),
  ]);
  assert.throws(() => parseNameFlags('', 'a'), MalformedFileError);
  assert.throws(() => parseNameFlags('', 'a,'), MalformedFileError);
});

test('a template names groups', () => {
  // biome-ignore format: one line a case
  const cases: [given: Partial<Entry>, names: string[]][] = [
    [{ comm: ['a', 'b'] }, ['a', 'b']],
    [{ name: 'x', comm: ['a', 'b'] }, ['x']],
    [{ name: '{{.Comm}}/{{.ExeBase}}', comm: ['a', 'b'], exe: ['/bin/c', 'd'] }, ['a/c', 'a/d', 'b/c', 'b/d']],
    [{ name: '{{.ExeFull}}', comm: ['a'], cmdline: ['x'] }, ['a']],
    [{ name: '{{.Comm}}', exe: ['/opt/longer-than-a-comm'] }, ['longer-than-a-c']],
    [{ name: 'z {{- .Comm -}} z', comm: ['a'] }, ['zaz']],
    [{ name: '{{.Matches}}', cmdline: ['x', 'a\\.b c'] }, ['map[:a.b c]']],
    [{ name: '{{.Matches}}', cmdline: ['a.+'] }, ['(a.+)']],
    [{ name: '{{.Matches}}', cmdline: ['(?P<n>a)'] }, ['((?P<n>a))']],
    [{ name: '{{index .Matches "n"}}', cmdline: ['(?P<n>a)'] }, ['(n)']],
    [{ name: '{{if .PID}}x{{end}}', comm: ['a'] }, ['(PID)x(end)']],
    [{ name: 'a\nb', comm: ['a'] }, ['a b']],
    [{ name: '{{""}}', comm: ['a'] }, ['(name)']],
  ];
  for (const [given, names] of cases) {
    const [imported] = importEntries([entry(given)]);
    assert.deepEqual(
      imported!.rules.map(({ subgroup }) => subgroup),
      names,
      JSON.stringify(given),
    );
  }
});

test('an entry without equivalent is left out, with a note', () => {
  const [look, , all, late] = importEntries([
    entry({ name: 'x', cmdline: ['ok', '(?m)^a'] }),
    entry({ comm: ['a'] }),
    entry({ line: 9, name: '{{.Username}}', cmdline: ['^.+$', ''] }),
    entry({ comm: ['b'] }),
  ]);
  assert.deepEqual([look!.rules, all!.rules, late!.rules], [[], [], []]);
  assert.match(
    look!.notes.join('\n'),
    /cmdline "\(\?m\)\^a" has no equivalent here: .*; write another expression\nis left out/,
  );
  assert.match(
    all!.notes.join('\n'),
    /one group for each \.Username; left out.*the label user of herakles_process_info/,
  );
  assert.match(late!.notes.join('\n'), /the entry in line 9 takes every process first/);
});

test('any entries become a rule file that can be read, whatever their text', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('{{.Comm}}', '[*?\\', '"""', '\n#', '(a|b)', '.'),
  );
  const list = fc.option(fc.array(text, { maxLength: 3 }), { nil: undefined });
  const entries = fc.array(fc.record({ line: fc.constant(2), name: text, comm: list, exe: list, cmdline: list }));
  fc.assert(
    fc.property(entries, text, (some, path) => {
      const { output } = ruleFileText(path, importEntries(some));
      parseRules(parse(output), 'x');
    }),
  );
});

test('any text gives entries or MalformedFileError', async () => {
  const leaf = fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.array(fc.string()));
  const item = fc.oneof(leaf, fc.dictionary(fc.constantFrom('name', 'comm', 'exe', 'cmdline', 'x'), leaf));
  const document = fc
    .oneof(leaf, fc.record({ process_names: fc.oneof(leaf, fc.array(item)) }))
    .map((d) => stringify(d));
  await fc.assert(
    fc.asyncProperty(fc.oneof(document, fc.string({ unit: 'binary' })), async (text) => {
      await parseEntries(text).catch((error) => assert.ok(error instanceof MalformedFileError, error));
    }),
  );
});
