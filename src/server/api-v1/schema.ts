// THE declaration of what the documents of the API hold. The code that makes a document is typed by it (`DocumentOf`),
// docs/api.md is generated from it, and a test compares real answers with it, both ways.
//
// A field that may be absent is absent where its value is not known; it is never 0 then. Times are in Unix seconds.
import type { DocumentName } from './documents.ts';
import {
  choiceField,
  flagField,
  listField,
  numberField,
  numbersBy,
  type ObjectOf,
  objectField,
  optional,
  points,
  pointsBy,
  textField,
} from './field.ts';

const stamp = {
  at: numberField('When the collection began that this document shows. Unix time.'),
  snapshot: numberField('Its number: it counts the collections of this exporter that succeeded.'),
};

const names = { group: textField('Its group.'), subgroup: textField('Its subgroup.') };

const footprints = {
  pss_bytes: optional(
    numberField('Proportional memory: a page that several processes share counts in equal parts for each.'),
  ),
  uss_bytes: optional(numberField('Private memory: pages that no other process shares.')),
};

const processFields = {
  pid: numberField('Its process id.'),
  name: textField('Its name, as the kernel has it.'),
  ...names,
  user: optional(textField('Its user. This and the next three need process_info.')),
  unit: optional(textField('The systemd unit that it runs in.')),
  container_id: optional(textField('The container that it runs in.')),
  rule: optional(textField('The rule that decided its group; "none" where no rule matches.')),
  start_time_seconds: numberField('When it started. Unix time.'),
  footprint_bytes: optional(
    numberField(
      'What it occupies: its PSS, with its own huge pages, its page tables and kernel stacks. Where PSS is not measured: its anonymous pages only, because the others may be shared with any process.',
    ),
  ),
  ...footprints,
  rss_bytes: optional(numberField('Resident memory; pages that it shares count in full.')),
  swap_bytes: optional(numberField('The part of it that is swapped out.')),
  cpu_percent: optional(numberField('CPU usage since the collection before; 100 is one core.')),
  estimated: optional(flagField('True where PSS, USS and footprint are estimated: not read at this collection.')),
  state: choiceField(['running', 'sleeping', 'blocked', 'stopped', 'zombie', 'idle'], 'What it does now.'),
};

const series = {
  key: textField(
    'Of the host: the kind of memory. Of groups and group: "group/subgroup". Of a subgroup: the same. Of processes: the pid; where the kernel gave it again, start_time_seconds tells the processes apart.',
  ),
  name: optional(textField('Of a process: its name.')),
  start_time_seconds: optional(numberField('Of a process: when it started. Unix time.')),
  footprint_bytes: points('Footprint at each time; null where it is not known, or there was none.'),
  cpu_percent: optional(points('CPU usage at each time; 100 is one core.')),
  kinds: optional(pointsBy('Of a subgroup: the parts of its footprint, by kind.')),
};

/** What /explain has: the same in both documents. */
const explanation = objectField('Why its PSS is as old as it is, as /explain has it.', {
  series: flagField('Whether it has series of its own in the metrics.'),
  collection_age_seconds: numberField('Age of the collection.'),
  smaps: objectField('How its PSS is read, and what the last collection did about it.', {
    mode: choiceField(['bounded', 'exact', 'off'], 'How PSS is read: the setting smaps.'),
    state: textField(
      'What the last collection did about its PSS: read, reading, waiting, unchanged, confirmed, large, unreadable, nothing, off.',
    ),
    need: optional(textField('Why it was read, or waits to be read: first, changed, relative, age.')),
    failure: optional(textField('Why it cannot be read.')),
    source: choiceField(
      ['read', 'estimated', 'none'],
      'Whether the value is a reading, scaled since the reading, or not there.',
    ),
    age_seconds: optional(numberField('Age of the reading.')),
    confirmed_age_seconds: optional(
      numberField('Time since that, or since reads of idle processes of its executable confirmed it.'),
    ),
    predicted_seconds: optional(numberField('What a reading would take.')),
    over_max_read: flagField('Whether that is longer than smaps_max_read.'),
    max_read_seconds: numberField('The setting smaps_max_read.'),
    max_age_seconds: numberField('The setting smaps_max_age.'),
    moved_bytes: optional(numberField('How much of its memory may have changed since the reading.')),
    moved_by_relatives_bytes: optional(numberField('How much of what it shares may have changed.')),
    worth_bytes: optional(numberField('How much has to change until a reading is due.')),
    next_turn_seconds: numberField('Time until it is due by age: then it is read, or confirmed.'),
  }),
});

