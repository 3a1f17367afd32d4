// What a parser of the operator's files says about a text that it refuses.
import type { TomlError } from 'smol-toml';

/** The text is not of its format, or has values inside values. The message says what is wrong and what to do instead. */
export class MalformedFileError extends Error {
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** What a parser said, short enough for a line of the log. */
export const shortened = (text: string): string => (text.length > 100 ? `${text.slice(0, 100)}…` : text);

/** What the TOML parser threw, without the lines of the text that it quotes: they may hold a secret. */
export function malformedToml({ line, message }: TomlError): MalformedFileError {
  const what = message.split('\n')[0]!.replace(/^Invalid TOML document: /, '');
  return new MalformedFileError(line, `is not valid TOML (${shortened(what)}); correct this line`);
}
