// What a parser of the operator's files says about a text that it refuses.

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