const partsField = (meaning: string, anonymous: string, hugetlb: string) =>
  objectField(meaning, {
    anonymous: optional(numberField(`${anonymous} Bytes, as all of these.`)),
    file: optional(numberField('Pages of files.')),
    shared: optional(numberField('Shared memory.')),
    hugetlb: optional(numberField(hugetlb)),
    page_tables: optional(numberField('Page tables.')),
    kernel_stacks: optional(numberField('Kernel stacks of its threads.')),
  });

export const schema = {
  host: {
    ...stamp,
    host: objectField('The machine.', {
      name: optional(textField('Its name; absent where the exporter serves a capture.')),
      kernel: optional(textField('Release of its kernel; absent where the exporter serves a capture.')),
      uptime_seconds: numberField('Time since it booted.'),
      cpus: optional(numberField('Logical CPUs that are online.')),
    }),
    exporter: objectField('This program.', {
      version: textField('Its version.'),
      start_time_seconds: numberField('When it started. Unix time.'),
      telemetry_path: textField('The path of its metrics: the setting web_telemetry_path.'),
      source: optional(textField('The capture file that it serves from, in place of a live host.')),
    }),
    problems: listField(
      'What is wrong, the worst first; empty while all is well.',
      objectField('', {
        severity: choiceField(['critical', 'warning', 'info'], 'How bad it is.'),
        what: textField('What is wrong, in one sentence.'),
        remedy: optional(textField('What to do.')),
      }),
    ),
    memory: objectField("The host's memory.", {
      total_bytes: optional(numberField('All of it.')),
      available_bytes: optional(
        numberField('What could be given to programs without swapping, as the kernel estimates it.'),
      ),
      swap_total_bytes: optional(numberField('Its swap space.')),
      swap_free_bytes: optional(numberField('Swap space that is not used.')),
      kinds: numbersBy('All of the memory by kind, as herakles_mem_system_kind_bytes; empty where it is not known.'),
    }),
    attributed_ratio: optional(numberField('PSS of all processes over what the kernel says they have mapped.')),
    coverage_ratio: optional(numberField('Share of the resident memory whose PSS is measured and fresh.')),
    processes: numberField('Processes seen, kernel threads and zombies included.'),
    cpu_percent: optional(
      numberField(
        'CPU usage of all processes since the collection before, at most that of all cores; 100 is one core.',
      ),
    ),
    collection: objectField('The collection.', {
      age_seconds: numberField('Its age when this was answered.'),
      duration_seconds: numberField('How long it took.'),
    }),
    history: objectField('The history that is kept.', {
      seconds: numberField('How far back it goes at most: the setting history. 0: none is kept.'),
      from: optional(numberField('Time of its first point: no earlier than the start of this exporter. Unix time.')),
      to: optional(numberField('Time of its last point. Unix time.')),
      points: numberField('Points that there are now.'),
      step_seconds: numberField('Time between two points, at least.'),
      left_out: numberField('Subgroups with processes that have no history, because as many as can be kept are kept.'),
    }),
  },
  groups: {
    ...stamp,
    groups: listField(
      'Subgroups that have processes or are declared, largest footprint first.',
      objectField('', {
        ...names,
        declared: flagField('Whether declared_groups names it.'),
        processes: numberField('Processes in it, zombies included.'),
        threads: numberField('Their threads.'),
        footprint_bytes: numberField('What it really occupies, with shared memory counted once.'),
        host_ratio: optional(numberField("Its share of the host's memory.")),
        change_bytes: optional(
          numberField('How much its footprint grew since the oldest point of the history; negative: it shrank.'),
        ),
        change_seconds: optional(numberField('How long ago that point was.')),
        kinds: partsField('The parts of the footprint.', 'Memory that programs allocated.', 'Huge pages.'),
        ...footprints,
        rss_bytes: numberField('Sum of resident memory; pages that processes share count for each.'),
        swap_bytes: optional(numberField('The part of it that is swapped out.')),
        cpu_percent: optional(numberField('CPU usage since the collection before; 100 is one core.')),
        oom_kills: optional(numberField('Processes of it that the kernel killed because memory was used up.')),
        coverage_ratio: optional(numberField('Share of its resident memory whose PSS is measured and fresh.')),
        estimated: optional(
          flagField(
            'True where processes with estimates have more than 0.5 % of the RSS: then PSS, USS and footprint are estimates too.',
          ),
        ),
      }),
    ),
  },
  processes: {
    ...stamp,
    total: numberField('How many processes the query asks for, without zombies; processes has the first of them.'),
    hidden: numberField(
      'Processes that are left out because include_names, exclude_names, search_mode or disable_others hide them.',
    ),
    unlisted: numberField(
      'How many more are of these groups: zombies, and kernel threads unless kernel_threads is set.',
    ),
    processes: listField('In the order asked for.', objectField('', processFields)),
  },
  process: {
    ...stamp,
    process: objectField('The process.', {
      ...processFields,
      exe: optional(textField('The path of its executable; needs process_info.')),
      threads: numberField('Its threads.'),
      parts: partsField(
        'The parts of its footprint.',
        'Memory that it allocated.',
        'Huge pages that no other process maps.',
      ),
    }),
    explanation,
    history: optional(
      objectField('Its history, where it is one of the largest of its subgroup.', {
        at: listField('The times of the points. Unix time.', numberField('')),
        footprint_bytes: points('Footprint at each time; null where it is not known.'),
        cpu_percent: points('CPU usage at each time; 100 is one core.'),
      }),
    ),
  },
  history: {
    of: textField('What was asked for.'),
    at: listField('The times of the points, the oldest first. Unix time.', numberField('')),
    series: listField('Each has as many values as there are times.', objectField('', series)),
  },
  events: {
    events: listField(
      'The oldest first.',
      objectField('', {
        at: numberField('When it was noticed. Unix time.'),
        kind: choiceField(
          ['start', 'exit', 'oom_kill', 'restart', 'exporter_start', 'reload'],
          'What happened. restart: every process of the subgroup was replaced since the point before.',
        ),
        group: optional(textField('The group that it happened to.')),
        subgroup: optional(textField('The subgroup that it happened to.')),
        count: optional(numberField('How many processes.')),
        text: textField('The event in words.'),
      }),
    ),
  },
  rules: {
    ...stamp,
    rules: listField(
      'Rules of the operator first, as they decide.',
      objectField('', {
        rule: textField('Its name: file and place.'),
        group: textField('The group that it gives.'),
        subgroup: textField('The subgroup that it gives.'),
        source: textField('The file that it stands in.'),
        order: numberField('Its place in the order, from 1: the first rule that matches decides.'),
        processes: numberField('Processes that it decides for now.'),
        footprint_bytes: numberField('Sum of their footprints, as far as they are known.'),
      }),
    ),
  },
} as const satisfies Record<DocumentName, Record<string, unknown>>;

/** The document of this name, as the code has to make it. */
export type DocumentOf<N extends DocumentName> = ObjectOf<(typeof schema)[N]>;

export type HostDocument = DocumentOf<'host'>;
export type HostProblem = HostDocument['problems'][number];
export type GroupsDocument = DocumentOf<'groups'>;
export type GroupEntry = GroupsDocument['groups'][number];
export type ProcessesDocument = DocumentOf<'processes'>;
export type ProcessEntry = ProcessesDocument['processes'][number];
export type ProcessDocument = DocumentOf<'process'>;
export type HistoryDocument = DocumentOf<'history'>;
export type EventsDocument = DocumentOf<'events'>;
