// What the served bytes promise to any consumer: the metric contract's names and types, promtool's lint, the strict
// OpenMetrics parser, compression, and the order of labels.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { request } from 'node:http';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Exposition } from './exposition-text.ts';
import { childProgram, eventually, need, Started, scratch, startChildren, startExporter } from './harness.ts';

/** The contract demands these names, promtool objects to them, and nothing else may be objected to. */
const exempt = [
  'herakles_cpu_process_time_seconds',
  'herakles_cpu_group_time_seconds_sum',
  'herakles_cpu_group_usage_percent_sum',
  'herakles_exporter_processes_total',
];

/** As in docs/metrics.md: the type of each family that an exporter run by root, with everything switched on, serves. */
const contract: Record<string, string> = {
  herakles_mem_process_rss_bytes: 'gauge',
  herakles_mem_process_pss_bytes: 'gauge',
  herakles_mem_process_uss_bytes: 'gauge',
  herakles_mem_process_swap_bytes: 'gauge',
  herakles_cpu_process_usage_percent: 'gauge',
  herakles_cpu_process_time_seconds: 'counter',
  herakles_process_info: 'gauge',
  herakles_process_start_time_seconds: 'gauge',
  herakles_io_process_read_bytes_total: 'counter',
  herakles_io_process_write_bytes_total: 'counter',
  herakles_mem_group_rss_bytes: 'gauge',
  herakles_mem_group_pss_bytes: 'gauge',
  herakles_mem_group_uss_bytes: 'gauge',
  herakles_mem_group_swap_bytes: 'gauge',
  herakles_mem_group_footprint_bytes: 'gauge',
  herakles_mem_group_pss_coverage_ratio: 'gauge',
  herakles_cpu_group_usage_percent_sum: 'gauge',
  herakles_cpu_group_time_seconds_sum: 'counter',
  herakles_cpu_group_seconds_total: 'counter',
  herakles_io_group_read_bytes_total: 'counter',
  herakles_io_group_write_bytes_total: 'counter',
  herakles_mem_group_page_faults_total: 'counter',
  herakles_group_processes: 'gauge',
  herakles_group_threads: 'gauge',
  herakles_group_oldest_start_time_seconds: 'gauge',
  herakles_group_processes_started_total: 'counter',
  herakles_group_processes_exited_total: 'counter',
  herakles_mem_system_total_bytes: 'gauge',
  herakles_mem_system_available_bytes: 'gauge',
  herakles_mem_system_swap_total_bytes: 'gauge',
  herakles_mem_system_swap_free_bytes: 'gauge',
  herakles_exporter_build_info: 'gauge',
  herakles_exporter_scrape_duration_seconds: 'gauge',
  herakles_exporter_processes_total: 'gauge',
  herakles_exporter_cache_update_duration_seconds: 'gauge',
  herakles_exporter_cache_update_success: 'gauge',
  herakles_exporter_cache_updating: 'gauge',
  herakles_exporter_collection_age_seconds: 'gauge',
  herakles_exporter_smaps_reads_total: 'counter',
  herakles_exporter_smaps_seconds_total: 'counter',
  herakles_exporter_smaps_oldest_age_seconds: 'gauge',
  herakles_exporter_smaps_deferred_processes: 'gauge',
  herakles_exporter_series: 'gauge',
  herakles_exporter_config_last_reload_successful: 'gauge',
  herakles_exporter_config_last_reload_success_timestamp_seconds: 'gauge',
  herakles_exporter_http_requests_total: 'counter',
  process_cpu_seconds_total: 'counter',
  process_resident_memory_bytes: 'gauge',
  process_start_time_seconds: 'gauge',
};

/** Accepted by the strict parser: prints how many families and samples, or why not. */
const parse = `
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
families = list(text_string_to_metric_families(sys.stdin.buffer.read().decode('utf-8')))
print(len(families), sum(len(family.samples) for family in families))
`;

type Raw = { status: number; headers: Record<string, string | string[] | undefined>; body: Buffer };

/** A request whose answer stays as it came, compressed or not. */
function raw(url: string, method = 'GET', headers: Record<string, string> = {}): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    outgoing.on('error', reject).end();
  });
}

