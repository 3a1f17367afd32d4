import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaults, keys } from '../config/options.ts';
import { Encoder } from '../exposition/encode.ts';
import { framedFiles } from '../kernel/capture.ts';
import { GroupCounters } from '../process/group-counters.ts';
import { Readings } from '../view/readings.ts';
import { GroupRow, type ProcessView } from '../view/view.ts';
import { type Enabled, switchOf } from './collector.ts';
import { groupCollector } from './group.ts';
import { collectors, viewCollectors } from './index.ts';
import { systemCollector } from './system.ts';

const families = collectors.flatMap((collector) =>
  collector.families.map((family) => ({ ...family, collector: collector.name })),
);

/** Names that are older than the naming rules, and the rule that each breaks. */
const EXEMPT = new Map([
  ['herakles_cpu_process_time_seconds', 'a counter without _total'],
  ['herakles_cpu_group_time_seconds_sum', 'a counter that ends in _sum'],
  ['herakles_cpu_group_usage_percent_sum', 'a gauge that ends in _sum'],
  ['herakles_exporter_processes_total', 'a gauge that ends in _total'],
]);

test('names are unique, also without the suffixes that OpenMetrics leaves out', () => {
  const bases = families.map(({ name, type }) => (type === 'counter' ? name.replace(/_total$/, '') : name));
  assert.equal(new Set(bases).size, families.length);
});

for (const { name, type, help, labels, collector } of families) {
  test(name, () => {
    assert.match(name, collector === 'exporter' ? /^(herakles_exporter|process)_[a-z\d_]+$/ : /^herakles_[a-z\d_]+$/);
    assert.match(help, /^[A-Z].*[^.]\.$|^.*;.*\.$/, 'a sentence');
    assert.ok(!help.includes('\n'));
    for (const label of labels) assert.match(label, /^[a-z][a-z\d_]*$/);
    assert.equal(new Set(labels).size, labels.length);
    if (EXEMPT.has(name)) return;
    assert.equal(name.endsWith('_total'), type === 'counter');
    assert.equal(name.endsWith('_info'), type === 'info');
    assert.doesNotMatch(name, /_(sum|count|bucket)$/);
    assert.notEqual(type, 'unknown');
  });
}

test('labels stand in the stated order', () => {
  for (const { name, labels, collector } of families) {
    const wanted =
      collector === 'process'
        ? ['pid', 'name', 'group', 'subgroup']
        : collector === 'group'
          ? ['group', 'subgroup']
          : [];
    assert.deepEqual(labels.slice(0, wanted.length), wanted, name);
  }
});

test('the labels of a subgroup are rendered once in its life, for all its series', () => {
  const enabled: Enabled = new Set(['enable_rss', 'enable_uss', 'enable_swap', 'enable_cpu']);
  const counters = new GroupCounters('db', 'a "quoted" one');
  const page = () => {
    const out = new Encoder('text');
    const row = Object.assign(new GroupRow(counters.copy()), { coverage: 1, oldestStart: 0 });
    row.counters.declared = true;
    for (const _ of groupCollector.collect({ groups: [row] } as Partial<ProcessView> as ProcessView, enabled, out));
    assert.equal(out.series, groupCollector.series(enabled).group);
    return out.bytes().toString();
  };
  const first = page();
  assert.ok(first.includes('herakles_mem_group_uss_bytes{group="db",subgroup="a \\"quoted\\" one"} 0\n'));
  assert.ok(
    first.includes('herakles_mem_group_page_faults_total{group="db",subgroup="a \\"quoted\\" one",severity="major"}'),
  );
  for (const [index, text] of counters.labels.entries()) counters.labels[index] = text.replace('{', '{kept="1",');
  assert.equal(page(), first.replaceAll('{', '{kept="1",'));
});

test('each collector has its switch in the table of settings, and each such switch its collector', () => {
  const switches = keys.filter((key) => key.startsWith('collector_'));
  assert.deepEqual(collectors.map(switchOf).sort(), switches.sort());
});

test('every part of a collector is switched by a setting that is true or false', () => {
  const asked = new Set<string>();
  const everything = { has: (key: string) => asked.add(key).has(key) } as Partial<Enabled> as Enabled;
  for (const collector of collectors) collector.series(everything);
  assert.ok(asked.size > 5, `${asked.size} settings`);
  for (const key of asked) assert.equal(typeof (defaults as Record<string, unknown>)[key], 'boolean', key);
});

test('what a collector reads for itself stands in the view; a file that gives no value stops nothing', () => {
  const pressure = 'some avg10=0.00 avg60=0.00 avg300=0.00 total=2000000\nfull avg10=0.00 total=1000000\n';
  const frame = new Map([
    ['proc/pressure/memory', { bytes: Buffer.from(pressure) }],
    ['proc/vmstat', { bytes: Buffer.from('nr_free_pages 1\noom_kill 4\n') }],
  ]);
  const files = framedFiles([frame]);
  const readings = new Readings(files, viewCollectors);
  assert.deepEqual(readings.of(systemCollector), { pressure: { some: 2, full: 1 }, oomKills: 4 });
  assert.equal(readings.of(groupCollector), undefined);
  const nothing = new Readings(framedFiles([new Map()]), viewCollectors);
  assert.deepEqual(nothing.of(systemCollector), { pressure: undefined, oomKills: Number.NaN });
});
