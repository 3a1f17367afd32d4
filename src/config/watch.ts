// Tells when configuration files change, appear or go. Events of fs.watch are only hints to look: what counts is whether
// the files are others than before, so renames by editors and Kubernetes' swapped ..data links are all one case.
import { type FSWatcher, realpathSync, type Stats, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** Milliseconds between the first hint and the look, so that one save is one change. */
const SETTLE = 200;

export interface Watching {
  close(): void;
}

/**
 * Calls `changed` once for each change of any of these absolute paths, whether they exist yet or not. `failed` hears of
 * a folder the system would not watch (out of inotify watches); changes in it go unnoticed then. Keeps no process alive.
 */
export function watchFiles(paths: readonly string[], changed: () => void, failed: (error: Error) => void): Watching {
  /** By folder and inode; undefined where watching failed, so that it is told once. */
  const watchers = new Map<string, FSWatcher | undefined>();
  let before = states(paths);
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const hint = () => {
    timer ??= setTimeout(look, SETTLE).unref();
  };
  /** Watches every folder in which a change of the paths would show; a folder made anew counts as another. */
  const arm = () => {
    const wanted = new Map(paths.flatMap(foldersOf).map((folder) => [`${folder} ${statusOf(folder)?.ino}`, folder]));
    for (const [key, watcher] of watchers) {
      if (wanted.has(key)) continue;
      watcher?.close();
      watchers.delete(key);
    }
    for (const [key, folder] of wanted) {
      if (watchers.has(key)) continue;
      try {
        const watcher = watch(folder, { persistent: false }, hint);
        watcher.on('error', hint);
        watchers.set(key, watcher);
      } catch (error) {
        watchers.set(key, undefined);
        failed(error as Error);
      }
    }
  };
  const look = () => {
    timer = undefined;
    if (closed) return;
    arm();
    const now = states(paths);
    if (now === before) return;
    before = now;
    changed();
  };

  arm();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      for (const watcher of watchers.values()) watcher?.close();
    },
  };
}

const states = (paths: readonly string[]): string => paths.map(stateOf).join();

/** What tells one state of a file from the next, through every link; '' when it is not there for this user. */
function stateOf(path: string): string {
  const status = statusOf(path);
  return status ? `${status.dev}:${status.ino}:${status.size}:${status.mtimeMs}:${status.ctimeMs}` : '';
}

function statusOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/**
 * The folders in which a change of a path shows: the nearest that exists, and the one that links lead to. None where
 * this user may not enter: nothing is loaded from there either.
 */
function foldersOf(path: string): string[] {
  let folder = dirname(path);
  while (!statusOf(folder) && folder !== dirname(folder)) folder = dirname(folder);
  if (!statusOf(`${folder}/.`)) return [];
  try {
    return [folder, dirname(realpathSync(path))];
  } catch {
    return [folder];
  }
}
