// The command line: flags derive from the table of options, verbs are declared here. Pure: argv in, an Invocation out, or
// the text to print and the status to end with. Whether a flag's value makes sense is for load() to say, with the rest.
import { Command, CommanderError, Option } from 'commander';
import type { Flag } from '../config/layers.ts';
import { flagOf, type Key, keys, optionOf, variableOf } from '../config/options.ts';
import { duration, integer, type ValueType } from '../config/value-types.ts';
import { nearestName } from '../text/did-you-mean.ts';

declare global {
  /** Put in place by the bundler (scripts/build.mjs). */
  var HERAKLES_VERSION: string | undefined;
  var HERAKLES_REVISION: string | undefined;
}

/** A command with what belongs to it alone. */
type Verb =
  | { readonly verb: 'serve' | 'check' | 'subgroups' | 'config init' }
  | { readonly verb: 'scan' | 'config show'; readonly json: boolean }
  /** files: to look at instead of those configured. */
  | { readonly verb: 'subgroups lint'; readonly files: readonly string[]; readonly json: boolean }
  | { readonly verb: 'subgroups test'; readonly path: string }
  /** path: of the configuration, or undefined where its two flags give the names. */
  | {
      readonly verb: 'import process-exporter';
      readonly path: string | undefined;
      readonly procnames: string;
      readonly namemapping: string;
    }
  | { readonly verb: 'install'; readonly dryRun: boolean; readonly socket: boolean }
  | { readonly verb: 'uninstall'; readonly dryRun: boolean }
  /** url: of the exporter to ask, as given; undefined: where this configuration listens. */
  | { readonly verb: 'explain'; readonly pid: number | 'all'; readonly json: boolean; readonly url: string | undefined }
  /** output: file to write, or standard output when undefined; every: seconds between two frames. */
  | { readonly verb: 'capture'; readonly output: string | undefined; readonly frames: number; readonly every: number };

/** What was asked for. `flags` and `file` (of --config) are for load(). */
export type Invocation = Verb & { readonly flags: readonly Flag[]; readonly file: string | undefined };

/** Nothing to run: print this (on stderr when the status is not 0) and end with the status; 2 is a usage error. */
export interface Answer {
  readonly output: string;
  readonly status: 0 | 2;
}

const program = 'herakles-node-exporter';

const examples = `
Every command takes the options above. They also come from files, least important first
(.yml, .json or .toml as well), then from the environment, then from flags:
  /etc/herakles/config.yaml  ~/.config/herakles/config.yaml  ./herakles.yaml  --config FILE
A list is separated by commas, or its flag is repeated.

Examples:
  ${program}                              serve http://localhost:9215/metrics
  ${program} config init > herakles.yaml  start a configuration file
  ${program} check                        what this user may read, and what to grant
  ${program} explain 4711                 which rule put process 4711 where it is
  ${program} explain --all                what no rule matches, and rules for it`;

/** Our own complaint; the message says what to do instead. Commander's say only what is wrong. */
class UsageError extends Error {}

