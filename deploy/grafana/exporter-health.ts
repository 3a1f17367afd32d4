// The exporter about itself: does it collect, what does it cost, what can it not read, what has it left out.
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import * as exporter from '../../src/collectors/exporter.ts';
import { board, host } from './boards.ts';
import { Board } from './panels.ts';

const of = (family: { name: string }): string => family.name + host;
const rate = (family: { name: string }): string => `rate(${family.name}${host}[$__rate_interval])`;
/** The standard families, of these exporters only. */
const own = (name: string): string => `${name}${host} and on (job, instance) ${exporter.buildInfo.name}`;

export function exporterBoard(): Dashboard {
  const made = board({
    uid: 'herakles-exporter',
    title: 'Herakles Exporter Health',
    help: 'Does the exporter collect, what does it cost, what can it not read?',
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
      { Exporters: `count(${of(exporter.updateSuccess)} == 0) or vector(0)` },
    )
    .number(
      {
        title: 'Oldest Data',
        help: 'Age of the oldest collection that is served.',
        unit: 's',
        width: 6,
        warn: [45, 120],
      },
      { Age: `max(${of(exporter.collectionAge)})` },
    )
    .number(
      {
        title: 'Bad Configuration',
        help: 'Exporters whose last reload failed.',
        unit: 'short',
        width: 6,
        warn: [1, 1],
      },
      { Exporters: `count(${of(exporter.reloadSuccessful)} == 0) or vector(0)` },
    )
    .number(
      { title: 'Series Left Out', help: 'To stay within max_series.', unit: 'short', width: 6, warn: [1, 1] },
      { Series: `sum(${of(exporter.seriesDropped)}) or vector(0)` },
    )
    .row('Collecting')
    .lines(
      { title: 'Duration of a Collection', help: 'Time that the last collection took.', unit: 's', width: 12 },
      { '{{instance}}': of(exporter.updateDuration) },
    )
    .lines(
      {
        title: 'Duration of a Scrape',
        help: 'As the exporter sees it, and as Prometheus does.',
        unit: 's',
        width: 12,
      },
      {
        '{{instance}} served': of(exporter.scrapeDuration),
        '{{instance}} scraped': own('scrape_duration_seconds'),
      },
    )
    .lines(
      { title: 'Age of the Data', help: 'Should stay below the interval of collections.', unit: 's', width: 12 },
      { '{{instance}}': of(exporter.collectionAge) },
    )
    .lines(
      { title: 'Processes Seen', help: 'Kernel threads and zombies included.', unit: 'short', width: 12 },
      { '{{instance}}': of(exporter.processesSeen) },
    )
    .row('Reading PSS')
    .lines(
      {
        title: 'Reads of smaps_rollup',
        help: 'A second, by outcome.',
        unit: 'cps',
        width: 8,
      },
      { '{{outcome}}': `sum by (outcome) (${rate(exporter.smapsReads)})` },
    )
    .lines(
      {
        title: 'Cost of PSS',
        help: 'Share of one core that reading smaps_rollup takes; smaps_budget bounds it.',
        unit: 'percentunit',
        width: 8,
      },
      { '{{instance}}': rate(exporter.smapsSeconds) },
    )
    .lines(
      {
        title: 'Waiting to Be Read',
        help: 'Processes whose PSS should be read again and waits for budget.',
        unit: 'short',
        width: 8,
      },
      { '{{instance}}': of(exporter.smapsDeferred) },
    )
    .lines(
      { title: 'Oldest PSS in Use', help: 'smaps_max_age bounds it.', unit: 's', width: 12 },
      { '{{instance}}': of(exporter.smapsOldest) },
    )
    .lines(
      {
        title: 'Unreadable',
        help: 'Processes of which a file could not be read. "denied": the check command says what to grant.',
        unit: 'short',
        width: 12,
      },
      { '{{file}} {{reason}}': `sum by (file, reason) (${of(exporter.unreadable)})` },
    )
    .row('Cost');
  costPanels(panels);
  return made.build();
}

function costPanels(panels: Board): void {
  panels
    .lines(
      { title: 'CPU', help: 'Of the exporter; 1 is one core.', unit: 'short', width: 8 },
      {
        '{{instance}}': `rate(process_cpu_seconds_total${host}[$__rate_interval]) and on (job, instance) ${exporter.buildInfo.name}`,
      },
    )
    .lines(
      { title: 'Resident Memory', help: 'Of the exporter.', unit: 'bytes', width: 8 },
      { '{{instance}}': own('process_resident_memory_bytes') },
    )
    .lines(
      { title: 'Open Files', help: 'Share of what the exporter may have open.', unit: 'percentunit', width: 8 },
      {
        '{{instance}}': `process_open_fds${host} / process_max_fds${host} and on (job, instance) ${exporter.buildInfo.name}`,
      },
    )
    .lines(
      { title: 'Series', help: 'In the last response; max_series bounds it.', unit: 'short', width: 8 },
      { '{{instance}}': of(exporter.series) },
    )
    .lines(
      { title: 'Requests', help: 'A second, by path and status.', unit: 'cps', width: 8 },
      { '{{path}} {{code}}': `sum by (path, code) (${rate(exporter.httpRequests)})` },
    )
    .table(
      { title: 'Exporters', help: 'Version, and how long each has been running.', unit: 'dateTimeFromNow', width: 8 },
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
