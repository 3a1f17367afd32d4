// A process as rules see it: the value it has for each key of a rule. What takes time to find out, like the script of
// an interpreter or the joined command line, is found out when a rule first asks for it.
import { RunSet } from '../pattern/letter-runs.ts';
import { MatchWork } from '../pattern/match-work.ts';
import { fullName } from './full-name.ts';
import { argv0Of, type Identity } from './identity.ts';
import { baseName, baseNameStart, InterpretedProgram } from './interpreter.ts';
import type { Matcher } from './matcher.ts';
import { isPathKey, type RuleKey } from './rule.ts';

/** Characters of a joined command line that regular expressions see. */
const COMMAND_LINE_LENGTH_MAX = 65_536;

/** The runs of letters of one command line. One set serves all, because processes are classified one at a time. */
const runs = new RunSet();
const TOO_LONG = -1;

export class MatchTarget {
  /** The name in full: "clickhouse-server". */
  readonly name: string;
  /** The name as the kernel has it: "clickhouse-serv". */
  readonly comm: string;
  readonly exe: string;
  /** Where the base name of `exe` begins. */
  readonly exeStart: number;
  readonly argv0: string;
  /** Where the base name of `argv0` begins. */
  readonly argv0Start: number;
  /** Whether argv0 is the path of the executable. */
  readonly sameProgram: boolean;
  /** What patterns may still do for this process. */
  readonly work: MatchWork;
  /** What an interpreter runs, or a title names; undefined for most processes. */
  readonly program: InterpretedProgram | undefined;
  readonly identity: Identity;
  private script: string | undefined = undefined;
  private jvmMain: string | undefined = undefined;
  private pythonModule: string | undefined = undefined;
  private commandLine: string | undefined = undefined;
  /** The number that RunSet gave the command line; 0 until a rule asks, TOO_LONG where its runs are not noted. */
  private number = 0;

  constructor(identity: Identity, work = new MatchWork()) {
    this.work = work;
    const { name, argv, exe } = identity;
    this.identity = identity;
    this.name = fullName(name, argv, exe);
    this.comm = name;
    this.argv0 = argv0Of(argv);
    // Where the link may not be read, an absolute argv[0] usually is the executable's path.
    this.exe = exe !== '' ? exe : this.argv0.startsWith('/') ? this.argv0 : '';
    this.sameProgram = this.exe === this.argv0;
    this.exeStart = baseNameStart(this.exe);
    this.argv0Start = this.sameProgram ? this.exeStart : baseNameStart(this.argv0);
    this.program = InterpretedProgram.of(argv, exe, this.argv0Start, this.exeStart);
  }

  /** What the process has for a key; '' where it has nothing. */
  value(key: RuleKey): string {
    switch (key) {
      case 'comm':
        return this.name;
      case 'exe':
        return this.exe;
      case 'argv0':
        return this.argv0;
      case 'unit':
        return this.identity.unit;
      case 'container':
        return this.identity.container;
      case 'script':
        this.script ??= this.program?.script() ?? '';
        return this.script;
      case 'jvm_main':
        this.jvmMain ??= this.program?.jvmMain() ?? '';
        return this.jvmMain;
      case 'python_module':
        this.pythonModule ??= this.program?.pythonModule() ?? '';
        return this.pythonModule;
      case 'argv':
        this.commandLine ??= joined(this.identity.argv);
        return this.commandLine;
    }
  }

  /** Whether the command line may hold one of these runs. It is not joined for that. */
  mayHold(wanted: readonly number[]): boolean {
    if (this.number === TOO_LONG) return true;
    if (!runs.isOf(this.number)) {
      const { argv } = this.identity;
      if (isLong(argv)) {
        this.number = TOO_LONG;
        return true;
      }
      this.number = runs.note(argv);
    }
    return runs.holdsAny(wanted);
  }
}

/** The first of a key's values in a rule that matches what the process has; undefined where none does. */
export function findMatcher(key: RuleKey, matchers: readonly Matcher[], target: MatchTarget): Matcher | undefined {
  const { work } = target;
  const value = target.value(key);
  if (key === 'comm') {
    for (const matcher of matchers)
      if (matcher.test(value, work) || (target.comm !== value && matcher.test(target.comm, work))) return matcher;
  } else if (value !== '') {
    const isPath = isPathKey(key);
    for (const matcher of matchers)
      if (matcher.test(isPath && !matcher.path ? baseName(value) : value, work)) return matcher;
  }
  return undefined;
}

/** Whether a command line has too many letters for a set of its runs. */
function isLong(argv: readonly string[]): boolean {
  let length = argv.length;
  for (let i = 0; i < argv.length && length <= RunSet.LETTERS_MAX; i++) length += argv[i]!.length;
  return length > RunSet.LETTERS_MAX;
}

/** The command line as regular expressions see it. Arguments behind the last character that they see are not joined. */
function joined(argv: readonly string[]): string {
  if (argv.length === 1) return argv[0]!.slice(0, COMMAND_LINE_LENGTH_MAX);
  let length = 0;
  let words = 0;
  while (words < argv.length && length <= COMMAND_LINE_LENGTH_MAX) length += argv[words++]!.length + 1;
  return (words < argv.length ? argv.slice(0, words) : argv).join(' ').slice(0, COMMAND_LINE_LENGTH_MAX);
}
