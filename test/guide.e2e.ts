// The guides about Prometheus are true: every snippet is part of a file in deploy/, or is run by the program it is for,
// and every link leads somewhere. Windows of hours are shortened to seconds; the title of a query says where its answer
// may be empty.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { collectors } from '../src/collectors/index.ts';
import { expressions } from './expressions.ts';
import { eventually, freePort, need, root, runBundle, Started, scratch, startExporter } from './harness.ts';
import { type Prometheus, startPrometheus } from './prometheus-server.ts';
import { allRules, shortenDurations } from './rule-files.ts';

type Block = { page: string; info: string; text: string; before: string };

const pages = [
  ...['prometheus-integration', 'alerting', 'performance-tuning', 'use-cases'],
  ...['troubleshooting', 'glossary', 'upgrade'],
].map((name) => `docs/${name}.md`);
const textOf = (page: string): string => readFileSync(`${root}${page}`, 'utf8');

const blocks: Block[] = pages.flatMap((page) => {
  const text = textOf(page);
  return [...text.matchAll(/^```(.+)\n([\s\S]*?)^```$/gm)].map((match) => {
    return { page, info: match[1]!, text: match[2]!, before: text.slice(0, match.index) };
  });
});
const blocksOf = (...infos: string[]): Block[] => blocks.filter(({ info }) => infos.includes(info));
const proseOf = (page: string): string => textOf(page).replace(/^```[\s\S]*?^```$/gm, '');

/** Title and expression of each query. */
const queries = blocksOf('promql').flatMap(({ page, text }) =>
  text.split(/\n\n+/).map((part) => {
    const [, title = '', expression = ''] = /^# (.+)\n([\s\S]+)$/.exec(part.trim()) ?? [];
    return { page, title, expression };
  }),
);
const plain = (expression: string): string => expression.replace(/\s+/g, '');

test('every snippet is of a kind that is checked here', () => {
  assert.ok(blocks.length > 40);
  for (const { page, info } of blocks) assert.match(info, /^(yaml|json|yaml config|promql|sh)$/, page);
  for (const { page, title, expression } of queries) assert.ok(title && expression, `${page}: a query has a title`);
});

