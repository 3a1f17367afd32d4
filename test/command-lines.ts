// Command lines of test/command-lines/: one a line, split at blanks as a shell does it, with both kinds of quotes. What
// begins with # is a remark.
import { readFileSync } from 'node:fs';

/** The sign that stands for a secret in secret.txt. */
export const SECRET_SIGN = '§';

const WORD = /(?:'[^']*'|"(?:[^"\\]|\\.)*"|[^\s'"])+/g;
const QUOTED = /'([^']*)'|"((?:[^"\\]|\\.)*)"/g;

/** A title, which a program writes in place of its words: "nginx: worker process". It is one argument. */
const isTitle = (line: string): boolean => /^[\w-]+: |^puma /.test(line);

const split = (line: string): string[] =>
  [...line.matchAll(WORD)].map(([word]) =>
    word.replace(QUOTED, (_, single: string | undefined, double = '') => single ?? double.replace(/\\(["\\])/g, '$1')),
  );

/** @param name "secret" or "harmless" */
export function commandLines(name: string): { readonly line: string; readonly argv: readonly string[] }[] {
  const text = readFileSync(new URL(`command-lines/${name}.txt`, import.meta.url), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ line, argv: isTitle(line) ? [line] : split(line) }));
}
