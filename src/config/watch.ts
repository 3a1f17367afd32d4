// Calls back when configuration files change, appear or go. An event of fs.watch is only a hint to look: what counts is
// whether the status of a file (stat: inode, size, times) differs from before. Where no events come, that status is polled. So one case covers a file written in
// place, an editor that renames, and Kubernetes, which exchanges the link ..data. No file is opened: a FIFO would block.
import { type FSWatcher, realpathSync, type Stats, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** Time between two looks that no event asked for, milliseconds. Ten files take some 30 µs. */
const POLL_MS = 10_000;
/**
 * Time between the first hint and the look, milliseconds: one save makes several events, and has to be one change. It doubles
 * with each look that finds nothing, up to POLL_MS: other programs may write to a watched folder all the time.
 */
const SETTLE_MS = 200;

export interface FileWatch {
  close(): void;
}

interface WatchOptions {
  /** Called once for each change of any of the paths. */
  readonly changed: () => void;
  /** Called for a folder that the system does not watch (no inotify watch is left, inotify(7)): changes in it are found by polling only. */
  readonly failed: (error: Error) => void;
  readonly settleMs?: number;
  readonly pollMs?: number;
}

/** Watches absolute paths, whether files exist there yet or not. It does not keep the process alive. */
export function watchFiles(
  paths: readonly string[],
  { changed, failed, settleMs = SETTLE_MS, pollMs = POLL_MS }: WatchOptions,
): FileWatch {
  /** By folder and inode; undefined where watching failed, so that each failure is reported once. */
  const watchers = new Map<string, FSWatcher | undefined>();
  let before = states(paths);
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let waitMs = settleMs;
  let hinted = false;

  const hint = () => {
    hinted = true;
    timer ??= setTimeout(look, waitMs).unref();
  };
  /** Watches every folder in which a change of the paths would show; one that was removed and made again is another. */
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
    waitMs = now === before ? Math.min(2 * waitMs, pollMs) : settleMs;
    if (now === before) return;
    before = now;
    changed();
  };

  arm();
  // Always, not only where watching failed: a network file system gives no events of changes that other hosts make.
  const poll = setInterval(() => {
    if (!hinted) waitMs = settleMs;
    hinted = false;
    if (states(paths) === before) return;
    clearTimeout(timer);
    timer = undefined;
    waitMs = settleMs;
    hint();
  }, pollMs).unref();
  return {
    close() {
      closed = true;
      clearInterval(poll);
      clearTimeout(timer);
      for (const watcher of watchers.values()) watcher?.close();
    },
  };
}

const states = (paths: readonly string[]): string => paths.map(stateOf).join();

/** Differs after every change of the file that links lead to; '' where this user finds no file. */
function stateOf(path: string): string {
  const status = statusOf(path);
  return status ? `${status.dev}:${status.ino}:${status.size}:${status.mtimeMs}:${status.ctimeMs}` : '';
}

function statusOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false }); // most of the files are not there, and an error costs more than a look
  } catch {
    return undefined;
  }
}

/**
 * The folders in which a change of a path shows: the nearest one that exists, and the one that links lead to. None where
 * this user may not enter the nearest one: nothing is loaded from there either.
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
