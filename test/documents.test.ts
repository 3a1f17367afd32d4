// What the documents say is what the code does, both ways.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { generatedFiles } from '../scripts/generated-files.ts';
import { verbs } from '../src/cli/verbs.ts';
import { collectors } from '../src/collectors/index.ts';
import { keys } from '../src/config/options.ts';

const root = new URL('..', import.meta.url).pathname;
const read = (path: string): string => readFileSync(root + path, 'utf8');
const families = new Map(
  collectors.flatMap(({ families }) => families.map((family) => [family.name, family] as const)),
);

/** The metric contract of the project: the names by type and labels. */
const CONTRACT: Readonly<Record<string, readonly string[]>> = {
  'gauge pid,name,group,subgroup': [
    ...['rss', 'pss', 'uss', 'swap'].map((kind) => `herakles_mem_process_${kind}_bytes`),
    'herakles_cpu_process_usage_percent',
    'herakles_process_start_time_seconds',
    'herakles_process_open_fds',
  ],
  'unknown pid,name,group,subgroup': ['herakles_cpu_process_time_seconds'],
  'info pid,name,group,subgroup,user,exe,unit,container_id,pod_uid,rule': ['herakles_process_info'],
  'counter pid,name,group,subgroup': [
    ...['voluntary', 'involuntary'].map((kind) => `herakles_process_${kind}_context_switches_total`),
    'herakles_io_process_read_bytes_total',
    'herakles_io_process_write_bytes_total',
  ],
  'gauge group,subgroup': [
    ...['rss', 'pss', 'uss', 'swap', 'footprint'].map((kind) => `herakles_mem_group_${kind}_bytes`),
    'herakles_mem_group_pss_coverage_ratio',
    'herakles_cpu_group_usage_percent_sum',
    'herakles_group_threads',
    'herakles_group_max_fds_ratio',
    'herakles_group_oldest_start_time_seconds',
  ],
  'unknown group,subgroup': ['herakles_cpu_group_time_seconds_sum'],
  'counter group,subgroup,mode': ['herakles_cpu_group_seconds_total'],
  'counter group,subgroup': [
    'herakles_io_group_read_bytes_total',
    'herakles_io_group_write_bytes_total',
    'herakles_group_processes_started_total',
    'herakles_group_processes_exited_total',
  ],
  'counter group,subgroup,severity': ['herakles_mem_group_page_faults_total'],
  'gauge group,subgroup,state': ['herakles_group_processes'],
  'gauge ': [
    ...['total', 'available', 'swap_total', 'swap_free'].map((kind) => `herakles_mem_system_${kind}_bytes`),
    'herakles_exporter_scrape_duration_seconds',
    'herakles_exporter_processes_total',
    'herakles_exporter_cache_update_duration_seconds',
    'herakles_exporter_cache_update_success',
    'herakles_exporter_cache_updating',
    'herakles_exporter_collection_age_seconds',
    'herakles_exporter_smaps_oldest_age_seconds',
    'herakles_exporter_smaps_deferred_processes',
    'herakles_exporter_series',
    'herakles_exporter_config_last_reload_successful',
    'herakles_exporter_config_last_reload_success_timestamp_seconds',
    ...['resident_memory_bytes', 'virtual_memory_bytes', 'start_time_seconds', 'open_fds', 'max_fds'].map(
      (n) => `process_${n}`,
    ),
  ],
  'counter kind': ['herakles_mem_system_pressure_seconds_total'],
  'info version,revision,nodejs': ['herakles_exporter_build_info'],
  'gauge file,reason': ['herakles_exporter_unreadable_processes'],
  'counter outcome': ['herakles_exporter_smaps_reads_total'],
  'counter ': ['herakles_exporter_smaps_seconds_total', 'process_cpu_seconds_total'],
  'gauge setting': ['herakles_exporter_unknown_names'],
  'gauge reason': ['herakles_exporter_series_dropped'],
  'counter path,code': ['herakles_exporter_http_requests_total'],
};

