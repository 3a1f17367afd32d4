// The completion script of a shell.
import { bashCompletion } from './bash.ts';
import { fishCompletion } from './fish.ts';
import type { Shell } from './verb.ts';
import { zshCompletion } from './zsh.ts';

const scripts: Readonly<Record<Shell, () => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

export const completionFor = (shell: Shell): string => scripts[shell]();
