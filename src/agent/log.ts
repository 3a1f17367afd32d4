// The log: one line an event, lower case, key=value or JSON, on standard error. Values are hostile and always quoted
// where they could break a line; no line is ever written per process.

export type Level = 'debug' | 'info' | 'warn' | 'error';
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

const LEVELS: readonly Level[] = ['debug', 'info', 'warn', 'error'];

export interface LogOptions {
  readonly level: Level;
  readonly format: 'logfmt' | 'json';
}

export class Log {
  options: LogOptions;
  readonly #write: (line: string) => void;

  constructor(options: LogOptions, write: (line: string) => void = (line) => process.stderr.write(line)) {
    this.options = options;
    this.#write = write;
  }

  debug(message: string, fields?: Fields): void {
    this.#log('debug', message, fields);
  }

  info(message: string, fields?: Fields): void {
    this.#log('info', message, fields);
  }

  warn(message: string, fields?: Fields): void {
    this.#log('warn', message, fields);
  }

  error(message: string, fields?: Fields): void {
    this.#log('error', message, fields);
  }

  #log(level: Level, message: string, fields: Fields = {}): void {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(this.options.level)) return;
    const entry = { time: new Date().toISOString(), level, msg: message, ...fields };
    this.#write(`${this.options.format === 'json' ? JSON.stringify(entry) : logfmt(entry)}\n`);
  }
}

function logfmt(entry: Fields): string {
  const parts: string[] = [];
  for (const [key, value] of Object.entries(entry))
    if (value !== undefined) parts.push(`${key}=${quote(String(value))}`);
  return parts.join(' ');
}

/** JSON's quoting: no control character, no quote and no line end is left bare. */
const quote = (text: string): string => (/^[\w.:/+@%,()[\]-]+$/.test(text) ? text : JSON.stringify(text));
