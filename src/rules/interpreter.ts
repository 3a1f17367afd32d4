// What an interpreter runs, told from its command line: main class, module, script; and names behind cut comms and
// rewritten titles. Pure: any command line gives a value, '' where it does not say.

/** How a program reads its own command line up to the first thing that is not an option. */
interface Syntax {
  /** Options whose value is the next word, or follows in the same one after `=` or, for one letter, at once. */
  readonly valued: ReadonlySet<string>;
  /** Options after which there is no script: code on the command line, or a module. */
  readonly final: ReadonlySet<string>;
  /** Options whose value is the script itself. */
  readonly script?: ReadonlySet<string>;
  /** One-letter options may share a word: `-uW x`. */
  readonly clusters: boolean;
  /** First words that only say how to run what follows. */
  readonly verbs?: ReadonlySet<string>;
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));
const NONE: ReadonlySet<string> = new Set();

const PYTHON: Syntax = { valued: words('-W -X --check-hash-based-pycs'), final: words('-c -m'), clusters: true };
const NODE: Syntax = {
  valued: words(
    '-r --require --import --loader --experimental-loader -C --conditions --title --icu-data-dir --openssl-config ' +
      '--redirect-warnings --input-type --inspect-port --env-file --env-file-if-exists --watch-path --disable-warning ' +
      '--max-http-header-size --dns-result-order --unhandled-rejections --diagnostic-dir --report-dir',
  ),
  final: words('-e --eval -p --print --run --test'),
  clusters: false,
};
const RUBY: Syntax = {
  valued: words('-r -I -C -E -K -F --encoding --external-encoding --internal-encoding --require'),
  final: words('-e'),
  clusters: true,
};
const PERL: Syntax = { valued: words('-I -F -M -m'), final: words('-e -E'), clusters: true };
const PHP: Syntax = {
  valued: words('-c -d -z -t --define --php-ini --zend-extension'),
  final: words('-r -B -R -E -S -a --run --server --interactive'),
  script: words('-f -F --file --process-file'),
  clusters: false,
};
const SHELL: Syntax = { valued: words('-o -O +o +O --rcfile --init-file'), final: words('-c -s'), clusters: true };
const DOTNET: Syntax = {
  valued: words(
    '--additionalprobingpath --additional-deps --depsfile --fx-version --roll-forward --roll-forward-on-no-candidate-fx ' +
      '--runtimeconfig',
  ),
  final: NONE,
  clusters: false,
  verbs: words('exec'),
};
const LAUNCHER: Syntax = {
  valued: words('-c --config --env-file'),
  final: words('-e -p eval'),
  clusters: false,
  verbs: words('run'),
};

/** Base names of interpreters, versions and login dashes off. */
const SYNTAX: Readonly<Record<string, Syntax>> = {
  python: PYTHON,
  pypy: PYTHON,
  node: NODE,
  nodejs: NODE,
  ruby: RUBY,
  jruby: RUBY,
  perl: PERL,
  php: PHP,
  sh: SHELL,
  bash: SHELL,
  dash: SHELL,
  ash: SHELL,
  ksh: SHELL,
  mksh: SHELL,
  zsh: SHELL,
  fish: SHELL,
  dotnet: DOTNET,
  deno: LAUNCHER,
  bun: LAUNCHER,
};

/** JVM options whose value is the next word; with `=` they carry it themselves. */
const JVM_VALUED = words(
  '-cp -classpath --class-path -p --module-path --upgrade-module-path --add-modules --limit-modules --add-reads ' +
    '--add-exports --add-opens --patch-module --enable-native-access --source -d --describe-module',
);
/** Those of Apache Commons Daemon's launcher; see jsvc(1). */
const JSVC_VALUED = words('-user -home -pidfile -outfile -errfile -jvm -cwd -wait -procname -umask -service');
/** Longer words are no such option: a class path or a property, of any length. */
const LONGEST_OPTION = Math.max(...[...JVM_VALUED, ...JSVC_VALUED].map(({ length }) => length));
/** Boot scripts of Erlang itself; a release's own carries its name. */
const ERLANG_BOOT = /^(?:start|start_clean|start_sasl|no_dot_erlang)$/;

