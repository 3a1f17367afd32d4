// The log on standard error: one line for each event, in lower case, as key=value or JSON. Values are hostile: they are
// quoted wherever they could break a line. No line is written for a single process.

import { escapedJson } from '../text/hostile.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** A rate-limited event is written at most once in this time. */
const INTERVAL_MS = 60_000;
/** A condition that keeps coming back is written less and less often, but at least once in this time. */
const PAUSE_MAX_MS = 3_600_000;
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
  readonly #written = new Map<string, { at: number; suppressed: number }>();
  readonly #conditions = new Map<string, Condition>();

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
   * An event that clients can cause as often as they like. For each message and `reason` it is written at most once a
   * minute, with the number of events that were suppressed since.
   */
  rateLimited(level: Level, message: string, fields: LogFields = {}): void {
    const now = Date.now();
    const key = this.#written.size < REASONS_MAX ? `${message} ${fields.reason}` : message;
    const written = this.#written.get(key) ?? { at: Number.NEGATIVE_INFINITY, suppressed: 0 };
    if (now - written.at < INTERVAL_MS) written.suppressed++;
    else {
      this.#log(level, message, { ...fields, suppressed: written.suppressed || undefined });
      Object.assign(written, { at: now, suppressed: 0 });
    }
    this.#written.set(key, written);
  }

  /**
   * A condition that lasts has begun, or lasts still. It is written when it begins, and each time that it has doubled since
   * it was last written: a number that changes at every collection fills no log. A condition that comes and goes is
   * written once a minute, then after two minutes, four, and so on up to an hour; an hour without it makes it new again.
   * @param condition one of a fixed set, for ended()
   * @param amount how much of it there is, for instance processes; unless given it has no size
   */
  began(condition: string, level: Level, message: string, fields?: LogFields, amount = 1): void {
    const state = this.#conditions.get(condition) ?? newCondition();
    this.#conditions.set(condition, state);
    state.times++;
    const now = Date.now();
    const returned = now - state.seen < PAUSE_MAX_MS;
    state.seen = now;
    if (state.written ? amount < 2 * state.amount : now - state.at < state.pause) return;
    if (!state.written) state.pause = returned ? Math.min(PAUSE_MAX_MS, 2 * state.pause) : INTERVAL_MS;
    Object.assign(state, { at: now, written: true, amount });
    this.#log(level, message, fields);
  }

  /** The condition has ended; written where its beginning was written, with how often it was seen. */
  ended(condition: string, message: string): void {
    const state = this.#conditions.get(condition);
    if (!state || state.times === 0) return;
    if (state.written) this.#log('info', message, { after: state.times });
    Object.assign(state, { times: 0, written: false, amount: 0 });
  }

  #log(level: Level, message: string, fields: LogFields = {}): void {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(this.options.level)) return;
    const entry = { time: new Date().toISOString(), level, msg: message, ...fields };
    this.#write(`${this.options.format === 'json' ? escapedJson(entry) : logfmt(entry)}\n`);
  }
}

/** A condition that began at least once. */
interface Condition {
  /** When it was last written, and when it was last seen; milliseconds since the epoch. */
  at: number;
  seen: number;
  /** Milliseconds after `at` in which a new beginning is not written. */
  pause: number;
  /** How often the present one was seen; 0 while it has ended. */
  times: number;
  /** Whether the beginning of the present one was written, and with which amount last. */
  written: boolean;
  amount: number;
}

const newCondition = (): Condition => ({
  at: Number.NEGATIVE_INFINITY,
  seen: Number.NEGATIVE_INFINITY,
  pause: INTERVAL_MS,
  times: 0,
  written: false,
  amount: 0,
});

function logfmt(entry: LogFields): string {
  const parts: string[] = [];
  for (const [key, value] of Object.entries(entry))
    if (value !== undefined) parts.push(`${key}=${bare.test(String(value)) ? value : escapedJson(String(value))}`);
  return parts.join(' ');
}

const bare = /^[\w.:/+@%,()[\]-]+$/;
