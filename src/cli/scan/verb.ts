// scan: one collection, for people and for programs.
import { JSON_OPTION, type Verb } from '../verb.ts';

export const scanVerb: Verb<{ readonly json: boolean }> = {
  name: 'scan',
  summary: 'Collect once, and print the groups and the largest processes.',
  options: [JSON_OPTION],
  parse: ({ switches }) => ({ json: switches.has('--json') }),
  run: async ({ json }, settings) => ({ output: await (await import('./scan.ts')).scan(settings, json) }),
};
