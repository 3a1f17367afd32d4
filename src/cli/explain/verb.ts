// explain: why is a process in its group, and why is its footprint as old as it is? With --all, the same for every process.
import { integer } from '../../config/value-types.ts';
import { JSON_OPTION, parseUrl, parseWord, URL_OPTION, UsageError, type Verb, type Words } from '../verb.ts';

export interface ExplainGiven {
  /** The process, or the name of processes. */
  readonly of: { readonly pid: number } | { readonly name: string } | 'all';
  readonly json: boolean;
  /** Address of the exporter to ask; undefined: where this configuration listens. */
  readonly url: string | undefined;
  /** Whether the command line is shown with all its values. */
  readonly showValues: boolean;
}

export const explainVerb: Verb<ExplainGiven> = {
  name: 'explain',
  summary: 'Tell which rule put a process into its group, which other rules match it, and how old its PSS is.',
  arguments: [
    {
      name: 'PROCESS',
      count: 'optional',
      help: 'number of a running process, or a name; of several processes with this name each has a line',
    },
  ],
  options: [
    { name: '--all', help: 'Explain every process, and propose rules for processes that no rule matches.' },
    JSON_OPTION,
    URL_OPTION,
    {
      name: '--show-values',
      help: 'Show the command line with all its values, also passwords and keys; without it, values are hidden as ***.',
    },
  ],
  parse,
  run: async (given, settings) => ({ output: await explain(given, settings) }),
};

async function explain({ of, ...how }: ExplainGiven, settings: Parameters<Verb['run']>[1]): Promise<string> {
  if (of === 'all') return (await import('./explain-all.ts')).explainAll(settings, how.json);
  if ('name' in of) return (await import('./explain-name.ts')).explainName(settings, of.name, how);
  return (await import('./explain-process.ts')).explainProcess(settings, of.pid, how);
}

function parse({ operands: [word], switches, values }: Words): ExplainGiven {
  const [all, json, url] = [switches.has('--all'), switches.has('--json'), parseUrl(values.get('--url'))];
  if (all === (word !== undefined)) throw new UsageError('explain takes either a PID, a name or --all');
  const showValues = switches.has('--show-values');
  if (showValues && (all || json))
    throw new UsageError(`explain ${all ? '--all' : '--json'} shows no command line; leave --show-values out`);
  if (all && url !== undefined) throw new UsageError('explain --all does not ask the exporter; leave --url out');
  return { of: processOf(word), json, url, showValues };
}

function processOf(word: string | undefined): ExplainGiven['of'] {
  if (word === undefined) return 'all';
  return /^-?\d+$/.test(word) ? { pid: parseWord('PID', word, integer(1, 4_194_304)) } : { name: word };
}