/** @param argv without the program itself: process.argv.slice(2) */
export function parseArguments(argv: readonly string[]): Invocation | Answer {
  let output = '';
  let file: string | undefined;
  let verb: Verb = { verb: 'serve' };
  const flags: Flag[] = [];
  let status: Answer['status'] = 0;
  const writeOut = (text: string) => {
    output += text;
  };
  const writeErr = (text: string) => {
    output += text;
    status = 2;
  };

  const root = new Command(program)
    .description("Tells Prometheus what really occupies this machine's memory and CPU, per process and per group.")
    .usage('[command] [options]')
    .version(versionLine(), '--version', 'Print the version.')
    .helpOption('-h, --help', 'Print this, or what a command takes.')
    .helpCommand('help [command]', 'Print what a command takes.')
    .argument('[command]')
    .addHelpText('after', examples)
    .configureHelp({ visibleArguments: () => [], optionTerm: ({ flags }) => flags.replace('--no-', '--[no-]') })
    .configureOutput({ writeOut, writeErr, getOutHelpWidth: () => 110, getErrHelpWidth: () => 110 })
    .showSuggestionAfterError(false)
    .exitOverride()
    .action((name?: string) => {
      if (name !== undefined) throw new CommanderError(2, 'commander.unknownCommand', `unknown command '${name}'`);
    });

  const flag = (option: Option, given: (text: string) => void) => {
    root.addOption(option);
    root.on(`option:${option.name()}`, given);
  };
  /** Two values for one key are a mistake, unless it is a list: neither should win in silence. */
  const set = (key: Key, spelling: string, value: string | boolean) => {
    const before = Array.isArray(optionOf(key).default) ? undefined : flags.find((one) => one.key === key)?.flag;
    if (before === spelling) throw new UsageError(`${spelling} is given twice; keep one of them`);
    if (before) throw new UsageError(`${before} and ${spelling} both set ${key}; keep one of them`);
    flags.push({ key, flag: spelling, value });
  };
  const name = (path: string) => {
    if (file !== undefined) throw new UsageError('--config is given twice; keep one of them');
    file = path;
  };
  flag(new Option('-c, --config <FILE>', 'File that wins over those in the usual places (also --config.file).'), name);
  flag(new Option('--config.file <FILE>').hideHelp(), name);
  for (const key of keys) {
    const { type: kind, section, spellings } = optionOf(key);
    const [main, group] = [flagOf(key), `${section}:`];
    if (kind.placeholder === '') {
      const no = main.replace('--', '--no-');
      flag(new Option(no, describe(key)).helpGroup(group), () => set(key, no, false));
      for (const spelling of [main, ...spellings]) {
        flag(new Option(spelling).hideHelp(), () => set(key, spelling, true));
      }
      continue;
    }
    const value = `<${kind.placeholder}>`;
    flag(new Option(`${main} ${value}`, describe(key)).helpGroup(group), (text) => set(key, main, text));
    for (const spelling of spellings) {
      flag(new Option(`${spelling} ${value}`).hideHelp(), (text) => set(key, spelling, text));
    }
  }
  // biome-ignore lint/suspicious/noExplicitAny: commander passes operands and options as declared right beside
  const command = (parent: Command, words: string, description: string, asked?: (...given: any[]) => Verb) => {
    const made = parent.command(words).description(description).helpOption('-h, --help', 'Print this.');
    made.addHelpText('after', `\nAnd every option of ${program} --help.`);
    if (asked) {
      made.action((...given) => {
        verb = asked(...given);
      });
    }
    return made;
  };
  /** For commands on which a setting would have no effect. */
  const refuseSettings = (what: string) => {
    const given = file === undefined ? flags[0]?.flag : '--config';
    if (given) throw new UsageError(`${what}; leave ${given} out`);
  };
  const json = ['--json', 'Print JSON, for programs.'] as const;
  const service = 'Serve metrics to Prometheus; what happens without a command.';
  command(root, 'serve', service, () => ({ verb: 'serve' }));
  const advice = 'Check the configuration, the kernel and the rights of this user, and say what to grant.';
  command(root, 'check', advice, () => ({ verb: 'check' }));
  const scan = 'Collect once and print a table.';
  command(root, 'scan', scan, ({ json = false }) => ({ verb: 'scan', json })).option(...json);
  const why = 'Tell which rule put a process into its group, what else matched, and how old its PSS is.';
  command(root, 'explain', why, (text, { all = false, json = false, url }) => {
    if (all === (text !== undefined)) throw new UsageError('explain takes either a PID or --all');
    if (all && url !== undefined) throw new UsageError('explain --all asks no exporter; leave --url out');
    if (url !== undefined && !isAddress(url))
      throw new UsageError('--url is no address; give http://host:port, https://host:port or unix:/path');
    return { verb: 'explain', pid: all ? 'all' : parsed('PID', text, integer(1, 4_194_304)), json, url };
  })
    .argument('[PID]', 'number of a running process')
    .option('--all', 'Every process, and rules for those that none matches.')
    .option(...json)
    .option('--url <URL>', 'Exporter to ask for the age of the PSS; unless given, where this configuration listens.');
  const rules = 'Print the rules in force, and what matches them now.';
  const subgroups = command(root, 'subgroups', rules, () => ({ verb: 'subgroups' })).helpCommand(false);
  const lint = 'Find rules of yours that are never reached, contradict another or catch strangers; status 1 if any.';
  command(subgroups, 'lint', lint, (files, { json = false }) => ({ verb: 'subgroups lint', files, json }))
    .argument('[FILE...]', 'rule files; those configured unless given')
    .option(...json);
  const test =
    'Tell whether the examples of a rule file land where it says, and if not, why; status 1 if any does not.';
  command(subgroups, 'test', test, (path) => ({ verb: 'subgroups test', path })).argument('<FILE>', 'a rule file');
  const imports = command(root, 'import', "Turn another exporter's configuration into rules.").helpCommand(false);
  const peer = 'Print rules that group processes as a configuration of process-exporter does, and what they cannot.';
  command(imports, 'process-exporter', peer, (path, { procnames = '', namemapping = '' }) => {
    if ((path !== undefined) === (procnames + namemapping !== ''))
      throw new UsageError('import process-exporter takes either a FILE or --procnames and --namemapping');
    return { verb: 'import process-exporter', path, procnames, namemapping };
  })
    .argument('[FILE]', 'what its -config.path names')
    .option('--procnames <NAME,…>', 'What its -procnames is given, instead of a file.')
    .option('--namemapping <NAME,REGEX,…>', 'What its -namemapping is given, instead of a file.');
  const record = 'Record what the kernel says into a file that --capture serves from.';
  command(root, 'capture', record, ({ output, frames, every }) => ({
    verb: 'capture',
    output,
    frames: parsed('--frames', frames, integer(1, 10_000)),
    every: parsed('--every', every, duration('10ms', '1h')),
  }))
    .option('-o, --output <FILE>', 'File to write; standard output unless given.')
    .option('--frames <N>', 'Times to record.', '1')
    .option('--every <DURATION>', 'Time between two of them.', '1s');
  const dry = ['--dry-run', 'Only tell what would be done.'] as const;
  const putInPlace = 'Put unit, user, configuration and rules in place on a host run by systemd.';
  command(root, 'install', putInPlace, ({ dryRun = false, socket = false }) => {
    refuseSettings('install puts /etc/herakles/config.yaml in place');
    return { verb: 'install', dryRun, socket };
  })
    .option(...dry)
    .option('--socket', 'Also the socket unit, with which systemd listens and starts the exporter.');
  const takeAway = 'Take away what install put there, and nothing else.';
  command(root, 'uninstall', takeAway, ({ dryRun = false }) => ({ verb: 'uninstall', dryRun })).option(...dry);
  const config = command(root, 'config', 'Show the configuration in force, or start a file.').helpCommand(false);
  const show = 'Print every value in force and where it came from.';
  command(config, 'show', show, ({ json = false }) => ({ verb: 'config show', json })).option(...json);
  command(config, 'init', 'Print a configuration file with every key, its meaning and its default.', () => {
    refuseSettings('config init prints the defaults');
    return { verb: 'config init' };
  });

  try {
    root.parse(argv, { from: 'user' });
    return { ...verb, flags, file };
  } catch (error) {
    if (error instanceof UsageError) return { output: `${program}: ${error.message}\n`, status: 2 };
    if (!(error instanceof CommanderError)) throw error;
    if (/^commander\.(?:help|version)/.test(error.code)) return { output, status };
    return { output: `${program}: ${complaint(error.message, root)}\n`, status: 2 };
  }
}

