// The completion script of a shell.
import type { Verb, VerbGroup } from '../verb.ts';
import { bashCompletion } from './bash.ts';
import { fishCompletion } from './fish.ts';
import { KnownWords } from './known-words.ts';
import type { Shell } from './verb.ts';
import { zshCompletion } from './zsh.ts';

const scripts: Readonly<Record<Shell, (words: KnownWords) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

export const completionFor = (shell: Shell, verbs: readonly (Verb | VerbGroup)[]): string =>
  scripts[shell](new KnownWords(verbs));
