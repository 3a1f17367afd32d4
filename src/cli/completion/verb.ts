// completion: the command line, for the Tab key of a shell.
import { UsageError, type Verb } from '../verb.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export const completionVerb: Verb<{ readonly shell: Shell }> = {
  name: 'completion',
  summary: 'Print a script that makes a shell complete commands, options and their values.',
  arguments: [{ name: SHELLS.join('|'), count: 'one', help: 'the shell' }],
  ignoresSettings: 'completion prints the same script for every configuration',
  parse: ({ operands: [word] }) => {
    const shell = SHELLS.find((one) => one === word);
    if (!shell) throw new UsageError(`there is no completion for ${JSON.stringify(word)}; give ${SHELLS.join(', ')}`);
    return { shell };
  },
  run: async ({ shell }) => ({ output: (await import('./completion.ts')).completionFor(shell) }),
};
