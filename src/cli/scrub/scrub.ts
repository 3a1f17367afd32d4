// Hides the values of a command line that could be secrets. Command lines leave the program only where an operator asks for
// them (explain PID, capture) and in rules that explain --all suggests, and then only through here. Shown are the program,
// names of options and variables, and values that one of three accounts for: an interpreter's syntax, a harmless shape
// (shapes.ts), or a rule. Everything else becomes `***`.
//
// What a rule accounts for is found by trial: a process must be in the same group with its hidden values as with its real
// ones, since a capture is read to find out why it is there. Where it is not, the literal texts of the rule that decides
// are shown in the hidden words, and at last whole words, as few as will do.
import type { Classifier } from '../../rules/classifier.ts';
import type { Identity } from '../../rules/identity.ts';
import { InterpretedProgram } from '../../rules/interpreter.ts';
import { catalogueRules } from '../load-host.ts';
import { CommandLine, type Known, programName } from './command-line.ts';
import { HIDDEN, isName, isSecretName } from './names.ts';
import { literalsOf, showLiterals } from './rule-literals.ts';
import { scrubValue } from './shapes.ts';

/** So many hidden words are tried one by one. */
const TRIED_MAX = 64;

/** The identity with the values of its command line hidden, whatever rules say of it. */
export function withoutValues(identity: Identity): Identity {
  return { ...identity, argv: scrubArguments(identity) };
}

/**
 * The same, with what rules need to decide as they do now.
 * @param classifiers each gives the result the same rule as the identity
 */
export function withoutSecrets(identity: Identity, classifiers: readonly Classifier[]): Identity {
  let shown = withoutValues(identity);
  for (const classifier of classifiers) shown = { ...shown, argv: accountedFor(identity, shown.argv, classifier) };
  return shown;
}

function scrubArguments(identity: Identity): string[] {
  const { argv, exe } = identity;
  const interpreted = InterpretedProgram.of(argv, exe);
  const script = interpreted?.script() ?? '';
  // A script or class of one small word may be neither, but the value of an option that this program does not know.
  const isScript = /[./]/.test(script) || programNames().has(script);
  const main = interpreted?.jvmMain() ?? '';
  const isClass = /[./]|^[A-Z]/.test(main);
  const said = [isScript ? script : '', isClass ? main : '', interpreted?.pythonModule() ?? ''].filter(Boolean);
  const known: Known = { programs: programNames(), interpreted: new Set(said) };
  const line = new CommandLine(known);
  return argv.map((word, index) => (index === 0 ? scrubProgram(word, identity, line) : line.scrub(word)));
}

/** The first word: a program, or a title that may hold a whole command line. */
function scrubProgram(word: string, { name, exe }: Identity, line: CommandLine): string {
  if (!/\s/.test(word)) {
    line.begin(word);
    return isProgram(word, name, exe) ? word : scrubValue(word);
  }
  // The kernel shows the executable and the start of the title under names of their own.
  const start = exe !== '' && word.startsWith(exe) ? exe : word.startsWith(name) ? name : '';
  const cut = start.length < word.length && /\S$/.test(start) && /\S/.test(word[start.length]!);
  const whole = cut ? start.replace(/\S+$/, '') : start;
  if (whole.trim() === '') return scrubTitle(word, line);
  line.begin(programName(whole.trim()));
  return whole + scrubWords(word.slice(whole.length), line);
}

const isProgram = (word: string, name: string, exe: string): boolean =>
  word === exe ||
  /^[A-Z]:[\\/][\w .()\\/-]+\.exe$/i.test(word) ||
  programName(word) === name ||
  programName(word) === programName(exe) ||
  isProgramWord(word);

const isProgramWord = (word: string): boolean =>
  /^(?:\.{0,2}|~)\//.test(word)
    ? /^[\w./+@~:-]{1,200}$/.test(word) && isName(word.replace(/[/:]/g, '.'))
    : word.includes('/')
      ? scrubValue(word) === word
      : /^[\w.+:@()[\]-]{1,60}$/.test(word) && isName(word.replace(/[:()[\]]/g, '.'));

