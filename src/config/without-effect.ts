// Settings that are given and do nothing, because another setting turns off what they are about: search_groups without a
// search_mode, top_n_subgroup without per_process: top. That is no fault, since a configuration may be kept for later, but
// it is what an operator looks for who has set something and sees no change. `check` prints these lines.
import { type Config, defaults, type Key, keys } from './options.ts';

/** While `holds`, none of the settings has an effect. */
interface Condition {
  readonly settings: readonly Key[];
  readonly holds: (config: Config) => boolean;
  /** Completes "KEY has no effect". */
  readonly why: string;
}

const SMAPS: readonly Key[] = ['smaps_budget', 'smaps_max_read', 'smaps_max_age'];
const TOP: readonly Key[] = ['top_n_subgroup', 'top_n_others'];
const SEARCH: readonly Key[] = ['search_groups', 'search_subgroups'];
/** Which processes have series of their own. */
const SELECTION: readonly Key[] = [
  ...TOP,
  ...SEARCH,
  ...(['search_mode', 'max_processes', 'min_uss_kb', 'include_names', 'exclude_names', 'disable_others'] as const),
];
/** Families of processes: process_info, process_io … */
const FAMILIES = keys.filter((key) => key.startsWith('process_'));

/** The first that holds gives the reason. */
const CONDITIONS: readonly Condition[] = [
  { settings: FAMILIES, holds: ({ collector_process }) => !collector_process, why: 'while collector_process is false' },
  {
    settings: ['per_process', ...SELECTION, 'kernel_threads'],
    holds: ({ collector_process, collector_descriptors }) => !collector_process && !collector_descriptors,
    why: 'while collector_process and collector_descriptors are false',
  },
  {
    settings: [...FAMILIES, ...SELECTION],
    holds: ({ per_process }) => per_process === 'none',
    why: 'while per_process is none',
  },
  {
    settings: ['kernel_threads'],
    holds: ({ per_process, collector_descriptors }) => per_process === 'none' && !collector_descriptors,
    why: 'while per_process is none',
  },
  {
    settings: TOP,
    holds: ({ per_process }) => per_process === 'all',
    why: 'while per_process is all, unless there are more series than max_series',
  },
  { settings: ['top_n_others'], holds: ({ disable_others }) => disable_others, why: 'while disable_others is true' },
  { settings: SEARCH, holds: ({ search_mode }) => search_mode === 'none', why: 'while search_mode is none' },
  {
    settings: ['smaps', ...SMAPS, 'min_uss_kb'],
    holds: ({ enable_pss, enable_uss }) => !enable_pss && !enable_uss,
    why: 'while enable_pss and enable_uss are false',
  },
  { settings: [...SMAPS, 'min_uss_kb'], holds: ({ smaps }) => smaps === 'off', why: 'while smaps is off' },
  {
    settings: ['smaps_budget', 'smaps_max_read'],
    holds: ({ smaps }) => smaps === 'exact',
    why: 'while smaps is exact',
  },
  { settings: ['max_services'], holds: ({ service_groups }) => !service_groups, why: 'while service_groups is false' },
  {
    settings: ['declared_groups'],
    holds: ({ collector_group }) => !collector_group,
    why: 'while collector_group is false',
  },
  {
    settings: ['path_procfs', 'source', 'bpf_file'],
    holds: ({ capture }) => capture !== '',
    why: 'while capture is set',
  },
  { settings: ['bpf_file'], holds: ({ source }) => source === 'procfs', why: 'while source is procfs' },
  {
    settings: ['port', 'bind', 'web_listen_address'],
    holds: ({ web_systemd_socket }) => web_systemd_socket,
    why: 'while web_systemd_socket is true',
  },
  {
    settings: ['port', 'bind'],
    holds: ({ web_listen_address }) => web_listen_address.length > 0,
    why: 'while web_listen_address is set',
  },
  {
    settings: ['tls_cert_path', 'tls_key_path', 'tls_client_ca_path'],
    holds: ({ enable_tls }) => !enable_tls,
    why: 'while enable_tls is false',
  },
];

/** One line for each setting that is not the default and has no effect: "where: key has no effect while …". */
export function settingsWithoutEffect(config: Config, origins: Readonly<Record<string, string>>): string[] {
  const reasons = new Map<Key, string>();
  for (const { settings, holds, why } of CONDITIONS) {
    if (!holds(config)) continue;
    for (const key of settings)
      if (String(config[key]) !== String(defaults[key]) && !reasons.has(key)) reasons.set(key, why);
  }
  return [...reasons].map(([key, why]) => `${origins[key]}: ${key} has no effect ${why}`);
}
