// Captures of hosts become exposition text, byte for byte as committed in golden/. The exporter's own families are left
// out, because they differ with each run.
// After an intended change: UPDATE_GOLDEN=1 npm run unit -- golden, and read the difference before it is committed.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Renderer } from '../src/agent/render.ts';
import { Sampler } from '../src/agent/sampler.ts';
import { enabledOf, samplerOptionsOf } from '../src/agent/settings.ts';
import { type Config, defaults } from '../src/config/options.ts';
import { framedFiles, parseCapture } from '../src/kernel/capture.ts';
import { Classifier } from '../src/rules/classifier.ts';
import { parseRules } from '../src/rules/rule-parser.ts';
import type { ExporterState } from '../src/view/exporter-state.ts';
import { kindColumns } from '../src/view/process-rows.ts';

const folder = new URL('.', import.meta.url).pathname;
const formats = { text: 'txt', openmetrics: 'om' } as const;

/** Everything is on and read exactly, so that every family stands in the text. */
const config: Config = {
  ...defaults,
  ...{ smaps: 'exact', process_start_time: true, process_io: true, process_oom_score: true },
  ...{ process_context_switches: true, collector_descriptors: true, collector_shared_memory: true },
  ...{ collector_cgroup: true, collector_exporter: false },
  declared_groups: ['db/mysql', 'web/idle'],
};
const rules = parseRules(
  {
    rule: [
      { group: 'db', subgroup: 'postgres', comm: 'postgres' },
      { group: 'web', subgroup: 'nginx', comm: 'nginx' },
      { group: 'app', subgroup: 'java', exe: 'java' },
      { group: 'container', subgroup: 'lxc', container: 'web*' },
    ],
  },
  'golden.toml',
);

/** One collection a frame; the last view. */
async function collect(capture: string, config: Config) {
  const frames = parseCapture(capture);
  const classifier = new Classifier(rules, []);
  const sampler = new Sampler(
    framedFiles(frames),
    (identity) => classifier.classify(identity),
    samplerOptionsOf(config),
  );
  for (const _ of frames) await sampler.collect();
  sampler.stop();
  assert.equal(sampler.failure, undefined);
  return sampler.snapshot!;
}

/** The page of the last frame in every format. */
async function pagesOf(capture: string) {
  const snapshot = await collect(capture, config);
  const renderer = new Renderer(enabledOf(config));
  const state = () => ({}) as ExporterState; // its collector is off
  const page = async (format: keyof typeof formats) =>
    Buffer.concat((await renderer.body(snapshot, format, false, state)).pieces).toString();
  return { text: await page('text'), openmetrics: await page('openmetrics') };
}

const captures = readdirSync(`${folder}captures`).map((name) => name.replace(/\.capture$/, ''));

for (const name of captures) {
  test(name, async () => {
    const pages = await pagesOf(readFileSync(`${folder}captures/${name}.capture`, 'utf8'));
    for (const [format, ending] of Object.entries(formats)) {
      const path = `${folder}golden/${name}.${ending}`;
      const page = pages[format as keyof typeof formats];
      if (process.env.UPDATE_GOLDEN) writeFileSync(path, page);
      assert.equal(page, readFileSync(path, 'utf8'), `${name}.${ending}`);
    }
  });
}

for (const name of captures) {
  const capture = readFileSync(`${folder}captures/${name}.capture`, 'utf8');

  test(`${name}: the kinds of the host sum to its memory, and those of the processes to their groups`, async () => {
    const { host, books, groups, rows } = (await collect(capture, { ...config, process_kinds: true })).view;
    let sum = 0;
    for (const bytes of books.kinds.values()) sum += bytes;
    assert.equal(sum, host.memory.total);
    const unexplained = Math.abs(books.kinds.get('unexplained')!) / host.memory.total;
    // Modules and pages of drivers are in no line of meminfo: 20 MiB of a machine with a gigabyte.
    if (host.memory.freeOfCpus >= 0) assert.ok(unexplained <= 0.04, `${unexplained} is unexplained`);
    for (const { counters, kinds } of groups) {
      for (const [index, column] of kindColumns.entries()) {
        let parts = 0;
        for (const [row, { group, subgroup }] of rows.description.entries())
          if (group === counters.group && subgroup === counters.subgroup) parts += rows[column][row]! || 0;
        if (counters.subgroup !== 'kernel') assert.ok(parts <= kinds[index]! || Number.isNaN(kinds[index]!), column);
      }
    }
  });

  test(`${name}: resident pages have the size that the kernel says`, async () => {
    const { rows } = (await collect(capture, { ...config, smaps: 'off' })).view;
    const frame = parseCapture(capture).at(-1)!;
    for (const [row, { pid }] of rows.description.entries()) {
      const status = frame.get(`proc/${pid}/status`);
      const text = status && 'bytes' in status ? Buffer.from(status.bytes).toString('latin1') : '';
      const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1];
      if (kilobytes) assert.equal(rows.rss[row], Number(kilobytes) * 1024, `RSS of ${pid}`);
    }
  });
}

test('every page in golden/ has its capture', () => {
  const wanted = captures.flatMap((name) => Object.values(formats).map((ending) => `${name}.${ending}`));
  assert.deepEqual(readdirSync(`${folder}golden`).sort(), wanted.sort());
});
