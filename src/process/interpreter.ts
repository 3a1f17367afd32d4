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
const JVM = /^(?:java|jsvc(?:\.exec)?)$/;
const ERLANG = /^beam(?:\.smp)?$/;
/** Boot scripts of Erlang itself; a release's own carries its name. */
const ERLANG_BOOT = /^(?:start|start_clean|start_sasl|no_dot_erlang)$/;

/** A title in front of ": " or in brackets before it: "gunicorn: master [x]", "[celeryd: c@h:MainProcess]". */
const TITLE = /^\[?([\w.+-]+):(?: |$)/;
/** At most so many words of a command line are looked at, and so many characters of one that is a single title. */
const MAX_WORDS = 4096;
const MAX_TITLE = 1024;
const MAX_NAME = 64;
/** Bytes the kernel keeps of a comm: TASK_COMM_LEN less the final zero. One that long may have been cut. */
export const COMM_BYTES = 15;

/** The part of a path behind its last slash. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The command line as words: a title, one argument with spaces, is taken apart. */
function wordsOf(argv: readonly string[]): readonly string[] {
  const first = argv[0] ?? '';
  if (!first.includes(' ') || argv.some((word, i) => i > 0 && word !== '')) return argv.slice(0, MAX_WORDS);
  return first.slice(0, MAX_TITLE).split(' ').filter(Boolean);
}

/** "python" for /usr/bin/python3.11, "bash" for -bash, "ruby" for ruby2.7; no interpreter's name is long. */
function interpreterName(word: string): string {
  const name = baseName(word);
  return name.length > MAX_NAME ? '' : name.replace(/^-/, '').replace(/[-\d.]+t?$/, '');
}

/** The interpreter's name from argv, else from the executable: a title or `exec -a` hides it in argv. */
function interpreter(argv: readonly string[], exe: string, known: (name: string) => boolean): string {
  const named = interpreterName(argv[0] ?? '');
  if (known(named)) return named;
  const real = interpreterName(exe);
  return known(real) ? real : '';
}

const isScripted = (name: string) => Object.hasOwn(SYNTAX, name);
const INTERPRETERS: ReadonlySet<string> = new Set([
  ...Object.keys(SYNTAX),
  ...words('java jsvc jsvc.exec beam beam.smp'),
]);

/** Whether there is anything to tell: where not, jvmMain(), pythonModule() and script() are all ''. Cheaper than they are. */
export function runsSomething(argv: readonly string[], exe: string): boolean {
  const first = argv[0] ?? '';
  return first.includes(' ') || INTERPRETERS.has(interpreterName(first)) || INTERPRETERS.has(interpreterName(exe));
}

interface Operand {
  /** The first word that is not an option, with its place. */
  readonly index: number;
  /** The option that ended the search instead, and its value. */
  readonly option?: string;
  readonly value?: string;
}

/** Walks over options as the interpreter would. */
function operand(argv: readonly string[], syntax: Syntax): Operand | undefined {
  for (let i = 1; i < argv.length; i++) {
    const word = argv[i]!;
    if (word === '--') return { index: i + 1 };
    if (word === '-') return undefined;
    if (!/^[-+]/.test(word)) {
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

/**
 * The main class of a JVM ("org.apache.catalina.startup.Bootstrap"), the base name of what -jar names ("jenkins.war"),
 * or the module of -m when it names no class; '' for other programs and where only an @argfile says.
 * Options as java(1) of JDK 21 has them.
 */
export function jvmMain(argv: readonly string[], exe = ''): string {
  const name = interpreter(argv, exe, (candidate) => JVM.test(candidate));
  if (name === '') return '';
  const line = wordsOf(argv);
  let jar = false;
  for (let i = 1; i < line.length; i++) {
    const word = line[i]!;
    if (word === '-jar') jar = true;
    else if (word === '-m' || word === '--module') return moduleMain(line[i + 1] ?? '');
    else if (word.startsWith('--module=')) return moduleMain(word.slice('--module='.length));
    else if (JVM_VALUED.has(word) || (name !== 'java' && JSVC_VALUED.has(word))) i++;
    else if (word !== '' && !word.startsWith('-') && !word.startsWith('@')) return jar ? baseName(word) : word;
  }
  return '';
}

/** java -m module[/class] */
const moduleMain = (value: string) => value.slice(value.indexOf('/') + 1);

/** What Python's -m names ("celery"), or ''. Options as python(1) of 3.13 has them. */
export function pythonModule(argv: readonly string[], exe = ''): string {
  const name = interpreter(argv, exe, isScripted);
  if (SYNTAX[name] !== PYTHON) return '';
  const found = operand(wordsOf(argv), PYTHON);
  return found?.option === '-m' ? (found.value ?? '') : '';
}

/**
 * The script an interpreter runs, as its command line names it ("/usr/bin/celery", "server.js", "App.dll"), the program
 * behind `bundle exec`, the application of an Erlang node ("rabbit"), or the program a rewritten title names ("puma").
 */
export function script(argv: readonly string[], exe = ''): string {
  const line = wordsOf(argv);
  const first = line[0] ?? '';
  const named = interpreterName(first);
  if (isScripted(named)) return scriptOf(line, SYNTAX[named]!);
  if (ERLANG.test(baseName(first))) return erlangApplication(line);
  if ((argv[0] ?? '') !== first) return first.includes('/') ? first : titleProgram(argv[0] ?? '');
  const real = interpreterName(exe);
  return isScripted(real) ? scriptOf(line, SYNTAX[real]!) : '';
}

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

/** "puma" of "puma 5.6.5 (tcp://0.0.0.0:3000) [app]", "gunicorn" of "gunicorn: master [app]", "PM2" of "PM2 v5: God". */
function titleProgram(title: string): string {
  const text = title.replace(/^\[[^\]:]*\] /, ''); // "[ready] gunicorn: worker [x]"
  return TITLE.exec(text)?.[1] ?? /^\[?([^\s\]:]+)/.exec(text)?.[1] ?? '';
}

/**
 * The name a person would give: a comm cut at 15 bytes completed from the first of title, argv[0], executable or script
 * that begins with it, and what stands before a title's colon. Other names come back as they are.
 */
export function fullName(name: string, argv: readonly string[], exe: string): string {
  let full = name;
  if (Buffer.byteLength(name) >= COMM_BYTES) {
    const title = argv[0] ?? '';
    const candidates = [baseName(title), title, baseName(exe), baseName(script(argv, exe))];
    full = candidates.find((candidate) => candidate.startsWith(name)) ?? name;
  }
  return TITLE.exec(full)?.[1] ?? full.slice(0, MAX_TITLE);
}
