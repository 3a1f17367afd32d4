// Collector "process": what each process uses. The label text of a process is rendered once in its life, so that a
// collection writes only numbers behind it.
import type { Encoder } from '../exposition/encode.ts';
import { counter, type Family, gauge, info, labelText, oddlyNamedCounter } from '../exposition/metric.ts';
import { kindColumns, type RowColumn, type RowDescription } from '../view/process-rows.ts';
import { type GroupRow, KINDS, type ProcessView } from '../view/view.ts';
import { type Collector, type Enabled, LINE_REST_BYTES } from './collector.ts';

export const PROCESS = ['pid', 'name', 'group', 'subgroup'] as const;

export const processRss = gauge('herakles_mem_process_rss_bytes', 'Resident memory.', PROCESS);
export const processPss = gauge(
  'herakles_mem_process_pss_bytes',
  'Proportional share of resident memory: shared pages divided by the number of processes that share them.',
  PROCESS,
);
export const processUss = gauge(
  'herakles_mem_process_uss_bytes',
  'Resident memory that belongs to this process alone: what would be free without it.',
  PROCESS,
);
export const processSwap = gauge(
  'herakles_mem_process_swap_bytes',
  'Memory swapped out; where it is measured, each process has its share of pages that processes share.',
  PROCESS,
);
export const processKind = gauge(
  'herakles_mem_process_kind_bytes',
  'Memory by kind: anonymous, file and shared sum to PSS; huge pages (hugetlb), page tables and kernel stacks are beside it.',
  [...PROCESS, 'kind'],
);
export const processUsage = gauge(
  'herakles_cpu_process_usage_percent',
  'CPU usage since the previous collection, or since the start of a younger process; 100 is one core.',
  PROCESS,
);
export const processTime = oddlyNamedCounter(
  'herakles_cpu_process_time_seconds',
  'User and system CPU time since the process started.',
  PROCESS,
);
export const processInfo = info('herakles_process_info', 'What the process is, and the rule that says so; always 1.', [
  ...PROCESS,
  'user',
  'exe',
  'unit',
  'container_id',
  'pod_uid',
  'rule',
]);
export const processStart = gauge(
  'herakles_process_start_time_seconds',
  'Start of the process, in seconds since the epoch.',
  PROCESS,
);
export const processRead = counter(
  'herakles_io_process_read_bytes_total',
  'Bytes read from storage by the process and by children it waited for, as the kernel counts them.',
  PROCESS,
);
export const processWritten = counter(
  'herakles_io_process_write_bytes_total',
  'Bytes written to storage by the process and by children it waited for, as the kernel counts them.',
  PROCESS,
);
export const processOomScore = gauge(
  'herakles_mem_process_oom_score',
  'How likely the kernel ends the process when memory runs out: 0 to about 1333, and a higher score ends first.',
  PROCESS,
);

export const processVoluntary = counter(
  'herakles_process_voluntary_context_switches_total',
  'How often the first thread of the process gave up the CPU to wait; other threads are not counted.',
  PROCESS,
);
export const processInvoluntary = counter(
  'herakles_process_involuntary_context_switches_total',
  'How often the kernel took the CPU away from the first thread of the process; other threads are not counted.',
  PROCESS,
);

/** A family whose values are a column of the view, and the setting that switches it. */
interface ColumnFamily {
  readonly family: Family;
  readonly column: RowColumn;
  readonly when: string;
  /** The value of the label `kind`, where the family has it. Those of one family stand together. */
  readonly kind?: string;
}

const COLUMN_FAMILIES: readonly ColumnFamily[] = [
  { family: processRss, column: 'rss', when: 'enable_rss' },
  { family: processPss, column: 'pss', when: 'enable_pss' },
  { family: processUss, column: 'uss', when: 'enable_uss' },
  ...KINDS.map((kind, index) => ({ family: processKind, column: kindColumns[index]!, when: 'process_kinds', kind })),
  { family: processSwap, column: 'swap', when: 'enable_swap' },
  { family: processUsage, column: 'usage', when: 'enable_cpu' },
  { family: processTime, column: 'time', when: 'enable_cpu' },
  { family: processRead, column: 'readBytes', when: 'process_io' },
  { family: processWritten, column: 'writeBytes', when: 'process_io' },
  { family: processOomScore, column: 'oomScore', when: 'process_oom_score' },
  { family: processVoluntary, column: 'voluntarySwitches', when: 'process_context_switches' },
  { family: processInvoluntary, column: 'involuntarySwitches', when: 'process_context_switches' },
];

/** A family whose values come from the description of the process. */
interface DescribedFamily {
  readonly family: Family;
  readonly when: string;
  readonly labels: (description: RowDescription) => string;
  readonly value: (description: RowDescription) => number;
}

