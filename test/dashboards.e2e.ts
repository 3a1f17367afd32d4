// Every board that ships is sound, and each of its queries is answered by a real Prometheus that has scraped this
// exporter. A table with the content of each panel is printed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { boards } from '../deploy/grafana/index.ts';
import { fixedPaths } from '../src/server/routes.ts';
import {
  childProgram,
  eventually,
  need,
  needRoot,
  root,
  Started,
  scratch,
  startChildren,
  startExporter,
} from './harness.ts';
import { type Answer, type Prometheus, startPrometheus } from './prometheus-server.ts';

type Target = { refId: string; expr: string; legendFormat?: string; instant?: boolean; datasource: { uid: string } };
type Link = { title: string; url: string };
type Override = { matcher: { id: string; options: string }; properties: { id: string; value: unknown }[] };
type Panel = {
  id: number;
  title: string;
  type: string;
  description?: string;
  targets?: Target[];
  fieldConfig?: { overrides: Override[] };
  transformations?: { id: string; options: { renameByName?: Record<string, string> } }[];
  gridPos: { x: number; w: number };
};
type Variable = { name: string; type: string; query: string | { query: string }; allValue?: string };
type Annotation = { name: string; expr: string; titleFormat: string; enable: boolean };
type Board = {
  uid: string;
  title: string;
  panels: Panel[];
  templating: { list: Variable[] };
  annotations?: { list?: Annotation[] };
};

const shipped = boards.map(({ path }) => JSON.parse(readFileSync(root + path, 'utf8')) as Board);

test('every board has an address of its own', () => {
  assert.ok(
    shipped.some(({ uid }) => uid === 'herakles-proc-mem'),
    'the uid that the integration guide names',
  );
  assert.equal(new Set(shipped.map(({ uid }) => uid)).size, shipped.length);
});

test('boards are sound: places, references and variables', () => {
  for (const { title, panels, templating, annotations } of shipped) {
    const declared = new Set(templating.list.map(({ name }) => name));
    for (const { name, expr } of annotations?.list ?? [])
      for (const [, variable] of expr.matchAll(/\$(\w+)/g))
        assert.ok(declared.has(variable!), `${title} / ${name}: $${variable}`);
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length, `${title}: every panel has an id of its own`);
    for (const panel of panels.filter(({ type }) => type !== 'row')) {
      const where = `${title} / ${panel.title}`;
      assert.ok(panel.gridPos.x + panel.gridPos.w <= 24, `${where} reaches beyond the right edge`);
      assert.ok(panel.description, `${where} says what it means`);
      const targets = panel.targets ?? [];
      assert.ok(targets.length > 0, `${where} asks nothing`);
      assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, `${where}: refIds differ`);
      for (const { expr } of targets) {
        for (const [, name] of expr.matchAll(/\$(?!__)(\w+)/g)) assert.ok(declared.has(name!), `${where}: $${name}`);
        if (panel.type === 'timeseries') assert.doesNotMatch(expr.replaceAll('@ end()', ''), /^topk/, `${where}: topk`);
      }
      const headings = Object.values(
        panel.transformations?.find(({ id }) => id === 'organize')?.options.renameByName ?? {},
      );
      for (const { matcher } of panel.fieldConfig?.overrides ?? [])
        assert.ok(
          headings.includes(matcher.options),
          `${where} overrides ${matcher.options}, which no column is called`,
        );
    }
  }
});

/** The links in the cells of a table, by heading. */
function linksIn({ fieldConfig }: Panel): [string, Link][] {
  return (fieldConfig?.overrides ?? []).flatMap(({ matcher, properties }) =>
    properties
      .filter(({ id }) => id === 'links')
      .flatMap(({ value }) => (value as Link[]).map((link): [string, Link] => [matcher.options, link])),
  );
}

