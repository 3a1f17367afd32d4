// Dashboard of the exporters themselves: do they collect, what do they cost, what can they not read or export?
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import * as exporter from '../../src/collectors/exporter.ts';
import { board, host } from './boards.ts';
import { Board } from './panels.ts';

const seriesOf = (family: { name: string }): string => family.name + host;
const rate = (family: { name: string }): string => `rate(${family.name}${host}[$__rate_interval])`;
/** A family that other programs export too, such as process_open_fds: only the series of exporters. */
const own = (name: string): string => `${name}${host} and on (job, instance) ${exporter.buildInfo.name}`;

export function exporterBoard(): Dashboard {
  const made = board({
    uid: 'herakles-exporter',
    title: 'Herakles Exporter Health',
    help: 'Do the exporters collect, what do they cost, what can they not read?',
    instances: 'any',
    groups: false,
  });
  const panels = new Board(made);
  panels
    .number(
      {
        title: 'Not Collecting',
        help: 'Exporters whose last collection failed.',
        unit: 'short',
        width: 6,
        warn: [1, 1],
      },
      { Exporters: `count(${seriesOf(exporter.updateSuccess)} == 0) or vector(0)` },
    )
    .number(
      {
        title: 'Oldest Data',
        help: 'Age of the oldest collection that an exporter serves.',
        unit: 's',
        width: 6,
        warn: [45, 120],
      },
      { Age: `max(${seriesOf(exporter.collectionAge)})` },
    )
    .number(
      {
        title: 'Bad Configuration',
        help: 'Exporters whose last reload failed.',
        unit: 'short',
        width: 6,
        warn: [1, 1],
      },
      { Exporters: `count(${seriesOf(exporter.reloadSuccessful)} == 0) or vector(0)` },
    )
    .number(
      {
        title: 'Series Left Out',
        help: 'Series that exporters left out to stay within max_series.',
        unit: 'short',
        width: 6,
        warn: [1, 1],
      },
      { Series: `sum(${seriesOf(exporter.seriesDropped)}) or vector(0)` },
    )
    .row('Collecting')
    .lines(
      { title: 'Duration of a Collection', help: 'Duration of the last collection.', unit: 's', width: 12 },
      { '{{instance}}': seriesOf(exporter.updateDuration) },
    )
    .lines(
      {
        title: 'Duration of a Scrape',
        help: 'Measured by the exporter (served) and by Prometheus (scraped).',
        unit: 's',
        width: 12,
      },
      {
        '{{instance}} served': seriesOf(exporter.scrapeDuration),
        '{{instance}} scraped': own('scrape_duration_seconds'),
      },
    )
    .lines(
      {
        title: 'Age of the Data',
        help: 'Age of the collection that is served. It should stay below the interval, and below cache_ttl with interval auto.',
        unit: 's',
        width: 12,
      },
      { '{{instance}}': seriesOf(exporter.collectionAge) },
    )
    .lines(
      {
        title: 'Processes Seen',
        help: 'Processes at the last collection, kernel threads and zombies included.',
        unit: 'short',
        width: 12,
      },
      { '{{instance}}': seriesOf(exporter.processesSeen) },
    )
    .row('Reading PSS')
    .lines(
      {
        title: 'Reads of smaps_rollup',
        help: 'Reads per second, by outcome.',
        unit: 'cps',
        width: 8,
      },
      { '{{outcome}}': `sum by (outcome) (${rate(exporter.smapsReads)})` },
    )
    .lines(
      {
        title: 'Cost of PSS',
        help: 'Share of one core that reading smaps_rollup takes. smaps_budget limits it.',
        unit: 'percentunit',
        width: 8,
      },
      { '{{instance}}': rate(exporter.smapsSeconds) },
    )
    .lines(
      {
        title: 'Waiting to Be Read',
        help: 'Processes whose PSS should be read again and that wait for smaps_budget.',
        unit: 'short',
        width: 8,
      },
      { '{{instance}}': seriesOf(exporter.smapsDeferred) },
    )
    .lines(
      {
        title: 'Oldest PSS in Use',
        help: 'Time since the oldest PSS in use was read or confirmed. smaps_max_age limits it.',
        unit: 's',
        width: 12,
      },
      { '{{instance}}': seriesOf(exporter.smapsOldest) },
    )
    .lines(
      {
        title: 'Unreadable',
        help: 'Processes with a file that could not be read. "denied": "herakles-node-exporter check" says what to grant.',
        unit: 'short',
        width: 12,
      },
      { '{{file}} {{reason}}': `sum by (file, reason) (${seriesOf(exporter.unreadable)})` },
    )
    .row('Cost');
  costPanels(panels);
  return made.build();
}

function costPanels(panels: Board): void {
  panels
    .lines(
      { title: 'CPU', help: 'CPU that each exporter uses; 1 is one core.', unit: 'short', width: 8 },
      {
        '{{instance}}': `rate(process_cpu_seconds_total${host}[$__rate_interval]) and on (job, instance) ${exporter.buildInfo.name}`,
      },
    )
    .lines(
      { title: 'Resident Memory', help: 'Resident memory of each exporter.', unit: 'bytes', width: 8 },
      { '{{instance}}': own('process_resident_memory_bytes') },
    )
    .lines(
      {
        title: 'Open Files',
        help: 'Open files, as a share of the limit of the exporter.',
        unit: 'percentunit',
        width: 8,
      },
      {
        '{{instance}}': `process_open_fds${host} / process_max_fds${host} and on (job, instance) ${exporter.buildInfo.name}`,
      },
    )
    .lines(
      { title: 'Series', help: 'Series in the last response. max_series limits them.', unit: 'short', width: 8 },
      { '{{instance}}': seriesOf(exporter.series) },
    )
    .lines(
      { title: 'Requests', help: 'Requests per second, by path and status.', unit: 'cps', width: 8 },
      { '{{path}} {{code}}': `sum by (path, code) (${rate(exporter.httpRequests)})` },
    )
    .table(
      { title: 'Exporters', help: 'Version of each exporter, and when it started.', unit: 'dateTimeFromNow', width: 8 },
      {
        labels: { instance: 'Instance', version: 'Version', revision: 'Revision', nodejs: 'Node.js' },
        by: 'Started',
        values: {
          Started: {
            query: `1000 * process_start_time_seconds${host} * on (job, instance) group_left (version, revision, nodejs) ${exporter.buildInfo.name}`,
          },
        },
      },
    );
}
