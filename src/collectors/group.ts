// Collector "group": sums over all processes of a subgroup, and counters that keep what ended processes had used.
import { counter, type Family, gauge, labelText, oddlyNamedCounter } from '../exposition/metric.ts';
import { STATES } from '../view/states.ts';
import { type GroupRow, KINDS } from '../view/view.ts';
import type { Collector, Enabled } from './collector.ts';

export const GROUP = ['group', 'subgroup'] as const;

/** A family, and its value for a subgroup. Where it has a label more than the names, it has one value for each part. */
interface Declaration {
  readonly family: Family;
  /** Values of the last label, one series for each. */
  readonly parts?: readonly string[];
  readonly value: (row: GroupRow, part: number) => number;
  /** The setting that switches it; without one it is always exported. */
  readonly when?: string;
}

export const groupRss = gauge(
  'herakles_mem_group_rss_bytes',
  'Sum of resident memory; pages that processes share count once for each of them.',
  GROUP,
);
export const groupPss = gauge('herakles_mem_group_pss_bytes', 'Sum of proportional memory.', GROUP);
export const groupUss = gauge('herakles_mem_group_uss_bytes', 'Sum of private memory.', GROUP);
export const groupSwap = gauge(
  'herakles_mem_group_swap_bytes',
  'Memory swapped out; pages that processes share count once where that is measured.',
  GROUP,
);
export const groupFootprint = gauge(
  'herakles_mem_group_footprint_bytes',
  'What the group really occupies: PSS where it is measured, else an estimate that counts shared pages once; and huge pages, page tables, kernel stacks.',
  GROUP,
);
export const groupKind = gauge(
  'herakles_mem_group_kind_bytes',
  'The parts of the footprint: PSS by kind of page, huge pages (hugetlb), page tables, and kernel stacks of threads.',
  [...GROUP, 'kind'],
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
  'CPU time of living processes since each started, and of ended processes since this exporter started.',
  GROUP,
);
export const groupCpu = counter(
  'herakles_cpu_group_seconds_total',
  'CPU time used since this exporter started, by ended processes too.',
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
  'Page faults since this exporter started; a major one had to wait for storage.',
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
  'Processes seen to start since this exporter started; processes too short-lived to be seen are not counted.',
  GROUP,
);
export const groupDeclared = gauge(
  'herakles_group_declared',
  'Always 1; exported for each group that declared_groups names, whether a process of it runs or not.',
  GROUP,
);
export const groupExited = counter(
  'herakles_group_processes_exited_total',
  'Processes seen to exit since this exporter started.',
  GROUP,
);

const DECLARATIONS: readonly Declaration[] = [
  { family: groupRss, value: (row) => row.rss, when: 'enable_rss' },
  { family: groupPss, value: (row) => row.pss, when: 'enable_pss' },
  { family: groupUss, value: (row) => row.uss, when: 'enable_uss' },
  { family: groupSwap, value: (row) => row.swap, when: 'enable_swap' },
  { family: groupFootprint, value: (row) => row.footprint },
  { family: groupKind, parts: KINDS, value: (row, part) => row.kinds[part]!, when: 'enable_kinds' },
  { family: groupCoverage, value: (row) => row.coverage },
  { family: groupUsage, value: (row) => Math.round(row.usage * 1000) / 1000, when: 'enable_cpu' },
  { family: groupTime, value: (row) => row.time, when: 'enable_cpu' },
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
    value: ({ counters }, part) => (part === 0 ? counters.user : counters.system),
    when: 'enable_cpu',
  },
  {
    family: groupFaults,
    parts: ['minor', 'major'],
    value: ({ counters }, part) => (part === 0 ? counters.minorFaults : counters.majorFaults),
  },
  { family: groupProcesses, parts: STATES, value: (row, part) => row.states[part]! },
];
const WHOLE = [''];

const isExported = ({ when }: Declaration, enabled: Enabled): boolean => when === undefined || enabled.has(when);

export const groupCollector: Collector = {
  name: 'group',
  help: 'Sums and counters of each subgroup, over all of its processes.',
  families: DECLARATIONS.map(({ family }) => family),
  series(enabled) {
    const exported = DECLARATIONS.filter((each) => isExported(each, enabled));
    return { group: exported.reduce((sum, { parts = WHOLE }) => sum + parts.length, 0) };
  },
  *collect(view, enabled, out) {
    const rows = view.groups.filter(({ shown }) => shown);
    let first = 0;
    for (const declaration of DECLARATIONS) {
      const { family, parts = WHOLE, value } = declaration;
      if (isExported(declaration, enabled)) {
        out.family(family);
        for (const row of rows) {
          const labels = labelsOf(row);
          for (let part = 0; part < parts.length; part++) out.sample(labels[first + part]!, value(row, part));
        }
        yield;
      }
      first += parts.length;
    }
  },
};

/** The text of the labels group and subgroup. */
export const groupLabelsOf = (row: GroupRow): string => labelsOf(row)[0]!;

/** The label texts of all declarations, in their order: rendered once in the life of a subgroup. The first has no other label. */
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
