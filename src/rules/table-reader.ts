// Reads values of known types out of the tables of a parsed document (TOML, YAML or JSON). A wrong value is noted as a
// fault, with file, line and table, and replaced by an empty one, so that one reading finds every fault of a document:
//   ./subgroups.toml:12: rule 3: unknown key "uint"; did you mean "unit"?
// Faults are limited in number and length: the author of a document must not fill the log with it.
import { PatternError } from '../pattern/pattern.ts';
import { nearestName } from '../text/did-you-mean.ts';
import { escapeForTerminal } from '../text/hostile.ts';
import { formOf, type Matcher, matcherOf } from './matcher.ts';
import type { RuleKey } from './rule.ts';

/** Lines at which the tables of a document begin, by key ("rule"); a key or line that is not there is not known. */
export type TableLines = ReadonlyMap<string, readonly number[]>;

/** A table of a document: what TOML calls a table, YAML a mapping and JSON an object. */
export type Table = Record<string, unknown>;

export const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** Characters of a group or subgroup. Both are label values of every metric of a group. */
const LABEL_LENGTH_MAX = 100;
/** Bytes of UTF-8: label values are cut behind 256, and two groups must not become equal by that. */
const LABEL_BYTES_MAX = 256;

/** Values of one key of a rule; argv of an example too. */
const VALUES_MAX = 1000;
/** Faults that are told, and characters of one; the rest is counted, or cut. */
const FAULTS_MAX = 50;
const FAULT_LENGTH_MAX = 500;
/** Characters of a pattern in a fault, so that what is wrong with it is not cut. */
const SHOWN_MAX = 100;

export class TableReader {
  readonly #faults: string[] = [];
  /** Faults beyond FAULTS_MAX. */
  #more = 0;
  /** Line at which the table that is being read begins; undefined where that is not known. */
  line: number | undefined;
  readonly #file: string;
  readonly #lines: TableLines;
  /** The table that is being read, as faults name it: "rule 3: ". */
  #table = '';

  constructor(file: string, lines: TableLines) {
    this.#file = file;
    this.#lines = lines;
  }

  /** From here on faults are of the table of this index (from 0) in the list of tables under `key`. */
  enter(key: string, index: number, name = key): void {
    this.#table = `${name} ${index + 1}: `;
    this.line = this.#lines.get(key)?.[index];
  }

  /** The first faults, each "file:line: table: what is wrong; what to do", and how many more there are. */
  get faults(): string[] {
    const more = this.#more > 0 ? [`${this.#file}: … and ${this.#more} more`] : [];
    return [...this.#faults, ...more].map(escapeForTerminal);
  }

  /** Notes what is wrong with the table that is being read. */
  fault(what: string): void {
    if (this.#faults.length >= FAULTS_MAX) {
      this.#more++;
      return;
    }
    const line = this.line === undefined ? '' : `:${this.line}`;
    const short = what.length > FAULT_LENGTH_MAX ? `${what.slice(0, FAULT_LENGTH_MAX)}…` : what;
    this.#faults.push(`${this.#file}${line}: ${this.#table}${short}`);
  }

  /** Notes every key that is not known, at its own line where the table is the document, with the one that was probably meant. */
  checkKeys(table: Table, known: readonly string[]): void {
    for (const key of Object.keys(table).filter((one) => !known.includes(one))) {
      const near = this.#faults.length < FAULTS_MAX ? nearestName(key, known) : undefined;
      if (this.#table === '') this.line = this.#lines.get(key)?.[0];
      this.fault(`unknown key "${key}"; ${near ? `did you mean "${near}"?` : `known keys are ${known.join(', ')}`}`);
    }
  }

  /** Every table of the list under a key; no table where the key is not there. */
  tables(table: Table, key: string): Table[] {
    const value = table[key] ?? [];
    if (Array.isArray(value) && value.every(isTable)) return value;
    this.fault(`${key} must be a list of tables`);
    return [];
  }

  /** A group or subgroup; `inherited` is the one that the document gives for all of its tables. */
  label(table: Table, key: string, inherited?: string): string {
    const value = table[key] ?? inherited;
    if (value === undefined) this.fault(`${key} is missing; say ${key} = "..."`);
    else if (typeof value !== 'string') this.fault(`${key} must be a string, not ${typeName(value)}`);
    else if (!/^[^\x00-\x1f\x7f-\x9f]+$/.test(value) || value.length > LABEL_LENGTH_MAX)
      this.fault(`${key} must have 1 to ${LABEL_LENGTH_MAX} characters, none of them a control character`);
    else if (Buffer.byteLength(value) > LABEL_BYTES_MAX)
      this.fault(`${key} must not have more than ${LABEL_BYTES_MAX} bytes in UTF-8`);
    else return value;
    return '';
  }

  /** A string or a list of strings, at least `least` of them, none empty. */
  strings(table: Table, key: string, least: number): string[] {
    const value = table[key] ?? [];
    const list: unknown[] = Array.isArray(value) ? value : [value];
    if (list.length > VALUES_MAX) {
      this.fault(`${key} has ${list.length} values, more than ${VALUES_MAX}; use globs, or several rules`);
      return [];
    }
    if (list.length >= least && list.every((text): text is string => typeof text === 'string' && text !== ''))
      return list;
    this.fault(`${key} must be a string or a list of strings, none empty`);
    return [];
  }

  /**
   * The values of a rule's key, without patterns that cannot be used; pauses after each value.
   * @param form how the texts are compared; undefined where the key and the text say it
   * @param name of the key in a fault
   */
  *matchers(
    key: RuleKey,
    texts: readonly string[],
    form?: 'literal' | 'regex',
    name: string = key,
  ): Generator<void, Matcher[], void> {
    const matchers: Matcher[] = [];
    for (const text of texts) {
      const matcher = this.#matcher(key, text, form ?? formOf(key, text), name);
      if (matcher) matchers.push(matcher);
      yield;
    }
    return matchers.slice(); // without the room for more that push() makes
  }

  #matcher(key: RuleKey, text: string, form: 'literal' | 'glob' | 'regex', name: string): Matcher | undefined {
    try {
      return matcherOf(key, text, form);
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      const what = form === 'glob' ? 'glob' : 'regular expression';
      const short = text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
      this.fault(`${name}: the ${what} "${short}" cannot be used: ${error.message}`);
      return undefined;
    }
  }

  /** Any string, '' where the key is not there. @param name of the value in a fault */
  text(table: Table, key: string, name = key): string {
    const value = table[key] ?? '';
    if (typeof value === 'string') return value;
    this.fault(`${name} must be a string, not ${typeName(value)}`);
    return '';
  }

  /** true or false, false where the key is not there. */
  flag(table: Table, key: string): boolean {
    const value = table[key] ?? false;
    if (typeof value === 'boolean') return value;
    this.fault(`${key} must be true or false, not ${typeName(value)}`);
    return false;
  }
}

/** A value as faults describe it: "a list", "a table", "number 7". */
export function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return isTable(value) ? 'a table' : `${typeof value} ${String(value)}`;
}
