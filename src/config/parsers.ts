// The parsers of what an operator writes, by name: for this thread, and for the thread of parser-thread.ts alike.
import { parseRuleText } from './rule-text.ts';
import { parseTomlEntries } from './toml-entries.ts';
import { composeYaml, type YamlDialect } from './yaml-tree.ts';

/** Values of a YAML file that is read while the exporter serves: to copy them from a thread takes some 20 ms. */
const VALUES_MAX = 20_000;

/** Each takes a text and throws MalformedFileError. What it returns can be sent from one thread to another. */
export const parsers = {
  rules: parseRuleText,
  toml: parseTomlEntries,
  yaml: (text: string, levels: number, dialect: YamlDialect) => composeYaml(text, levels, dialect, VALUES_MAX),
} as const;

export type Parsers = typeof parsers;

/** A text to parse, as it is sent to the thread. */
export interface ParserJob {
  readonly name: keyof Parsers;
  readonly args: readonly unknown[];
}

/** The answer of the thread. */
export type ParserAnswer = { readonly parsed: unknown } | { readonly line: number; readonly fault: string };
