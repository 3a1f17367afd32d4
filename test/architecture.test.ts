// The house keeps its shape: who imports whom, where files and clocks are touched, how long and how named files are.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';

const root = new URL('..', import.meta.url).pathname;
const files = ['src', 'test', 'bench', 'scripts', 'deploy', 'catalogue'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name))),
);
const code = files.filter(
  (path) =>
    ['.ts', '.tsx', '.mjs', '.c'].includes(extname(path)) && !path.endsWith('.d.ts') && !path.endsWith('.d.mts'),
);
const program = code.filter((path) => path.startsWith('src/') && !path.endsWith('.test.ts'));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** What each folder may import of ours. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  text: [],
  kernel: [],
  exposition: [],
  pattern: [],
  rules: ['pattern', 'text'],
  process: ['kernel', 'rules'],
  footprint: ['kernel', 'process'],
  view: ['kernel', 'process', 'footprint'],
  collectors: ['exposition', 'view', 'kernel'],
  config: ['text'],
  agent: ['text', 'kernel', 'exposition', 'rules', 'process', 'footprint', 'view', 'collectors', 'config'],
  server: ['agent', 'exposition', 'config', 'text', 'docs', 'web'],
  web: ['text'],
  cli: [
    ...['text', 'kernel', 'exposition', 'pattern', 'rules', 'process', 'footprint', 'view', 'collectors', 'config'],
    ...['agent', 'server', 'catalogue', 'deploy', 'bpf'],
  ],
  'main.ts': ['cli', 'agent'],
  'executable.ts': ['kernel'],
};

/** Of what folders it may import types beside that: the page in the browser takes no code of the server. */
const TYPES_ALLOWED: Readonly<Record<string, readonly string[]>> = { web: ['server'] };

