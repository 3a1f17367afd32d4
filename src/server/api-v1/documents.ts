// The documents of the API: their paths and the parameters that their queries may have. What a document holds is declared in
// schema.ts. The route table, the index at /api/v1/, the check of queries and docs/api.md read this list.

export interface Parameter {
  /** What it takes, for people. */
  readonly takes: string;
  readonly meaning: string;
}

export interface ApiDocument {
  /** With a name in angle brackets where one part of the path is a value. */
  readonly path: string;
  readonly help: string;
  readonly parameters: Readonly<Record<string, Parameter>>;
}

export const API = '/api/v1/';

/** The orders in which processes can be listed. */
export const SORTS = ['footprint', 'pss', 'uss', 'rss', 'swap', 'cpu', 'pid', 'name', 'age'] as const;
export const LIMIT_MAX = 10_000;
export const LIMIT_DEFAULT = 100;
/** The most points of a series that the history keeps. */
export const POINTS_MAX = 240;

const group = { takes: 'the name of a group', meaning: 'Only of this group.' };
const time = (meaning: string) => ({ takes: 'Unix time in seconds', meaning });

export const documents = {
  host: {
    path: `${API}host`,
    help: 'The host: what is wrong, its memory by kind, CPU, and what history there is.',
    parameters: {},
  },
  groups: {
    path: `${API}groups`,
    help: 'Every subgroup with its sums, largest footprint first.',
    parameters: {},
  },
  processes: {
    path: `${API}processes`,
    help: 'Processes, all or of one group, in the order that is asked for.',
    parameters: {
      group,
      subgroup: { takes: 'the name of a subgroup', meaning: 'Only of subgroups with this name.' },
      sort: {
        takes: SORTS.join(', '),
        meaning: 'The order: largest first; pid, name and age smallest first. footprint, if it is not given.',
      },
      limit: {
        takes: `a whole number from 1 to ${LIMIT_MAX}`,
        meaning: `How many are listed; ${LIMIT_DEFAULT}, if it is not given.`,
      },
    },
  },
  process: {
    path: `${API}processes/<pid>`,
    help: 'One process: what it is, the parts of its footprint, the age of its PSS, and its history.',
    parameters: {},
  },
  history: {
    path: `${API}history`,
    help: 'Footprint and CPU over time, of the host, of groups, or of a process.',
    parameters: {
      of: {
        takes: 'host, groups, group:NAME, subgroup:GROUP/NAME, processes:GROUP/NAME or process:PID',
        meaning:
          'What the series are of: the kinds of the host, all subgroups, those of a group, one with its kinds, its largest processes, or one process. It has to be given.',
      },
      from: time('Only points from then on.'),
      to: time('Only points up to then.'),
      points: {
        takes: `a whole number from 1 to ${POINTS_MAX}`,
        meaning: 'About how many points at most: of more, each second, third … is given. All, if it is not given.',
      },
    },
  },
  events: {
    path: `${API}events`,
    help: 'What happened to processes, and to the exporter; the oldest first.',
    parameters: { since: time('Only events from then on.') },
  },
  rules: {
    path: `${API}rules`,
    help: 'The rules in the order in which they decide, with the processes that each of them matches now.',
    parameters: {},
  },
} as const satisfies Record<string, ApiDocument>;

export type DocumentName = keyof typeof documents;