test('every family of the contract is there, with its type and its labels', () => {
  for (const [shape, names] of Object.entries(CONTRACT)) {
    for (const name of names) {
      const family = families.get(name);
      assert.equal(family && `${family.type} ${family.labels.join(',')}`, shape, name);
    }
  }
});

test('docs/metrics.md lists every family with type, labels, help and collector, and no other', () => {
  const rows = read('docs/metrics.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  assert.equal(rows.length, families.size);
  for (const { name, families } of collectors) {
    const section = read('docs/metrics.md')
      .split(/^## /m)
      .find((part) => part.startsWith(`\`${name}\``))!;
    for (const { name: family, type, textType, labels, help } of families) {
      const row = section.split('\n').find((line) => line.startsWith(`| \`${family}\` `));
      assert.ok(row, `${family} in ${name}`);
      const shown = type === 'unknown' ? `${textType}` : type;
      for (const part of [shown, help, ...labels.map((label) => `\`${label}\``)])
        assert.ok(row.includes(part), `${family}: ${part}`);
    }
  }
});

for (const { path, make } of generatedFiles) {
  test(`${path} is what its declaration makes`, () => {
    assert.ok(read(path) === make(), 'run: npm run generate');
  });
}

test('README lists every command, and no other', () => {
  const section = read('README.md')
    .split(/^## /m)
    .find((part) => part.startsWith('Commands\n'))!;
  const cells = [...section.matchAll(/^\| (`.*?`) \|/gm)].map(([, cell]) => cell!);
  const written = cells.flatMap((cell) => [...cell.matchAll(/`(?:… )?([^`]+)`/g)].map(([, words]) => words!));
  const names = written.map((words) =>
    words
      .split(' ')
      .filter((word) => /^[a-z][a-z-]*$/.test(word))
      .join(' '),
  );
  const declared = verbs.filter((verb) => 'run' in verb).map(({ name }) => name);
  const shown = names.map((name) => (name === 'herakles-node-exporter' ? 'serve' : name));
  assert.deepEqual([...new Set(shown)].sort(), declared.sort());
});

const markdown = ['.', 'docs', 'docs/decisions'].flatMap((folder) =>
  readdirSync(root + folder)
    .filter((name) => name.endsWith('.md'))
    .map((name) => (folder === '.' ? name : `${folder}/${name}`)),
);

/** Whether a name is a family's, or the start of one as in `herakles_mem_`. */
const isFamily = (name: string): boolean =>
  families.has(name) || [...families.keys()].some((family) => family.startsWith(name) && name.endsWith('_'));

for (const path of markdown) {
  test(`${path}: every metric and key it names exists, every link leads somewhere`, () => {
    const text = read(path);
    for (const [name] of text.matchAll(/\bherakles_(?:mem|cpu|io|group|cgroup|process|exporter)_[a-z\d_]+/g)) {
      assert.ok(isFamily(name), `${name} is no family`);
    }
    for (const [, key] of text.matchAll(/\bHERAKLES_([A-Z_]+)\b/g)) {
      assert.ok((keys as string[]).includes(key!.toLowerCase()), `HERAKLES_${key} is no setting`);
    }
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^(https?:|#|mailto:)/.test(target!)) continue;
      const file = new URL(target!.split('#')[0]!, `file://${root}${path}`).pathname;
      assert.ok(existsSync(file), `${target} leads nowhere`);
    }
  });
}

test('every test that SECURITY.md names is there, and names a test in each row', () => {
  const rows = readFileSync(`${root}SECURITY.md`, 'utf8').match(/^\| [^|]+(?:\|[^|]+){2}\| `.*\|$/gm)!;
  assert.ok(rows.length > 15, `${rows.length} rows`);
  const there = ['src', 'test', 'scripts'].flatMap((folder) =>
    readdirSync(root + folder, { recursive: true }).map((path) => `${folder}/${path}`),
  );
  for (const row of rows)
    for (const [, named] of row
      .split('|')
      .at(-2)!
      .matchAll(/`([^`]+)`/g))
      assert.ok(
        there.some((path) => path === named || path.endsWith(`/${named}`)),
        `${named}: ${row}`,
      );
});
