// What the settings mean to the parts of the program: the flat keys of the configuration become the options of the
// sampler and the set of everything that is switched on.
import { type Collector, type Enabled, switchOf } from '../collectors/collector.ts';
import { collectors, viewCollectors } from '../collectors/index.ts';
import { type Config, keys } from '../config/options.ts';
import { fileColumnsOf } from '../view/file-columns.ts';
import { addSeries, type LineBytes, NO_SERIES, type SeriesCounts } from '../view/series-budget.ts';
import type { SamplerOptions } from './sampler.ts';
import { IDLE_INTERVAL } from './scrape-rhythm.ts';
import type { UnknownName } from './unknown-names.ts';

/** The keys that are true: collectors find among them their own switches and those of their parts. */
export const enabledOf = (config: Config): Enabled => new Set(keys.filter((key) => config[key] === true));

/** Those of the collectors that are switched on. */
export const runningOf = <C extends Pick<Collector, 'name'>>(all: readonly C[], enabled: Enabled): C[] =>
  all.filter((collector) => enabled.has(switchOf(collector)));

/** The most series that all running collectors together can have. */
const seriesOf = (enabled: Enabled): SeriesCounts =>
  runningOf(collectors, enabled).reduce((sum, collector) => addSeries(sum, collector.series(enabled)), NO_SERIES);

/** The bytes of the lines of all running collectors together. */
function lineBytesOf(enabled: Enabled): LineBytes {
  const all = runningOf(viewCollectors, enabled).flatMap((collector) => collector.bytes?.(enabled) ?? []);
  const ofProcess = all.flatMap((bytes) => bytes.process ?? []);
  const ofCgroup = all.flatMap((bytes) => bytes.cgroup ?? []);
  return {
    process(description) {
      let sum = 0;
      for (const bytes of ofProcess) sum += bytes(description);
      return sum;
    },
    cgroup: (row) => ofCgroup.reduce((sum, bytes) => sum + bytes(row), 0),
  };
}

/** Seconds between two collections while nobody reads. */
export const longestGapOf = ({ interval }: Config): number => (interval === 'auto' ? IDLE_INTERVAL : interval);

/**
 * @param unknown names in the settings that exist nowhere: such a group is not declared, or its alert would never end
 * @param guest whether a verb looks, beside the exporter that runs (footprint/options.ts)
 */
export function samplerOptionsOf(config: Config, unknown: readonly UnknownName[] = [], guest = false): SamplerOptions {
  const missing = new Set(unknown.filter(({ setting }) => setting === 'declared_groups').map(({ name }) => name));
  const enabled = enabledOf(config);
  const each = seriesOf(enabled);
  const readers = runningOf(viewCollectors, enabled);
  const perProcess = each.process > 0 ? config.per_process : 'none';
  const longestGap = longestGapOf(config);
  return {
    interval: config.interval,
    longestGap,
    cacheTtl: config.cache_ttl,
    history: config.history,
    footprints: {
      mode: config.enable_pss || config.enable_uss ? config.smaps : 'off',
      budget: config.smaps_budget,
      maxAge: config.smaps_max_age,
      maxRead: config.smaps_max_read,
      interval: longestGap,
      guest,
    },
    kernelThreads: config.kernel_threads,
    inherits: config.inherit_group,
    oomKills: config.collector_group && config.enable_oom_kills,
    maxServices: config.service_groups ? config.max_services : 0,
    readers,
    processKinds: config.process_kinds && perProcess !== 'none',
    fileColumns: fileColumnsOf(
      readers.flatMap((collector) => collector.columns?.(enabled, perProcess !== 'none') ?? []),
    ),
    selection: {
      perProcess,
      topOfSubgroup: config.top_n_subgroup,
      topOfOthers: config.top_n_others,
      maxProcesses: config.max_processes,
      minUss: config.min_uss_kb * 1024,
      includeNames: config.include_names,
      excludeNames: config.exclude_names,
      searchMode: config.search_mode,
      searchGroups: config.search_groups,
      searchSubgroups: config.search_subgroups,
      disableOthers: config.disable_others,
    },
    series: { max: config.max_series, each, bytes: lineBytesOf(enabled) },
    declaredGroups: config.declared_groups
      .filter((pair) => !missing.has(pair))
      .map((pair) => {
        const slash = pair.indexOf('/');
        return [pair.slice(0, slash), pair.slice(slash + 1)] as const;
      }),
  };
}
