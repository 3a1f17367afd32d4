// `interval: auto` with two real Prometheus servers, as a pair for high availability has them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, need, startExporter } from './harness.ts';
import { type Prometheus, startPrometheus } from './prometheus-server.ts';

const AGE = 'herakles_exporter_collection_age_seconds';
const SCRAPES = 'herakles_exporter_http_requests_total{path="/metrics",code="200"}';
const COLLECTIONS = 'sum(herakles_exporter_collections_total)';
const BECAUSE_OF_A_SCRAPE = 'herakles_exporter_collections_total{reason="scrape"}';

test('two Prometheus servers find fresh snapshots, and cost no more collections than scrapes', async (t) => {
  const paths = need(t, 'prometheus');
  if (!paths) return;
  const exporter = await startExporter(t);
  const scrape_configs = [{ job_name: 'herakles', static_configs: [{ targets: [`127.0.0.1:${exporter.port}`] }] }];
  // Prometheus derives the offset of its scrapes from these labels.
  const start = (replica: string): Promise<Prometheus> =>
    startPrometheus(t, paths.prometheus, {
      global: { scrape_interval: '3s', scrape_timeout: '3s', external_labels: { replica } },
      scrape_configs,
    });
  const servers = await Promise.all(['a', 'b'].map(start));
  const value = async (server: Prometheus, expression: string) =>
    (await server.query(expression)).result[0]?.value ?? Number.NaN;
  const over = (expression: string) =>
    `last_over_time((${expression})[30s:1s]) - min_over_time((${expression})[30s:1s])`;
  // A busy machine may disturb some scrapes: what must come is half a minute without that.
  await eventually(
    async () => {
      for (const server of servers) {
        assert.ok((await value(server, `count_over_time(${AGE}[30s])`)) >= 9, 'half a minute of scrapes');
        const oldest = await value(server, `max_over_time(${AGE}[30s])`);
        assert.ok(oldest < 2, `a scrape got a snapshot ${oldest} s old`);
        const [scrapes, collections] = [await value(server, over(SCRAPES)), await value(server, over(COLLECTIONS))];
        assert.ok(collections <= 1.1 * scrapes + 1, `${collections} collections for ${scrapes} scrapes`);
        assert.equal(await value(server, over(BECAUSE_OF_A_SCRAPE)), 0, 'no scrape had to wait');
      }
    },
    180_000,
    1000,
  );
});