test('configurations are those of deploy/', () => {
  for (const { page, text, before } of blocksOf('yaml', 'json')) {
    const files = [...before.matchAll(/\]\(\.\.\/(deploy\/[^)#]+)\)/g)].map(([, file]) => file!);
    const near = files.slice(-2).filter((file) => /\.(yml|json)$/.test(file)); // named just before
    const file = near.find((file) => readFileSync(root + file, 'utf8').includes(text));
    assert.ok(file, `${page}: in none of ${near.join(', ')}:\n${text}`);
    if (/scrape|targets|consul/.test(file))
      assert.equal(text, readFileSync(root + file, 'utf8'), 'whole, to be copied');
  }
});

test('configurations of the exporter are accepted by it', async (t) => {
  for (const { page, text } of blocksOf('yaml config')) {
    const dir = scratch();
    writeFileSync(`${dir}/guide.yaml`, text);
    const { code, stderr, stdout } = await runBundle(t, ['config', 'show', '--config', `${dir}/guide.yaml`]);
    assert.equal(code, 0, `${page}: ${stderr}\n${text}`);
    for (const [, key] of text.matchAll(/^(\w+):/gm)) assert.match(stdout, new RegExp(`${key}.*guide.yaml`), page);
  }
});

test('commands do what they are shown for', (t) => {
  if (!need(t, 'promtool', 'jsonnet')) return;
  const dir = scratch();
  for (const { text } of blocksOf('sh')) {
    const script = text.replaceAll('/tmp/', `${dir}/`);
    execFileSync('bash', ['-euc', script], { cwd: `${root}deploy/prometheus`, stdio: 'pipe' });
  }
});

test('links lead to pages, files and headings that exist', () => {
  const anchorsOf = (page: string) =>
    [...textOf(page).matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
      title!
        .toLowerCase()
        .replace(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    );
  for (const page of pages) {
    for (const [, target] of proseOf(page).matchAll(/\]\(([^)]+)\)/g)) {
      const [path = '', anchor] = target!.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      assert.ok(existsSync(root + file), `${page}: ${target}`);
      if (anchor) assert.ok(anchorsOf(file).includes(anchor), `${page}: ${target}`);
    }
  }
});

test('metrics and alerts that the text names exist', () => {
  const known = new Set(collectors.flatMap(({ families }) => families.map(({ name }) => name)));
  for (const { record, alert } of allRules()) known.add(record ?? alert!);
  for (const page of pages) {
    for (const [, name] of proseOf(page).matchAll(/`(herakles[_:][\w:]+)`/g))
      assert.ok(known.has(name!), `${page}: ${name}`);
    for (const [name] of proseOf(page).matchAll(/\bHerakles[A-Z]\w+/g)) assert.ok(known.has(name), `${page}: ${name}`);
  }
});

test('the guide has the chapters and the expressions of the requirement document', () => {
  const headings = [...textOf('docs/prometheus-integration.md').matchAll(/^##+ (.+)$/gm)].map(([, title]) => title!);
  for (const chapter of [
    ...['Scrape configuration', 'Basic configuration', 'HTTPS', 'Multiple targets', 'Relabelling'],
    ...[
      'Service discovery',
      'File-based service discovery',
      'Kubernetes service discovery',
      'Consul service discovery',
    ],
    ...['Recording rules', 'Aggregation rules', 'Pre-calculated alerting metrics', 'Common PromQL queries'],
    ...['Memory analysis', 'CPU analysis', 'Process discovery', 'Capacity planning', 'Aggregated subgroup queries'],
    ...['Grafana dashboard', 'Best practices', 'Scrape intervals', 'Reducing cardinality', 'Storage', 'Next steps'],
  ]) {
    assert.ok(headings.includes(chapter), chapter);
  }
  const shown = new Set(
    [...queries, ...allRules().map(({ expr }) => ({ expression: expr }))].map((one) => plain(one.expression)),
  );
  for (const { title, document, corrected = document } of expressions) {
    const recorded = /^(Aggregation rules|Alerting metrics)/.test(title); // under their names, by group families
    assert.ok(recorded || shown.has(plain(corrected)), `${title}: ${corrected}`);
    const old = queries.find(({ expression }) => plain(expression) === plain(document));
    assert.ok(corrected === document || !old, `${title}: the old form stands in ${old?.page}`);
  }
});

/** Exporter, node_exporter and Prometheus itself, as the guide shows them: instances without their ports. */
async function startAll(t: TestContext, binary: string, nodeExporter: string): Promise<Prometheus> {
  const node = await freePort();
  const collectors = ['--collector.disable-defaults', '--collector.meminfo'];
  new Started(t, [nodeExporter, `--web.listen-address=127.0.0.1:${node}`, ...collectors]);
  const more = ['--collector-cgroup', '--collector-descriptors', '--process-context-switches'];
  const args = ['--interval', '1s', '--process-start-time', '--declared-groups', 'db/postgres', ...more];
  const exporter = await startExporter(t, { args });
  const job = (job_name: string, port: number) => ({
    ...{ job_name, static_configs: [{ targets: [`127.0.0.1:${port}`] }] },
    relabel_configs: [{ target_label: 'instance', replacement: 'alpha' }],
  });
  return startPrometheus(t, binary, {
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    scrape_configs: [job('herakles-proc-mem', exporter.port), job('node', node)],
  });
}

test('every query is answered', async (t) => {
  const servers = need(t, 'prometheus', 'prometheus-forky', 'node-exporter');
  if (!servers) return;
  const { 'node-exporter': nodeExporter, ...binaries } = servers;
  for (const [name, binary] of Object.entries(binaries)) {
    await t.test(name, async (t) => {
      const server = await startAll(t, binary, nodeExporter);
      for (const { page, title, expression } of queries) {
        await eventually(async () => {
          const { result, warnings } = await server.query(shortenDurations(expression, 1800));
          const mayBeEmpty = title.endsWith('(may be empty)');
          assert.ok(result.length > 0 || mayBeEmpty, `${page}: ${title}: no result`);
          const remarks = warnings.filter((text) => !/herakles_cpu_(process|group)_time_seconds/.test(text));
          assert.deepEqual(remarks, [], `${page}: ${title}`);
        }, 30_000);
      }
      await server.process.kill();
    });
  }
});
