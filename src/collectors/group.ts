// Collector "group": sums over all processes of a subgroup, and counters that outlive them.
import type { Encoder } from '../exposition/encode.ts';
import { counter, type Family, gauge, labelText, oddlyNamedCounter } from '../exposition/metric.ts';
import { type GroupRow, type ProcessView, STATES } from '../view/view.ts';

const GROUP = ['group', 'subgroup'] as const;

/** Which values the group collector exports; the footprint, I/O, faults and counts of processes always are. */
export interface GroupFamilies {
  readonly rss: boolean;
  readonly pss: boolean;
  readonly uss: boolean;
  readonly swap: boolean;
  readonly cpu: boolean;
}

/** What every subgroup has a series of, or one for each value of a label beyond its names: the last of the family. */
interface Declaration {
  readonly family: Family;
  readonly parts?: readonly string[];
  readonly value: (row: GroupRow, part: number) => number;
  readonly when?: keyof GroupFamilies;
}

export const groupRss = gauge(
  'herakles_mem_group_rss_bytes',
  'Sum of resident memory; pages that processes share count once for each of them.',
  GROUP,
);
export const groupPss = gauge('herakles_mem_group_pss_bytes', 'Sum of proportional memory.', GROUP);
export const groupUss = gauge('herakles_mem_group_uss_bytes', 'Sum of private memory.', GROUP);
export const groupSwap = gauge('herakles_mem_group_swap_bytes', 'Sum of memory swapped out.', GROUP);
export const groupFootprint = gauge(
  'herakles_mem_group_footprint_bytes',
  'What the group really occupies: PSS where it is measured, else an estimate that counts shared pages once.',
  GROUP,
);
export const groupCoverage = gauge(
  'herakles_mem_group_pss_coverage_ratio',
  'Share of resident memory whose PSS is measured and fresh.',
  GROUP,
);
export const groupUsage = gauge(
  'herakles_cpu_group_usage_percent_sum',
  'Sum of CPU usage since the previous collection; 100 is one core.',
  GROUP,
);
export const groupTime = oddlyNamedCounter(
  'herakles_cpu_group_time_seconds_sum',
  'CPU time of the processes since each started, and of those that are gone since this exporter started.',
  GROUP,
);
export const groupCpu = counter(
  'herakles_cpu_group_seconds_total',
  'CPU time used since this exporter started, that of processes that are gone included.',
  [...GROUP, 'mode'],
);
export const groupRead = counter(
  'herakles_io_group_read_bytes_total',
  'Bytes read from storage since this exporter started.',
  GROUP,
);
export const groupWritten = counter(
  'herakles_io_group_write_bytes_total',
  'Bytes written to storage since this exporter started.',
  GROUP,
);
export const groupFaults = counter(
  'herakles_mem_group_page_faults_total',
  'Page faults since this exporter started; major ones had to wait for storage.',
  [...GROUP, 'severity'],
);
export const groupProcesses = gauge('herakles_group_processes', 'Processes by state.', [...GROUP, 'state']);
export const groupThreads = gauge('herakles_group_threads', 'Threads.', GROUP);
export const groupOldest = gauge(
  'herakles_group_oldest_start_time_seconds',
  'Start of the oldest process, in seconds since the epoch.',
  GROUP,
);
export const groupStarted = counter(
  'herakles_group_processes_started_total',
  'Processes seen to start since this exporter started; those too short-lived to be seen are not counted.',
  GROUP,
);
export const groupDeclared = gauge(
  'herakles_group_declared',
  'Always 1; there for the groups that declared_groups names, running or not.',
  GROUP,
);
export const groupExited = counter(
  'herakles_group_processes_exited_total',
  'Processes seen to exit since this exporter started.',
  GROUP,
);

const DECLARATIONS: readonly Declaration[] = [
  { family: groupRss, value: (row) => row.rss, when: 'rss' },
  { family: groupPss, value: (row) => row.pss, when: 'pss' },
  { family: groupUss, value: (row) => row.uss, when: 'uss' },
  { family: groupSwap, value: (row) => row.swap, when: 'swap' },
  { family: groupFootprint, value: (row) => row.footprint },
  { family: groupCoverage, value: (row) => row.coverage },
  { family: groupUsage, value: (row) => Math.round(row.usage * 1000) / 1000, when: 'cpu' },
  { family: groupTime, value: (row) => row.time, when: 'cpu' },
  { family: groupRead, value: (row) => (row.ioKnown ? row.counters.readBytes : Number.NaN) },
  { family: groupWritten, value: (row) => (row.ioKnown ? row.counters.writeBytes : Number.NaN) },
  { family: groupThreads, value: (row) => row.threads },
  { family: groupOldest, value: (row) => row.oldestStart },
  { family: groupStarted, value: (row) => row.counters.started },
  { family: groupExited, value: (row) => row.counters.exited },
  { family: groupDeclared, value: (row) => (row.counters.declared ? 1 : Number.NaN) },
  {
    family: groupCpu,
    parts: ['user', 'system'],
    value: ({ counters: ledger }, part) => (part === 0 ? ledger.user : ledger.system),
    when: 'cpu',
  },
  {
    family: groupFaults,
    parts: ['minor', 'major'],
    value: ({ counters: ledger }, part) => (part === 0 ? ledger.minorFaults : ledger.majorFaults),
  },
  { family: groupProcesses, parts: STATES, value: (row, part) => row.states[part]! },
];
const WHOLE = [''];

export const groupFamilies: readonly Family[] = DECLARATIONS.map(({ family }) => family);

/** Most series one subgroup can have. */
export const seriesPerGroup = (wanted: GroupFamilies): number =>
  DECLARATIONS.reduce((sum, { parts = WHOLE, when }) => sum + (!when || wanted[when] ? parts.length : 0), 0);

export function* collectGroups(view: ProcessView, wanted: GroupFamilies, out: Encoder): Generator<void> {
  const rows = view.groups.filter(({ shown }) => shown);
  let first = 0;
  for (const { family, parts = WHOLE, value, when } of DECLARATIONS) {
    if (!when || wanted[when]) {
      out.family(family);
      for (const row of rows) {
        const labels = labelsOf(row);
        for (let part = 0; part < parts.length; part++) out.sample(labels[first + part]!, value(row, part));
      }
      yield;
    }
    first += parts.length;
  }
}

/** Label texts of everything declared, in its order: rendered once in the life of a subgroup. */
function labelsOf({ counters: { labels, group, subgroup } }: GroupRow): readonly string[] {
  if (labels.length === 0) {
    const names = labelText(groupRss, { group, subgroup });
    for (const { family, parts = WHOLE } of DECLARATIONS) {
      const [, , more] = family.labels;
      for (const part of parts) labels.push(more ? labelText(family, { group, subgroup, [more]: part }) : names);
    }
  }
  return labels;
}
