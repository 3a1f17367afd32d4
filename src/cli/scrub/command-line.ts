// Goes along a command line, word by word, and shows of it the program, the names of options and variables, and values of
// a harmless shape (shapes.ts). Everything else becomes `***`. A list of secrets is never complete, a list of what is
// harmless only ever hides too much.
//
// Example: `mysql -uroot -pgreen-tea --port=3306 -h db.example.com shop` becomes
// `mysql -u*** -p*** --port=3306 -h db.example.com ***`.
import { HIDDEN, isName, isPlainWord, isSecretName, isWordyName } from './names.ts';
import { scrubNamed, scrubSecret, scrubValue } from './shapes.ts';
import { SHELL_COMMANDS, SHELLS, TEXT_COMMANDS, WRAPPERS } from './words.ts';

/** What is known about the process beside its words. */
export interface Known {
  /** Names of programs, which may be shown where a program's name stands. */
  readonly programs: ReadonlySet<string>;
  /** Words that the syntax of an interpreter accounts for: a script, a main class, a module. */
  readonly interpreted: ReadonlySet<string>;
}

/** Options of one letter share a word up to this length: `-xzf`. A longer word may hold a value: `-psecret`. */
const CLUSTER_MAX = 5;
const SCRIPT_OPTION = /^-[a-z]{0,3}c$/;

export const programName = (word: string): string => word.slice(word.lastIndexOf('/') + 1).replace(/^-/, '');

/** One command: the words from a program's name to the end, or to the next `;` or `|` of a script. */
export class CommandLine {
  private readonly known: Known;
  /** How deep scripts stand in scripts. */
  private readonly depth: number;
  /** What the last word says of the next one. */
  private next: 'anything' | 'secret' | 'text' | 'script' = 'anything';
  private afterOption = false;
  private runsShell = false;
  /** The next program's name is expected: at the start, and behind `sudo` and the like. */
  private programDue = false;
  private textOnly = false;
  private jvm = false;

  constructor(known: Known, depth = 0) {
    this.known = known;
    this.depth = depth;
  }

  /** The first word, which names the program. It is shown as it is; the caller has made sure that it may be. */
  begin(program: string): void {
    this.recognize(program);
  }

  /** The word as it may be shown. */
  scrub(word: string): string {
    const next = this.next;
    const afterOption = this.afterOption;
    this.next = 'anything';
    this.afterOption = false;
    if (next === 'text') return HIDDEN;
    if (next === 'secret' && !word.startsWith('--')) return scrubSecret(word);
    if (next === 'script') return scrubScript(word, this.known, this.depth + 1);
    if (/^[-+]./.test(word)) return this.option(word);
    if (this.textOnly) return HIDDEN;
    if (this.programDue && !afterOption && isKnownProgram(word, this.known)) {
      this.recognize(word);
      return word;
    }
    if (this.known.interpreted.has(word) && isName(word.replace(/[/:$]/g, '.'))) return word;
    const shown = scrubValue(word);
    if (/^[\w.-]+$/.test(word) && (shown !== word || isPlainWord(word)) && isSecretName(word)) this.next = 'secret';
    if (shown === word && word.includes('/')) this.recognize(word);
    return shown;
  }

  /** The next word is text that a command reads, such as the word behind `<<<`. */
  expectText(): void {
    this.next = 'text';
  }

  /** Remembers what a program does with its words. */
  private recognize(word: string): void {
    const program = programName(word);
    this.programDue = WRAPPERS.has(program);
    this.runsShell ||= SHELLS.has(program);
    this.jvm ||= /^(?:java|jsvc|javaw)(?:\.exec)?$/.test(program);
    this.textOnly = TEXT_COMMANDS.has(program);
  }

  private option(word: string): string {
    this.afterOption = true;
    if (word === '--' || /^[-+](?:\d|\W*$)/.test(word)) {
      this.afterOption = false;
      return scrubValue(word);
    }
    if (word.startsWith('--')) return this.longOption(word);
    if (this.runsShell && SCRIPT_OPTION.test(word)) this.next = 'script';
    return this.shortOption(word);
  }

  /** `--name`, `--name=value` */
  private longOption(word: string): string {
    const [, name = '', sign = '', value = ''] = /^--([^=]*)(=?)(.*)$/s.exec(word) ?? [];
    if (!isName(name)) return `--${HIDDEN}`;
    if (sign === '') {
      this.expectValue(name);
      return word;
    }
    this.afterOption = false;
    return `--${name}=${scrubNamed(name, value)}`;
  }

  /** `-v`, `-xzf`, `-config`, `-config.file=x`, `-Dname=x`, `-psecret` */
  private shortOption(word: string): string {
    const [, name = '', sign = '', value = ''] = /^[-+]([A-Za-z][\w.-]*)([=:]?)(.*)$/s.exec(word) ?? [];
    if (name !== '' && sign + value === '' && (name.length < CLUSTER_MAX || isWordyName(name))) {
      this.expectValue(name);
      return word;
    }
    if ((sign !== '' && isWordyName(name)) || (sign === '=' && name.length === 1)) {
      this.afterOption = false;
      return word[0] + name + sign + scrubNamed(name, value);
    }
    return this.property(word) ?? this.glued(word);
  }

