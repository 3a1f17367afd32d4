// What the running exporter knows of the footprint of a process, in words: when PSS and USS were read, where the exported
// values come from, and why they were or were not read at the last collection. For instance:
//   read      42 s ago
//   exported  PSS 8.1M, USS 6.0M, estimated: the values read then, scaled with the RSS since
//   why       not read: its memory has not changed since; because of its age it is due again in 4 min
import type { ExplanationDocument } from '../../server/api.ts';
import type { DocumentOf } from '../../server/api-v1/schema.ts';
import { escapeForTerminal } from '../../text/hostile.ts';
import { formatBytes, formatDuration } from '../../text/units.ts';
import type { AddressedAnswer } from './running-exporter.ts';

/** The process as this program sees it, to be compared with what the exporter knows. */
export interface LocalProcess {
  readonly pid: number;
  /** Unix time, seconds. */
  readonly startTime: number;
  /** Seconds since it began. */
  readonly age: number;
  readonly group: string;
  readonly subgroup: string;
}

/** As the API has it: an exporter of a later version may know more states and reasons than this program. */
type Explanation = DocumentOf<'process'>['explanation'];
type Smaps = Explanation['smaps'];
/** The values that are exported, and where they come from. */
type Exported = Pick<Explanation, 'smaps' | 'series'> &
  Pick<DocumentOf<'process'>['process'], 'pss_bytes' | 'uss_bytes'> &
  Partial<Pick<ExplanationDocument, 'counted_with_pid'>>;

/** The exporter and this program read the time of the boot apart, in whole seconds: start times may differ by this many seconds. */
const SAME_START = 2;
/** Seconds. A collection takes time, so it may miss a process that began this shortly before or after its begin. */
const COLLECTION_SECONDS = 1;

const REASONS = new Map<string, string>([
  ['first', 'it had not been read since it started, or since it executed another program (reason 1 of 4)'],
  ['changed', 'its own memory had changed (reason 2 of 4)'],
  ['relative', 'a process that may share memory with it had started, ended or changed (reason 3 of 4)'],
  ['age', 'it had last been read too long ago (reason 4 of 4)'],
]);

/** Lines for `explain PID`. */
export function footprintLines(answer: AddressedAnswer, local: LocalProcess): string[] {
  if ('error' in answer)
    return [`the age of its PSS is not known: cannot ask ${escapeForTerminal(`${answer.address}: ${answer.error}`)}`];
  const exporter = `the exporter at ${escapeForTerminal(answer.address)}`;
  if ('unseenSince' in answer) return [unseenLine(exporter, answer.unseenSince, local)];
  const { explanation } = answer;
  if (Math.abs(explanation.start_time_seconds - local.startTime) > SAME_START)
    return [
      `${exporter} knows another process ${local.pid}: the kernel has given the pid to a new process since the last collection, or the exporter is on another host or in another pid namespace`,
    ];
  return [
    `${exporter}, ${formatDuration(explanation.collection_age_seconds)} after its last collection:`,
    ...fieldLines({
      read: ageText(explanation.smaps),
      exported: exportedText(explanation),
      why: whyText(explanation.smaps),
      cost: costText(explanation.smaps),
      group: groupText(explanation, local),
    }),
  ];
}

function unseenLine(exporter: string, ago: number, { age, pid }: LocalProcess): string {
  return age <= ago + COLLECTION_SECONDS
    ? `${exporter} has not seen process ${pid} yet: it began after the last collection, ${formatDuration(ago)} ago`
    : `${exporter} did not see process ${pid} at its last collection, ${formatDuration(ago)} ago, although the process began ${formatDuration(age)} ago: the exporter is on another host or in another pid namespace`;
}

const fieldLines = (fields: Readonly<Record<string, string>>): string[] =>
  Object.entries(fields)
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `  ${key.padEnd(10)}${escapeForTerminal(value)}`);

const ageText = ({ age_seconds }: Smaps): string =>
  age_seconds === undefined ? 'never' : `${formatDuration(age_seconds)} ago`;

