// Disk, environment and flags → the configuration in force, and for each value where it came from. Strict: everything that
// is not understood is a fault, and one error lists all faults. load() throws ConfigError and nothing else.
import { extname, join, resolve } from 'node:path';
import { formats } from './formats.ts';
import { type Environment, type Flag, fileLayer, flagLayer, type Layer, merge, variableLayer } from './layers.ts';
import { MalformedFileError } from './malformed-file.ts';
import { decodeOperatorText, OperatorFileError, readOperatorFile } from './operator-files.ts';
import { type Config, defaults, type Key, keys } from './options.ts';
import type { ConfigFileEntry } from './toml-entries.ts';

/** Faults that are shown of one configuration. A file of 4 MiB can have a fault in each of its lines. */
const FAULTS_SHOWN_MAX = 50;

/**
 * What is wrong with the configuration: "where: what; what to do instead". The message has one fault a line. Of more than
 * 50 faults it has the first 50, and "… and 7 more": everything that shows faults (log, /health, pages) stays short.
 */
export class ConfigError extends Error {
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    // "… and 1 more" is no shorter than the fault. The last line of a rule file's 51 says how many more that file has.
    const rest = faults.length - FAULTS_SHOWN_MAX;
    const shown = rest > 1 ? [...faults.slice(0, FAULTS_SHOWN_MAX), `… and ${rest} more`] : faults;
    super(shown.join('\n'));
    this.name = 'ConfigError';
    this.faults = shown;
  }
}

export interface Sources {
  readonly flags?: readonly Flag[] | undefined;
  /** The file named by --config. */
  readonly file?: string | undefined;
  readonly env?: Environment | undefined;
  /** Absolute path of the folder of ./herakles.yaml; relative paths in flags and variables start here too. */
  readonly cwd: string;
  /** Absolute path of the user's home; undefined: no configuration is looked for there. */
  readonly home?: string | undefined;
  /** Folder of the system's configuration; /etc/herakles unless given. */
  readonly system?: string | undefined;
  /** Whether a file that nobody named must not be read: others than this user choose what it holds. None unless given. */
  readonly isForeign?: ((path: string) => boolean) | undefined;
  /** Paths of the server that are taken, so that the metrics cannot have them. None unless given. */
  readonly servedPaths?: readonly string[] | undefined;
  /** Bytes of a configuration file; throws OperatorFileError. From disk unless given. */
  readonly readFile?: ((path: string) => Uint8Array) | undefined;
}

export interface Loaded {
  readonly config: Config;
  /** Where each value came from: "default", "/etc/herakles/config.yaml:3", "HERAKLES_PORT" or "--port". */
  readonly origins: Readonly<Record<Key, string>>;
  /** The files that were read, least important first. */
  readonly files: readonly string[];
}

/** One source of configuration on disk. */
interface FileSource {
  /** Alternative paths, one for each format; at most one of these files may exist. */
  readonly paths: readonly string[];
  /** The operator named this file, so it has to exist. */
  readonly named?: true;
  /** The operator did not choose this folder: if this user may not enter it, nothing in it is for this program. */
  readonly ambient?: true;
}

/** Where configuration is looked for, least important first. */
function fileSourcesOf({ system = '/etc/herakles', home, cwd, file }: Sources): FileSource[] {
  const anyFormat = (stem: string) => [...formats.keys()].map((ending) => `${stem}.${ending}`);
  const found: FileSource[] = [{ paths: anyFormat(join(system, 'config')) }];
  if (home) found.push({ paths: anyFormat(join(home, '.config/herakles/config')), ambient: true });
  found.push({ paths: anyFormat(join(cwd, 'herakles')), ambient: true });
  if (file !== undefined) found.push({ paths: [resolve(cwd, file)], named: true });
  return found;
}

/** Every path that load() looks at, whether a file exists there or not: what to watch. */
export const configPaths = (sources: Sources): string[] => fileSourcesOf(sources).flatMap(({ paths }) => paths);