/** At most so many words of a command line are looked at, and so many characters of one that is a single title. */
const MAX_WORDS = 4096;
const MAX_TITLE = 1024;
const MAX_NAME = 64;
/** Bytes the kernel keeps of a comm: TASK_COMM_LEN less the final zero. One that long may have been cut. */
export const COMM_BYTES = 15;

/** The part of a path behind its last slash. */
export function baseName(path: string): string {
  let at = path.length;
  for (; at > 0 && path.length - at < MAX_NAME; at--) if (path.charCodeAt(at - 1) === SLASH) return path.slice(at);
  return at === 0 ? path : path.slice(path.lastIndexOf('/', at - 1) + 1);
}

/** Interpreters by their base names, versions and login dashes off: how they read their command lines. */
type Kind = Syntax | 'java' | 'jsvc' | 'erlang';
const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ...Object.entries(SYNTAX),
  ['java', 'java'],
  ['jsvc', 'jsvc'],
  ['jsvc.exec', 'jsvc'],
  ['beam', 'erlang'],
  ['beam.smp', 'erlang'],
]);
/** A number that few other names have, told without making a text of the name. */
const signOf = (word: string, start: number, end: number) =>
  word.charCodeAt(start) ^ (word.charCodeAt(end - 1) << 7) ^ ((end - start) << 14);
const KIND_SIGNS = new Set([...KINDS.keys()].map((name) => signOf(name, 0, name.length)));

const SPACE = 0x20;
const COLON = 0x3a;
const BRACKET = 0x5b;
const PLUS = 0x2b;
const DASH = 0x2d;
const DOT = 0x2e;
const SLASH = 0x2f;
const isVersion = (c: number) => (c >= 0x30 && c <= 0x39) || c === DASH || c === DOT;

/** Of "python" for /usr/bin/python3.11 and python3.13t, of "bash" for -bash. Asked of every new process: makes no text. */
function kindOf(word: string): Kind | undefined {
  let start = word.length;
  while (start > 0 && word.charCodeAt(start - 1) !== SLASH) if (word.length - --start > MAX_NAME) return undefined;
  if (word.charCodeAt(start) === DASH) start++;
  let end = word.length;
  const version = word.endsWith('t') ? end - 1 : end;
  if (version > start && isVersion(word.charCodeAt(version - 1)))
    for (end = version; end > start && isVersion(word.charCodeAt(end - 1)); ) end--;
  return KIND_SIGNS.has(signOf(word, start, end)) ? KINDS.get(word.slice(start, end)) : undefined;
}

const isSyntax = (kind: Kind | undefined): kind is Syntax => typeof kind === 'object';
const isJvm = (kind: Kind | undefined): kind is 'java' | 'jsvc' => kind === 'java' || kind === 'jsvc';

/** What an interpreter runs, or a rewritten title names; each answer is '' where the command line does not say. */
export class InterpretedProgram {
  /** By argv[0], and by the executable: a title or `exec -a` hides it in argv. */
  private readonly named: Kind | undefined;
  private readonly real: Kind | undefined;
  /** One argument with spaces that stands for the whole command line, or ''. */
  private readonly title: string;
  private readonly argv: readonly string[];

  private constructor(argv: readonly string[], named: Kind | undefined, real: Kind | undefined, title: string) {
    this.named = named;
    this.real = real;
    this.title = title;
    this.argv = argv;
  }

  /** Nothing for the many processes that neither are interpreters nor have a title. */
  static of(argv: readonly string[], exe = ''): InterpretedProgram | undefined {
    const first = argv[0] ?? '';
    const named = kindOf(first);
    const real = kindOf(exe);
    const title = first.indexOf(' ') >= 0 && standsAlone(argv) ? first : '';
    return named || real || title !== '' ? new InterpretedProgram(argv, named, real, title) : undefined;
  }

