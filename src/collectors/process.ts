// Collector "process": what each process uses. A process's label text is rendered once in its life.
import type { Encoder } from '../exposition/encode.ts';
import { counter, type Family, gauge, info, labelText, oddlyNamedCounter } from '../exposition/metric.ts';
import type { ProcessDescription } from '../process/process.ts';
import type { GroupRow, ProcessRows, ProcessView, Rest } from '../view/view.ts';

const PROCESS = ['pid', 'name', 'group', 'subgroup'] as const;

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
export const processSwap = gauge('herakles_mem_process_swap_bytes', 'Memory swapped out.', PROCESS);
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
  'Bytes read from storage, those of children it waited for included, as the kernel counts them.',
  PROCESS,
);
export const processWritten = counter(
  'herakles_io_process_write_bytes_total',
  'Bytes written to storage, those of children it waited for included, as the kernel counts them.',
  PROCESS,
);

/** Which families of the process collector are exported. */
export interface ProcessFamilies {
  readonly rss: boolean;
  readonly pss: boolean;
  readonly uss: boolean;
  readonly swap: boolean;
  readonly cpu: boolean;
  readonly info: boolean;
  readonly startTime: boolean;
  readonly io: boolean;
}

type Column = Exclude<keyof ProcessRows, 'length' | 'readers' | 'description' | 'shown' | 'reset'>;

/** Families whose values are a column of the view, and the part of a group's rest they sum to. */
const COLUMNS: readonly { family: Family; column: Column; part?: keyof Rest; when: keyof ProcessFamilies }[] = [
  { family: processRss, column: 'rss', part: 'rss', when: 'rss' },
  { family: processPss, column: 'pss', part: 'pss', when: 'pss' },
  { family: processUss, column: 'uss', part: 'uss', when: 'uss' },
  { family: processSwap, column: 'swap', part: 'swap', when: 'swap' },
  { family: processUsage, column: 'usage', part: 'usage', when: 'cpu' },
  { family: processTime, column: 'time', part: 'time', when: 'cpu' },
  { family: processRead, column: 'readBytes', when: 'io' },
  { family: processWritten, column: 'writeBytes', when: 'io' },
];

export const processFamilies: readonly Family[] = [...COLUMNS.map(({ family }) => family), processInfo, processStart];

/** Most series one process can have. */
export function seriesPerProcess(wanted: ProcessFamilies): number {
  const columns = COLUMNS.filter(({ when }) => wanted[when]).length;
  return columns + Number(wanted.info) + Number(wanted.startTime);
}

/** After so many samples encoding may be interrupted. */
const STEP = 512;

export function* collectProcesses(view: ProcessView, wanted: ProcessFamilies, out: Encoder): Generator<void> {
  const { rows } = view;
  const rests = view.groups.flatMap((group) => (group.rest ? { rest: group.rest, labels: restLabels(group) } : []));
  for (const { family, column, part, when } of COLUMNS) {
    if (!wanted[when]) continue;
    const values = rows[column];
    out.family(family);
    for (let row = 0; row < rows.length; row++) {
      if (rows.shown[row]) out.sample(labelsOf(rows.description[row]!), round(values[row]!));
      if (row % STEP === STEP - 1) yield;
    }
    if (part) for (const { rest, labels } of rests) out.sample(labels, round(rest[part]));
  }
  if (wanted.info) {
    out.family(processInfo);
    for (let row = 0; row < rows.length; row++) {
      if (rows.shown[row]) out.sample(infoLabelsOf(rows.description[row]!), 1);
      if (row % STEP === STEP - 1) yield;
    }
  }
  if (wanted.startTime) {
    out.family(processStart);
    for (let row = 0; row < rows.length; row++) {
      if (rows.shown[row]) out.sample(labelsOf(rows.description[row]!), round(rows.description[row]!.startTime));
      if (row % STEP === STEP - 1) yield;
    }
  }
}

/** Three decimals are finer than the kernel's own clock ticks. */
const round = (value: number): number => Math.round(value * 1000) / 1000;

function labelsOf(who: ProcessDescription): string {
  if (who.labels === '') {
    const { pid, identity, group, subgroup } = who;
    who.labels = labelText(processRss, { pid: String(pid), name: identity.name, group, subgroup });
  }
  return who.labels;
}

function infoLabelsOf(who: ProcessDescription): string {
  if (who.infoLabels === '') {
    const { pid, identity, group, subgroup, rule } = who;
    const { name, user, exe, unit, container, podUid } = identity;
    const own = { pid: String(pid), name, group, subgroup, rule };
    who.infoLabels = labelText(processInfo, { ...own, user, exe, unit, container_id: container, pod_uid: podUid });
  }
  return who.infoLabels;
}

/** The processes of a subgroup that have no series of their own, as one. */
const restLabels = ({ counters: ledger }: GroupRow): string =>
  labelText(processRss, { pid: '', name: '(rest)', group: ledger.group, subgroup: ledger.subgroup });