/** @throws ConfigError with every fault */
export async function load(sources: Sources): Promise<Loaded> {
  const { flags = [], env = {}, cwd, readFile = fromDisk, isForeign = () => false } = sources;
  const faults: string[] = [];
  const layers: Layer[] = [];
  const files: string[] = [];
  for (const source of fileSourcesOf(sources)) {
    const texts = new Map<string, string>();
    for (const path of source.paths) {
      if (source.ambient && isForeign(path)) continue;
      const text = read(path, source, readFile, faults);
      if (text !== undefined) texts.set(path, text);
    }
    if (texts.size > 1)
      faults.push(`${[...texts.keys()].join(' and ')}: only one of them can be read; keep one of them`);
    else {
      for (const [path, text] of texts) {
        files.push(path);
        layers.push(fileLayer(path, await parse(path, text, faults), faults));
      }
    }
  }
  const settings = merge(...layers, variableLayer(env, cwd, faults), flagLayer(flags, cwd, faults));
  const stated = Object.fromEntries([...settings].map(([key, { value }]) => [key, value]));
  const config: Config = { ...defaults, ...stated };
  const origins = Object.fromEntries(keys.map((key) => [key, settings.get(key)?.origin ?? 'default']));
  if (faults.length === 0) faults.push(...contradictions(config, origins, sources.servedPaths));
  if (faults.length > 0) throw new ConfigError(faults);
  return { config, origins: origins as Record<Key, string>, files };
}

/** Faults of keys that are right each for itself, but not together. */
function contradictions(
  config: Config,
  origins: Readonly<Record<string, string>>,
  servedPaths: readonly string[] = [],
): string[] {
  const faults: string[] = [];
  const { search_mode, search_groups, search_subgroups, web_listen_address, web_telemetry_path } = config;
  if (servedPaths.includes(web_telemetry_path))
    faults.push(
      `${origins.web_telemetry_path}: web_telemetry_path is "${web_telemetry_path}", which is another page of this server; give a path that is free, such as /metrics`,
    );
  if (search_mode !== 'none' && search_groups.length + search_subgroups.length === 0)
    faults.push(
      `${origins.search_mode}: search_mode is "${search_mode}" but search_groups and search_subgroups are empty; name a group or a subgroup`,
    );
  // An address wins over a port of a file or variable; on one command line, two answers to one question are a mistake.
  for (const key of ['bind', 'port'] as const)
    if (web_listen_address.length > 0 && /^--/.test(origins[key]!) && /^--/.test(origins.web_listen_address!))
      faults.push(`${origins.web_listen_address}: takes the place of ${origins[key]}; keep one of them`);
  return faults;
}

const fromDisk = (path: string): Uint8Array => readOperatorFile(path, 'configuration');

/** The text of a file; undefined where there is none to use, which is a fault unless the file may be missing. */
function read(path: string, source: FileSource, readFile: (path: string) => Uint8Array, faults: string[]) {
  try {
    return decodeOperatorText(path, readFile(path));
  } catch (error) {
    if (!(error instanceof OperatorFileError)) throw error;
    const { reason, message } = error;
    const optional = (reason === 'missing' && !source.named) || (reason === 'unreachable' && source.ambient);
    // A folder that may not be entered gives one fault, not one for each file that might be in it.
    if (!optional && !faults.includes(message)) faults.push(message);
    return undefined;
  }
}

async function parse(path: string, text: string, faults: string[]): Promise<readonly ConfigFileEntry[]> {
  const format = formats.get(extname(path).slice(1));
  const nul = text.indexOf('\0');
  try {
    if (!format) throw new MalformedFileError(1, 'is of no known format; name it .yaml, .yml, .json or .toml');
    if (nul >= 0) throw new MalformedFileError(text.slice(0, nul).split('\n').length, 'holds a NUL byte; remove it');
    return await format(text);
  } catch (error) {
    const { line, message } =
      error instanceof MalformedFileError
        ? error
        : new MalformedFileError(1, `cannot be parsed (${error}); correct the file`);
    faults.push(`${path}:${line}: ${message}`);
    return [];
  }
}
