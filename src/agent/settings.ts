// What the configuration means to the parts: settings of the sampler and of the renderer, out of the flat keys.
import { seriesOfUnread, seriesPerCgroup } from '../collectors/cgroup.ts';
import { exporterFamilies } from '../collectors/exporter.ts';
import { seriesPerGroup } from '../collectors/group.ts';
import { seriesPerProcess } from '../collectors/process.ts';
import { systemFamilies } from '../collectors/system.ts';
import type { Config } from '../config/options.ts';
import type { Exported } from './render.ts';
import type { SamplerOptions } from './sampler.ts';

export function exportedOf(config: Config): Exported {
  const values = {
    rss: config.enable_rss,
    pss: config.enable_pss,
    uss: config.enable_uss,
    swap: config.enable_swap,
    cpu: config.enable_cpu,
  };
  const proc = {
    ...values,
    info: config.process_info,
    startTime: config.process_start_time,
    io: config.process_io,
  };
  return {
    process: config.collector_process ? proc : undefined,
    group: config.collector_group ? values : undefined,
    cgroup: config.collector_cgroup,
    system: config.collector_system,
    exporter: config.collector_exporter,
  };
}

/** Series of the exporter family that have labels: reasons, outcomes, paths and codes. Generous. */
const LABELLED = 60;

export function samplerOptionsOf(config: Config): SamplerOptions {
  const exported = exportedOf(config);
  return {
    interval: config.interval,
    footprints: {
      mode: config.enable_pss || config.enable_uss ? config.smaps : 'off',
      budget: config.smaps_budget,
      maxAge: config.smaps_max_age,
      maxRead: config.smaps_max_read,
      interval: config.interval,
    },
    kernelThreads: config.kernel_threads,
    inherits: config.inherit_group,
    cgroups: exported.cgroup,
    selection: {
      perProcess: exported.process ? config.per_process : 'none',
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
    maxSeries: config.max_series,
    seriesOf: {
      process: exported.process ? seriesPerProcess(exported.process) : 0,
      group: exported.group ? seriesPerGroup(exported.group) : 0,
      cgroup: seriesPerCgroup,
      rest:
        systemFamilies.length +
        1 +
        (exported.cgroup ? seriesOfUnread : 0) +
        (exported.exporter ? exporterFamilies.length + LABELLED : 0),
    },
    declaredGroups: config.declared_groups.map((pair) => {
      const slash = pair.indexOf('/');
      return [pair.slice(0, slash), pair.slice(slash + 1)] as const;
    }),
  };
}
