// Collector "cgroup": the memory that the kernel charges to each control group with processes, beside the sum over its
// processes. The difference is memory that belongs to no process, such as page cache.
import { counter, distinctLabelValue, type Family, gauge, labelText } from '../exposition/metric.ts';
import type { CgroupRow } from '../view/cgroup-usage.ts';
import { type Collector, LINE_REST_BYTES } from './collector.ts';

const CGROUP = ['cgroup', 'unit', 'container_id'] as const;
type CgroupLabel = (typeof CGROUP)[number];

export const cgroupMemory = gauge(
  'herakles_cgroup_memory_bytes',
  "All memory charged to the cgroup: anonymous memory, page cache and the kernel's own memory.",
  CGROUP,
);
export const cgroupAnon = gauge('herakles_cgroup_memory_anon_bytes', 'Anonymous memory: heaps and stacks.', CGROUP);
export const cgroupFile = gauge(
  'herakles_cgroup_memory_file_bytes',
  'Page cache, including shared memory and the cache of files that no process has mapped.',
  CGROUP,
);
export const cgroupMapped = gauge(
  'herakles_cgroup_memory_file_mapped_bytes',
  'Page cache that processes have mapped.',
  CGROUP,
);
export const cgroupShmem = gauge(
  'herakles_cgroup_memory_shmem_bytes',
  'Shared memory and tmpfs, a part of the page cache.',
  CGROUP,
);
export const cgroupKernel = gauge(
  'herakles_cgroup_memory_kernel_bytes',
  "The kernel's own memory: slab, kernel stacks, page tables; since Linux 5.18 with version 2.",
  CGROUP,
);
export const cgroupSwap = gauge('herakles_cgroup_memory_swap_bytes', 'Memory swapped out.', CGROUP);
export const cgroupLimit = gauge(
  'herakles_cgroup_memory_limit_bytes',
  'Limits of the memory of the cgroup itself: at max its processes are killed, above high they are slowed down. Absent without a limit.',
  [...CGROUP, 'limit'],
);
export const cgroupOomKills = counter(
  'herakles_cgroup_oom_kills_total',
  'Processes of the cgroup that the kernel killed because memory was used up.',
  CGROUP,
);
export const cgroupProcesses = gauge(
  'herakles_cgroup_processes',
  'Processes that live in the cgroup, without zombies.',
  CGROUP,
);
export const cgroupPss = gauge(
  'herakles_cgroup_process_pss_bytes',
  'Sum of the proportional memory of the processes that live in the cgroup; absent unless it is known of every process.',
  CGROUP,
);
export const cgroupMemoryPressure = counter(
  'herakles_cgroup_memory_pressure_seconds_total',
  'Time in which some task of the cgroup, or every task that was not idle, waited for memory.',
  [...CGROUP, 'kind'],
);
export const cgroupCpuPressure = counter(
  'herakles_cgroup_cpu_pressure_seconds_total',
  'Time in which some task of the cgroup, or every task that was not idle, waited for a CPU.',
  [...CGROUP, 'kind'],
);
export const cgroupUnreadable = gauge(
  'herakles_cgroup_unreadable',
  'Cgroups that have processes and could not be read, by reason.',
  ['reason'],
);

const PLAIN: readonly { readonly family: Family<CgroupLabel>; readonly value: (row: CgroupRow) => number }[] = [
  { family: cgroupMemory, value: ({ reading }) => reading.memory },
  { family: cgroupAnon, value: ({ reading }) => reading.anon },
  { family: cgroupFile, value: ({ reading }) => reading.file },
  { family: cgroupMapped, value: ({ reading }) => reading.mapped },
  { family: cgroupShmem, value: ({ reading }) => reading.shmem },
  { family: cgroupKernel, value: ({ reading }) => reading.kernel },
  { family: cgroupSwap, value: ({ reading }) => reading.swap },
  { family: cgroupOomKills, value: ({ reading }) => reading.oomKills },
  { family: cgroupProcesses, value: ({ processes }) => processes },
  { family: cgroupPss, value: ({ pss }) => Math.round(pss) },
];

const PRESSURES = [
  { family: cgroupMemoryPressure, of: 'memoryPressure' },
  { family: cgroupCpuPressure, of: 'cpuPressure' },
] as const;
const KINDS = ['some', 'full'] as const;
const LIMITS = ['max', 'high'] as const;
const CGROUP_SERIES = PLAIN.length + LIMITS.length + PRESSURES.length * KINDS.length;
/** Bytes of the longest line beside the labels that all of its series have. */
const NAME_BYTES = `${cgroupMemoryPressure.name},kind="some"`.length + LINE_REST_BYTES;
/** There is a series for each reason why a cgroup cannot be read: gone, denied, unsupported, malformed. */
const UNREADABLE_REASONS = 4;

export const cgroupCollector: Collector = {
  name: 'cgroup',
  help: "The kernel's own account of each control group in which processes live: units and containers. Off by default.",
  families: [
    ...PLAIN.map(({ family }) => family),
    cgroupLimit,
    ...PRESSURES.map(({ family }) => family),
    cgroupUnreadable,
  ],
  series: () => ({ cgroup: CGROUP_SERIES, other: UNREADABLE_REASONS }),
  bytes: () => ({ cgroup: (row) => CGROUP_SERIES * (labelText(cgroupMemory, labelsOf(row)).length + NAME_BYTES) }),
  *collect({ cgroups }, _enabled, out) {
    if (!cgroups) return;
    const rows = cgroups.rows
      .filter(({ shown }) => shown)
      .map((row) => ({ row, text: labelText(cgroupMemory, labelsOf(row)) }));
    for (const { family, value } of PLAIN) {
      out.family(family);
      for (const { row, text } of rows) out.sample(text, value(row));
      yield;
    }
    out.family(cgroupLimit);
    for (const { row } of rows)
      for (const limit of LIMITS) out.sample(labelText(cgroupLimit, { ...labelsOf(row), limit }), row.reading[limit]);
    yield;
    for (const { family, of } of PRESSURES) {
      out.family(family);
      for (const { row } of rows) {
        const pressure = row.reading[of];
        if (!pressure) continue;
        for (const kind of KINDS) out.sample(labelText(family, { ...labelsOf(row), kind }), pressure[kind]);
      }
      yield;
    }
    out.family(cgroupUnreadable);
    for (const [reason, count] of cgroups.unreadable) out.sample(labelText(cgroupUnreadable, { reason }), count);
  },
};

/**
 * The labels `unit` and `container_id` are those of herakles_process_info, so that the two can be joined. Only the path
 * tells two cgroups apart; one of Kubernetes inside a container has more than 300 bytes.
 */
const labelsOf = ({ path, place }: CgroupRow) => ({
  cgroup: distinctLabelValue(path),
  unit: place.unit,
  container_id: place.container,
});
