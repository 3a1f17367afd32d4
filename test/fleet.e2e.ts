// What docs/fleet.md promises: its arithmetic is that of the code, its configurations are accepted by the programs they
// are for, and the modes of per_process change the series of processes but no sum of a group.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { parseCapture } from '../src/kernel/capture.ts';
import { bundle, eventually, need, root, runBundle, scratch, startChildren, startExporter } from './harness.ts';

const document = readFileSync(`${root}docs/fleet.md`, 'utf8');

/** Fenced blocks, by the word behind the fence. */
const blocks = (kind: string): string[] =>
  [...document.matchAll(/^```(\S+(?: \S+)*)\n([\s\S]*?)^```$/gm)]
    .filter(([, info]) => info === kind)
    .map(([, , text]) => text!);

test('an exporter has as many series as the formula says', async (t) => {
  const [, each, subgroup, rest] = /series = (\d+) × processes \+ (\d+) × subgroups \+ declared groups \+ about (\d+)/
    .exec(document)!
    .map(Number);
  const exporter = await startExporter(t, { args: ['--interval', '1s', '--declared-groups', 'db/oracle'] });
  await eventually(async () => {
    const seen = await exporter.scrape();
    const processes = seen.all('herakles_mem_process_rss_bytes').length;
    const subgroups = seen.all('herakles_group_threads').length;
    const most = each! * processes + subgroup! * subgroups + 1 + rest!;
    const count = seen.samples.length;
    assert.ok(count <= most && count > most - 2 * subgroups - 0.1 * processes - 30, `${count} series, not ${most}`);
  });
});

test('configurations are accepted by Prometheus', (t) => {
  const paths = need(t, 'promtool', 'promtool-forky');
  if (!paths) return;
  const dir = scratch();
  const [plain, agent] = [blocks('yaml prometheus'), blocks('yaml agent')];
  assert.ok(plain.length > 0 && agent.length > 0);
  for (const promtool of Object.values(paths)) {
    const check = (text: string, ...flags: string[]): void => {
      writeFileSync(`${dir}/prometheus.yml`, text);
      execFileSync(promtool, ['check', 'config', ...flags, `${dir}/prometheus.yml`], { stdio: 'pipe' });
    };
    for (const text of plain) assert.doesNotThrow(() => check(text), text);
    for (const text of agent) assert.doesNotThrow(() => check(text, '--agent'), text);
  }
});

test('settings are accepted by the exporter', async (t) => {
  const settings = blocks('yaml config');
  assert.ok(settings.length > 0);
  for (const text of settings) {
    const dir = scratch();
    writeFileSync(`${dir}/herakles.yaml`, text);
    const shown = await runBundle(t, ['config', 'show', '--json'], { cwd: dir });
    assert.equal(shown.code, 0, shown.stderr);
    const values = JSON.parse(shown.stdout);
    for (const [key, value] of Object.entries(parse(text))) assert.deepEqual(values[key].value, value, key);
  }
});

test('every mode has the same sums of groups on the same capture', async (t) => {
  if (!need(t, 'cc')) return;
  await startChildren(t, 'fleet', 30, 4, 800, 'hk-fleet');
  const capture = `${scratch()}/host.capture`;
  assert.equal((await runBundle(t, ['capture', '--output', capture])).code, 0);
  const modes = ['all', 'top', 'none'];
  const scrapes = await Promise.all(
    modes.map(async (mode) => {
      const exporter = await startExporter(t, {
        args: ['--capture', capture, '--per-process', mode, '--smaps', 'exact'],
      });
      return exporter.scrape();
    }),
  );
  const [all, top, none] = scrapes as [(typeof scrapes)[0], (typeof scrapes)[0], (typeof scrapes)[0]];
  const groupsOf = (seen: typeof all) =>
    seen.samples
      .filter(({ name }) => /_group_/.test(name))
      .map(({ line }) => line)
      .sort();
  assert.ok(groupsOf(all).length > 50);
  assert.deepEqual(groupsOf(top), groupsOf(all));
  assert.deepEqual(groupsOf(none), groupsOf(all));
  assert.equal(none.all('herakles_mem_process_rss_bytes').length, 0);
  assert.ok(top.samples.length < all.samples.length);
  for (const { labels, value } of top.all('herakles_mem_group_rss_bytes')) {
    const { group = '', subgroup = '' } = labels;
    const parts = top.all('herakles_mem_process_rss_bytes', { group, subgroup });
    assert.equal(
      parts.reduce((sum, part) => sum + part.value, 0),
      value,
      `the parts of ${group}/${subgroup}`,
    );
  }
});

test('a capture goes whole through a pipe whose reader is slow', () => {
  const written = execFileSync('sh', ['-c', '"$0" "$1" capture | { sleep 2; cat; }', process.execPath, bundle], {
    cwd: scratch(),
    maxBuffer: 2 ** 30,
  });
  assert.ok(written.length > 65_536, 'more than a pipe holds');
  assert.doesNotThrow(() => parseCapture(written.toString()));
  assert.match(written.subarray(-1).toString(), /\n/);
});