test('the exposition', async (t) => {
  if (!need(t, 'cc')) return;
  const hostile = Buffer.from('a) (b "c\\\n', 'latin1').toString('hex');
  await startChildren(t, 'name', `${hostile}ff`);
  const more = ['--process-oom-score', '--process-context-switches', '--collector-cgroup'];
  const shown = ['--process-start-time', '--process-io', '--kernel-threads', '--declared-groups', 'db/oracle'];
  const off = ['--collector-descriptors', '--collector-shared-memory'];
  const everything = [...shown, ...more, ...off];
  const exporter = await startExporter(t, { args: ['--smaps', 'exact', '--interval', '1s', ...everything] });
  // the second collection knows CPU percentages, the second response how long the first one took
  await eventually(async () =>
    assert.ok((await exporter.scrape()).text.includes('\nherakles_cpu_process_usage_percent{')),
  );
  const metrics = `${exporter.url}/metrics`;
  const openmetrics = { accept: 'application/openmetrics-text; version=1.0.0' };

  await t.test('every family of the contract is there, by its name and type', async () => {
    const seen = await exporter.scrape();
    for (const [name, type] of Object.entries(contract)) {
      assert.equal(seen.types.get(name), type, name);
      assert.ok(seen.helps.get(name), `${name} has a help text`);
      assert.ok(seen.all(name).length > 0, `${name} has a series`);
    }
    const undeclared = seen.samples.filter(({ name }) => !seen.types.has(name));
    assert.deepEqual(undeclared, []);
    assert.equal(seen.value('herakles_mem_group_rss_bytes', { group: 'db', subgroup: 'oracle' }), 0);
    assert.ok(seen.all('herakles_exporter_unreadable_processes').every(({ order }) => order.join() === 'file,reason'));
  });

  await t.test('labels stand in the stated order', async () => {
    const seen = await exporter.scrape();
    const ofProcess = seen.samples.filter(({ name }) =>
      /^herakles_(mem|cpu|io)_process_|^herakles_process_/.test(name),
    );
    const ofGroup = seen.samples.filter(({ name }) => /^herakles_((mem|cpu|io)_group|group)_/.test(name));
    assert.ok(ofProcess.length > 20 && ofGroup.length > 20);
    for (const { name, order, line } of ofProcess) {
      const labels = name === 'herakles_process_info' ? order.slice(0, 4) : order;
      assert.equal(labels.join(), 'pid,name,group,subgroup', line);
    }
    for (const { order, line } of ofGroup) assert.equal(order.slice(0, 2).join(), 'group,subgroup', line);
    const known = ['user', 'exe', 'unit', 'container_id', 'pod_uid', 'rule'];
    for (const { order, labels, line } of seen.all('herakles_process_info')) {
      const more = order.slice(4);
      assert.deepEqual(
        more,
        known.filter((label) => more.includes(label)),
        line,
      );
      for (const label of more) assert.notEqual(labels[label], '', line);
    }
  });

  for (const version of ['promtool', 'promtool-trixie', 'promtool-forky'] as const) {
    await t.test(`${version} objects to nothing but the exempted names`, async (t) => {
      const promtool = need(t, version)?.[version];
      if (!promtool) return t.skip(`${version} is out of reach`);
      const { body } = await raw(metrics);
      const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], { input: body, encoding: 'utf8' });
      const lines = `${stdout}${stderr}`.split('\n').filter((line) => line !== '');
      const others = lines.filter((line) => !exempt.some((name) => line.startsWith(`${name} `)));
      assert.deepEqual(others, []);
      assert.equal(status, 3, 'the exempted names are reported, so the lint is on');
    });
  }

  await t.test('the strict OpenMetrics parser accepts the OpenMetrics form', async (t) => {
    const python = need(t, 'openmetrics-parser')?.['openmetrics-parser'];
    if (!python) return;
    const { headers, body } = await raw(metrics, 'GET', openmetrics);
    assert.match(String(headers['content-type']), /^application\/openmetrics-text; ?version=1\.0\.0/);
    assert.ok(body.toString().endsWith('# EOF\n'));
    const { stdout, stderr } = spawnSync(python, ['-c', parse], { input: body, encoding: 'utf8' });
    assert.equal(stderr, '');
    const [families, samples] = stdout.split(' ').map(Number) as [number, number];
    assert.ok(families >= Object.keys(contract).length && samples > families, stdout);
    const types = new Map(
      [...body.toString().matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]),
    );
    assert.equal(types.get('herakles_cpu_process_time_seconds'), 'unknown');
    assert.equal(types.get('herakles_cpu_group_time_seconds_sum'), 'unknown');
    assert.equal(types.get('herakles_cpu_group_seconds'), 'counter', 'a counter is declared without its _total');
    assert.equal(types.get('herakles_process'), 'info');
  });

  await t.test(
    'a client that asks for no format gets text 0.0.4, and so does one that refuses every known format',
    async () => {
      for (const accept of [
        '',
        '*/*',
        'text/plain;version=0.0.4',
        'application/json',
        'application/openmetrics-text;q=0',
      ]) {
        const { status, headers } = await raw(metrics, 'GET', accept === '' ? {} : { accept });
        assert.equal(status, 200);
        assert.match(String(headers['content-type']), /^text\/plain; ?version=0\.0\.4/, accept);
      }
    },
  );

  await t.test('gzip when asked, and the same families', async () => {
    const plain = await raw(metrics);
    assert.equal(plain.headers['content-encoding'], undefined);
    const packed = await raw(metrics, 'GET', { 'accept-encoding': 'gzip' });
    assert.equal(packed.headers['content-encoding'], 'gzip');
    assert.match(String(packed.headers.vary), /accept-encoding/i);
    assert.ok(packed.body.length < plain.body.length / 3, `${packed.body.length} of ${plain.body.length}`);
    const unpacked = new Exposition(gunzipSync(packed.body).toString());
    assert.deepEqual([...unpacked.types], [...new Exposition(plain.body.toString()).types]);
    const refused = await raw(metrics, 'GET', { 'accept-encoding': 'gzip;q=0' });
    assert.equal(refused.headers['content-encoding'], undefined);
  });

  await t.test('HEAD answers as GET does, without a body; other methods are refused', async () => {
    const head = await raw(metrics, 'HEAD');
    assert.equal(head.status, 200);
    assert.equal(head.body.length, 0);
    assert.match(String(head.headers['content-type']), /^text\/plain/);
    const post = await raw(metrics, 'POST');
    assert.equal(post.status, 405);
    assert.match(String(post.headers.allow), /GET/);
    assert.equal((await raw(`${exporter.url}/nothing-here`)).status, 404);
  });
});

