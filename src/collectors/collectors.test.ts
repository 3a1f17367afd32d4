import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Encoder } from '../exposition/encode.ts';
import { GroupCounters } from '../process/group-counters.ts';
import { GroupRow, type ProcessView } from '../view/view.ts';
import { collectGroups, seriesPerGroup } from './group.ts';
import { collectors } from './index.ts';

const families = collectors.flatMap((collector) =>
  collector.families.map((family) => ({ ...family, collector: collector.name })),
);

/** Names that the requirements fixed before the naming rules, with what is odd about them. */
const EXEMPT = new Map([
  ['herakles_cpu_process_time_seconds', 'a counter without _total'],
  ['herakles_cpu_group_time_seconds_sum', 'a counter that ends in _sum'],
  ['herakles_cpu_group_usage_percent_sum', 'a gauge that ends in _sum'],
  ['herakles_exporter_processes_total', 'a gauge that ends in _total'],
]);

test('names are unique, also after OpenMetrics took their suffixes', () => {
  const bases = families.map(({ name, type }) => (type === 'counter' ? name.replace(/_total$/, '') : name));
  assert.equal(new Set(bases).size, families.length);
});

for (const { name, type, help, labels, collector } of families) {
  test(name, () => {
    assert.match(name, collector === 'exporter' ? /^(herakles_exporter|process)_[a-z_]+$/ : /^herakles_[a-z_]+$/);
    assert.match(help, /^[A-Z].*[^.]\.$|^.*;.*\.$/, 'a sentence');
    assert.ok(!help.includes('\n'));
    for (const label of labels) assert.match(label, /^[a-z][a-z_]*$/);
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
  const wanted = { rss: true, pss: false, uss: true, swap: true, cpu: true };
  const ledger = new GroupCounters('db', 'a "quoted" one');
  const page = () => {
    const out = new Encoder('text');
    const row = Object.assign(new GroupRow(ledger.copy()), { coverage: 1, oldestStart: 0 });
    row.counters.declared = true;
    for (const _ of collectGroups({ groups: [row] } as Partial<ProcessView> as ProcessView, wanted, out));
    assert.equal(out.series, seriesPerGroup(wanted));
    return out.bytes().toString();
  };
  const first = page();
  assert.ok(first.includes('herakles_mem_group_uss_bytes{group="db",subgroup="a \\"quoted\\" one"} 0\n'));
  assert.ok(
    first.includes('herakles_mem_group_page_faults_total{group="db",subgroup="a \\"quoted\\" one",severity="major"}'),
  );
  for (const [index, text] of ledger.labels.entries()) ledger.labels[index] = text.replace('{', '{kept="1",');
  assert.equal(page(), first.replaceAll('{', '{kept="1",'));
});
