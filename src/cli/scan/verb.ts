// scan: the host at one moment, for people and for programs.
import { duration, integer } from '../../config/value-types.ts';
import {
  JSON_OPTION,
  parseSort,
  parseUrl,
  parseWord,
  SORT_OPTION,
  URL_OPTION,
  UsageError,
  type Verb,
  type Words,
} from '../verb.ts';

export interface ScanGiven {
  readonly json: boolean;
  readonly url: string | undefined;
  /** What both tables are ordered by, where they have it. */
  readonly sort: string;
  /** The most processes in the table. */
  readonly top: number;
  /** Only this group, or this subgroup of it. */
  readonly of: { readonly group: string; readonly subgroup: string | undefined } | undefined;
  /** Seconds from one picture to the next; undefined: there is only one. */
  readonly watch: number | undefined;
  /** Whether every footprint is read now, whatever that costs the host. */
  readonly exact: boolean;
}

export const scanVerb: Verb<ScanGiven> = {
  name: 'scan',
  summary: 'Print the groups and the largest processes: of the running exporter, or of a collection of its own.',
  options: [
    JSON_OPTION,
    SORT_OPTION,
    { name: '--top', placeholder: 'N', default: '20', help: 'How many processes the table has at most.' },
    { name: '--group', placeholder: 'NAME', help: 'Only this group (db), or subgroup (db/postgres).' },
    {
      name: '--watch',
      placeholder: 'TIME',
      help: 'Print again each time this duration has passed, until Ctrl-C; JSON is then one line.',
    },
    {
      name: '--exact',
      help: 'Read PSS and USS of every process now. Large processes may have to wait meanwhile: smaps_max_read is not kept.',
    },
    URL_OPTION,
  ],
  parse,
  run: async (given, settings) => (await import('./scan.ts')).scan(settings, given),
};

function parse({ switches, values }: Words): ScanGiven {
  const [exact, url, group, watch] = [
    ...[switches.has('--exact'), parseUrl(values.get('--url'))],
    ...[values.get('--group'), values.get('--watch')],
  ] as [boolean, string | undefined, string | undefined, string | undefined];
  if (exact && url !== undefined)
    throw new UsageError('scan --exact reads this host itself; leave --url or --exact out');
  return {
    json: switches.has('--json'),
    url,
    sort: parseSort(values),
    top: parseWord('--top', values.get('--top')!, integer(1, 10_000)),
    of: group === undefined ? undefined : parseGroup(group),
    watch: watch === undefined ? undefined : parseWord('--watch', watch, duration('100ms', '1d')),
    exact,
  };
}

function parseGroup(name: string): ScanGiven['of'] {
  const slash = name.indexOf('/');
  const [group, subgroup] = slash < 0 ? [name, undefined] : [name.slice(0, slash), name.slice(slash + 1)];
  if (group === '' || subgroup === '')
    throw new UsageError(`--group is ${JSON.stringify(name)}; give db or db/postgres`);
  return { group, subgroup };
}
