// subgroups: the rules in force. subgroups lint and subgroups test: are the operator's own rules right?
import { JSON_OPTION, type Verb } from '../verb.ts';

export const subgroupsVerb: Verb = {
  name: 'subgroups',
  summary: 'Print the rules in force, and how many processes each subgroup has now.',
  run: async (_, settings) => ({ output: await (await import('./subgroup-table.ts')).subgroupTable(settings) }),
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
