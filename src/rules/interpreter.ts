// Tells from its command line what an interpreter runs: the main class of a JVM, the module of Python, the script of
// the others. `java -jar /srv/jenkins.war` then counts as jenkins.war, not as java. Pure: any command line gives an
// answer. How options are skipped is in option-syntax.ts, how titles are read in title.ts.
import { argv0Of } from './identity.ts';
import {
  DOTNET,
  findOperand,
  OPTION_SYNTAXES,
  type Operand,
  type OptionSyntax,
  PYTHON,
  RUBY,
  SHELL,
  takesNextWord,
} from './option-syntax.ts';
import { PartTable, partSet } from './part-table.ts';
import { firstWordOf, titleOf, titleProgram, wordsOf } from './title.ts';

/** Boot scripts of Erlang itself; that of a release has the release's name. */
const ERLANG_BOOT = /^(?:start|start_clean|start_sasl|no_dot_erlang)$/;

/** Main classes that run the class or the jar behind them: the Java Service Wrapper (wrapper.tanukisoftware.com). */
const JVM_WRAPPERS = partSet(
  ['Simple', 'StartStop', 'Jar'].map((kind) => `org.tanukisoftware.wrapper.Wrapper${kind}App`),
);

/** Words of a command line that are looked at. */
const WORDS_MAX = 4096;
/** Characters of a base name up to which it is searched for backwards, and a longer one is no interpreter. */
const NAME_LENGTH_MAX = 64;
const DASH = 0x2d;
const DOT = 0x2e;
const LETTER_H = 0x68;
const LETTER_T = 0x74;
const SLASH = 0x2f;

/** Where the part of a path behind its last slash begins. */
export function baseNameStart(path: string): number {
  let at = path.length;
  for (; at > 0 && path.length - at < NAME_LENGTH_MAX; at--) if (path.charCodeAt(at - 1) === SLASH) return at;
  return at === 0 ? 0 : path.lastIndexOf('/', at - 1) + 1;
}

/** The part of a path behind its last slash. */
export const baseName = (path: string): string => path.slice(baseNameStart(path));

/** How an interpreter's command line is to be read: by the syntax of its options, or by a function of its own. */
type Interpreter = OptionSyntax | 'java' | 'jsvc' | 'erlang';

/** By base name without version. */
const INTERPRETERS = new PartTable<Interpreter>([
  ...Object.entries(OPTION_SYNTAXES),
  ['platform-python', OPTION_SYNTAXES.python!],
  ['java', 'java'],
  ['jsvc', 'jsvc'],
  ['jsvc.exec', 'jsvc'],
  ['beam', 'erlang'],
  ['beam.smp', 'erlang'],
]);

const isVersion = (c: number) => (c >= 0x30 && c <= 0x39) || c === DASH || c === DOT;

/**
 * The interpreter that a path or first word names: "python" for /usr/bin/python3.11 and python3.13t, "bash" for -bash.
 * Asked of every new process. @param baseStart where the base name of the word begins
 */
function interpreterOf(word: string, baseStart = baseNameStart(word)): Interpreter | undefined {
  let end = word.length;
  if (end === baseStart || end - baseStart > NAME_LENGTH_MAX) return undefined;
  const start = word.charCodeAt(baseStart) === DASH ? baseStart + 1 : baseStart;
  const version = word.charCodeAt(end - 1) === LETTER_T ? end - 1 : end;
  if (version > start && isVersion(word.charCodeAt(version - 1)))
    for (end = version; end > start && isVersion(word.charCodeAt(end - 1)); ) end--;
  return INTERPRETERS.get(word, start, end);
}

/** Whether a path or first word names a shell: "/bin/sh", "-bash". */
export const isShell = (word: string): boolean =>
  word !== '' && word.charCodeAt(word.length - 1) === LETTER_H && interpreterOf(word) === SHELL;

const hasSyntax = (one: Interpreter | undefined): one is OptionSyntax => typeof one === 'object';
const isJvm = (one: Interpreter | undefined): one is 'java' | 'jsvc' => one === 'java' || one === 'jsvc';

/** What an interpreter runs, or a title names. Each answer is '' where the command line does not say. */
export class InterpretedProgram {
  /** The interpreter that argv[0] names. */
  private readonly named: Interpreter | undefined;
  /** The interpreter that the executable is; a title or `exec -a` may hide it in argv. */
  private readonly real: Interpreter | undefined;
  /** The title that the command line is, or ''. */
  private readonly title: string;
  private readonly argv: readonly string[];
  /** What findOperand found for a syntax: Python is asked for its script and for its module. */
  private found: Operand | undefined = undefined;
  private foundBy: OptionSyntax | undefined = undefined;

  private constructor(
    argv: readonly string[],
    named: Interpreter | undefined,
    real: Interpreter | undefined,
    title: string,
  ) {
    this.named = named;
    this.real = real;
    this.title = title;
    this.argv = argv;
  }

