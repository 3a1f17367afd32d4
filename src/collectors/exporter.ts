// Collector "exporter": what the exporter has to say about itself. Written anew at every scrape; the rest is not.
import type { Encoder } from '../exposition/encode.ts';
import { counter, type Family, gauge, info, labelText } from '../exposition/metric.ts';
import type { SelfReading } from '../kernel/self.ts';
import type { ProcessView } from '../view/view.ts';

export const buildInfo = info('herakles_exporter_build_info', 'Version of this exporter; always 1.', [
  'version',
  'revision',
  'nodejs',
]);
export const scrapeDuration = gauge(
  'herakles_exporter_scrape_duration_seconds',
  'Time that serving the previous scrape took; absent at the first.',
);
export const processesSeen = gauge(
  'herakles_exporter_processes_total',
  'Processes seen at the last collection, kernel threads and zombies included.',
);
export const updateDuration = gauge(
  'herakles_exporter_cache_update_duration_seconds',
  'Time that the last collection took.',
);
export const updateSuccess = gauge(
  'herakles_exporter_cache_update_success',
  'Whether the last collection succeeded: 1 or 0.',
);
export const updating = gauge('herakles_exporter_cache_updating', 'Whether a collection is under way: 1 or 0.');
export const collectionAge = gauge(
  'herakles_exporter_collection_age_seconds',
  'Age of the collection that is being served.',
);
export const unreadable = gauge(
  'herakles_exporter_unreadable_processes',
  'Processes of which a file could not be read, by file and reason.',
  ['file', 'reason'],
);
export const smapsReads = counter('herakles_exporter_smaps_reads_total', 'Reads of smaps_rollup, by outcome.', [
  'outcome',
]);
export const smapsSeconds = counter('herakles_exporter_smaps_seconds_total', 'Time spent reading smaps_rollup.');
export const smapsOldest = gauge(
  'herakles_exporter_smaps_oldest_age_seconds',
  'Age of the oldest PSS and USS sample that is in use.',
);
export const smapsDeferred = gauge(
  'herakles_exporter_smaps_deferred_processes',
  'Processes whose PSS and USS should be read again and wait for budget.',
);
export const series = gauge('herakles_exporter_series', 'Series in the previous response.');
export const seriesDropped = gauge(
  'herakles_exporter_series_dropped',
  'Series left out of the last collection to stay within max_series, by what was left out.',
  ['reason'],
);
export const reloadSuccessful = gauge(
  'herakles_exporter_config_last_reload_successful',
  'Whether the last attempt to load the configuration succeeded: 1 or 0.',
);
export const reloadTime = gauge(
  'herakles_exporter_config_last_reload_success_timestamp_seconds',
  'When the configuration was last loaded with success, in seconds since the epoch.',
);
export const httpRequests = counter('herakles_exporter_http_requests_total', 'HTTP requests answered.', [
  'path',
  'code',
]);
const selfCpu = counter('process_cpu_seconds_total', 'User and system CPU time of this exporter.');
const selfRss = gauge('process_resident_memory_bytes', 'Resident memory of this exporter.');
const selfVirtual = gauge('process_virtual_memory_bytes', 'Virtual memory of this exporter.');
const selfStart = gauge('process_start_time_seconds', 'Start of this exporter, in seconds since the epoch.');
const selfFiles = gauge('process_open_fds', 'Open file descriptors of this exporter.');
const selfMostFiles = gauge('process_max_fds', 'File descriptors this exporter may have open.');

export const exporterFamilies: readonly Family[] = [
  buildInfo,
  scrapeDuration,
  processesSeen,
  updateDuration,
  updateSuccess,
  updating,
  collectionAge,
  unreadable,
  smapsReads,
  smapsSeconds,
  smapsOldest,
  smapsDeferred,
  series,
  seriesDropped,
  reloadSuccessful,
  reloadTime,
  httpRequests,
  selfCpu,
  selfRss,
  selfVirtual,
  selfStart,
  selfFiles,
  selfMostFiles,
];

/** Times in seconds, instants in seconds since the epoch; NaN where there is nothing to tell yet. */
export interface ExporterState {
  readonly version: string;
  readonly revision: string;
  readonly nodejs: string;
  readonly scrapeDuration: number;
  readonly updateDuration: number;
  readonly updateSuccess: boolean;
  readonly updating: boolean;
  readonly collectionAge: number;
  readonly series: number;
  readonly seriesDropped: ReadonlyMap<string, number>;
  readonly reloadSuccessful: boolean;
  readonly reloadTime: number;
  readonly requests: Iterable<{ readonly path: string; readonly code: number; readonly count: number }>;
  readonly cpuSeconds: number;
  readonly residentMemory: number;
  readonly startTime: number;
  readonly self: SelfReading;
}

/** @param view the collection being served; undefined before the first succeeded */
export function collectExporter(state: ExporterState, view: ProcessView | undefined, out: Encoder): void {
  const one = (family: Family<never>, value: number) => {
    out.family(family);
    out.sample('', value);
  };
  const { version, revision, nodejs } = state;
  out.family(buildInfo);
  out.sample(labelText(buildInfo, { version, revision, nodejs }), 1);
  one(scrapeDuration, state.scrapeDuration);
  one(updateDuration, state.updateDuration);
  one(updateSuccess, Number(state.updateSuccess));
  one(updating, Number(state.updating));
  one(collectionAge, state.collectionAge);
  if (view) collectFindings(view, out);
  one(series, state.series);
  out.family(seriesDropped);
  for (const [reason, count] of state.seriesDropped) out.sample(labelText(seriesDropped, { reason }), count);
  one(reloadSuccessful, Number(state.reloadSuccessful));
  one(reloadTime, state.reloadTime);
  out.family(httpRequests);
  for (const { path, code, count } of state.requests) {
    out.sample(labelText(httpRequests, { path, code: String(code) }), count);
  }
  one(selfCpu, state.cpuSeconds);
  one(selfRss, state.residentMemory);
  one(selfVirtual, state.self.virtualMemory);
  one(selfStart, state.startTime);
  one(selfFiles, state.self.openFiles);
  one(selfMostFiles, state.self.maxFiles);
}

/** What the collection has to say of its own completeness and cost. */
function collectFindings(view: ProcessView, out: Encoder): void {
  out.family(processesSeen);
  out.sample('', view.seen);
  out.family(unreadable);
  for (const { file, reason, processes } of view.unreadable) {
    out.sample(labelText(unreadable, { file, reason }), processes);
  }
  const { reads, seconds, deferred } = view.footprints;
  out.family(smapsReads);
  for (const [outcome, count] of Object.entries(reads)) out.sample(labelText(smapsReads, { outcome }), count);
  out.family(smapsSeconds);
  out.sample('', Math.round(seconds * 1e6) / 1e6);
  out.family(smapsOldest);
  out.sample('', view.oldestSample);
  out.family(smapsDeferred);
  out.sample('', deferred);
}