  private expectValue(name: string): void {
    if (isSecretName(name)) this.next = 'secret';
  }

  /** `-Dname=x` and the options of a JVM that begin with X. */
  private property(word: string): string | undefined {
    const [, name = '', sign, value = ''] = /^-D([A-Za-z][\w.-]*)(=?)(.*)$/s.exec(word) ?? [];
    if (isName(name) && (sign !== '' || this.jvm || isWordyName(name)) && (sign !== '' || value === ''))
      return `-D${name}${sign}${scrubNamed(name, value)}`;
    if (/^-X(?:ms|mx|ss|mn)\d{1,6}[kmgt]?$/i.test(word)) return word;
    const [, flag = '', colon = '', rest = ''] = /^-X(X:[+-]?[A-Za-z]\w*|[a-z]+)([=:]?)(.*)$/s.exec(word) ?? [];
    if (flag === '' || flag.length > 60 || (colon === '' && rest !== '' && rest[0] !== '/')) return undefined;
    return flag.startsWith('X:') || isWordyName(flag) ? `-X${flag}${colon}${scrubValue(rest)}` : undefined;
  }

  /** A value behind an option of one letter: only a path is sure to be none that matters. */
  private glued(word: string): string {
    this.afterOption = false;
    const value = word.slice(2);
    return word.slice(0, 2) + (value.startsWith('/') ? scrubSecret(value) : HIDDEN);
  }
}

/** A quoted word may be a script with quoted words; what stands deeper is hidden. */
const DEPTH_MAX = 3;

/** Signs between two commands; blanks; words with their quotes. */
const TOKENS = /[;|&\n()]+|[ \t\r]+|(?:"(?:[^"\\]|\\.)*\\?"?|'[^']*'?|\\.?|[^\s"'\\;|&()])+/gs;
const REDIRECTION = /^(\d?(?:<<<|<<-?|<|>>|>)&?)(.*)$/s;
/** `$NAME`, `"${NAME}"`, `$1`: a shell puts the value there, and the name is none. */
const VARIABLE = /^"?\$(?:\{[A-Z_][A-Z0-9_]*\}|[A-Z_][A-Z0-9_]*|[\d@*#?$!])"?$/;
const ASSIGNMENT = /^[A-Za-z_]\w*\+?=/;

/**
 * A text of commands, as `sh -c` takes it. Each of its words is looked at as a word of a command line is; blanks, quotes and
 * the signs between commands stay: `cd /srv && mysql -p'green tea' <dump.sql` becomes `cd /srv && mysql -p*** <dump.sql`.
 */
function scrubScript(text: string, known: Known, depth = 1): string {
  if (depth > DEPTH_MAX) return HIDDEN;
  let command: CommandLine | undefined;
  return text.replace(TOKENS, (token) => {
    if (/^[ \t\r]/.test(token)) return token;
    if (/^[;|&\n()]/.test(token)) {
      // `2>&1` and `$(…)` have such signs in them; to begin a command there hides no less.
      command = undefined;
      return token;
    }
    if (command && VARIABLE.test(token)) return token;
    const word = unquoted(token);
    if (command) return requoted(token, word, scrubWord(command, word));
    if (ASSIGNMENT.test(word)) return requoted(token, word, scrubValue(word));
    command = new CommandLine(known, depth);
    if (!mayBegin(word, known)) return requoted(token, word, scrubValue(word));
    command.begin(word);
    return token;
  });
}

const isKnownProgram = (word: string, known: Known): boolean => SHELL_COMMANDS.has(word) || known.programs.has(word);

/** A line of a text may begin with anything, so it is taken for a program only where one is known. */
const mayBegin = (word: string, known: Known): boolean =>
  isKnownProgram(word, known) || (word.includes('/') && scrubValue(word) === word);

function scrubWord(command: CommandLine, word: string): string {
  const [, sign, target = ''] = REDIRECTION.exec(word) ?? [];
  if (sign === undefined) return command.scrub(word);
  if (!sign.includes('<<<')) return sign + scrubValue(target);
  if (target !== '') return sign + HIDDEN;
  command.expectText();
  return word;
}

/** The text of a word without the quotes that stand around all of it, or around all that follows `=`. */
function unquoted(token: string): string {
  const [, name = '', quote, text = ''] = /^([\w.-]*=)?(["'])(.*)\2$/s.exec(token) ?? [];
  return quote === undefined || text.includes(quote) ? token : name + text;
}

/** Puts the quotes back where more than one word is left, for instance a script in a script. */
function requoted(token: string, word: string, shown: string): string {
  if (shown === word) return token;
  return word !== token && /\s/.test(shown) ? token[0] + shown + token[0] : shown;
}
