// The log: one line an event, lower case, key=value or JSON, on standard error. Values are hostile and always quoted
// where they could break a line; no line is ever written per process.

import { escapedJson } from '../text/hostile.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

const MINUTE = 60_000;
/** Reasons that are kept apart. */
const REASONS = 100;
const LEVELS: readonly Level[] = ['debug', 'info', 'warn', 'error'];

export interface LogOptions {
  readonly level: Level;
  readonly format: 'logfmt' | 'json';
}

export class Log {
  options: LogOptions;
  readonly #write: (line: string) => void;
  readonly #told = new Map<string, { at: number; untold: number }>();

  constructor(options: LogOptions, write: (line: string) => void = (line) => process.stderr.write(line)) {
    this.options = options;
    this.#write = write;
  }

  debug(message: string, fields?: LogFields): void {
    this.#log('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#log('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#log('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#log('error', message, fields);
  }

  /**
   * A warning that others can cause as often as they like: for each message and reason told at most once a minute, with
   * how often it was not told.
   */
  seldom(message: string, fields: LogFields = {}): void {
    const now = Date.now();
    const key = this.#told.size < REASONS ? `${message} ${fields.reason}` : message;
    const told = this.#told.get(key) ?? { at: Number.NEGATIVE_INFINITY, untold: 0 };
    if (now - told.at < MINUTE) told.untold++;
    else {
      this.warn(message, { ...fields, untold: told.untold || undefined });
      Object.assign(told, { at: now, untold: 0 });
    }
    this.#told.set(key, told);
  }

  #log(level: Level, message: string, fields: LogFields = {}): void {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(this.options.level)) return;
    const entry = { time: new Date().toISOString(), level, msg: message, ...fields };
    this.#write(`${this.options.format === 'json' ? escapedJson(entry) : logfmt(entry)}\n`);
  }
}

function logfmt(entry: LogFields): string {
  const parts: string[] = [];
  for (const [key, value] of Object.entries(entry))
    if (value !== undefined) parts.push(`${key}=${bare.test(String(value)) ? value : escapedJson(String(value))}`);
  return parts.join(' ');
}

const bare = /^[\w.:/+@%,()[\]-]+$/;
