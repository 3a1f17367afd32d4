// completion: the command line, for the Tab key of a shell.
import { UsageError, type Verb, type VerbGroup } from '../verb.ts';

export const COMPLETED_SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof COMPLETED_SHELLS)[number];

/** @param verbs all verbs, this one too: they are what is completed */
export const completionVerb = (verbs: () => readonly (Verb | VerbGroup)[]): Verb<{ readonly shell: Shell }> => ({
  name: 'completion',
  summary: 'Print a script that makes a shell complete commands, options and their values.',
  arguments: [{ name: COMPLETED_SHELLS.join('|'), count: 'one', help: 'the shell' }],
  ignoresSettings: 'completion prints the same script for every configuration',
  parse: ({ operands: [word] }) => {
    const shell = COMPLETED_SHELLS.find((one) => one === word);
    if (!shell)
      throw new UsageError(`there is no completion for ${JSON.stringify(word)}; give ${COMPLETED_SHELLS.join(', ')}`);
    return { shell };
  },
  run: async ({ shell }) => ({ output: (await import('./completion.ts')).completionFor(shell, verbs()) }),
});
