// The 38 expressions of the integration guide this product is built from: as written there, and where that form fails
// or misleads, the correct one with the reason. Tests run them against a real Prometheus; documents derive from them.

export type Expression = {
  /** The guide's chapter, then the guide's title for the expression. */
  readonly title: string;
  readonly document: string;
  /** The form in our documents, rules and dashboards; the document's own form when left out. */
  readonly corrected?: string;
  readonly reason?: string;
  /** What Prometheus makes of the document's form. */
  readonly outcome?: 'refused' | 'empty';
};

const sharedTwice = 'a sum of RSS counts shared pages once per process';
const gauge = 'RSS is a gauge: rate() reads every decrease as a reset';
const noZero = 'without a match count() has no result instead of 0';
const inTables = 'for tables only: in a recording rule or a time series topk makes series come and go';

const sumByGroup = 'sum by (group) (herakles_mem_process_rss_bytes)';
const sumBySubgroup = 'sum by (group, subgroup) (herakles_mem_process_rss_bytes)';
const footprintByGroup = 'sum by (group) (herakles_mem_group_footprint_bytes)';
const footprintBySubgroup = 'sum by (group, subgroup) (herakles_mem_group_footprint_bytes)';

export const expressions: readonly Expression[] = [
  {
    title: 'Aggregation rules: total memory by group',
    document: sumByGroup,
    corrected: footprintByGroup,
    reason: sharedTwice,
  },
  {
    title: 'Aggregation rules: total memory by subgroup',
    document: sumBySubgroup,
    corrected: footprintBySubgroup,
    reason: sharedTwice,
  },
  {
    title: 'Aggregation rules: process count by group',
    document: 'count by (group) (herakles_mem_process_uss_bytes)',
  },
  {
    title: 'Aggregation rules: average memory per process by subgroup',
    document: 'avg by (group, subgroup) (herakles_mem_process_rss_bytes)',
  },
  {
    title: 'Aggregation rules: total CPU by group',
    document: 'sum by (group) (herakles_cpu_process_usage_percent)',
  },
  {
    title: 'Aggregation rules: memory growth rate',
    document: 'rate(herakles_mem_process_rss_bytes[5m])',
    corrected: 'deriv(herakles_mem_process_rss_bytes[5m])',
    reason: gauge,
  },
  {
    title: 'Alerting metrics: top 10 memory consumers',
    document: 'topk(10, herakles_mem_process_rss_bytes)',
    reason: `${inTables}; a stable top N comes from the exporter (per_process: top)`,
  },
  {
    title: 'Alerting metrics: processes exceeding thresholds',
    document: 'count(herakles_mem_process_rss_bytes > 1073741824)',
    corrected: 'count(herakles_mem_process_rss_bytes > 1073741824) or vector(0)',
    reason: noZero,
  },
  {
    title: 'Alerting metrics: processes with high CPU',
    document: 'count(herakles_cpu_process_usage_percent > 80)',
    corrected: 'count(herakles_cpu_process_usage_percent > 80) or vector(0)',
    reason: noZero,
  },
  { title: 'Memory: top 10 processes by RSS', document: 'topk(10, herakles_mem_process_rss_bytes)' },
  { title: 'Memory: top 10 processes by USS', document: 'topk(10, herakles_mem_process_uss_bytes)' },
  { title: 'Memory: usage by group', document: sumByGroup, corrected: footprintByGroup, reason: sharedTwice },
  { title: 'Memory: usage by subgroup', document: sumBySubgroup, corrected: footprintBySubgroup, reason: sharedTwice },
  {
    title: 'Memory: percentage of total',
    document: `${sumByGroup} / on() group_left() node_memory_MemTotal_bytes * 100`,
    corrected:
      'sum by (instance, group) (herakles_mem_group_footprint_bytes)' +
      ' / on (instance) group_left () node_memory_MemTotal_bytes * 100',
    reason: `on() fails as soon as there are two hosts: join on an instance without its port; and ${sharedTwice}`,
  },
  {
    title: 'Memory: growth in bytes per minute',
    document: 'rate(herakles_mem_process_rss_bytes[5m]) * 60',
    corrected: 'deriv(herakles_mem_process_rss_bytes[5m]) * 60',
    reason: gauge,
  },
  {
    title: 'Memory: growth percentage over 1 hour',
    document:
      '(herakles_mem_process_rss_bytes - herakles_mem_process_rss_bytes offset 1h)' +
      ' / herakles_mem_process_rss_bytes offset 1h * 100',
  },
  {
    title: 'Memory: shared ratio',
    document:
      '(herakles_mem_process_rss_bytes - herakles_mem_process_uss_bytes)' + ' / herakles_mem_process_rss_bytes * 100',
  },
  { title: 'CPU: top 10 processes', document: 'topk(10, herakles_cpu_process_usage_percent)' },
  { title: 'CPU: usage by group', document: 'sum by (group) (herakles_cpu_process_usage_percent)' },
  { title: 'CPU: usage by subgroup', document: 'sum by (group, subgroup) (herakles_cpu_process_usage_percent)' },
  {
    title: 'CPU: time rate',
    document: 'rate(herakles_cpu_process_time_seconds[5m])',
    reason: 'works; Prometheus 3 remarks on the name, which the contract fixes',
  },
  { title: 'CPU: processes above 50 %', document: 'herakles_cpu_process_usage_percent > 50' },
  { title: 'CPU: average per subgroup', document: 'avg by (group, subgroup) (herakles_cpu_process_usage_percent)' },
  { title: 'Discovery: processes per group', document: 'count by (group) (herakles_mem_process_uss_bytes)' },
  {
    title: 'Discovery: processes per subgroup',
    document: 'count by (group, subgroup) (herakles_mem_process_uss_bytes)',
  },
  { title: 'Discovery: all of one subgroup', document: 'herakles_mem_process_uss_bytes{subgroup="postgres"}' },
  { title: 'Discovery: by name pattern', document: 'herakles_mem_process_uss_bytes{name=~".*worker.*"}' },
  {
    title: 'Discovery: new processes',
    document: 'herakles_mem_process_uss_bytes unless herakles_mem_process_uss_bytes offset 1h',
    corrected: 'herakles_process_start_time_seconds > time() - 3600',
    reason: 'floods after a restart of Prometheus; the start time (process_start_time: true) knows',
  },
  {
    title: 'Capacity: projected memory in 24 hours',
    document: 'herakles_mem_process_rss_bytes + (deriv(herakles_mem_process_rss_bytes[6h]) * 86400)',
  },
  {
    title: 'Capacity: memory headroom',
    document: 'node_memory_MemAvailable_bytes - sum(herakles_mem_process_rss_bytes)',
    corrected: 'node_memory_MemAvailable_bytes',
    reason: 'labels never match, so it is always empty; and available memory already excludes what is used',
    outcome: 'empty',
  },
  {
    title: 'Capacity: days until memory exhaustion',
    document: 'node_memory_MemAvailable_bytes / (deriv(sum(herakles_mem_process_rss_bytes)[24h]) * 86400)',
    corrected:
      'node_memory_MemAvailable_bytes / on (instance)' +
      ' ((deriv(sum by (instance) (herakles_mem_group_footprint_bytes)[24h:5m]) > 0) * 86400)',
    reason: 'a range needs a vector selector or a subquery; labels must match; only a rise ends in exhaustion',
    outcome: 'refused',
  },
  { title: 'Subgroups: pre-aggregated memory', document: 'herakles_mem_group_rss_bytes' },
  {
    title: 'Subgroups: top by memory',
    document: 'topk(10, herakles_mem_group_rss_bytes)',
    corrected: 'topk(10, herakles_mem_group_footprint_bytes)',
    reason: sharedTwice,
  },
  { title: 'Subgroups: CPU time sum', document: 'herakles_cpu_group_time_seconds_sum' },
  { title: 'Dashboard: memory by group', document: sumByGroup, corrected: footprintByGroup, reason: sharedTwice },
  {
    title: 'Dashboard: total memory',
    document: 'sum(herakles_mem_process_rss_bytes)',
    corrected: 'sum(herakles_mem_group_footprint_bytes)',
    reason: sharedTwice,
  },
  { title: 'Dashboard: top 10', document: 'topk(10, herakles_mem_process_rss_bytes)', reason: inTables },
  {
    title: 'Storage optimization: memory by group',
    document: sumByGroup,
    corrected: footprintByGroup,
    reason: sharedTwice,
  },
];
