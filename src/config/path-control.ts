// Who can change what stands at a path? A file that root owns is of no use below a folder that a user owns: the user
// renames the folder and puts another in its place. So every step of the path is looked at, from "/" to the file, and
// every link on the way is followed step by step, as the kernel does it (path_resolution(7)). A step is root's alone when
// root owns it and, for a folder or a regular file, neither its group nor others may write to it; who may write to a
// device does not change what it is. An access list (acl(5)) needs no look of its own: its mask is what the mode shows
// for the group.
//
// Example: /usr/local/bin/node -> /opt/nvm/v22/bin/node, where /opt/nvm belongs to user 1000: foreignStep() gives
// { path: "/opt/nvm", uid: 1000, mode: 0o755 }.
import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';

/** A step of a path that somebody other than root can change. */
export interface ForeignStep {
  readonly path: string;
  /** Its owner. */
  readonly uid: number;
  /** Its permission bits. */
  readonly mode: number;
}

/** As many links as the kernel follows. */
const LINKS_MAX = 40;
const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

/**
 * The first such step of an absolute path; undefined where only root can change what stands there, or put something there.
 * @param stickyIsSafe a folder like /tmp, where users may not rename what belongs to root, may stand above the last folder
 * @throws Error where a folder may not be entered, or links lead in a circle
 */
export function foreignStep(path: string, stickyIsSafe = false): ForeignStep | undefined {
  const waiting = path.split('/');
  let at = '/';
  let links = 0;
  let sticky: ForeignStep | undefined;
  for (let step: string | undefined = ''; step !== undefined; step = waiting.shift()) {
    const here = step === '..' ? dirname(at) : join(at, step);
    const status = lstatSync(here, { throwIfNoEntry: false });
    if (!status) return sticky; // Anybody may make it there.
    if (status.isSymbolicLink()) {
      if (status.uid !== 0) return stepOf(here, status);
      if (++links > LINKS_MAX) throw new Error(`${path}: its links lead in a circle`);
      const target = readlinkSync(here);
      waiting.unshift(...target.split('/'));
      if (target.startsWith('/')) at = '/';
      continue;
    }
    // Anybody may put a second name of a file of root into a sticky folder.
    if (sticky && !status.isDirectory()) return sticky;
    sticky = undefined;
    if (status.uid !== 0) return stepOf(here, status);
    if (status.mode & WRITABLE_BY_OTHERS && (status.isDirectory() || status.isFile())) {
      const foreign = stepOf(here, status);
      if (!(stickyIsSafe && status.isDirectory() && status.mode & STICKY)) return foreign;
      sticky = foreign;
    }
    at = here;
  }
  return undefined;
}

const stepOf = (path: string, { uid, mode }: Stats): ForeignStep => ({ path, uid, mode: mode & 0o7777 });
