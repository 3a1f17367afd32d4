// top: the host on a terminal, again and again.
import { parseSort, parseUrl, SORT_OPTION, URL_OPTION, type Verb } from '../verb.ts';

export interface TopGiven {
  readonly url: string | undefined;
  readonly sort: string;
}

export const topVerb: Verb<TopGiven> = {
  name: 'top',
  summary: 'Show on the terminal where the memory is, and what grew in the last hour; the key ? lists the keys.',
  options: [SORT_OPTION, URL_OPTION],
  parse: ({ values }) => ({ url: parseUrl(values.get('--url')), sort: parseSort(values) }),
  run: async (given, settings) => (await import('./top.ts')).top(settings, given),
};
