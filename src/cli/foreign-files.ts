// Files that root finds in the folder it is started in, or in a home that it was left (sudo may keep HOME), and that
// others control: they are not read, as sudo and git do it. Otherwise ./herakles.yaml in the folder of a user decides what
// root reads, listens on and says in messages. A file that is named is read, also when it has another owner: naming it is a decision.
import { lstatSync } from 'node:fs';
import { basename } from 'node:path';
import { foreignStep } from '../config/path-control.ts';
import { escapeForTerminal } from '../text/hostile.ts';
import { describeForeignStep } from './foreign-step.ts';
import { remark } from './output.ts';

/** Files about which a message has been written; a reload does not write it again. */
const told = new Set<string>();

/**
 * Whether others than root control a file that nobody named. Where there is such a file, says once on standard error that
 * it is not read, and how to have it read.
 */
export function isForeignFile(path: string): boolean {
  try {
    const step = foreignStep(path, true);
    if (!step) return false;
    if (told.has(path) || !lstatSync(path, { throwIfNoEntry: false })) return true;
    told.add(path);
    const flag = basename(path) === 'subgroups.toml' ? '--subgroups' : '--config';
    const why = `${step.path === path ? 'it' : step.path} ${describeForeignStep(step)}`;
    remark(escapeForTerminal(`${path}: is not read by root, because ${why}; to read it, name it: ${flag} ${path}`));
    return true;
  } catch {
    return true; // A folder that root cannot look into is somebody else's.
  }
}
