// What the running exporter said of a process, in words: how old its PSS is, where the exported value comes from, and
// why it was or was not read. The reasons stand in the order in which the exporter weighs them.
import type { ExplanationDocument } from '../../server/api.ts';
import { escapeForTerminal } from '../../text/hostile.ts';
import { formatBytes, formatDuration } from '../../text/units.ts';
import type { Asked } from './ask.ts';

/** What this program found out itself, to be held against what the exporter says. */
export interface Own {
  readonly pid: number;
  /** Unix time, seconds. */
  readonly startTime: number;
  /** Seconds since it began. */
  readonly age: number;
  readonly group: string;
  readonly subgroup: string;
}

type Smaps = ExplanationDocument['smaps'];

/** Two programs read the time of the boot apart, and it is told in whole seconds. */
const SAME_START = 2;
/** A collection takes time: who began within so many seconds of its begin may have been missed. */
const SAME_TIME = 1;

const NEEDS = new Map<string, string>(
  Object.entries({
    first: 'it had not been read since it began or became another program (reason 1 of 4)',
    changed: 'its own memory had moved (reason 2 of 4)',
    relative: 'a process that may share pages with it came, went or moved (reason 3 of 4)',
    age: 'its sample had become old (reason 4 of 4)',
  }),
);

/** Lines for `explain PID`. */
export function sampleLines(asked: Asked, own: Own): string[] {
  if ('why' in asked)
    return [`the age of its sample is not known: cannot ask ${escapeForTerminal(`${asked.from}: ${asked.why}`)}`];
  const heading = `the exporter at ${escapeForTerminal(asked.from)}`;
  if ('unseenFor' in asked) return [unseen(heading, asked.unseenFor, own)];
  const { told } = asked;
  if (Math.abs(told.start_time_seconds - own.startTime) > SAME_START)
    return [
      `${heading} knows another process ${own.pid}: the pid was given again since its last collection, or it looks at another host or pid namespace`,
    ];
  return [
    `${heading}, ${formatDuration(told.collection_age_seconds)} after its last collection:`,
    ...fields({
      sample: ageOf(told.smaps),
      exported: exportedOf(told),
      why: whyOf(told.smaps),
      cost: costOf(told.smaps),
      group: groupOf(told, own),
    }),
  ];
}

function unseen(heading: string, ago: number, { age, pid }: Own): string {
  return age <= ago + SAME_TIME
    ? `${heading} has not seen process ${pid} yet: it appeared after the last collection, ${formatDuration(ago)} ago`
    : `${heading} did not see process ${pid} at its last collection, ${formatDuration(ago)} ago, though it began ${formatDuration(age)} ago: it looks at another host or pid namespace`;
}

const fields = (lines: Readonly<Record<string, string>>): string[] =>
  Object.entries(lines)
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `  ${key.padEnd(10)}${escapeForTerminal(value)}`);

const ageOf = ({ age_seconds }: Smaps): string =>
  age_seconds === undefined ? 'none' : `${formatDuration(age_seconds)} old`;

function exportedOf({ smaps, pss_bytes, uss_bytes, series }: ExplanationDocument): string {
  if (smaps.source === 'none') return 'neither PSS nor USS';
  const source =
    smaps.source === 'read' ? 'as they were read' : 'estimated: the sample, scaled with the RSS since then';
  const values = series
    ? `PSS ${formatBytes(pss_bytes ?? Number.NaN)}, USS ${formatBytes(uss_bytes ?? Number.NaN)}, `
    : '';
  return `${values}${source}${series ? '' : '; it has no series of its own and counts in its group'}`;
}

function whyOf(smaps: Smaps): string {
  const { mode, need = '', failure = '', max_read_seconds, max_age_seconds, next_turn_seconds } = smaps;
  const because = NEEDS.get(need) ?? need;
  const turn = `by age its turn ${next_turn_seconds > 0 ? `comes in ${formatDuration(next_turn_seconds)}` : 'is now'}`;
  switch (smaps.state) {
    case 'off':
      return 'not read: smaps is off, or neither PSS nor USS is exported';
    case 'nothing':
      return 'not read: it has no memory of its own, or its statm cannot be read';
    case 'read':
      return mode === 'exact'
        ? 'read at the last collection, as all are: smaps is exact'
        : `read at the last collection, because ${because}`;
    case 'reading':
      return `being read off the main thread, or waits for those before it, because ${because}`;
    case 'waiting':
      return `not read yet: smaps_budget was spent on more urgent ones; it is wanted because ${because}`;
    case 'unreadable':
      return `not read: the last attempt failed (${failure}); ${turn}, and it is tried again`;
    case 'large':
      return `not read: that is predicted to take longer than smaps_max_read (${formatDuration(max_read_seconds)}), so it happens only every ${formatDuration(max_age_seconds)}; ${turn}`;
    case 'unchanged':
      return `not read: ${movement(smaps)}; ${turn}`;
    default:
      return `not read: ${String(smaps.state)}`;
  }
}

function movement({ moved_bytes = 0, moved_by_relatives_bytes = 0, worth_bytes = 0 }: Smaps): string {
  const relatives = moved_by_relatives_bytes > 0 ? ` and ${formatBytes(moved_by_relatives_bytes)} by relatives` : '';
  return `since the sample ${formatBytes(moved_bytes)} moved${relatives}, and ${formatBytes(worth_bytes)} are worth a read`;
}

function costOf({ predicted_seconds, over_max_read, max_read_seconds }: Smaps): string {
  if (predicted_seconds === undefined) return '';
  return `a read is predicted to take ${formatDuration(predicted_seconds)}, ${over_max_read ? 'over' : 'within'} smaps_max_read (${formatDuration(max_read_seconds)})`;
}

/** Only where the exporter puts it elsewhere. */
function groupOf({ group, subgroup, rule }: ExplanationDocument, own: Own): string {
  if (group === undefined || (group === own.group && subgroup === own.subgroup)) return '';
  const why = rule?.startsWith('inherited')
    ? 'as its ancestors were when it began'
    : 'its rules are not those read here';
  return `${group}/${subgroup}${rule ? ` (${rule})` : ''} there: ${why}`;
}
