// Single steps of install and uninstall: each looks first at what stands at its path, says what it would do, and does it
// when it is run. A file that is not as install left it belongs to somebody else, and is kept. The record of what was put in
// place is written also after a failure half-way, so that uninstall can undo the steps that were done.
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { writeNewFile } from '../new-file.ts';
import { VerbError } from '../verb.ts';

/** Where the files go: '' is this host; else the folder of an image or a package, below which every path is. */
export type Root = string;

/** What was installed, as JSON. */
export const RECORD = '/var/lib/herakles/installed.json';

/** What stands at a path: 'folder', 'link TARGET', or the SHA-256 of a file's bytes. */
type Mark = string;

export interface InstallRecord {
  /** What install put at each path, in the order in which it did. */
  readonly put: Record<string, Mark>;
  /** Whether install made the user. */
  user: boolean;
  /** Its last step was not reached, so the next run has to do what follows a change. */
  pending?: true | undefined;
}

/** What is being installed, and where. */
export interface Installation {
  readonly root: Root;
  readonly record: InstallRecord;
}

/** One thing to do, or to leave as it is; `run` is missing where nothing has to be done. */
export interface Step {
  readonly action: 'create' | 'update' | 'remove' | 'run' | 'keep' | 'unchanged';
  readonly what: string;
  readonly run?: () => void;
}

/**
 * Runs the steps in their order, each of them once.
 * @param finish is called with whether all steps were done; not for a dry run
 * @returns one line for each step @throws VerbError where a step fails
 */
export function carryOut(steps: readonly Step[], dryRun: boolean, finish: (all: boolean) => void): string {
  const lines: string[] = [];
  const once = steps.filter(({ what }, index) => steps.findIndex((step) => step.what === what) === index);
  process.umask(0o022);
  try {
    for (const { action, what, run } of once) {
      if (!dryRun) run?.();
      lines.push(`${dryRun && run ? 'would ' : ''}${action} ${what}\n`);
    }
  } catch (error) {
    finish(false);
    const { message } = error as Error;
    throw new VerbError(`${message}; remove the cause and run it again. Done so far:\n${lines.join('')}`);
  }
  if (!dryRun) finish(true);
  return lines.join('');
}

/** Why something is kept. */
export const FOREIGN = 'install did not write it, or it has been changed since';

/** Puts a file and the folders it needs in place. */
export function fileSteps(into: Installation, path: string, content: string | Buffer, mode = 0o644): Step[] {
  const { root, record } = into;
  const [now, wanted] = [markOf(root + path), hash(content)];
  if (now === wanted) {
    if (record.put[path] !== undefined) record.put[path] = wanted; // an install that was killed had not noted it yet
    return [{ action: 'unchanged', what: path }];
  }
  if (now !== undefined && now !== record.put[path]) return [{ action: 'keep', what: `${path}: ${FOREIGN}` }];
  const write = (): void => {
    writeNewFile(root + path, content, mode);
    record.put[path] = wanted;
  };
  return [
    ...folderSteps(into, dirname(path)),
    { action: now === undefined ? 'create' : 'update', what: path, run: write },
  ];
}

function folderSteps(into: Installation, path: string): Step[] {
  const { root, record } = into;
  if (existsSync(root + path)) return [];
  const make = (): void => {
    if (existsSync(root + path)) return;
    mkdirSync(root + path, { mode: 0o755 });
    record.put[path] = 'folder';
  };
  return [...folderSteps(into, dirname(path)), { action: 'create', what: `${path}/`, run: make }];
}

export function linkSteps(into: Installation, path: string, target: string): Step[] {
  const { root, record } = into;
  const now = markOf(root + path);
  if (now === `link ${target}`) return [{ action: 'unchanged', what: path }];
  if (now !== undefined && now !== record.put[path]) return [{ action: 'keep', what: `${path}: ${FOREIGN}` }];
  const run = (): void => {
    rmSync(root + path, { force: true });
    symlinkSync(target, root + path);
    record.put[path] = `link ${target}`;
  };
  return [
    ...folderSteps(into, dirname(path)),
    { action: now === undefined ? 'create' : 'update', what: `${path} -> ${target}`, run },
  ];
}

/** Takes away what install put at a path. */
export function removeStep(record: InstallRecord, path: string, mark: Mark): Step {
  if (mark === 'folder') {
    if (!existsSync(path)) return { action: 'unchanged', what: `${path}/: it is gone already` };
    const staying = stayingIn(record, path);
    if (staying.length > 0) return { action: 'keep', what: `${path}/: it holds ${staying.join(', ')}` };
    return { action: 'remove', what: `${path}/`, run: () => removeIfEmpty(path) };
  }
  const now = markOf(path);
  if (now === undefined) return { action: 'unchanged', what: `${path}: it is gone already` };
  if (now !== mark) return { action: 'keep', what: `${path}: ${FOREIGN}` };
  return { action: 'remove', what: path, run: () => rmSync(path) };
}

/** What uninstall leaves in a folder: what install did not put there, or somebody has changed since. */
const stayingIn = (record: InstallRecord, folder: string): string[] =>
  readdirSync(folder)
    .sort()
    .filter((name) => {
      const path = `${folder}/${name}`;
      const mark = record.put[path];
      return mark === 'folder' ? stayingIn(record, path).length > 0 : mark === undefined || markOf(path) !== mark;
    });

function removeIfEmpty(path: string): void {
  if (existsSync(path) && readdirSync(path).length === 0) rmdirSync(path);
}

const hash = (content: string | Buffer): Mark => createHash('sha256').update(content).digest('hex');

/** Undefined where nothing stands at the path. */
function markOf(path: string): Mark | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return undefined;
  if (found.isSymbolicLink()) return `link ${readlinkSync(path)}`;
  return found.isFile() ? hash(readFileSync(path)) : 'something else';
}

/** Undefined where nothing is installed. @throws VerbError where the record is damaged */
export function readRecord(root: Root = ''): InstallRecord | undefined {
  if (!existsSync(root + RECORD)) return undefined;
  const record = parsedJson(readFileSync(root + RECORD, 'utf8'));
  if (isRecord(record)) return record;
  throw new VerbError(
    `${root}${RECORD} is damaged, so nobody knows what was installed; remove that file and what install put in place by hand`,
  );
}

/** Undefined where the text is no JSON. */
function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is InstallRecord {
  const { put, user } = (value ?? {}) as Partial<Record<keyof InstallRecord, unknown>>;
  if (typeof put !== 'object' || put === null || Array.isArray(put) || typeof user !== 'boolean') return false;
  return Object.values(put).every((mark) => typeof mark === 'string');
}

export function writeRecord({ root, record }: Installation): void {
  mkdirSync(dirname(root + RECORD), { recursive: true, mode: 0o755 });
  writeNewFile(root + RECORD, `${JSON.stringify(record, undefined, 2)}\n`, 0o644);
}

export function removeRecord(): void {
  unlinkSync(RECORD);
  removeIfEmpty(dirname(RECORD));
}
