// Titles: some programs write a text over their command line that says what they do (setproctitle(3)). The kernel then
// shows one argument with spaces, followed by nothing but padding. What stands first in it names the program:
//   "gunicorn: master [app]", "[celeryd: c@h:MainProcess] -active-", "puma 5.6.5 (tcp://0.0.0.0:3000) [app]"
// Titles are hostile text of any length, so only their start is looked at.
import { argv0Of } from './identity.ts';

/** Characters of a title that are looked at. */
export const TITLE_LENGTH_MAX = 1024;

const SPACE = 0x20;
const COLON = 0x3a;
const BRACKET = 0x5b;
const PLUS = 0x2b;
const DASH = 0x2d;
const DOT = 0x2e;

/** The title that a command line is, or '' where it is no title: one argument with a space, and nothing but padding. */
export function titleOf(argv: readonly string[]): string {
  const first = argv0Of(argv);
  if (first.indexOf(' ') < 0) return '';
  for (let i = 1; i < argv.length; i++) if (argv[i] !== '') return '';
  return first;
}

/** The words of a title, as if it were a command line. */
export const wordsOf = (title: string): string[] => title.slice(0, TITLE_LENGTH_MAX).split(' ').filter(Boolean);

export function firstWordOf(title: string): string {
  let start = 0;
  while (start < TITLE_LENGTH_MAX && title.charCodeAt(start) === SPACE) start++;
  const end = title.indexOf(' ', start);
  return title.slice(start, Math.min(end < 0 ? title.length : end, TITLE_LENGTH_MAX));
}

/** What stands before the first ": ": "gunicorn" of "gunicorn: master [x]", "celeryd" of "[celeryd: c@h]"; else ''. */
export function titlePrefix(title: string): string {
  const from = title.charCodeAt(0) === BRACKET ? 1 : 0;
  let at = from;
  while (isNameCharacter(title.charCodeAt(at))) at++;
  if (title.charCodeAt(at) !== COLON) return '';
  return at + 1 === title.length || title.charCodeAt(at + 1) === SPACE ? title.slice(from, at) : '';
}

/** The program that a title names: "puma" of "puma 5.6.5 (tcp://0.0.0.0:3000) [app]", "PM2" of "PM2 v5: God Daemon". */
export function titleProgram(title: string): string {
  const text = title.startsWith('[') ? title.replace(/^\[[^\]:]*\] (?=\w)/, '') : title; // "[ready] gunicorn: worker [x]"
  return titlePrefix(text) || (/^\[?([^\s\]:]+)/.exec(text)?.[1] ?? '');
}

/** A character of a program's name: [\w.+-]. */
const isNameCharacter = (c: number): boolean =>
  (c >= 0x61 && c <= 0x7a) ||
  (c >= 0x30 && c <= 0x39) ||
  (c >= 0x41 && c <= 0x5a) ||
  c === 0x5f ||
  c === DASH ||
  c === DOT ||
  c === PLUS;
