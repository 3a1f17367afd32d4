// Every word that the command line knows, from the table of settings and the list of verbs: what the completion of each
// shell is made from.
import { flagOf, keys, optionOf } from '../../config/options.ts';
import { verbs } from '../verbs.ts';

/** What may stand as a value: words to choose from, a file, or a text that cannot be completed. */
export type Completed = readonly string[] | 'file' | 'text';

export interface KnownFlag {
  /** All spellings of the flag: "-c", "--config", "--config.file". */
  readonly spellings: readonly string[];
  readonly help: string;
  /** Undefined where the flag takes no value. */
  readonly value: Completed | undefined;
}

export interface KnownCommand {
  /** "scan", "config show"; '' is the program without a verb. */
  readonly name: string;
  readonly summary: string;
  /** Flags of its own. */
  readonly flags: readonly KnownFlag[];
  /** Whether it takes the settings as well. */
  readonly takesSettings: boolean;
  /** What its words are; undefined where it takes none. */
  readonly operand: Completed | undefined;
}

const helpFlag: KnownFlag = { spellings: ['-h', '--help'], help: 'Print help.', value: undefined };

/** Settings, and --config. A flag that takes no value has a second one that says no. */
export const settingFlags: readonly KnownFlag[] = [
  { spellings: ['-c', '--config', '--config.file'], help: 'Configuration file.', value: 'file' },
  ...keys.flatMap((key): KnownFlag[] => {
    const { type, help, spellings } = optionOf(key);
    const main = flagOf(key);
    const flag = { spellings: [main, ...spellings], help, value: completed(type.placeholder) };
    return type.placeholder
      ? [flag]
      : [flag, { ...flag, spellings: [main.replace('--', '--no-')], help: `Not: ${help}` }];
  }),
];

export const commands: readonly KnownCommand[] = [
  {
    ...{ name: '', summary: '', takesSettings: true, operand: undefined },
    flags: [helpFlag, { spellings: ['--version'], help: 'Print the version.', value: undefined }],
  },
  ...verbs.map((verb): KnownCommand => {
    const { name, summary } = verb;
    if (!('run' in verb)) return { name, summary, flags: [helpFlag], takesSettings: false, operand: undefined };
    const flags = (verb.options ?? []).map(({ name, short, placeholder, help }) => ({
      spellings: short ? [short, name] : [name],
      help,
      value: completed(placeholder ?? ''),
    }));
    const argument = verb.arguments?.[0];
    const operand = argument && completed(argument.name);
    return { name, summary, flags: [helpFlag, ...flags], takesSettings: !verb.ignoresSettings, operand };
  }),
  {
    ...{ name: 'help', summary: 'Print the help of a command.', flags: [], takesSettings: false },
    operand: verbs.map(({ name }) => name).filter((name) => !name.includes(' ')),
  },
];

/** The words that may follow a command: verbs behind the program, second words of a verb behind its first. */
export const nextWords = (name: string): readonly { readonly word: string; readonly summary: string }[] =>
  commands.flatMap((command) => {
    const words = command.name.split(' ');
    const [word] = words.slice(-1);
    return word && words.slice(0, -1).join(' ') === name ? [{ word, summary: command.summary }] : [];
  });

/** Every spelling of a flag that takes a value, with what completes it. A spelling means the same in every command. */
export const valueFlags: readonly (KnownFlag & { readonly value: Completed })[] = [
  ...settingFlags,
  ...commands.flatMap(({ flags }) => flags),
].filter((flag): flag is KnownFlag & { value: Completed } => flag.value !== undefined);

/** What completes a value with this name in help. */
function completed(placeholder: string): Completed | undefined {
  if (placeholder === '') return undefined;
  if (placeholder.includes('|')) return placeholder.split('|');
  return /^(?:PATH|FILE)\b/.test(placeholder) ? 'file' : 'text';
}
