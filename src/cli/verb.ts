// What a verb of the command line is: one declaration, from which parsing, help and dispatch derive (arguments.ts, run.ts).
// Every verb has a folder. Its declaration stands in verb.ts there, and loads the code that does the work only in run(),
// with import(): an exporter that runs for months does not hold the code of `install` in memory.
import type { Flag } from '../config/layers.ts';
import { choice, type ValueType } from '../config/value-types.ts';
import { SORTS } from '../server/api-v1/documents.ts';

/** An operand: a word that belongs to the verb and is not an option. */
export interface VerbArgument {
  /** As help shows it, in capitals: "FILE". */
  readonly name: string;
  /** optional: may be left out. list: any number of them, also none. */
  readonly count: 'one' | 'optional' | 'list';
  readonly help: string;
}

/** An option that only this verb takes. The settings (config/options.ts) are flags of every verb besides. */
export interface VerbOption {
  /** "--json" */
  readonly name: string;
  /** "-o" */
  readonly short?: string;
  /** What stands for its value in help: "FILE". Without it the option takes no value. */
  readonly placeholder?: string;
  /** The value where the option is not given. */
  readonly default?: string;
  readonly help: string;
}

/** The words of the command line that belong to the verb itself. */
export interface Words {
  readonly operands: readonly string[];
  /** Names of the given options that take no value. */
  readonly switches: ReadonlySet<string>;
  /** Values by the name of the option: the given value, or else the default. An option with neither is absent. */
  readonly values: ReadonlyMap<string, string>;
}

/** The settings that the command line gives, as load() takes them. */
export interface GivenSettings {
  readonly flags: readonly Flag[];
  /** Of --config. */
  readonly file: string | undefined;
}

/** How a verb ended. */
export interface Outcome {
  /** For standard output. */
  readonly output?: string;
  /** For standard error: remarks for people. */
  readonly notes?: string;
  /** 1 where the answer is "no": a rule has a fault, an example fails. Default 0. */
  readonly status?: 0 | 1;
}

/** @typeParam Given what the verb's own words say */
export interface Verb<Given extends object = object> {
  /** The words to type: "scan", "subgroups lint". The first part of two words is a verb or a VerbGroup itself. */
  readonly name: string;
  /** One sentence for help. */
  readonly summary: string;
  readonly arguments?: readonly VerbArgument[];
  readonly options?: readonly VerbOption[];
  /** Why no setting has an effect on this verb; it refuses them for this reason. */
  readonly ignoresSettings?: string;
  /** Words to value, pure. Without it nothing is given. @throws UsageError */
  parse?(words: Words): Given;
  /** @throws VerbError, ConfigError, ListenError */
  run(given: Given, settings: GivenSettings): Promise<Outcome>;
}

/** The first word of several verbs that does nothing alone: it shows its help. */
export interface VerbGroup {
  readonly name: string;
  readonly summary: string;
}

/** What is typed makes no sense; the message says what to do instead. The program ends with status 2. */
export class UsageError extends Error {}

/** What is asked for cannot be had or done here; the message says why. The program ends with status 1. */
export class VerbError extends Error {}

/** Many verbs have this option. */
export const JSON_OPTION: VerbOption = { name: '--json', help: 'Print JSON, for programs.' };

/**
 * The value of a verb's own argument or option.
 * @param name as the message names it @throws UsageError
 */
export function parseWord<T>(name: string, text: string, type: ValueType<T>): T {
  const value = type.read(type.decode(text));
  if (value === undefined) throw new UsageError(`${name} is ${JSON.stringify(text)}; give ${type.expects}`);
  return value;
}

/** Verbs that ask the running exporter have this option. */
export const URL_OPTION: VerbOption = {
  name: '--url',
  placeholder: 'URL',
  help: 'Address of the exporter to ask: http://host:port, https://host:port or unix:/path; without it, the address in the configuration.',
};

/** The value of URL_OPTION; undefined where it is not given. @throws UsageError */
export function parseUrl(url: string | undefined): string | undefined {
  if (url === undefined || /^unix:\/./.test(url) || (/^https?:\/\/./i.test(url) && URL.canParse(url))) return url;
  throw new UsageError('--url is not an address; give http://host:port, https://host:port or unix:/path');
}

/** growth orders the groups by what they gained in the time of which there is a history. */
const ORDERS = [...SORTS, 'growth'] as const;

/** Verbs that list groups and processes have this option. */
export const SORT_OPTION: VerbOption = {
  name: '--sort',
  placeholder: 'ORDER',
  default: 'footprint',
  help: `Order: ${ORDERS.join(', ')}.`,
};

/** The value of SORT_OPTION. @throws UsageError */
export const parseSort = (values: Words['values']): string =>
  parseWord('--sort', values.get('--sort')!, choice(...ORDERS));