  /**
   * The main class of a JVM ("org.apache.catalina.startup.Bootstrap"), the base name of what -jar names ("jenkins.war"),
   * or the module of -m when it names no class; '' where only an @argfile says. Options as java(1) of JDK 21 has them.
   */
  jvmMain(): string {
    const kind = isJvm(this.named) ? this.named : this.real;
    return isJvm(kind) ? jvmMain(this.words(), kind === 'jsvc') : '';
  }

  /** What Python's -m names ("celery"). Options as python(1) of 3.13 has them. */
  pythonModule(): string {
    const syntax = isSyntax(this.named) ? this.named : this.real;
    if (syntax !== PYTHON) return '';
    const found = operand(this.words(), PYTHON);
    return found?.option === '-m' ? (found.value ?? '') : '';
  }

  /**
   * The script an interpreter runs, as its command line names it ("/usr/bin/celery", "server.js", "App.dll"), the program
   * behind `bundle exec`, the application of an Erlang node ("rabbit"), or the program a rewritten title names ("puma").
   */
  script(): string {
    const { title } = this;
    const first = title === '' ? (this.argv[0] ?? '') : firstWord(title);
    const named = title === '' ? this.named : kindOf(first);
    if (isSyntax(named)) return scriptOf(this.words(), named);
    if (named === 'erlang' && /^beam(?:\.smp)?$/.test(baseName(first))) return erlangApplication(this.words());
    if (title !== '') return first.includes('/') ? first : titleProgram(title);
    return isSyntax(this.real) ? scriptOf(this.words(), this.real) : '';
  }

  private words(): readonly string[] {
    if (this.title !== '') return this.title.slice(0, MAX_TITLE).split(' ').filter(Boolean);
    return this.argv.length > MAX_WORDS ? this.argv.slice(0, MAX_WORDS) : this.argv;
  }
}

/** Whether nothing but padding follows the first word. */
function standsAlone(argv: readonly string[]): boolean {
  for (let i = 1; i < argv.length; i++) if (argv[i] !== '') return false;
  return true;
}

function firstWord(title: string): string {
  let start = 0;
  while (start < MAX_TITLE && title.charCodeAt(start) === SPACE) start++;
  const end = title.indexOf(' ', start);
  return title.slice(start, Math.min(end < 0 ? title.length : end, MAX_TITLE));
}

interface Operand {
  /** The first word that is not an option, with its place. */
  readonly index: number;
  /** The option that ended the search instead, and its value. */
  readonly option?: string;
  readonly value?: string;
}

const isOption = (word: string) => word.charCodeAt(0) === DASH || word.charCodeAt(0) === PLUS;

/** Walks over options as the interpreter would. */
function operand(argv: readonly string[], syntax: Syntax): Operand | undefined {
  for (let i = 1; i < argv.length; i++) {
    const word = argv[i]!;
    if (word === '--') return { index: i + 1 };
    if (word === '-') return undefined;
    if (!isOption(word)) {
      if (syntax.verbs?.has(word)) continue;
      return { index: i };
    }
    const [option, attached] = splitOption(word, syntax);
    if (syntax.final.has(option)) return { index: -1, option, value: attached || (argv[i + 1] ?? '') };
    if (syntax.script?.has(option)) return { index: -1, option: '', value: attached || (argv[i + 1] ?? '') };
    if (syntax.valued.has(option) && attached === '') i++;
  }
  return undefined;
}

/** An option with its attached value; of a cluster, the first letter that takes a value or ends the search. */
function splitOption(word: string, syntax: Syntax): [option: string, attached: string] {
  if (word.startsWith('--')) {
    const equals = word.indexOf('=');
    return equals < 0 ? [word, ''] : [word.slice(0, equals), word.slice(equals + 1)];
  }
  for (let at = 1; at < (syntax.clusters ? word.length : 2); at++) {
    const option = word[0]! + (word[at] ?? '');
    if (syntax.valued.has(option) || syntax.final.has(option) || syntax.script?.has(option))
      return [option, word.slice(at + 1)];
  }
  return [word, ''];
}