/** `postgres: 15/main: checkpointer`, `nginx: worker process`, `puma 5.6.5 (tcp://0.0.0.0:3000) [app]` */
function scrubTitle(title: string, line: CommandLine): string {
  const [, blanks = '', first = '', rest = ''] = /^(\s*)(\S+)(.*)$/s.exec(title) ?? [];
  const bare = first.replace(/^[[(]|[\]):,]$/g, '');
  line.begin(bare);
  return blanks + (isProgramWord(bare) ? first : scrubWords(first, line)) + scrubWords(rest, line);
}

/** Words of titles that are too well liked as passwords to be shown elsewhere. */
const TITLE_WORDS: ReadonlySet<string> = new Set([
  'accepting',
  'active',
  'connections',
  'main',
  'MainProcess',
  'master',
  'priv',
]);

/** The words of a title, with the signs around them. */
const scrubWords = (text: string, line: CommandLine): string =>
  text.replace(/\S+/g, (token) => {
    const [, before = '', word = '', after = ''] = /^([[(<"']*)(.*?)([\])>"',:;]*)$/s.exec(token) ?? [];
    return word === '' ? token : before + (TITLE_WORDS.has(word) ? word : line.scrub(word)) + after;
  });

let programs: ReadonlySet<string> | undefined;

/** Names of programs in the catalogue. */
function programNames(): ReadonlySet<string> {
  programs ??= new Set(
    catalogueRules.flatMap(({ keys }) =>
      keys.list.flatMap(([key, matchers]) =>
        key === 'comm' || key === 'exe' || key === 'argv0' || key === 'script'
          ? matchers.filter(({ form, path }) => form === 'literal' && !path).map(({ text }) => text)
          : [],
      ),
    ),
  );
  return programs;
}

/** Shows more of a command line, as little as will do, until the classifier gives it the rule of the real one. */
function accountedFor(identity: Identity, shown: readonly string[], classifier: Classifier): readonly string[] {
  const { rule } = classifier.classify(identity);
  const isSame = (argv: readonly string[]): boolean => classifier.classify({ ...identity, argv }).rule === rule;
  if (isSame(shown)) return shown;
  const { winner } = classifier.explain(identity);
  // That no rule matches accounts for nothing, even where one matches the hidden values.
  if (!winner) return shown;
  const literals = literalsOf(winner.rule);
  const withLiterals = shown.map((word, i) => showLiterals(identity.argv[i]!, word, literals));
  if (isSame(withLiterals)) return withLiterals;
  const words = [...withLiterals];
  const tried: number[] = [];
  for (let i = 0; i < words.length && tried.length < TRIED_MAX && !isSame(words); i++) {
    if (words[i] === identity.argv[i] || isSurelySecret(shown, i)) continue;
    words[i] = identity.argv[i]!;
    tried.push(i);
  }
  if (!isSame(words)) return shown;
  for (const i of tried) {
    const withWord = (word: string) => words.map((other, at) => (at === i ? word : other));
    words[i] = narrowed(withLiterals[i]!, words[i]!, (word) => isSame(withWord(word)));
  }
  return words;
}

/** Whether the word is the value of a name that says secret, or holds a user's part of a URL. */
function isSurelySecret(shown: readonly string[], index: number): boolean {
  const before = /^--?([\w.-]+)$/.exec(shown[index - 1] ?? '')?.[1];
  const own = /^-{0,2}([\w.-]+)=/.exec(shown[index]!)?.[1];
  return (
    isSecretName(before ?? '') || isSecretName(own ?? '') || shown[index]!.includes('@') || /\s/.test(shown[index]!)
  );
}

/** The word with its start and end hidden as far as it still does; the hidden word where that does as well. */
function narrowed(hidden: string, word: string, does: (word: string) => boolean): string {
  if (does(hidden)) return hidden;
  const start = most(word.length, (count) => does(HIDDEN + word.slice(count)));
  const from = start === 0 ? '' : HIDDEN;
  const rest = word.slice(start);
  const end = most(rest.length, (count) => does(from + rest.slice(0, -count) + HIDDEN));
  return end === 0 ? from + rest : from + rest.slice(0, -end) + HIDDEN;
}

/** The largest count below the limit that passes the test, if all smaller counts pass it too; 0 where none passes. */
function most(limit: number, test: (count: number) => boolean): number {
  let [low, high] = [0, limit];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (test(middle)) low = middle;
    else high = middle;
  }
  return low;
}