  /**
   * @param argv0Start where the base name of the first word begins
   * @param exeStart where that of the executable begins
   * @returns undefined for a process that is no interpreter and has no title, as most processes
   */
  static of(argv: readonly string[], exe = '', argv0Start?: number, exeStart?: number): InterpretedProgram | undefined {
    const first = argv0Of(argv);
    const named = interpreterOf(first, argv0Start);
    const real = exe === first ? named : interpreterOf(exe, exeStart);
    const title = titleOf(argv);
    return named || real || title !== '' ? new InterpretedProgram(argv, named, real, title) : undefined;
  }

  /**
   * The main class of a JVM ("org.apache.catalina.startup.Bootstrap"), the base name of what -jar names
   * ("jenkins.war"), or the module of -m when it names no class; '' where only an @argfile says. Options as java(1) of
   * JDK 21 has them.
   */
  jvmMain(): string {
    const interpreter = isJvm(this.named) ? this.named : this.real;
    return isJvm(interpreter) ? jvmMain(this.words(), interpreter === 'jsvc') : '';
  }

  /** What Python's -m names ("celery"). Options as python(1) of 3.13 has them. */
  pythonModule(): string {
    const syntax = hasSyntax(this.named) ? this.named : this.real;
    if (syntax !== PYTHON) return '';
    const found = this.operand(PYTHON);
    return found?.option === '-m' ? (found.value ?? '') : '';
  }

  /**
   * The script an interpreter runs, as its command line names it ("/usr/bin/celery", "server.js", "App.dll"), the
   * program behind `bundle exec`, the application of an Erlang node ("rabbit"), or the program a rewritten title names
   * ("puma").
   */
  script(): string {
    const { title } = this;
    const first = title === '' ? (this.argv[0] ?? '') : firstWordOf(title);
    const named = title === '' ? this.named : interpreterOf(first);
    if (hasSyntax(named)) return this.scriptOf(named);
    if (named === 'erlang' && /^beam(?:\.smp)?$/.test(baseName(first))) return erlangApplication(this.words());
    if (title !== '') return first.includes('/') ? first : titleProgram(title);
    return hasSyntax(this.real) ? this.scriptOf(this.real) : '';
  }

  private scriptOf(syntax: OptionSyntax): string {
    const found = this.operand(syntax);
    return found ? scriptOf(this.words(), syntax, found) : '';
  }

  private operand(syntax: OptionSyntax): Operand | undefined {
    if (this.foundBy !== syntax) {
      this.found = findOperand(this.words(), syntax);
      this.foundBy = syntax;
    }
    return this.found;
  }

  private words(): readonly string[] {
    if (this.title !== '') return wordsOf(this.title);
    return this.argv.length > WORDS_MAX ? this.argv.slice(0, WORDS_MAX) : this.argv;
  }
}

function jvmMain(line: readonly string[], jsvc: boolean): string {
  let jar = false;
  for (let i = 1; i < line.length; i++) {
    const word = line[i]!;
    if (word.charCodeAt(0) === DASH) {
      if (word === '-jar') jar = true;
      else if (word === '-m' || word === '--module') return moduleMain(line[i + 1] ?? '');
      else if (word.startsWith('--module=')) return moduleMain(word.slice('--module='.length));
      else if (takesNextWord(word, jsvc)) i++;
    } else if (word !== '' && !word.startsWith('@')) {
      const wrapped = !jar && JVM_WRAPPERS.get(word) ? line[i + 1] : undefined;
      return wrapped ? baseName(wrapped) : jar ? baseName(word) : word;
    }
  }
  return '';
}

/** The class that `java -m module[/class]` names, or the module where it names none. */
const moduleMain = (value: string) => value.slice(value.indexOf('/') + 1);

function scriptOf(line: readonly string[], syntax: OptionSyntax, found: Operand): string {
  if (found.option !== undefined) return found.option === '' ? (found.value ?? '') : '';
  const path = line[found.index] ?? '';
  if (syntax === DOTNET && !/\.(?:dll|exe)$/.test(path)) return '';
  if (syntax === RUBY && baseName(path) === 'bundle' && line[found.index + 1] === 'exec')
    return line[found.index + 2] ?? '';
  return path;
}

/** The module of `-s rabbit boot` or `-run`; else the release: its boot script, or the name it was started by. */
function erlangApplication(line: readonly string[]): string {
  const after = (option: string) => line[line.indexOf(option) + 1] ?? '';
  for (const option of ['-s', '-run']) if (line.includes(option)) return after(option);
  const boot = line.includes('-boot') ? baseName(after('-boot')) : '';
  if (boot !== '' && !ERLANG_BOOT.test(boot)) return boot;
  const program = line.includes('-progname') ? baseName(after('-progname')) : '';
  return program === 'erl' ? '' : program;
}
