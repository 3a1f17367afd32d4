// Collector "exporter": the state of the exporter itself. It changes with every scrape, so it is written for every
// response, behind the samples that were written once for the collection.
import type { Encoder } from '../exposition/encode.ts';
import { counter, type Family, gauge, info, labelText } from '../exposition/metric.ts';
import type { ExporterState } from '../view/exporter-state.ts';
import type { ProcessView } from '../view/view.ts';
import type { Collector } from './collector.ts';

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
export const processesHidden = gauge(
  'herakles_exporter_processes_hidden',
  'Whether /proc is mounted so that processes of other users are hidden from this exporter (hidepid): 1 or 0.',
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
export const collections = counter(
  'herakles_exporter_collections_total',
  'Collections, by what made them begin: a scrape that found none fresh enough (scrape), a scrape that is expected (expected), the interval, or a minute without a reader (idle), a page or another request (request).',
  ['reason'],
);
export const unreadable = gauge(
  'herakles_exporter_unreadable_processes',
  'Processes with a file that could not be read, by file and reason.',
  ['file', 'reason'],
);
export const sourceInfo = info(
  'herakles_exporter_source_info',
  'Where CPU, I/O and RSS of processes came from at the last collection: procfs or bpf; always 1.',
  ['source'],
);
export const smapsReads = counter(
  'herakles_exporter_smaps_reads_total',
  'Reads of smaps_rollup, and of smaps where huge pages are shared, by outcome.',
  ['outcome'],
);
export const smapsSeconds = counter(
  'herakles_exporter_smaps_seconds_total',
  'Time spent reading smaps_rollup and smaps.',
);
export const smapsOldest = gauge(
  'herakles_exporter_smaps_oldest_age_seconds',
  'Time since the oldest PSS and USS in use were read, or confirmed by other idle processes of the executable.',
);
export const smapsDeferred = gauge(
  'herakles_exporter_smaps_deferred_processes',
  'Processes whose PSS and USS should be read again, and wait until the budget allows it.',
);
export const hostContradictions = gauge(
  'herakles_exporter_host_kinds_contradictory',
  "Kinds of the host's memory that are left out, because what /proc/meminfo says of them cannot be true.",
);
export const series = gauge('herakles_exporter_series', 'Series in the previous response with all collectors.');
export const seriesDropped = gauge(
  'herakles_exporter_series_dropped',
  'Series left out of the last collection to stay within max_series, by what was left out.',
  ['reason'],
);
export const reloadSuccessful = gauge(
  'herakles_exporter_config_last_reload_successful',
  'Whether the last attempt to load the configuration succeeded: 1 or 0.',
);
export const unknownGroupNames = gauge(
  'herakles_exporter_unknown_names',
  'Names of groups that a setting has, and that exist nowhere: neither in a rule nor as a running service.',
  ['setting'],
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
const selfFilesMax = gauge('process_max_fds', 'File descriptors this exporter may have open.');

/** A family and how its samples are written. */
interface Declaration {
  readonly family: Family;
  readonly write: (state: ExporterState, out: Encoder) => void;
  /** It is about the collection that is served, so it is left out before the first one. */
  readonly needsView?: boolean;
}

/** A family without labels. */
const single = (family: Family<never>, value: (state: ExporterState) => number): Declaration => ({
  family,
  write: (state, out) => out.sample('', value(state)),
});

/** A family about the collection that is served. */
const ofView = (family: Family, write: (view: ProcessView, out: Encoder) => void): Declaration => ({
  family,
  write: ({ view }, out) => write(view!, out),
  needsView: true,
});

const DECLARATIONS: readonly Declaration[] = [
  {
    family: buildInfo,
    write: ({ version, revision, nodejs }, out) => out.sample(labelText(buildInfo, { version, revision, nodejs }), 1),
  },
  single(scrapeDuration, (state) => state.scrapeDuration),
  ofView(processesSeen, ({ seen }, out) => out.sample('', seen)),
  single(processesHidden, (state) => Number(state.processesHidden)),
  single(updateDuration, (state) => state.updateDuration),
  single(updateSuccess, (state) => Number(state.updateSuccess)),
  single(updating, (state) => Number(state.updating)),
  single(collectionAge, (state) => state.collectionAge),
  {
    family: collections,
    write(state, out) {
      for (const [reason, count] of Object.entries(state.collections))
        out.sample(labelText(collections, { reason }), count);
    },
  },
  ofView(unreadable, (view, out) => {
    for (const { file, reason, processes } of view.unreadable) {
      out.sample(labelText(unreadable, { file, reason }), processes);
    }
  }),
  ofView(sourceInfo, ({ source: { name } }, out) => out.sample(labelText(sourceInfo, { source: name }), 1)),
  ofView(smapsReads, ({ footprints }, out) => {
    for (const [outcome, count] of Object.entries(footprints.reads)) {
      out.sample(labelText(smapsReads, { outcome }), count);
    }
  }),
  ofView(smapsSeconds, ({ footprints }, out) => out.sample('', Math.round(footprints.seconds * 1e6) / 1e6)),
  ofView(smapsOldest, ({ oldestMeasurement }, out) => out.sample('', oldestMeasurement)),
  ofView(smapsDeferred, ({ footprints }, out) => out.sample('', footprints.deferred)),
  ofView(hostContradictions, ({ books }, out) => out.sample('', books.contradictory.length)),
  single(series, (state) => state.series),
  {
    family: seriesDropped,
    write(state, out) {
      for (const [reason, count] of state.seriesDropped) out.sample(labelText(seriesDropped, { reason }), count);
    },
  },
  single(reloadSuccessful, (state) => Number(state.reloadSuccessful)),
  {
    family: unknownGroupNames,
    write(state, out) {
      for (const [setting, count] of state.unknownNames) out.sample(labelText(unknownGroupNames, { setting }), count);
    },
  },
  single(reloadTime, (state) => state.reloadTime),
  {
    family: httpRequests,
    write(state, out) {
      for (const { path, code, count } of state.requests) {
        out.sample(labelText(httpRequests, { path, code: String(code) }), count);
      }
    },
  },
  single(selfCpu, (state) => state.cpuSeconds),
  single(selfRss, (state) => state.residentMemory),
  single(selfVirtual, (state) => state.self.virtualMemory),
  single(selfStart, (state) => state.startTime),
  single(selfFiles, (state) => state.self.openFiles),
  single(selfFilesMax, (state) => state.self.maxFiles),
];

/** Room for the series of all families with labels together: reasons, outcomes, paths and codes. Generous. */
const LABELLED = 60;

export const exporterCollector: Collector<ExporterState> = {
  name: 'exporter',
  help: 'The exporter about itself.',
  families: DECLARATIONS.map(({ family }) => family),
  series: () => ({ other: DECLARATIONS.length + LABELLED }),
  *collect(state, _enabled, out) {
    for (const { family, write, needsView } of DECLARATIONS) {
      if (needsView && !state.view) continue;
      out.family(family);
      write(state, out);
      yield;
    }
  },
};