/** Commander's message as one line that says what to do instead. */
function complaint(message: string, root: Command): string {
  const what = message.replace(/^error: /, '').replace(/\.$/, '');
  const [, kind, written = ''] = /^unknown (option|command) '(.*)'$/s.exec(what) ?? [];
  const commands = root.commands.flatMap((one) => [one, ...one.commands]);
  const options = [root, ...commands].flatMap((one) => one.options.map((option) => option.long ?? ''));
  const known = kind === 'option' ? options : commands.map((one) => one.name());
  // A right flag in the wrong place is no misspelling of itself.
  const near = nearestName(
    written.split('=')[0]!,
    known.filter((one) => one !== written),
  );
  return `${what}; ${kind && near ? `did you mean ${near}?` : `see ${program} --help`}`;
}

/** The parsed value of a command's own argument. */
function parsed<T>(name: string, text: string, kind: ValueType<T>): T {
  const value = kind.read(kind.decode(text));
  if (value === undefined) throw new UsageError(`${name} is ${JSON.stringify(text)}; give ${kind.expects}`);
  return value;
}

const isAddress = (text: string): boolean =>
  /^unix:\/./.test(text) || (/^https?:\/\/./i.test(text) && URL.canParse(text));

/** Help of a key: meaning, other spellings, default, variable. */
function describe(key: Key): string {
  const { help, type: kind, spellings, default: initial } = optionOf(key);
  const value = String(kind.write(initial));
  const notes = [...spellings.map((one) => `also ${one}`), ...(value ? [`default ${value}`] : []), variableOf(key)];
  return `${help} (${notes.join('; ')})`;
}

const versionLine = (): string =>
  `${program} ${globalThis.HERAKLES_VERSION ?? 'dev'} (revision ${globalThis.HERAKLES_REVISION ?? 'unknown'})`;