const DESCRIBED_FAMILIES: readonly DescribedFamily[] = [
  { family: processInfo, when: 'process_info', labels: infoLabelsOf, value: () => 1 },
  { family: processStart, when: 'process_start_time', labels: processLabelsOf, value: ({ startTime }) => startTime },
];

const FAMILIES = [...COLUMN_FAMILIES, ...DESCRIBED_FAMILIES];

/** What the longest label `kind` adds to a line. */
const KIND_LABEL_BYTES = Math.max(...KINDS.map((kind) => `,kind="${kind}"`.length));

/** Samples that are written before other work may run. */
const STEP = 512;

export const processCollector: Collector = {
  name: 'process',
  help: 'What each process uses.',
  families: [...new Set(FAMILIES.map(({ family }) => family))],
  series: (enabled) => ({ process: FAMILIES.filter(({ when }) => enabled.has(when)).length }),
  bytes(enabled) {
    let plain = 0;
    let names = 0;
    for (const { family, when } of FAMILIES) {
      if (!enabled.has(when)) continue;
      names += family.name.length + LINE_REST_BYTES + (family === processKind ? KIND_LABEL_BYTES : 0);
      if (family !== processInfo) plain++;
    }
    const hasInfo = enabled.has('process_info');
    return {
      process: (description) =>
        names + plain * processLabelsOf(description).length + (hasInfo ? infoLabelsOf(description).length : 0),
    };
  },
  columns: (enabled, shown) =>
    COLUMN_FAMILIES.filter(({ when }) => shown && enabled.has(when)).map(({ column }) => column),
  *collect(view, enabled, out) {
    const remainders = view.groups.filter(({ remainder }) => remainder);
    const labels = remainders.map(remainderLabels);
    let last: Family | undefined;
    for (const { family, column, when, kind } of COLUMN_FAMILIES) {
      if (!enabled.has(when)) continue;
      if (family !== last) out.family(family);
      last = family;
      yield* writeColumn(view, column, out, kind);
      for (const [index, { remainder }] of remainders.entries()) {
        const sums: Partial<Record<RowColumn, number>> = remainder!;
        out.sample(withKind(labels[index]!, kind), round(sums[column] ?? Number.NaN));
      }
    }
    yield* writeDescribed(view, enabled, out);
  },
};

/** Samples of the processes that have series. @param kind the value of the label `kind`, where the family has it */
export function* writeColumn({ rows }: ProcessView, column: RowColumn, out: Encoder, kind?: string): Generator<void> {
  const values = rows[column];
  for (let row = 0; row < rows.length; row++) {
    if (rows.shown[row]) out.sample(withKind(processLabelsOf(rows.description[row]!), kind), round(values[row]!));
    if (row % STEP === STEP - 1) yield;
  }
}

function* writeDescribed({ rows }: ProcessView, enabled: Enabled, out: Encoder): Generator<void> {
  for (const { family, when, labels, value } of DESCRIBED_FAMILIES) {
    if (!enabled.has(when)) continue;
    out.family(family);
    for (let row = 0; row < rows.length; row++) {
      const description = rows.description[row]!;
      if (rows.shown[row]) out.sample(labels(description), round(value(description)));
      if (row % STEP === STEP - 1) yield;
    }
  }
}

/** Three decimals: finer than the kernel's clock ticks of 10 ms. */
const round = (value: number): number => Math.round(value * 1000) / 1000;

/** `{pid="1"}` with a kind is `{pid="1",kind="file"}`. */
const withKind = (labels: string, kind: string | undefined): string =>
  kind === undefined ? labels : `${labels.slice(0, -1)},kind="${kind}"}`;

/** The label text of a process, which is rendered once in its life. */
export function processLabelsOf(description: RowDescription): string {
  if (description.labels === '') {
    const { pid, identity, group, subgroup } = description;
    description.labels = labelText(processRss, { pid: String(pid), name: identity.name, group, subgroup });
  }
  return description.labels;
}

function infoLabelsOf(description: RowDescription): string {
  if (description.infoLabels === '') {
    const { pid, identity, group, subgroup, rule } = description;
    const { name, user, exe, unit, container, podUid } = identity;
    const own = { pid: String(pid), name, group, subgroup, rule };
    const more = { user, exe, unit, container_id: container, pod_uid: podUid };
    description.infoLabels = labelText(processInfo, { ...own, ...more });
  }
  return description.infoLabels;
}

/** Labels of the processes of a subgroup that have no series of their own, as one. */
const remainderLabels = ({ counters: { group, subgroup } }: GroupRow): string =>
  labelText(processRss, { pid: '', name: '(rest)', group, subgroup });
