// Disk, environment and flags → the configuration in force, each value with where it came from. Strict: whatever is not
// understood is a fault, and all faults are told at once. load() throws ConfigError and nothing else.
import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { type FormatEntry, formats, Malformed } from './formats.ts';
import { type Environment, type Flag, fileLayer, flagLayer, type Layer, merge, variableLayer } from './layers.ts';
import { type Config, defaults, type Key, keys } from './options.ts';

/** Everything wrong with the configuration: "where: what; what to do instead", one fault a line of the message. */
export class ConfigError extends Error {
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    const more = faults.length > 50 ? [`… and ${faults.length - 50} more`] : [];
    super([...faults.slice(0, 50), ...more].join('\n'));
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

export interface Sources {
  readonly flags?: readonly Flag[] | undefined;
  /** The file named by --config. */
  readonly file?: string | undefined;
  readonly env?: Environment | undefined;
  /** Absolute. ./herakles.yaml is looked for here, and relative paths of flags and variables start here. */
  readonly cwd: string;
  /** Absolute; nothing is looked for below it when it is not given. */
  readonly home?: string | undefined;
  /** Folder of the system's configuration; /etc/herakles unless given. */
  readonly system?: string | undefined;
  /** Bytes of a file; throws with a `code`, as node:fs does. */
  readonly readFile?: ((path: string) => Uint8Array) | undefined;
}

export interface Loaded {
  readonly config: Config;
  /** Where each value came from: "default", "/etc/herakles/config.yaml:3", "HERAKLES_PORT" or "--port". */
  readonly origins: Readonly<Record<Key, string>>;
  /** The files that were read, least important first. */
  readonly files: readonly string[];
}

interface Place {
  /** Paths that stand for each other; one of them at most may be there. */
  readonly paths: readonly string[];
  /** The operator named this very file, so it has to be there. */
  readonly named?: true;
  /** Nobody chose this folder: where it may not be searched, nothing in it is meant for this program. */
  readonly ambient?: true;
}

/** Where configuration is looked for, least important first. */
function placesOf({ system = '/etc/herakles', home, cwd, file }: Sources): Place[] {
  const beside = (stem: string) => [...formats.keys()].map((ending) => `${stem}.${ending}`);
  const places: Place[] = [{ paths: beside(join(system, 'config')) }];
  if (home) places.push({ paths: beside(join(home, '.config/herakles/config')), ambient: true });
  places.push({ paths: beside(join(cwd, 'herakles')), ambient: true });
  if (file !== undefined) places.push({ paths: [resolve(cwd, file)], named: true });
  return places;
}

/** Every path that load() would look for, there or not: what to watch. */
export const candidates = (sources: Sources): string[] => placesOf(sources).flatMap((place) => place.paths);

export async function load(sources: Sources): Promise<Loaded> {
  const { flags = [], env = {}, cwd, readFile = readRegular } = sources;
  const faults: string[] = [];
  const layers: Layer[] = [];
  const files: string[] = [];
  for (const place of placesOf(sources)) {
    const there = new Map<string, string>();
    for (const path of place.paths) {
      const text = read(path, place, readFile, faults);
      if (text !== undefined) there.set(path, text);
    }
    if (there.size > 1) faults.push(`${[...there.keys()].join(' and ')}: stand for each other; keep one of them`);
    else {
      for (const [path, text] of there) {
        files.push(path);
        layers.push(fileLayer(path, await parse(path, text, faults), faults));
      }
    }
  }
  const settings = merge(...layers, variableLayer(env, cwd, faults), flagLayer(flags, cwd, faults));
  const stated = Object.fromEntries([...settings].map(([key, { value }]) => [key, value]));
  const config: Config = { ...defaults, ...stated };
  const origins = Object.fromEntries(keys.map((key) => [key, settings.get(key)?.origin ?? 'default']));
  if (faults.length === 0) faults.push(...contradictions(config, origins));
  if (faults.length > 0) throw new ConfigError(faults);
  return { config, origins: origins as Record<Key, string>, files };
}

/** What no single key shows to be wrong. */
function contradictions(config: Config, origins: Readonly<Record<string, string>>): string[] {
  const faults: string[] = [];
  const { search_mode, search_groups, search_subgroups, web_listen_address } = config;
  if (search_mode !== 'none' && search_groups.length + search_subgroups.length === 0)
    faults.push(
      `${origins.search_mode}: search_mode is "${search_mode}" but search_groups and search_subgroups are empty; name a group or a subgroup`,
    );
  // From files and variables the address wins; on one command line nobody can have meant both.
  for (const key of ['bind', 'port'] as const)
    if (web_listen_address.length > 0 && /^--/.test(origins[key]!) && /^--/.test(origins.web_listen_address!))
      faults.push(`${origins.web_listen_address}: takes the place of ${origins[key]}; keep one of them`);
  return faults;
}

/** A configuration is a page. Parsing this much takes YAML up to half a second, and nothing else happens meanwhile. */
const LIMIT = 128 * 1024;

/** The text of a file, or undefined when there is none to use: a fault, unless it just is not there. */
function read(path: string, place: Place, readFile: (path: string) => Uint8Array, faults: string[]) {
  try {
    const bytes = readFile(path);
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      const line = new TextDecoder().decode(bytes).split('\ufffd')[0]!.split('\n').length;
      faults.push(`${path}:${line}: is not UTF-8; save it as UTF-8`);
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const missing = code === 'ENOENT' || code === 'ENOTDIR';
    const closed = code === 'EACCES' && !searchable(dirname(path));
    if (missing && place.named) faults.push(`${path}: does not exist; correct --config, or leave it out`);
    else if (missing || (closed && place.ambient)) return undefined;
    else if (code === 'EACCES') denied(closed ? dirname(path) : path, faults);
    else faults.push(`${path}: can not be read (${message}); put a configuration file there`);
  }
  return undefined;
}

/** Regular files within the limit only: a pipe would block, a device would never end. */
function readRegular(path: string): Uint8Array {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile()) throw new Error('it is no regular file');
    if (status.size > LIMIT) throw new Error(`it is larger than ${LIMIT / 1024} KiB`);
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Told once for a folder, not for each file that might be in it. */
function denied(path: string, faults: string[]): void {
  const fault = `${path}: may not be read by this user; grant it, or change the user`;
  if (!faults.includes(fault)) faults.push(fault);
}

/** As the effective user, unlike access(2). */
function searchable(folder: string): boolean {
  try {
    statSync(`${folder}/.`);
    return true;
  } catch {
    return false;
  }
}

async function parse(path: string, text: string, faults: string[]): Promise<readonly FormatEntry[]> {
  const format = formats.get(extname(path).slice(1));
  const nul = text.indexOf('\0');
  try {
    if (!format) throw new Malformed(1, 'is of no known format; name it .yaml, .yml, .json or .toml');
    if (nul >= 0) throw new Malformed(text.slice(0, nul).split('\n').length, 'holds a NUL byte; remove it');
    return await format(text);
  } catch (error) {
    const { line, message } = error instanceof Malformed ? error : new Malformed(1, `can not be parsed (${error})`);
    faults.push(`${path}:${line}: ${message}`);
    return [];
  }
}