function jvmMain(line: readonly string[], jsvc: boolean): string {
  let jar = false;
  for (let i = 1; i < line.length; i++) {
    const word = line[i]!;
    if (word.charCodeAt(0) === DASH) {
      if (word === '-jar') jar = true;
      else if (word === '-m' || word === '--module') return moduleMain(line[i + 1] ?? '');
      else if (word.startsWith('--module=')) return moduleMain(word.slice('--module='.length));
      else if (word.length <= LONGEST_OPTION && (JVM_VALUED.has(word) || (jsvc && JSVC_VALUED.has(word)))) i++;
    } else if (word !== '' && !word.startsWith('@')) return jar ? baseName(word) : word;
  }
  return '';
}

/** java -m module[/class] */
const moduleMain = (value: string) => value.slice(value.indexOf('/') + 1);

function scriptOf(line: readonly string[], syntax: Syntax): string {
  const found = operand(line, syntax);
  if (!found) return '';
  if (found.option !== undefined) return found.option === '' ? (found.value ?? '') : '';
  const path = line[found.index] ?? '';
  if (syntax === DOTNET && !/\.(?:dll|exe)$/.test(path)) return '';
  if (syntax === RUBY && baseName(path) === 'bundle' && line[found.index + 1] === 'exec')
    return line[found.index + 2] ?? '';
  return path;
}

/** `-s rabbit boot` or `-run`; else a release's boot file or the name it was started by. */
function erlangApplication(line: readonly string[]): string {
  const after = (option: string) => line[line.indexOf(option) + 1] ?? '';
  for (const option of ['-s', '-run']) if (line.includes(option)) return after(option);
  const boot = line.includes('-boot') ? baseName(after('-boot')) : '';
  if (boot !== '' && !ERLANG_BOOT.test(boot)) return boot;
  const program = line.includes('-progname') ? baseName(after('-progname')) : '';
  return program === 'erl' ? '' : program;
}

/** What stands in front of ": ", in brackets or not: of "gunicorn: master [x]", "[celeryd: c@h:MainProcess]"; else ''. */
function titleHead(title: string): string {
  const from = title.charCodeAt(0) === BRACKET ? 1 : 0;
  let at = from;
  while (isNamed(title.charCodeAt(at))) at++;
  if (title.charCodeAt(at) !== COLON) return '';
  return at + 1 === title.length || title.charCodeAt(at + 1) === SPACE ? title.slice(from, at) : '';
}

/** A character of a program's name: [\w.+-]. */
const isNamed = (c: number) =>
  (c >= 0x61 && c <= 0x7a) ||
  (c >= 0x30 && c <= 0x39) ||
  (c >= 0x41 && c <= 0x5a) ||
  c === 0x5f ||
  c === DASH ||
  c === DOT ||
  c === PLUS;

/** "puma" of "puma 5.6.5 (tcp://0.0.0.0:3000) [app]", "gunicorn" of "gunicorn: master [app]", "PM2" of "PM2 v5: God". */
function titleProgram(title: string): string {
  const text = title.startsWith('[') ? title.replace(/^\[[^\]:]*\] (?=\w)/, '') : title; // "[ready] gunicorn: worker [x]"
  return titleHead(text) || (/^\[?([^\s\]:]+)/.exec(text)?.[1] ?? '');
}

/**
 * The name a person would give: a comm cut at 15 bytes completed from the first of title, argv[0], executable or script
 * that begins with it, and what stands before a title's colon. Other names come back as they are.
 */
export function fullName(name: string, argv: readonly string[], exe: string): string {
  const full = fillsComm(name) ? completed(name, argv, exe) : name;
  return (full.indexOf(':') > 0 && titleHead(full)) || full.slice(0, MAX_TITLE);
}

function completed(name: string, argv: readonly string[], exe: string): string {
  const title = argv[0] ?? '';
  for (const candidate of [baseName(title), title, baseName(exe)]) if (candidate.startsWith(name)) return candidate;
  const program = baseName(InterpretedProgram.of(argv, exe)?.script() ?? '');
  return program.startsWith(name) ? program : name;
}

/** Whether a name takes all the bytes the kernel has for it. */
function fillsComm(name: string): boolean {
  if (name.length >= COMM_BYTES) return true;
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) > 0x7f) return Buffer.byteLength(name) >= COMM_BYTES;
  return false;
}
