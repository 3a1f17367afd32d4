// Every setting of config/options.ts as a flag of commander, in all its spellings. Collects what is given, for load(),
// which also judges whether a value makes sense: a flag is then judged like a line of a file.
import { type Command, Option } from 'commander';
import type { Flag } from '../config/layers.ts';
import { flagOf, flagsOf, type Key, keys, noFlagsOf, optionOf, variableOf } from '../config/options.ts';
import { type GivenSettings, UsageError } from './verb.ts';

export class SettingFlags implements GivenSettings {
  readonly flags: Flag[] = [];
  file: string | undefined;

  addTo(root: Command): void {
    const config = 'Configuration file that wins over the files in the usual places (also --config.file).';
    this.#add(root, new Option('-c, --config <FILE>', config), (path) => this.#setFile(path));
    this.#add(root, new Option('--config.file <FILE>').hideHelp(), (path) => this.#setFile(path));
    for (const key of keys) this.#addKey(root, key);
  }

  /** How the first setting was given, as a message names it; undefined where none was. */
  get first(): string | undefined {
    return this.file === undefined ? this.flags[0]?.flag : '--config';
  }

  /** Help shows the two main flags of a boolean as one: --[no-]enable-rss. */
  #addKey(root: Command, key: Key): void {
    const { type, section } = optionOf(key);
    const addAll = (flags: readonly string[], shown: string, placeholder: string, given?: boolean) => {
      for (const flag of flags) {
        const option = new Option(flag + placeholder, describe(key));
        this.#add(root, flag === shown ? option.helpGroup(`${section}:`) : option.hideHelp(), (text) =>
          this.#set(key, flag, given ?? text),
        );
      }
    };
    if (type.placeholder) addAll(flagsOf(key), flagOf(key), ` <${type.placeholder}>`);
    else {
      addAll(noFlagsOf(key), noFlagsOf(key)[0]!, '', false);
      addAll(flagsOf(key), '', '', true);
    }
  }

  #add(root: Command, option: Option, given: (text: string) => void): void {
    root.addOption(option);
    root.on(`option:${option.name()}`, given);
  }

  /** Two values for one key are a mistake, unless the key is a list: neither value should win in silence. */
  #set(key: Key, spelling: string, value: string | boolean): void {
    const isList = Array.isArray(optionOf(key).default);
    const before = isList ? undefined : this.flags.find((flag) => flag.key === key)?.flag;
    if (before === spelling) throw new UsageError(`${spelling} is given twice; keep one of them`);
    if (before) throw new UsageError(`${before} and ${spelling} both set ${key}; keep one of them`);
    this.flags.push({ key, flag: spelling, value });
  }

  #setFile(path: string): void {
    if (this.file !== undefined) throw new UsageError('--config is given twice; keep one of them');
    this.file = path;
  }
}

/** Help of a key: meaning, other spellings, default, variable. */
function describe(key: Key): string {
  const { help, type, spellings, opposites, default: initial } = optionOf(key);
  const value = String(type.write(initial));
  const form = type.placeholder ? '' : '[no-]';
  const others = [
    ...spellings.map((one) => `also ${one.replace('--', `--${form}`)}`),
    ...opposites.map((one) => `false by ${one}`),
  ];
  const notes = [...others, ...(value ? [`default ${value}`] : []), variableOf(key)];
  return `${help} (${notes.join('; ')})`;
}
