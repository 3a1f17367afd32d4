// The log on standard error: one line for each event, in lower case, as key=value or JSON. Values are hostile: they are
// quoted wherever they could break a line. No line is written for a single process.

import { escapedJson } from '../text/hostile.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** A rate-limited warning is written at most once in this time. */
const WARNING_INTERVAL_MS = 60_000;
/** Messages and reasons that are limited each for itself; what exceeds them is limited by message alone. */
const REASONS_MAX = 100;
const LEVELS: readonly Level[] = ['debug', 'info', 'warn', 'error'];

export interface LogOptions {
  readonly level: Level;
  readonly format: 'logfmt' | 'json';
}

export class Log {
  options: LogOptions;
  readonly #write: (line: string) => void;
  readonly #warned = new Map<string, { at: number; suppressed: number }>();

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
   * A warning that clients can cause as often as they like. For each message and `reason` it is written at most once a
   * minute, with the number of warnings that were suppressed since.
   */
  warnRateLimited(message: string, fields: LogFields = {}): void {
    const now = Date.now();
    const key = this.#warned.size < REASONS_MAX ? `${message} ${fields.reason}` : message;
    const warned = this.#warned.get(key) ?? { at: Number.NEGATIVE_INFINITY, suppressed: 0 };
    if (now - warned.at < WARNING_INTERVAL_MS) warned.suppressed++;
    else {
      this.warn(message, { ...fields, suppressed: warned.suppressed || undefined });
      Object.assign(warned, { at: now, suppressed: 0 });
    }
    this.#warned.set(key, warned);
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
