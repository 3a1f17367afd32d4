// How interpreters read their options: enough to find the first word that is no option, which is the script. From the
// manual pages python(1) of 3.13, node(1) of 22, java(1) of JDK 21, jsvc(1), ruby(1), perlrun(1), php(1) and bash(1).
//   python -W ignore -u manage.py runserver  →  -W takes the next word, -u does not, so the script is manage.py
import { type PartTable, partSet } from './part-table.ts';

/** How an interpreter reads its options, up to the first word that is none: its script. */
export interface OptionSyntax {
  /** Options with a value: the next word, or the rest of the same word, after `=` or, for a single letter, at once. */
  readonly valued: ReadonlySet<string>;
  /** Options after which there is no script: code on the command line, or a module. */
  readonly final: ReadonlySet<string>;
  /** Options whose value is the script itself. */
  readonly script?: ReadonlySet<string>;
  /** Whether options of one letter may share a word: `-uW x`. */
  readonly clusters: boolean;
  /** Commands that may stand before the script: `deno run main.ts`. */
  readonly verbs?: ReadonlySet<string>;
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));
const partsOf = (text: string): PartTable<true> => partSet(text.split(' '));
const NONE: ReadonlySet<string> = new Set();

export const PYTHON: OptionSyntax = {
  valued: words('-W -X --check-hash-based-pycs'),
  final: words('-c -m'),
  clusters: true,
};
const NODE: OptionSyntax = {
  valued: words(
    '-r --require --import --loader --experimental-loader -C --conditions --title --icu-data-dir --openssl-config ' +
      '--redirect-warnings --input-type --inspect-port --env-file --env-file-if-exists --watch-path --disable-warning ' +
      '--max-http-header-size --dns-result-order --unhandled-rejections --diagnostic-dir --report-dir',
  ),
  final: words('-e --eval -p --print --run --test'),
  clusters: false,
};
export const RUBY: OptionSyntax = {
  valued: words('-r -I -C -E -K -F --encoding --external-encoding --internal-encoding --require'),
  final: words('-e'),
  clusters: true,
};
const PERL: OptionSyntax = { valued: words('-I -F -M -m'), final: words('-e -E'), clusters: true };
const PHP: OptionSyntax = {
  valued: words('-c -d -z -t --define --php-ini --zend-extension'),
  final: words('-r -B -R -E -S -a --run --server --interactive'),
  script: words('-f -F --file --process-file'),
  clusters: false,
};
export const SHELL: OptionSyntax = {
  valued: words('-o -O +o +O --rcfile --init-file'),
  final: words('-c -s'),
  clusters: true,
};
export const DOTNET: OptionSyntax = {
  valued: words(
    '--additionalprobingpath --additional-deps --depsfile --fx-version --roll-forward --roll-forward-on-no-candidate-fx ' +
      '--runtimeconfig',
  ),
  final: NONE,
  clusters: false,
  verbs: words('exec'),
};
const DENO: OptionSyntax = {
  valued: words('-c --config --env-file'),
  final: words('-e -p eval'),
  clusters: false,
  verbs: words('run'),
};

/** By the interpreter's base name without version. */
export const OPTION_SYNTAXES: Readonly<Record<string, OptionSyntax>> = {
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
  deno: DENO,
  bun: DENO,
};

/** Options of the JVM whose value is the next word; written with `=` they hold it themselves. */
const JVM_VALUED = partsOf(
  '-cp -classpath --class-path -p --module-path --upgrade-module-path --add-modules --limit-modules --add-reads ' +
    '--add-exports --add-opens --patch-module --enable-native-access --source -d --describe-module',
);
/** Options of Apache Commons Daemon's launcher; see jsvc(1). */
const JSVC_VALUED = partsOf('-user -home -pidfile -outfile -errfile -jvm -cwd -wait -procname -umask -service');

/** Whether a word is an option of the JVM, or of jsvc, whose value is the next word. */
export const takesNextWord = (word: string, jsvc: boolean): boolean =>
  JVM_VALUED.get(word) === true || (jsvc && JSVC_VALUED.get(word) === true);

const DASH = 0x2d;
const PLUS = 0x2b;

/** Where options end. */
export interface Operand {
  /** Place of the first word that is not an option; -1 where an option ended the search. */
  readonly index: number;
  /** The option that ended the search; '' where its value is the script. */
  readonly option?: string;
  readonly value?: string;
}

const isOption = (word: string) => word.charCodeAt(0) === DASH || word.charCodeAt(0) === PLUS;

/**
 * Skips the options of a command line (from its second word) as the interpreter would; undefined where it has no
 * operand.
 */
export function findOperand(argv: readonly string[], syntax: OptionSyntax): Operand | undefined {
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
function splitOption(word: string, syntax: OptionSyntax): [option: string, attached: string] {
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
