// THE table of settings. Each is declared here, once: its TypeScript type, flag, environment variable, help text, row in
// docs/configuration.md and line in `config init` derive from the declaration, so no two of them can disagree.
import { boolean, choice, duration, integer, list, path, share, text, type ValueType, wordOr } from './value-types.ts';

/** One setting. T is the type of its parsed value: durations are seconds, shares are ratios, paths are absolute. */
export interface Option<T = unknown> {
  readonly type: ValueType<T>;
  readonly default: T;
  /** What it means, in one sentence; shown in the help and in the docs. */
  readonly help: string;
  /** The heading above it in the help and in the docs. */
  readonly section: string;
  /** Whether a reload applies a new value; false: only a restart does. */
  readonly reloadable: boolean;
  /** Never shown: not by `config show`, not at /config, not in an error message. */
  readonly secret: boolean;
  /** More flags with the same meaning, as other Prometheus programs write them. */
  readonly spellings: readonly string[];
  /** Flags of other Prometheus programs that set a boolean to false. */
  readonly opposites: readonly string[];
}

type Extra = Partial<Pick<Option, 'reloadable' | 'secret' | 'spellings' | 'opposites'>>;
type Declared<T> = Omit<Option<T>, 'section'>;

function option<T>(type: ValueType<T>, initial: NoInfer<T>, help: string, extra: Extra = {}): Declared<T> {
  return { type, default: initial, help, reloadable: true, secret: false, spellings: [], opposites: [], ...extra };
}

function section<D extends Record<string, Declared<unknown>>>(title: string, declared: D) {
  const entries = Object.entries(declared).map(([key, one]) => [key, { ...one, section: title }]);
  return Object.fromEntries(entries) as { readonly [K in keyof D]: D[K] & { readonly section: string } };
}

const restart = { reloadable: false };
const name = text('a name', 'NAME', /./);
const address = text(
  'an address: host:port, :port, [IPv6]:port or unix:/path',
  'ADDRESS',
  /^(?:unix:\/.+|(?:[\w.-]*|\[[\da-fA-F:.]+(?:%\w+)?\]):(?:6553[0-5]|655[0-2]\d|65[0-4]\d\d|6[0-4]\d{3}|[1-5]\d{4}|\d{1,4}))$/,
);