test('boards with groups mark OOM kills and restarts, each once, and not what changes again and again', (t) => {
  const promtool = need(t, 'promtool')?.promtool;
  if (!promtool) return;
  const marked = shipped.filter(({ templating }) => templating.list.some(({ name }) => name === 'group'));
  const names = marked.map(({ annotations }) => annotations?.list?.map(({ name }) => name).join());
  assert.deepEqual(new Set(names), new Set(['OOM kills,Restarts']));
  const [oomKills, restarts] = marked[0]!.annotations!.list!.map(({ expr }) => expr.replaceAll(/\$\w+/g, '.*'));
  const at = (expr: string | undefined, eval_time: string, ...samples: [labels: string, value: number][]) => ({
    ...{ expr, eval_time },
    exp_samples: samples.map(([subgroup, value]) => ({
      labels: `{group="a",instance="i",job="j",subgroup="${subgroup}"}`,
      value,
    })),
  });
  const series = (name: string, subgroup: string, values: string) => ({
    series: `${name}{group="a",instance="i",job="j",subgroup="${subgroup}"}`,
    values,
  });
  const oldest = 'herakles_group_oldest_start_time_seconds';
  const input_series = [
    series('herakles_group_oom_kills_total', 'b', '0x10 1x50'),
    series('herakles_group_oom_kills_total', 'c', '3x60'),
    series(oldest, 'b', '100x10 700x50'),
    series(oldest, 'c', '100x60'),
    series(oldest, 'shell', '100+60x60'),
  ];
  const tests = [
    at(oomKills, '10m'),
    at(oomKills, '11m', ['b', 1]),
    at(oomKills, '12m'),
    at(restarts, '10m30s'),
    at(restarts, '12m', ['b', 700_000]),
  ];
  const file = `${scratch()}/annotations.yml`;
  writeFileSync(file, JSON.stringify({ tests: [{ interval: '1m', input_series, promql_expr_test: tests }] }));
  const { status, stdout, stderr } = spawnSync(promtool, ['test', 'rules', file], { encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
});

test('every host, subgroup and process in a table leads further, to a dashboard or a page that exists', () => {
  for (const { title, panels, templating } of shipped) {
    const own = templating.list.map(({ name }) => name);
    for (const panel of panels.filter(({ type }) => type === 'table')) {
      const where = `${title} / ${panel.title}`;
      const headings = panel.transformations!.find(({ id }) => id === 'organize')!.options.renameByName!;
      const links = linksIn(panel);
      for (const [label, heading] of Object.entries(headings))
        if (['instance', 'group', 'subgroup', 'pid'].includes(label))
          assert.ok(
            links.some(([column]) => column === heading),
            `${where}: ${heading} leads nowhere`,
          );
      for (const [, { url }] of links) {
        const target = shipped.find(({ uid }) => url.startsWith(`/d/${uid}?`));
        const [, path] = /^http:\/\/\$\{[^}]+\}(\/[^?]*)/.exec(url) ?? [];
        assert.ok(target || fixedPaths.includes(path!), `${where}: ${url}`);
        const known = target?.templating.list.map(({ name }) => name) ?? [];
        for (const [, name] of url.matchAll(/var-(\w+)=/g)) assert.ok(known.includes(name!), `${where}: ${url}`);
        for (const [, name] of url.matchAll(/\$\{(\w+)/g))
          assert.ok(name!.startsWith('__') || own.includes(name!), `${where}: ${url}`);
        for (const [, name] of url.matchAll(/\$\{(\w+):queryparam\}/g))
          assert.ok(known.includes(name!), `${where}: ${url}`);
        for (const [, name] of url.matchAll(/fields\["([^"]+)"\]/g))
          assert.ok(Object.values(headings).includes(name!), `${where}: no column ${name}`);
      }
    }
  }
});

/** A query as Grafana sends it: everything chosen, a minute on the screen. */
function fill(expression: string, variables: Record<string, string>): string {
  const filled = expression.replaceAll('$__rate_interval', '20s').replaceAll('@ end()', '');
  return filled.replaceAll(/\$(\w+)/g, (_, name: string) => variables[name] ?? assert.fail(`$${name} has no value`));
}

const labelOf = ({ metric }: Answer['result'][number], format: string): string =>
  format.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => metric[label] ?? '');

function tableOf({ result }: Answer, format: string): string[] {
  const rows = result.toSorted((a, b) => b.value - a.value).slice(0, 5);
  const lines = rows.map((row) => {
    const { __name__: _, ...labels } = row.metric;
    const name = format ? labelOf(row, format) : Object.values(labels).join(' ');
    return `      ${String(Number(row.value.toPrecision(6))).padStart(16)}  ${name}`;
  });
  return result.length > rows.length
    ? [...lines, `      ${`… ${result.length - rows.length} more`.padStart(16)}`]
    : lines;
}

async function checkVariables(server: Prometheus, { title, templating }: Board, chosen: Record<string, string>) {
  for (const { name, type, query } of templating.list) {
    if (type !== 'query') continue;
    const asked = typeof query === 'string' ? query : query.query;
    const [, selector, label] = /^label_values\((.*), (\w+)\)$/s.exec(asked) ?? assert.fail(asked);
    const { data } = await server.api<string[]>(`label/${label}/values`, { 'match[]': fill(selector!, chosen) });
    assert.ok(data.length > 0, `${title}: $${name} offers nothing`);
  }
}

async function checkPanel(t: TestContext, server: Prometheus, panel: Panel, chosen: Record<string, string>) {
  const report = [`  ${panel.title} [${panel.type}]`];
  for (const { refId, expr, legendFormat = '' } of panel.targets ?? []) {
    const asked = fill(expr, chosen);
    const answer = await server.query(asked);
    assert.ok(answer.result.length > 0, `${panel.title} ${refId} is empty: ${asked}`);
    assert.deepEqual(answer.warnings, [], asked);
    for (const { metric, value } of answer.result) {
      assert.ok(Number.isFinite(value), `${panel.title} ${refId}: ${value} for ${JSON.stringify(metric)}`);
      for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
        assert.ok(
          metric[label!] !== undefined,
          `${panel.title} ${refId}: no label ${label} in ${JSON.stringify(metric)}`,
        );
    }
    report.push(`    ${refId}  ${expr}`, ...tableOf(answer, legendFormat));
  }
  t.diagnostic(report.join('\n'));
}

/** Grafana asks over a range for a chart: the series are the same anywhere in it, and `@ end()` is understood. */
async function checkRange(server: Prometheus, panel: Panel, chosen: Record<string, string>): Promise<void> {
  const end = Date.now() / 1000;
  for (const { expr } of panel.targets ?? []) {
    const filled = fill(expr.replaceAll('@ end()', '@@'), chosen).replaceAll('@@', '@ end()');
    const range = { query: filled, start: String(end - 10), end: String(end), step: '2' };
    const { data } = await server.api<{ result: unknown[] }>('query_range', range);
    assert.ok(data.result.length > 0, `${panel.title} is empty over a range: ${filled}`);
    if (filled.includes('topk'))
      assert.ok(data.result.length <= 10, `${panel.title} draws ${data.result.length} lines`);
  }
}

/** A table has its columns, and each row has all of its values: Grafana joins series by their labels. */
async function checkColumns(server: Prometheus, panel: Panel, chosen: Record<string, string>): Promise<void> {
  const renamed = panel.transformations?.find(({ id }) => id === 'organize')?.options.renameByName ?? {};
  const labels = Object.keys(renamed).filter((name) => !name.startsWith('Value'));
  const answers = await Promise.all((panel.targets ?? []).map(({ expr }) => server.query(fill(expr, chosen))));
  for (const { result } of answers)
    for (const { metric } of result)
      for (const label of Object.keys(metric))
        assert.ok(labels.includes(label), `${panel.title}: ${label} keeps the values of a row apart`);
  for (const label of labels) {
    const seen = answers[0]!.result.some(({ metric }) => metric[label]);
    // Without containers or systemd on this machine these two labels are left out, as they should be.
    assert.ok(seen || ['unit', 'container_id'].includes(label), `${panel.title}: no row has the label ${label}`);
  }
}

test('no panel is empty on a Prometheus that has scraped two exporters', async (t) => {
  const servers = needRoot(t) ? need(t, 'prometheus', 'prometheus-forky', 'cc') : undefined;
  if (!servers) return;
  await startChildren(t, 'private', 32);
  await new Started(t, [childProgram('segment'), '1', 'stay']).line('ready');
  const more = [
    '--collector-descriptors',
    '--process-context-switches',
    '--collector-cgroup',
    '--collector-shared-memory',
  ];
  const args = ['--interval', '1s', '--cache-ttl', '0s', ...more];
  const exporters = await Promise.all([startExporter(t, { args }), startExporter(t, { args })]);
  const targets = exporters.map(({ port }) => `127.0.0.1:${port}`);
  const scrape = { job_name: 'herakles-proc-mem', scrape_interval: '1s', static_configs: [{ targets }] };
  for (const binary of [servers.prometheus, servers['prometheus-forky']].filter(Boolean)) {
    await t.test(binary.includes('.cache') ? 'a current Prometheus' : 'an old Prometheus', async (t) => {
      const server = await startPrometheus(t, binary, { scrape_configs: [scrape] });
      await eventually(async () => {
        const { result } = await server.query('min(count_over_time(herakles_mem_process_uss_bytes[1m])) >= 0');
        const young = await server.query('min(count_over_time(herakles_exporter_scrape_duration_seconds[1m]))');
        assert.ok(result.length > 0 && young.result[0]!.value >= 4, 'four scrapes of each');
      }, 40_000);
      for (const one of shipped) {
        const any = Object.fromEntries(
          one.templating.list.map(({ name, allValue }) => [name, allValue ?? targets[0]!]),
        );
        t.diagnostic(`${one.title} (${one.uid})`);
        await eventually(() => checkVariables(server, one, any));
        for (const { name, expr } of one.annotations?.list ?? [])
          assert.deepEqual((await server.query(fill(expr, any))).warnings, [], name);
        for (const panel of one.panels.filter(({ type }) => type !== 'row')) {
          await eventually(async () => {
            if (panel.type === 'timeseries') await checkRange(server, panel, any);
            if (panel.type === 'table') await checkColumns(server, panel, any);
            await checkPanel(t, server, panel, any);
          });
        }
      }
    });
  }
});
