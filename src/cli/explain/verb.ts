// explain: why is a process in its group, and why is its footprint as old as it is? With --all, the same for every process.
import { integer } from '../../config/value-types.ts';
import { JSON_OPTION, parseWord, UsageError, type Verb, type Words } from '../verb.ts';

export interface ExplainGiven {
  readonly pid: number | 'all';
  readonly json: boolean;
  /** Address of the exporter to ask; undefined: where this configuration listens. */
  readonly url: string | undefined;
  /** Whether the command line is shown with all its values. */
  readonly showValues: boolean;
}

export const explainVerb: Verb<ExplainGiven> = {
  name: 'explain',
  summary: 'Tell which rule put a process into its group, which other rules match it, and how old its PSS is.',
  arguments: [{ name: 'PID', count: 'optional', help: 'number of a running process' }],
  options: [
    { name: '--all', help: 'Explain every process, and propose rules for processes that no rule matches.' },
    JSON_OPTION,
    {
      name: '--url',
      placeholder: 'URL',
      help: 'Address of the exporter that knows how old the PSS is; without it, the address in the configuration.',
    },
    {
      name: '--show-values',
      help: 'Show the command line with all its values, also passwords and keys; without it, values are hidden as ***.',
    },
  ],
  parse,
  run: async ({ pid, json, url, showValues }, settings) => ({
    output:
      pid === 'all'
        ? await (await import('./explain-all.ts')).explainAll(settings, json)
        : await (await import('./explain-process.ts')).explainProcess(settings, { pid, json, url, showValues }),
  }),
};

function parse({ operands: [pid], switches, values }: Words): ExplainGiven {
  const [all, json, url] = [switches.has('--all'), switches.has('--json'), values.get('--url')];
  if (all === (pid !== undefined)) throw new UsageError('explain takes either a PID or --all');
  const showValues = switches.has('--show-values');
  if (showValues && (all || json))
    throw new UsageError(`explain ${all ? '--all' : '--json'} shows no command line; leave --show-values out`);
  if (all && url !== undefined) throw new UsageError('explain --all does not ask the exporter; leave --url out');
  if (url !== undefined && !isAddress(url))
    throw new UsageError('--url is not an address; give http://host:port, https://host:port or unix:/path');
  return { pid: pid === undefined ? 'all' : parseWord('PID', pid, integer(1, 4_194_304)), json, url, showValues };
}

const isAddress = (text: string): boolean =>
  /^unix:\/./.test(text) || (/^https?:\/\/./i.test(text) && URL.canParse(text));
