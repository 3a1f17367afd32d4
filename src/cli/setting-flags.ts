// Every setting of config/options.ts as a flag of commander, in all its spellings. Collects what is given, for load(),
// which also judges whether a value makes sense: a flag is then judged like a line of a file.
import { type Command, Option } from 'commander';
import type { Flag } from '../config/layers.ts';
import { flagOf, type Key, keys, optionOf, variableOf } from '../config/options.ts';
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

  /** Flags that take no value have a form with --no-, and help shows both as one: --[no-]enable-rss. */
  #addKey(root: Command, key: Key): void {
    const { type, section, spellings } = optionOf(key);
    const [main, group] = [flagOf(key), `${section}:`];
    if (type.placeholder === '') {
      const no = main.replace('--', '--no-');
      this.#add(root, new Option(no, describe(key)).helpGroup(group), () => this.#set(key, no, false));
      for (const spelling of [main, ...spellings])
        this.#add(root, new Option(spelling).hideHelp(), () => this.#set(key, spelling, true));
      return;
    }
    const value = `<${type.placeholder}>`;
    this.#add(root, new Option(`${main} ${value}`, describe(key)).helpGroup(group), (text) =>
      this.#set(key, main, text),
    );
    for (const spelling of spellings)
      this.#add(root, new Option(`${spelling} ${value}`).hideHelp(), (text) => this.#set(key, spelling, text));
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
  const { help, type, spellings, default: initial } = optionOf(key);
  const value = String(type.write(initial));
  const notes = [...spellings.map((one) => `also ${one}`), ...(value ? [`default ${value}`] : []), variableOf(key)];
  return `${help} (${notes.join('; ')})`;
}
