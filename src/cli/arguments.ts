// Parses the command line. Settings derive from the table of options (setting-flags.ts), verbs from their list
// (verbs.ts); commander splits the words. Pure: argv in; out comes what to run, or the text to print instead.
import { type Argument, Command, CommanderError, Option } from 'commander';
import { nearestName } from '../text/did-you-mean.ts';
import { program, VERSION_HELP, versionText } from './program.ts';
import { serveVerb } from './serve/verb.ts';
import { SettingFlags } from './setting-flags.ts';
import { type GivenSettings, UsageError, type Verb, type VerbGroup, type VerbOption, type Words } from './verb.ts';
import { verbs } from './verbs.ts';

/** A verb with what the command line gives it. */
export interface Invocation {
  readonly verb: Verb;
  /** What verb.parse() made of the verb's own words. */
  readonly given: object;
  readonly settings: GivenSettings;
}

/** There is nothing to run: help, the version or a complaint. */
export interface UsageText {
  readonly output: string;
  /** 0: help or the version, for standard output. 2: the words make no sense; for standard error. */
  readonly status: 0 | 2;
}

/** Verbs on which settings have no effect. */
const withoutSettings = verbs.filter((verb) => 'run' in verb && verb.ignoresSettings).map(({ name }) => name);

const helpEnd = `
Every command takes the options above, but for ${withoutSettings.slice(0, -1).join(', ')} and ${withoutSettings.at(-1)}.
Their values come from files, then from the environment, then from flags; a later one wins. The files, in the
same order (.yml, .json or .toml as well):
  /etc/herakles/config.yaml  ~/.config/herakles/config.yaml  ./herakles.yaml  --config FILE
Write a list with commas, or repeat its flag.

Examples:
  ${program.name}                              serve http://localhost:9215/metrics
  ${program.name} config init > herakles.yaml  start a configuration file
  ${program.name} check                        what this user may read, and what to grant
  ${program.name} explain 4711                 which rule put process 4711 into its group
  ${program.name} explain --all                processes that no rule matches, and rules for them`;

/** @param argv without the program itself: process.argv.slice(2) */
export function parseArguments(argv: readonly string[]): Invocation | UsageText {
  const printed: { output: string; status: UsageText['status'] } = { output: '', status: 0 };
  const settings = new SettingFlags();
  let invocation: Omit<Invocation, 'settings'> = { verb: serveVerb, given: {} };
  const root = rootCommand(printed);
  settings.addTo(root);
  addVerbs(root, (verb, words) => {
    const given = verb.parse?.(words) ?? {};
    if (verb.ignoresSettings && settings.first)
      throw new UsageError(`${verb.ignoresSettings}; leave ${settings.first} out`);
    invocation = { verb, given };
  });
  try {
    root.parse(argv, { from: 'user' });
    return { ...invocation, settings: { flags: settings.flags, file: settings.file } };
  } catch (error) {
    if (error instanceof UsageError) return complaint(error.message);
    if (!(error instanceof CommanderError)) throw error;
    if (/^commander\.(?:help|version)/.test(error.code)) return printed;
    return complaint(withRemedy(error.message, root));
  }
}

const complaint = (message: string): UsageText => ({ output: `${program.name}: ${message}\n`, status: 2 });

/** The program without a verb. What commander prints is added to `printed`; on an error its status becomes 2. */
function rootCommand(printed: { output: string; status: UsageText['status'] }): Command {
  const writeOut = (text: string) => {
    printed.output += text;
  };
  const writeErr = (text: string) => {
    printed.output += text;
    printed.status = 2;
  };
  return new Command(program.name)
    .description("Tells Prometheus what really occupies this machine's memory and CPU, per process and per group.")
    .usage('[command] [options]')
    .version(versionText, '--version', VERSION_HELP)
    .helpOption('-h, --help', 'Print this help; after a command, the help of that command.')
    .helpCommand('help [command]', 'Print the help of a command.')
    .argument('[command]')
    .addHelpText('after', helpEnd)
    .configureHelp({ visibleArguments, optionTerm: ({ flags }) => flags.replace('--no-', '--[no-]') })
    .configureOutput({ writeOut, writeErr, getOutHelpWidth: () => 110, getErrHelpWidth: () => 110 })
    .showSuggestionAfterError(false)
    .exitOverride()
    .action((name?: string) => {
      if (name !== undefined) throw new CommanderError(2, 'commander.unknownCommand', `unknown command '${name}'`);
    });
}

/** The program itself has no argument but a verb, which help lists. */
const visibleArguments = (command: Command): Argument[] => (command.parent ? [...command.registeredArguments] : []);

/** @param chosen is called with the verb that the command line names */
function addVerbs(root: Command, chosen: (verb: Verb, words: Words) => void): void {
  const commands = new Map<string, Command>();
  for (const verb of verbs) {
    const [first = '', second] = verb.name.split(' ');
    const parent = second === undefined ? root : commands.get(first)!.helpCommand(false);
    commands.set(verb.name, addVerb(parent, second ?? first, verb, chosen));
  }
}

function addVerb(parent: Command, word: string, verb: Verb | VerbGroup, chosen: (verb: Verb, words: Words) => void) {
  const command = parent.command(word).description(verb.summary).helpOption('-h, --help', 'Print this help.');
  if (!('run' in verb)) return command;
  for (const { name, count, help } of verb.arguments ?? [])
    command.argument({ one: `<${name}>`, optional: `[${name}]`, list: `[${name}...]` }[count], help);
  const options = (verb.options ?? []).map((declared) => [declared.name, commanderOption(declared)] as const);
  for (const [, option] of options) command.addOption(option);
  if (!verb.ignoresSettings) command.addHelpText('after', `\nIt also takes every option of ${program.name} --help.`);
  return command.action(() => {
    const switches = new Set<string>();
    const values = new Map<string, string>();
    for (const [name, option] of options) {
      const value: unknown = command.getOptionValue(option.attributeName());
      if (value === true) switches.add(name);
      else if (typeof value === 'string') values.set(name, value);
    }
    chosen(verb, { operands: command.args, switches, values });
  });
}

function commanderOption({ name, short, placeholder, default: initial, help }: VerbOption): Option {
  const option = new Option(`${short ? `${short}, ` : ''}${name}${placeholder ? ` <${placeholder}>` : ''}`, help);
  return initial === undefined ? option : option.default(initial, initial);
}

/** Commander's message as one line that says what to do instead. */
function withRemedy(message: string, root: Command): string {
  const what = message.replace(/^error: /, '').replace(/\.$/, '');
  const [, kind, written = ''] = /^unknown (option|command) '(.*)'$/s.exec(what) ?? [];
  const commands = root.commands.flatMap((command) => [command, ...command.commands]);
  const options = [root, ...commands].flatMap((command) => command.options.map((option) => option.long ?? ''));
  const known = kind === 'option' ? options : commands.map((command) => command.name());
  // A right flag in the wrong place is not a misspelling of itself.
  const near = nearestName(
    written.split('=')[0]!,
    known.filter((word) => word !== written),
  );
  return `${what}; ${kind && near ? `did you mean ${near}?` : `see ${program.name} --help`}`;
}
