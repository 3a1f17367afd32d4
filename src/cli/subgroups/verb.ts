// subgroups: the rules in force. subgroups lint and subgroups test: are the operator's own rules right?
import { JSON_OPTION, parseUrl, URL_OPTION, type Verb } from '../verb.ts';

export interface SubgroupsGiven {
  /** Whether subgroups without a process are shown as well. */
  readonly all: boolean;
  readonly url: string | undefined;
}

export const subgroupsVerb: Verb<SubgroupsGiven> = {
  name: 'subgroups',
  summary: 'Print the subgroups that have processes now, with the rules that name them.',
  options: [{ name: '--all', help: 'Print every subgroup that a rule names.' }, URL_OPTION],
  parse: ({ switches, values }) => ({ all: switches.has('--all'), url: parseUrl(values.get('--url')) }),
  run: async (given, settings) => ({
    output: await (await import('./subgroup-table.ts')).subgroupTable(settings, given),
  }),
};

/** files: rule files to look at instead of the configured ones. */
export const lintVerb: Verb<{ readonly files: readonly string[]; readonly json: boolean }> = {
  name: 'subgroups lint',
  summary:
    'Find rules of yours that never match, contradict another rule, or match programs that they do not mean; status 1 if there are any.',
  arguments: [{ name: 'FILE', count: 'list', help: 'rule files; without them, the configured ones' }],
  options: [JSON_OPTION],
  parse: ({ operands, switches }) => ({ files: operands, json: switches.has('--json') }),
  run: async ({ files, json }, settings) => (await import('./lint.ts')).lintFiles(settings, files, json),
};

export const testVerb: Verb<{ readonly path: string }> = {
  name: 'subgroups test',
  summary:
    'Check that every example in a rule file gets the group that its rule says, and tell why where it does not; status 1 if one does not.',
  arguments: [{ name: 'FILE', count: 'one', help: 'a rule file' }],
  parse: ({ operands: [path] }) => ({ path: path! }),
  run: async ({ path }, settings) => (await import('./expectations.ts')).testExpectations(settings, path),
};