interface Import {
  readonly from: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

function importsOf(path: string): Import[] {
  const found: Import[] = [];
  for (const [, keyword, clause, target] of read(path).matchAll(
    /^(import|export)\s([^;'"]*?)\s*(?:from\s)?'(\.[^']+)'/gm,
  )) {
    const names = clause!
      .replace(/^type\s/, '')
      .replace(/[{}\s]/g, ' ')
      .split(',');
    const typeOnly =
      clause!.startsWith('type ') ||
      (keyword === 'import' &&
        clause!.startsWith('{') &&
        names.every((name) => name.trim() === '' || name.trim().startsWith('type ')));
    found.push({ from: path, target: relative(root, resolve(root, dirname(path), target!)), typeOnly });
  }
  for (const [, target] of read(path).matchAll(/\bimport\(\s*'(\.[^']+)'/g)) {
    found.push({ from: path, target: relative(root, resolve(root, dirname(path), target!)), typeOnly: false });
  }
  return found;
}

const folderOf = (path: string): string => path.split('/')[path.startsWith('src/') ? 1 : 0]!;

test('folders import only what they may', () => {
  const folders = new Set(program.map(folderOf));
  assert.deepEqual([...folders].sort(), Object.keys(ALLOWED).sort(), 'every folder has its rule');
  const broken: string[] = [];
  let seen = 0;
  for (const path of program) {
    const folder = folderOf(path);
    for (const { target, typeOnly } of importsOf(path)) {
      const to = folderOf(target);
      seen++;
      if (typeOnly && TYPES_ALLOWED[folder]?.includes(to)) continue;
      if (to !== folder && !ALLOWED[folder]!.includes(to)) broken.push(`${path} → ${target}`);
    }
  }
  assert.ok(seen > 100, `${seen} imports were looked at`);
  assert.deepEqual(broken, []);
});

test('no imports in circles', () => {
  const graph = new Map(
    program.map((path) => [
      path,
      importsOf(path)
        .filter(({ typeOnly }) => !typeOnly)
        .map(({ target }) => target),
    ]),
  );
  const done = new Set<string>();
  const visit = (path: string, above: readonly string[]): void => {
    assert.ok(!above.includes(path), [...above, path].join(' → '));
    if (done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...above, path]);
    done.add(path);
  };
  for (const path of program) visit(path, []);
});

const only = (what: RegExp, places: readonly string[]) => {
  const found = program.filter((path) => what.test(read(path)));
  assert.deepEqual(found.sort(), [...places].sort());
};

/** The classes of a process's parts, which can be written, and the one file that may import each: see src/process/process.ts. */
const WRITERS: Readonly<Record<string, string>> = {
  Stat: 'src/process/stat.ts',
  Memory: 'src/process/rss.ts',
  Io: 'src/process/io.ts',
  Usage: 'src/process/cpu-usage.ts',
  Sharing: 'src/process/page-sharing.ts',
  Sharers: 'src/process/page-sharing.ts',
  Member: 'src/process/membership.ts',
  UnreadableFiles: 'src/process/unreadable.ts',
  PageTables: 'src/footprint/page-tables.ts',
  Measurement: 'src/footprint/scheduler.ts',
  Footprint: 'src/footprint/estimator.ts',
};

test('each part of a process has one file that writes it', () => {
  const home = 'src/process/process.ts';
  const parts = [...read(home).matchAll(/^ {2}readonly \w+: Readonly<(\w+)>;$/gm)].map(([, name]) => name!);
  assert.deepEqual(parts.concat('Sharers').sort(), Object.keys(WRITERS).sort(), 'every part has its writer');
  const importers = new Map<string, string[]>();
  for (const path of program) {
    for (const [, names, target] of read(path).matchAll(/^import (?:type )?\{([^}]*)\} from '(\.[^']+)'/gm)) {
      if (relative(root, resolve(root, dirname(path), target!)) !== home) continue;
      for (const name of names!.split(',').map(
        (each) =>
          each
            .trim()
            .replace(/^type /, '')
            .split(' ')[0]!,
      )) {
        if (name in WRITERS) importers.set(name, [...(importers.get(name) ?? []), path]);
      }
    }
    assert.doesNotMatch(
      read(path),
      /import\([^)]*process\/process\.ts|import \* as \w+ from '[^']*\/process\.ts'/,
      path,
    );
  }
  assert.deepEqual(
    Object.fromEntries(importers),
    Object.fromEntries(Object.entries(WRITERS).map(([name, path]) => [name, [path]])),
  );
});

test('files are touched in a few places', () =>
  only(/['"]node:fs(\/promises)?['"]/, [
    'src/kernel/kernel-log.ts',
    'src/kernel/live-host.ts',
    'src/kernel/living-thread.ts',
    'src/kernel/open-descriptors.ts',
    'src/kernel/reader.ts',
    'src/kernel/self.ts',
    'src/kernel/task-file.ts',
    'src/kernel/tmpfs.ts',
    'src/config/operator-files.ts',
    'src/config/path-control.ts',
    'src/config/watch.ts',
    'src/server/listeners.ts',
    'src/cli/bpf/pin.ts',
    'src/cli/bpf/requirements.ts',
    'src/cli/foreign-files.ts',
    'src/cli/install/install.ts',
    'src/cli/install/steps.ts',
    'src/cli/new-file.ts',
    'src/cli/output.ts',
  ]));

test('what a verb prints goes through one writer, which notices what could not be written', () =>
  only(/\bprocess\.std(?:out|err)\b|\bconsole\.\w/, [
    'src/agent/log.ts',
    'src/cli/serve/serve.ts',
    'src/cli/terminal.ts',
  ]));

test('the clock is read in agent/, and for dates that people see', () =>
  only(/\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bhrtime\b/, [
    'src/agent/log.ts',
    'src/agent/time-slices.ts',
    'src/kernel/reader.ts',
    'src/server/pages.ts',
    'src/server/web-config.ts',
    'src/web/feed.ts',
  ]));

test('processes are ended in one place', () => only(/\bprocess\.(exit|abort|kill)\(/, ['src/main.ts']));

test('no name that says nothing', () => {
  const empty = /^(utils?|helpers?|common|misc|managers?|types)$/;
  for (const path of files) {
    for (const part of path.split('/')) assert.doesNotMatch(part.split('.')[0]!, empty, path);
  }
});

test('files are short, and say first why they exist', () => {
  const long = code.map((path) => [path, read(path).split('\n').length] as const).filter(([, lines]) => lines > 400);
  assert.deepEqual(long, []);
  // A test that stands beside what it tests needs no reason.
  const headed = code.filter((path) => !path.endsWith('.test.ts') || path.startsWith('test/'));
  const silent = headed.filter((path) => !/^(#!.*\n)?(\/\/|\/\*) ?\S/.test(read(path)));
  assert.deepEqual(silent, []);
});

test('an exported name stands in one file', () => {
  const homes = new Map<string, string[]>();
  for (const path of program) {
    const exported = /^export (?:abstract )?(?:async )?(?:class|interface|type|const|let|function\*?|enum) (\w+)/gm;
    for (const name of new Set([...read(path).matchAll(exported)].map(([, name]) => name!))) {
      homes.set(name, [...(homes.get(name) ?? []), path]);
    }
  }
  assert.ok(homes.size > 200, `${homes.size} names were looked at`);
  assert.deepEqual(
    [...homes].filter(([, paths]) => paths.length > 1),
    [],
  );
});
