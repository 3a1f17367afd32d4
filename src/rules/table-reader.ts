// Reads values of known types out of the tables of a parsed document (TOML, YAML or JSON). A wrong value is noted as a
// fault, with file, line and table, and replaced by an empty one, so that one reading finds every fault of a document:
//   ./subgroups.toml:12: rule 3: unknown key "uint"; did you mean "unit"?
import { PatternError } from '../pattern/pattern.ts';
import { nearestName } from '../text/did-you-mean.ts';
import { escapeForTerminal } from '../text/hostile.ts';
import { formOf, type Matcher, matcherOf } from './matcher.ts';
import type { RuleKey } from './rule.ts';

/** Lines at which the tables of a document begin, by key ("rule"); a key or line that is not there is not known. */
export type TableLines = Readonly<Record<string, readonly number[]>>;

/** A table of a document: what TOML calls a table, YAML a mapping and JSON an object. */
export type Table = Record<string, unknown>;

export const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** Characters of a group or subgroup. Both are label values of every metric of a group. */
const LABEL_LENGTH_MAX = 100;
/** Bytes of UTF-8: label values are cut behind 256, and two groups must not become equal by that. */
const LABEL_BYTES_MAX = 256;

export class TableReader {
  /** Every fault so far, each "file:line: table: what is wrong; what to do". */
  readonly faults: string[] = [];
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
    this.line = this.#lines[key]?.[index];
  }

  /** Notes what is wrong with the table that is being read. */
  fault(what: string): void {
    const line = this.line === undefined ? '' : `:${this.line}`;
    this.faults.push(escapeForTerminal(`${this.#file}${line}: ${this.#table}${what}`));
  }

  /** Notes every key that is not known, with the one that was probably meant. */
  checkKeys(table: Table, known: readonly string[]): void {
    for (const key of Object.keys(table).filter((one) => !known.includes(one))) {
      const near = nearestName(key, known);
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
    if (list.length >= least && list.every((text): text is string => typeof text === 'string' && text !== ''))
      return list;
    this.fault(`${key} must be a string or a list of strings, none empty`);
    return [];
  }

  /** One value of a rule's key; undefined for a pattern that cannot be used. @param name of the key in a fault */
  matcher(key: RuleKey, text: string, form = formOf(key, text), name: string = key): Matcher | undefined {
    try {
      return matcherOf(key, text, form);
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      const what = form === 'glob' ? 'glob' : 'regular expression';
      this.fault(`${name}: the ${what} "${text}" cannot be used: ${error.message}`);
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