export function exportedText({ smaps, pss_bytes, uss_bytes, series, counted_with_pid }: Exported): string {
  if (counted_with_pid !== undefined)
    return `no memory of its own: it uses the address space of its parent, process ${counted_with_pid}, which has all of it`;
  if (smaps.source === 'none') return 'neither PSS nor USS';
  const source =
    smaps.source === 'read' ? 'as they were read' : 'estimated: the values read then, scaled with the RSS since';
  const values = series
    ? `PSS ${formatBytes(pss_bytes ?? Number.NaN)}, USS ${formatBytes(uss_bytes ?? Number.NaN)}, `
    : '';
  return `${values}${source}${series ? '' : '; it has no series of its own and counts in its group'}`;
}

/** The states stand in the order in which the exporter decides. */
export function whyText(smaps: Smaps): string {
  const { mode, need = '', failure = '', max_read_seconds, max_age_seconds, next_turn_seconds } = smaps;
  const { confirmed_age_seconds = Number.NaN } = smaps;
  const because = REASONS.get(need) ?? need;
  const next = next_turn_seconds > 0 ? `in ${formatDuration(next_turn_seconds)}` : 'at the next collection';
  switch (smaps.state) {
    case 'off':
      return 'not read: smaps is off, or neither PSS nor USS is exported';
    case 'nothing':
      return 'not read: it has no memory of its own, or its statm cannot be read';
    case 'read':
      return mode === 'exact'
        ? 'read at the last collection, like every process: smaps is exact'
        : `read at the last collection, because ${because}`;
    case 'reading':
      return `being read beside the collections, or waiting for other such reads to end, because ${because}`;
    case 'waiting':
      return `not read yet: smaps_budget was spent on more urgent processes; it waits because ${because}`;
    case 'unreadable':
      return `not read: the last attempt failed (${failure}); the next attempt is ${next}`;
    case 'large':
      return `not read: a read is predicted to take longer than smaps_max_read (${formatDuration(max_read_seconds)}), so it is read only every ${formatDuration(max_age_seconds)}; the next time is ${next}`;
    case 'unchanged':
      return `not read: ${changeText(smaps)}; because of its age it is due again ${next}`;
    case 'confirmed':
      return `not read: ${changeText(smaps)}; other idle processes of its executable were read in its place, which confirmed it ${formatDuration(confirmed_age_seconds)} ago; because of its age it is due again ${next}`;
    default:
      return `not read: ${String(smaps.state)}`;
  }
}

/** Why too little has changed for a read. The numbers are upper bounds. */
function changeText({ moved_bytes = 0, moved_by_relatives_bytes = 0, worth_bytes = 0 }: Smaps): string {
  const own = moved_bytes >= 0.5 ? [`${formatBytes(moved_bytes)} of its own memory`] : [];
  const shared = moved_by_relatives_bytes >= 0.5 ? [`${formatBytes(moved_by_relatives_bytes)} that it shares`] : [];
  if (own.length + shared.length === 0) return 'its memory has not changed since';
  return `up to ${[...own, ...shared].join(' and ')} may have changed since, and a read is due from ${formatBytes(worth_bytes)} on`;
}

function costText({ predicted_seconds, over_max_read, max_read_seconds }: Smaps): string {
  if (predicted_seconds === undefined) return '';
  return `a read is predicted to take ${formatDuration(predicted_seconds)}, ${over_max_read ? 'over' : 'within'} smaps_max_read (${formatDuration(max_read_seconds)})`;
}

/** Empty where the exporter has the process in the same group as this program. */
function groupText({ group, subgroup, rule }: ExplanationDocument, local: LocalProcess): string {
  if (group === undefined || (group === local.group && subgroup === local.subgroup)) return '';
  const why = rule?.startsWith('inherited')
    ? 'the group of its ancestors when it began'
    : 'the exporter has other rules than those read here';
  return `${group}/${subgroup}${rule ? ` (${rule})` : ''} in the exporter: ${why}`;
}
