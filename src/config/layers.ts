// One source (a file, the environment or the command line) → a layer of values, checked against the table of options.
// Pure. Everything that is not understood becomes a fault, "where: what; what to do instead", and never a value.
import { dirname } from 'node:path';
import { nearestName } from '../text/did-you-mean.ts';
import { escapedJson } from '../text/hostile.ts';
import { isKey, type Key, keys, optionOf, variableOf } from './options.ts';
import type { ConfigFileEntry } from './toml-entries.ts';

/** One flag of the command line. The flag of a list may be repeated; of any other, the last one counts. */
export interface Flag {
  readonly key: Key;
  /** As it was written: "--log.level". */
  readonly flag: string;
  readonly value: string | boolean;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The keys that one source sets: their parsed values, and where each comes from. */
export type Layer = ReadonlyMap<Key, { readonly value: unknown; readonly origin: string }>;

/** For each key, the later layer wins; a list replaces a list. Associative, with the empty layer as its identity. */
export const merge = (...layers: Layer[]): Layer => new Map(layers.flatMap((layer) => [...layer]));

/** Collects the values of one source. @param folder where relative paths start @param faults gets every fault */
function collect(folder: string, faults: string[]) {
  const layer = new Map<Key, { value: unknown; origin: string }>();
  return {
    layer,
    put(key: Key, written: unknown, origin: string): void {
      const { type, secret } = optionOf(key);
      const value = type.read(written);
      if (value !== undefined) layer.set(key, { value: type.resolve(value, folder), origin });
      else faults.push(`${origin}: ${key} is ${secret ? 'not right' : show(written)}; give ${type.expects}`);
    },
    unknown(what: string, written: string, known: readonly string[], origin: string): void {
      const near = nearestName(written, known);
      const instead = near ? `did you mean ${near}?` : '"config init" prints every setting';
      faults.push(`${origin}: unknown ${what} ${/^\w{1,64}$/.test(written) ? written : show(written)}; ${instead}`);
    },
  };
}

/** Relative paths in a file start at the file's own folder. */
export function fileLayer(path: string, entries: readonly ConfigFileEntry[], faults: string[]): Layer {
  const { layer, put, unknown } = collect(dirname(path), faults);
  const lines = new Map<string, number>();
  for (const { key, value, line } of entries) {
    const origin = `${path}:${line}`;
    const before = lines.get(key);
    if (before === undefined) lines.set(key, line);
    if (!isKey(key)) unknown('key', key, keys, origin);
    else if (before === undefined) put(key, value, origin);
    else faults.push(`${origin}: ${key} is set again after line ${before}; keep one of them`);
  }
  return layer;
}

export function variableLayer(env: Environment, cwd: string, faults: string[]): Layer {
  const { layer, put, unknown } = collect(cwd, faults);
  const names = new Map(keys.map((key) => [variableOf(key), key]));
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith('HERAKLES_') || text === undefined) continue;
    const key = names.get(variable);
    if (describesService(variable, env) && (!key || text.includes('://'))) continue;
    if (key) put(key, optionOf(key).type.decode(text), variable);
    else unknown('variable', variable, [...names.keys()], variable);
  }
  return layer;
}

/**
 * Whether Kubernetes has set the variable. It describes each Service to every pod in variables: a Service "herakles" gives
 * HERAKLES_SERVICE_HOST and HERAKLES_PORT=tcp://10.0.0.1:9215, which are no configuration.
 */
function describesService(variable: string, env: Environment): boolean {
  const service = /^(.+?)_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_\w+)?)$/.exec(variable)?.[1];
  return service !== undefined && env[`${service}_SERVICE_HOST`] !== undefined;
}

export function flagLayer(flags: readonly Flag[], cwd: string, faults: string[]): Layer {
  const { layer, put } = collect(cwd, faults);
  const lists = new Map<Key, readonly unknown[]>();
  for (const { key, flag, value } of flags) {
    const written = typeof value === 'string' ? optionOf(key).type.decode(value) : value;
    const whole = Array.isArray(written) ? [...(lists.get(key) ?? []), ...written] : written;
    if (Array.isArray(whole)) lists.set(key, whole);
    put(key, whole, flag);
  }
  return layer;
}

function show(written: unknown): string {
  if (written === null || written === '') return 'empty';
  if (typeof written === 'object' && !Array.isArray(written)) return 'no plain value';
  const number = Object.is(written, -0) ? '-0' : String(written);
  const text = typeof written === 'number' ? number : escapedJson(written);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
