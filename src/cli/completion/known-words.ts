// Every word that the command line knows, from the table of settings and the list of verbs: what the completion of each
// shell is made from.
import { flagsOf, keys, noFlagsOf, optionOf } from '../../config/options.ts';
import { VERSION_HELP } from '../program.ts';
import type { Verb, VerbGroup } from '../verb.ts';

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

export class KnownWords {
  /** Settings, and --config. A flag that takes no value has a second one that says no. */
  readonly settings: readonly KnownFlag[] = [
    { spellings: ['-c', '--config', '--config.file'], help: 'Configuration file.', value: 'file' },
    ...keys.flatMap((key): KnownFlag[] => {
      const { type, help } = optionOf(key);
      const flag = { spellings: flagsOf(key), help, value: completed(type.placeholder) };
      const no = { ...flag, spellings: noFlagsOf(key), help: `Not: ${help}` };
      return type.placeholder ? [flag] : [flag, no];
    }),
  ];
  readonly commands: readonly KnownCommand[];
  /** Every flag that takes a value. A spelling means the same in every command. */
  readonly valueFlags: readonly (KnownFlag & { readonly value: Completed })[];

  constructor(verbs: readonly (Verb | VerbGroup)[]) {
    this.commands = [
      {
        ...{ name: '', summary: '', takesSettings: true, operand: undefined },
        flags: [helpFlag, { spellings: ['--version'], help: VERSION_HELP, value: undefined }],
      },
      ...verbs.map(commandOf),
      {
        ...{ name: 'help', summary: 'Print the help of a command.', flags: [], takesSettings: false },
        operand: verbs.map(({ name }) => name).filter((name) => !name.includes(' ')),
      },
    ];
    this.valueFlags = [...this.settings, ...this.commands.flatMap(({ flags }) => flags)].filter(
      (flag): flag is KnownFlag & { value: Completed } => flag.value !== undefined,
    );
  }

  /** The words that may follow a command: verbs behind the program, second words of a verb behind its first. */
  next(name: string): readonly { readonly word: string; readonly summary: string }[] {
    return this.commands.flatMap((command) => {
      const words = command.name.split(' ');
      const word = words.at(-1);
      return word && words.slice(0, -1).join(' ') === name ? [{ word, summary: command.summary }] : [];
    });
  }
}

function commandOf(verb: Verb | VerbGroup): KnownCommand {
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
}

/** What completes a value with this name in help. */
function completed(placeholder: string): Completed | undefined {
  if (placeholder === '') return undefined;
  if (placeholder.includes('|')) return placeholder.split('|').filter((word) => word !== word.toUpperCase());
  return /^(?:PATH|FILE)\b/.test(placeholder) ? 'file' : 'text';
}
