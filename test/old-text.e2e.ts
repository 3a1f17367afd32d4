// Some readers come from an older text. What the guide says about it is true: its snippets fail or mislead in the way
// that the guide describes, and the guide's own forms do not.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { childProgram, eventually, need, needRoot, Started, scratch, startExporter } from './harness.ts';
import { startPrometheus } from './prometheus-server.ts';
import { startNamespace } from './real-servers.ts';

const ip = '__meta_kubernetes_pod_ip';
const port = '__meta_kubernetes_pod_annotation_prometheus_io_port';
const reference = (name: string) => `\${${name}}`;

/** One job that discovers a single pod, with these relabellings. */
const podJob = (...relabel_configs: object[]) => ({
  job_name: 'pods',
  static_configs: [{ targets: ['x:1'], labels: { [ip]: '10.1.2.3', [port]: '9215' } }],
  relabel_configs: relabel_configs.map((config) => ({ target_label: '__address__', ...config })),
});

/** Two hosts; one process shrinks. */
const series = (name: string, labels: string, values: string) => ({ series: `${name}{${labels}}`, values });
const rss = 'herakles_mem_process_rss_bytes';
const input = ['alpha', 'beta'].flatMap((host) => [
  series('node_memory_MemTotal_bytes', `job="node",instance="${host}"`, '8000x20'),
  series('node_memory_MemAvailable_bytes', `job="node",instance="${host}"`, '5000x20'),
  series(rss, `job="herakles-proc-mem",instance="${host}",pid="1",name="a",group="g"`, '1200-30x20'),
]);
const answers = (expr: string, ...exp_samples: { labels: string; value: number }[]) => ({
  ...{ expr, eval_time: '10m', exp_samples },
});

/** A unit test for promtool about these expressions. */
const unitTest = (...promql_expr_test: object[]) => ({
  evaluation_interval: '1m',
  tests: [{ interval: '1m', input_series: input, promql_expr_test }],
});
const share = (join: string) => `sum by (instance, group) (${rss}) / ${join} node_memory_MemTotal_bytes * 100`;

test('what promtool says of it', async (t) => {
  const tools = need(t, 'promtool', 'promtool-trixie', 'promtool-forky');
  if (!tools) return;
  const dir = scratch();
  writeFileSync(`${dir}/remark.json`, '# production\n[{ "targets": ["server1:9215"] }]\n');
  for (const [name, path] of Object.entries(tools)) {
    /** Runs a promtool command on a document: what it prints, and whether it accepts the document. */
    const run = (verb: string[], document: object, ...more: string[]) => {
      writeFileSync(`${dir}/document.yml`, stringify(document));
      const { status, stdout, stderr } = spawnSync(path, [...verb, `${dir}/document.yml`, ...more], {
        encoding: 'utf8',
      });
      return { accepted: status === 0, said: stdout + stderr };
    };
    const config = (job: object) => run(['check', 'config'], { scrape_configs: [{ job_name: 'old', ...job }] });

    await t.test(`${name}: labeldrop takes no source_labels`, () => {
      const old = { source_labels: ['pid'], regex: '.*', action: 'labeldrop' };
      assert.match(config({ metric_relabel_configs: [old] }).said, /labeldrop action requires only 'regex'/);
    });
    await t.test(`${name}: a target file has no remarks`, () => {
      assert.match(config({ file_sd_configs: [{ files: [`${dir}/remark.json`] }] }).said, /invalid character '#'/);
    });
    await t.test(`${name}: a replacement knows only the groups of its regex`, () => {
      const address = (relabelling: object): string => {
        const document = { scrape_configs: [podJob(relabelling)] };
        const [target] = JSON.parse(run(['check', 'service-discovery', '--timeout=2s'], document, 'pods').said);
        return target.labels.__address__;
      };
      const replacement = `${reference(ip)}:${reference('1')}`;
      assert.equal(address({ source_labels: [port], regex: '(.+)', replacement }), ':9215');
      assert.equal(address({ source_labels: [ip, port], regex: '(.+);(\\d+)', replacement: '$1:$2' }), '10.1.2.3:9215');
    });
    await t.test(`${name}: expressions`, () => {
      const none = unitTest(
        answers(`count(${rss} > 5000)`),
        answers(`node_memory_MemAvailable_bytes - sum(${rss})`),
        // It shrinks by half a byte a second; a rate sees nothing but resets.
        answers(`deriv(${rss}{instance="alpha"}[5m])`, {
          ...{ labels: '{job="herakles-proc-mem",instance="alpha",pid="1",name="a",group="g"}', value: -0.5 },
        }),
        answers(`rate(${rss}{instance="alpha"}[5m]) > bool 1`, {
          ...{ labels: '{job="herakles-proc-mem",instance="alpha",pid="1",name="a",group="g"}', value: 1 },
        }),
        answers(`sum(${share('on (instance) group_left ()')} > bool 0)`, { labels: '{}', value: 2 }),
      );
      const { accepted, said } = run(['test', 'rules'], none);
      assert.ok(accepted, said);
      assert.match(
        run(['test', 'rules'], unitTest(answers(share('on () group_left ()')))).said,
        /many-to-many|duplicate/,
      );
      assert.match(run(['test', 'rules'], unitTest(answers(`deriv(sum(${rss})[24h])`))).said, /parse error/);
    });
  }
});

test('dropping pid in Prometheus loses data without an error', async (t) => {
  const servers = need(t, 'prometheus', 'cc', 'unshare');
  if (!servers || !needRoot(t)) return;
  const namespace = await startNamespace(t);
  await new Started(t, [...namespace.enter, childProgram(), 'shared', '64', '4']).line('ready');
  const exporter = await startExporter(t, { wrap: namespace.enter, args: ['--interval', '1s'] });
  const job = (job_name: string, metric_relabel_configs: object[] = []) => ({
    ...{ job_name, metric_relabel_configs, static_configs: [{ targets: [`127.0.0.1:${exporter.port}`] }] },
  });
  const server = await startPrometheus(t, servers.prometheus, {
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    scrape_configs: [job('kept'), job('dropped', [{ action: 'labeldrop', regex: 'pid' }])],
  });
  await eventually(async () => {
    const { result } = await server.query(`sum by (job) (${rss}{name="hk-shared"})`);
    const sums = Object.fromEntries(result.map(({ metric, value }) => [metric.job, value]));
    assert.equal(result.length, 2);
    const ratio = sums.kept! / sums.dropped!;
    assert.ok(Math.abs(ratio - 4) < 0.1, `of four processes ${4 / ratio} are left`);
    assert.equal((await server.query('up == 0')).result.length, 0);
  });
});