export const options = {
  ...section('Listening', {
    port: option(integer(0, 65535), 9215, 'TCP port to listen on; 0 is any free port.', restart),
    bind: option(
      text('an address or host name without a port, or nothing', 'ADDRESS', /^[\w.:%-]*$/),
      '',
      'Address or host name to listen on; empty is all addresses, IPv6 and IPv4.',
      restart,
    ),
    web_listen_address: option(
      list('addresses: host:port, :port, [IPv6]:port or unix:/path', address),
      [],
      'Addresses to listen on, instead of bind and port.',
      { ...restart, spellings: ['--web.listen-address'] },
    ),
    web_systemd_socket: option(
      boolean,
      false,
      'Listen on the sockets that systemd passes (LISTEN_FDS), instead of any address.',
      { ...restart, spellings: ['--web.systemd-socket'] },
    ),
    web_telemetry_path: option(
      text('a path that starts with / and has no space, ? or #', 'PATH', /^\/[^\s?#]*$/),
      '/metrics',
      'URL path that serves the metrics.',
      { spellings: ['--web.telemetry-path'] },
    ),
    web_enable_lifecycle: option(boolean, false, 'Allow POST /-/reload, which loads the configuration again.', {
      spellings: ['--web.enable-lifecycle'],
    }),
    web_allowed_hosts: option(
      list('host names', text('a host name', 'NAME', /^[\w-]+(?:\.[\w-]+)*\.?$/)),
      [],
      "Host names, besides localhost and this machine's own, under which the pages can be opened; other names get status 403.",
    ),
  }),

  ...section('TLS and authentication', {
    web_config_file: option(
      path('a web configuration file', { optional: true }),
      '',
      'Web configuration file, as other Prometheus exporters have it: TLS, client certificates, passwords, headers.',
      { spellings: ['--web.config.file'] },
    ),
    enable_tls: option(boolean, false, 'Serve HTTPS with tls_cert_path and tls_key_path.'),
    tls_cert_path: option(
      path('a PEM file', { optional: true }),
      '',
      'Certificate of this server, followed by the intermediate certificates up to its CA.',
    ),
    tls_key_path: option(path('a PEM file', { optional: true }), '', 'Private key of the certificate.'),
    tls_client_ca_path: option(
      path('a PEM file', { optional: true }),
      '',
      'CA that must have signed the certificates of clients (mutual TLS); empty: clients need no certificate.',
    ),
  }),

  ...section('Limits of the server', {
    max_requests_in_flight: option(
      integer(1, 10_000),
      40,
      'Most requests that are answered at the same time; one more is refused with status 503.',
      { spellings: ['--web.max-requests'] },
    ),
    max_request_rate: option(
      integer(0, 1_000_000),
      500,
      'Most requests per second from one client address; more are refused with status 429; 0 is no limit.',
    ),
    max_connections: option(
      integer(1, 100_000),
      256,
      'Most open connections. For a new one, an older one is closed; a client with more than a quarter of all loses one first.',
    ),
    max_header_size: option(
      integer(1024, 1_048_576),
      16_384,
      'Largest request line with headers, in bytes; a larger one is refused with status 431.',
      restart,
    ),
    max_url_length: option(
      integer(64, 65_536),
      2048,
      'Longest URL, in bytes; a longer one is refused with status 414.',
    ),
    read_timeout: option(duration('100ms', '10m'), 10, 'Longest time that a client may take to send a request.'),
    send_timeout: option(duration('100ms', '1h'), 30, 'Longest time that a client may take to receive a response.'),
    idle_timeout: option(duration('100ms', '1d'), 120, 'Longest time that a connection stays open without a request.'),
  }),

  ...section('Collection', {
    interval: option<number | 'auto'>(
      wordOr('auto', duration('100ms', '1h')),
      'auto',
      'Time between two collections; auto: just before each scrape, whose rhythm is learned, and once a minute without one, or up to half a minute later if a scrape is expected then.',
    ),
    cache_ttl: option(
      duration('0s', '1h'),
      5,
      'A scrape gets the newest collection if it is no older than this; else it waits for a new one.',
    ),
    scrape_timeout: option(
      duration('100ms', '10m'),
      10,
      'Longest wait of a scrape without the header X-Prometheus-Scrape-Timeout-Seconds; then it gets the newest collection.',
    ),
    smaps: option(
      choice('bounded', 'exact', 'off'),
      'bounded',
      'How PSS and USS are read: within smaps_budget, of every process at every collection, or not at all.',
    ),
    smaps_budget: option(share(0.001, 1), 0.02, 'Share of one core that reading PSS and USS may take when bounded.'),
    smaps_max_age: option(
      duration('1s', '1d'),
      300,
      'Age at which PSS and USS are read again although nothing has changed, or confirmed by other idle processes of the executable.',
    ),
    smaps_max_read: option(
      duration('1ms', '1m'),
      0.25,
      'A process whose PSS probably takes longer to read than this is read only every smaps_max_age.',
    ),
    history: option(
      duration('0s', '1d'),
      3600,
      'How far back the page and the API can look: footprints and CPU of groups and of their largest processes; 0 keeps none.',
    ),
    path_procfs: option(path('a mounted procfs'), '/proc', 'Where procfs is mounted.', {
      ...restart,
      spellings: ['--path.procfs'],
    }),
    source: option(
      choice('auto', 'procfs', 'bpf'),
      'auto',
      'Where CPU, I/O and RSS of processes come from. procfs: /proc alone; auto: bpf_file, where it is there and agrees ' +
        'with /proc; bpf: the same, with a warning where bpf_file cannot be used.',
      restart,
    ),
    bpf_file: option(
      path('a pinned BPF program'),
      '/run/herakles-bpf/tasks',
      'File to which the BPF program is pinned; it lists all processes at once.',
      restart,
    ),
    capture: option(
      path('a capture file', { optional: true }),
      '',
      'Capture file to serve from, instead of this host; empty is this host.',
      restart,
    ),
  }),

  ...section('Metrics', {
    enable_rss: option(boolean, true, 'Export resident memory (RSS), of processes and of groups.'),
    enable_pss: option(boolean, true, 'Export proportional memory (PSS), of processes and of groups.'),
    enable_uss: option(boolean, true, 'Export private memory (USS), of processes and of groups.'),
    enable_swap: option(boolean, true, 'Export swapped-out memory, of processes and of groups.'),
    enable_kinds: option(
      boolean,
      true,
      'Export the kinds of memory of groups: anonymous, file, shared, huge pages, page tables, kernel stacks.',
    ),
    enable_cpu: option(boolean, true, 'Export CPU usage and time, of processes and of groups.'),
    enable_oom_kills: option(
      boolean,
      true,
      "Export how many processes of each group the kernel killed for memory; it reads the kernel's log.",
    ),
    process_info: option(boolean, true, 'Export herakles_process_info: user, executable, unit, container and rule.'),
    process_start_time: option(boolean, false, 'Export the start time of each process.'),
    process_io: option(boolean, false, 'Export the storage I/O of each process.'),
    process_kinds: option(boolean, false, 'Export the kinds of memory of each process: six series for each.'),
    process_oom_score: option(
      boolean,
      false,
      'Export how likely the kernel ends each process when memory runs out; it reads one more file of each.',
    ),
    process_context_switches: option(
      boolean,
      false,
      'Export the context switches of the first thread of each process; it reads one more file of each.',
    ),
    kernel_threads: option(
      boolean,
      false,
      'Give kernel threads series of their own; they count in their group in any case.',
    ),
    declared_groups: option(
      list('group/subgroup pairs', text('a group/subgroup pair', 'GROUP/SUBGROUP', /^[^/\s]+\/[^/\s]+$/)),
      [],
      'Groups that are exported with zeros while no process of them runs.',
    ),
    collector_process: option(boolean, true, 'Run the process collector: the per-process families.', {
      spellings: ['--collector.process'],
    }),
    collector_group: option(boolean, true, 'Run the group collector: the per-group families.', {
      spellings: ['--collector.group'],
    }),
    collector_cgroup: option(
      boolean,
      false,
      "Run the cgroup collector: the kernel's own counters of the control groups that processes are in.",
      { spellings: ['--collector.cgroup'] },
    ),
    collector_descriptors: option(
      boolean,
      false,
      'Run the descriptors collector: open file descriptors, and how near each group is to the limit.',
      { spellings: ['--collector.descriptors'] },
    ),
    collector_shared_memory: option(
      boolean,
      false,
      'Run the shared_memory collector: what each tmpfs holds, and segments of System V by the group that made them.',
      { spellings: ['--collector.shared_memory'] },
    ),
    collector_system: option(
      boolean,
      true,
      "Run the system collector: the host's memory by kind, its pressure, and OOM kills.",
      { spellings: ['--collector.system'] },
    ),
    collector_exporter: option(boolean, true, 'Run the exporter collector: the families about the exporter itself.', {
      spellings: ['--collector.exporter'],
      opposites: ['--web.disable-exporter-metrics'],
    }),
  }),

  ...section('Processes with series of their own (group sums stay whole)', {
    per_process: option(
      choice('all', 'top', 'none'),
      'all',
      'Which processes have series: all, the largest of each subgroup with a sum of the rest, or none.',
    ),
    top_n_subgroup: option(
      integer(0, 10_000),
      3,
      'Largest processes of a subgroup that have series with per_process top.',
    ),
    top_n_others: option(
      integer(0, 10_000),
      10,
      'Largest processes of the group other that have series with per_process top.',
    ),
    max_series: option(
      integer(100, 10_000_000),
      100_000,
      'Most series of one response, with 256 bytes for each; if there is more, per_process becomes top, then none.',
    ),
    max_processes: option(integer(0, 4_194_304), 0, 'Most processes that have series, largest first; 0 is no limit.'),
    min_uss_kb: option(integer(0, 2 ** 40), 0, 'Leave out processes whose USS is below this many kB (1024 bytes).'),
    include_names: option(
      list('names', name),
      [],
      'Keep only processes whose name contains one of these texts; empty keeps all.',
    ),
    exclude_names: option(
      list('names', name),
      [],
      'Leave out processes whose name contains one of these texts; wins over include_names.',
    ),
    search_mode: option(
      choice('none', 'include', 'exclude'),
      'none',
      'Keep only (include) or leave out (exclude) processes of search_groups and search_subgroups.',
    ),
    search_groups: option(list('groups', name), [], 'Groups that search_mode applies to.'),
    search_subgroups: option(list('subgroups', name), [], 'Subgroups, of any group, that search_mode applies to.'),
    disable_others: option(boolean, false, 'Leave out processes of the group other.'),
  }),

  ...section('Classification', {
    subgroups: option(
      list('paths of rule files', path('a rule file')),
      [],
      'Rule files that decide before ./subgroups.toml, /etc/herakles/subgroups.toml and the catalogue.',
    ),
    inherit_group: option(
      boolean,
      false,
      'Put a process that no rule matches in the group of its nearest ancestor that a rule matches.',
    ),
    service_groups: option(
      boolean,
      true,
      'Put a process that no rule matches in the group service, with the name of its system unit as subgroup.',
    ),
    max_services: option(
      integer(1, 10_000),
      64,
      'Most subgroups of the group service; names that were given stay, and further services share service/other.',
    ),
  }),

  ...section('Log', {
    log_level: option(choice('debug', 'info', 'warn', 'error'), 'info', 'Lowest severity that is logged.', {
      spellings: ['--log.level'],
    }),
    log_format: option(choice('logfmt', 'json'), 'logfmt', 'Format of a log line.', { spellings: ['--log.format'] }),
  }),
};

export type Key = keyof typeof options;

/** The configuration in force: every key with its parsed value. */
export type Config = { readonly [K in Key]: (typeof options)[K] extends { readonly default: infer T } ? T : never };

/** Every key, in the order of the table. */
export const keys = Object.keys(options) as Key[];

/** True for the name of a setting; false for everything else, __proto__ and the like included. */
export const isKey = (name: string): name is Key => Object.hasOwn(options, name);

/** The declaration of a key, for code that handles all of them alike. */
export const optionOf = (key: Key): Option => options[key];

/** cache_ttl → --cache-ttl */
export const flagOf = (key: Key): string => `--${key.replaceAll('_', '-')}`;

const no = (flag: string): string => flag.replace('--', '--no-');

/** Every flag that sets a key; of a boolean, every one that sets it to true. The main one is the first. */
export const flagsOf = (key: Key): string[] => [
  flagOf(key),
  ...options[key].spellings,
  ...options[key].opposites.map(no),
];

/** Every flag that sets a boolean to false; the main one is the first. */
export const noFlagsOf = (key: Key): string[] => [
  no(flagOf(key)),
  ...options[key].spellings.map(no),
  ...options[key].opposites,
];

/** cache_ttl → HERAKLES_CACHE_TTL */
export const variableOf = (key: Key): string => `HERAKLES_${key.toUpperCase()}`;

/** The configuration where no source sets anything. */
export const defaults = Object.fromEntries(keys.map((key) => [key, options[key].default])) as unknown as Config;
