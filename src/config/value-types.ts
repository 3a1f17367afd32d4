// The types of values that a setting can have. A type knows which values it takes, how to read one from a file (typed) or
// from the text of a flag or variable, and how to write it: reading what was written gives the same value.
import { resolve } from 'node:path';

/** A value in a form that YAML, JSON and TOML all have. */
export type FileValue = boolean | number | string | readonly string[];

export interface ValueType<T> {
  /** Which values it takes; completes "give …" in errors, and is shown in the docs. */
  readonly expects: string;
  /** The name of the value in the help ("DURATION"); '' for a flag that takes no value. */
  readonly placeholder: string;
  /** The parsed value, or undefined where the type does not take it. Any input is allowed; never throws. */
  read(written: unknown): T | undefined;
  /** The text of a flag or variable → the value that a file would have; text without a meaning stays text. */
  decode(text: string): unknown;
  write(value: T): FileValue;
  /** Makes relative paths absolute; they start at the folder of the file that has them. */
  resolve(value: T, folder: string): T;
}

const plain = { decode: (text: string): unknown => text, resolve: <T>(value: T): T => value };
const asIs = <T>(value: T): T => value;
const numeric = (text: string): unknown => (/^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text);

/** Whether a number lies within limits. −0 is negative: parsers make it of -1e-400, and rounding of -0.0004. */
const within = (value: number, min: number, max: number): boolean =>
  value >= min && value <= max && !(min === 0 && Object.is(value, -0));

/** Text without control characters: no setting needs one, and they spoil logs and terminals. */
const clean = (written: unknown): written is string =>
  typeof written === 'string' && !/[\u0000-\u001f\u007f]/.test(written);

export const boolean: ValueType<boolean> = {
  ...plain,
  expects: 'true or false',
  placeholder: '',
  read: (written) => (typeof written === 'boolean' ? written : undefined),
  decode: (text) => (text === 'true' ? true : text === 'false' ? false : text),
  write: asIs,
};

export function integer(min: number, max: number): ValueType<number> {
  return {
    ...plain,
    expects: `an integer from ${min} to ${max}`,
    placeholder: 'N',
    read: (written) =>
      Number.isInteger(written) && within(written as number, min, max) ? (written as number) : undefined,
    decode: numeric,
    write: asIs,
  };
}

const units = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** Seconds, exact to the millisecond. Written as 1h30m, 15s or 250ms, or as a number of seconds. */
export function duration(min: string, max: string): ValueType<number> {
  const [leastMs, mostMs] = [milliseconds(min), milliseconds(max)];
  return {
    ...plain,
    expects: `a duration from ${min} to ${max}`,
    placeholder: 'DURATION',
    read: (written) => {
      const found = typeof written === 'number' ? Math.round(written * 1000) : milliseconds(written);
      return within(found, leastMs, mostMs) ? found / 1000 : undefined;
    },
    decode: numeric,
    write: (seconds) => {
      let rest = Math.round(seconds * 1000);
      if (rest === 0) return '0s';
      let text = '';
      for (const [unit, size] of Object.entries(units)) {
        if (rest >= size) text += `${Math.floor(rest / size)}${unit}`;
        rest %= size;
      }
      return text;
    },
  };
}

/** Milliseconds of "1h30m"; NaN where it is no duration. Larger units come first, each at most once. */
function milliseconds(written: unknown): number {
  const found = typeof written === 'string' && /^(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$/.exec(written);
  if (!found || found[0] === '') return Number.NaN;
  return Object.values(units).reduce((sum, size, i) => sum + Number.parseInt(found[i + 1] ?? '0', 10) * size, 0);
}

/** A value of another type, or one word in its place. */
export function wordOr<const W extends string, T>(word: W, type: ValueType<T>): ValueType<T | W> {
  const isWord = (value: unknown): value is W => value === word;
  return {
    expects: `${word}, or ${type.expects}`,
    placeholder: `${word}|${type.placeholder}`,
    read: (written) => (isWord(written) ? word : type.read(written)),
    decode: type.decode,
    write: (value) => (isWord(value) ? word : type.write(value)),
    resolve: (value, folder) => (isWord(value) ? word : type.resolve(value, folder)),
  };
}

/** A ratio, exact to a ten-thousandth of a percent. Written as 2% or 0.02. */
export function share(min: number, max: number): ValueType<number> {
  const write = (ratio: number) => `${Number((ratio * 100).toFixed(4))}%`;
  return {
    ...plain,
    expects: `a share from ${write(min)} to ${write(max)}, such as 2% or 0.02`,
    placeholder: 'SHARE',
    read: (written) => {
      const percent = typeof written === 'string' ? /^(\d+(?:\.\d+)?)%$/.exec(written)?.[1] : undefined;
      const stated = percent !== undefined ? Number(percent) / 100 : written;
      const ratio = typeof stated === 'number' ? Math.round(stated * 1e6) / 1e6 : Number.NaN;
      return within(ratio, min, max) ? ratio : undefined;
    },
    decode: numeric,
    write,
  };
}

export function choice<const T extends string>(...values: readonly [T, T, ...T[]]): ValueType<T> {
  return {
    ...plain,
    expects: `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`,
    placeholder: values.join('|'),
    read: (written) => values.find((value) => value === written),
    write: asIs,
  };
}

/** Text that matches the pattern. */
export function text(expects: string, placeholder: string, pattern: RegExp): ValueType<string> {
  return {
    ...plain,
    expects,
    placeholder,
    read: (written) => (clean(written) && pattern.test(written) ? written : undefined),
    write: asIs,
  };
}

/** A path; absolute once it is loaded. With `optional`, empty text is taken and means no path. */
export function path(what: string, { optional = false } = {}): ValueType<string> {
  return {
    ...text(`the path of ${what}${optional ? ', or nothing' : ''}`, 'PATH', optional ? /^/ : /./),
    resolve: (value, folder) => value && resolve(folder, value),
  };
}

/** A list of values of one type; in text, commas separate them. */
export function list(items: string, item: ValueType<string>): ValueType<readonly string[]> {
  return {
    expects: `a list of ${items}`,
    placeholder: `${item.placeholder},…`,
    read: (written) => {
      const values = Array.isArray(written) ? written.map((value) => item.read(value)) : undefined;
      return values?.every((value) => value !== undefined) ? values : undefined;
    },
    decode: (text) => (text === '' ? [] : text.split(',').map((part) => part.trim())),
    write: asIs,
    resolve: (values, folder) => values.map((value) => item.resolve(value, folder)),
  };
}
