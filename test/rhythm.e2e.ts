// `interval: auto` with two real Prometheus servers, as a pair for high availability has them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, need, startExporter } from './harness.ts';
import { type Prometheus, startPrometheus } from './prometheus-server.ts';

const AGE = 'herakles_exporter_collection_age_seconds';
const SCRAPES = 'herakles_exporter_http_requests_total{path="/metrics",code="200"}';
const COLLECTIONS = 'sum(herakles_exporter_collections_total)';

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
    `last_over_time((${expression})[15s:1s]) - min_over_time((${expression})[15s:1s])`;
  // A busy machine may disturb some scrapes: each server must see a quarter of a minute without that. A program that collects
  // at fixed times or on request only never gives four scrapes in a row, 3 s apart, a snapshot younger than 2 s for each.
  for (const server of servers) {
    await eventually(
      async () => {
        assert.ok((await value(server, `count_over_time(${AGE}[15s])`)) >= 4, 'scrapes');
        const oldest = await value(server, `max_over_time(${AGE}[15s])`);
        assert.ok(oldest < 2, `a scrape got a snapshot ${oldest} s old`);
        const [scrapes, collections] = [await value(server, over(SCRAPES)), await value(server, over(COLLECTIONS))];
        assert.ok(collections <= scrapes + 1, `${collections} collections for ${scrapes} scrapes`);
      },
      240_000,
      1000,
    );
  }
});