test('programs below a folder of 4,000 bytes that are no text: short labels, valid UTF-8, and a bounded page', async (t) => {
  if (!need(t, 'cc')) return;
  // A path of more than 4,095 bytes can only be walked step by step.
  const script = `
    name=$(printf '\\377%.0s' $(seq 250))
    for step in $(seq 16); do mkdir "$name" && cd -P "$name" || exit 1; done
    exec 3<&0
    cp "$0" hk && for i in $(seq 50); do ./hk private 1 <&3 & done
    wait`;
  const dir = scratch();
  const family = new Started(t, ['/bin/sh', '-c', script, childProgram()], { cwd: dir });
  t.after(() => spawnSync('rm', ['-rf', dir])); // names that are no text are nothing that Node could remove
  await family.line('ready', 49);
  const exporter = await startExporter(t, { args: ['--cache-ttl', '0s'] });
  const long = await eventually(async () => {
    const page = await exporter.scrape();
    const found = page.all('herakles_process_info').filter(({ labels }) => labels.exe?.endsWith('/hk'));
    assert.ok(found.length >= 50, `${found.length} of 50; ${family.stderr}`);
    return found;
  });
  for (const { labels } of long) {
    assert.ok(Buffer.byteLength(labels.exe!) <= 256 && labels.exe!.startsWith('…'), labels.exe);
  }
  const bytes = Buffer.from(await (await fetch(`${exporter.url}/metrics`)).arrayBuffer());
  new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  for (const line of bytes.toString().split('\n')) assert.ok(Buffer.byteLength(line) < 2500, line);
});
