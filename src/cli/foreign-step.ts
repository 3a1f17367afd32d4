// Says in words why others than root control a step of a path (config/path-control.ts).
import type { ForeignStep } from '../config/path-control.ts';
import { readUsers } from '../kernel/host.ts';
import { liveFiles } from '../kernel/live-host.ts';

/** "belongs to user bob (uid 1000)", or "may be written by others than root (mode 0777)". */
export function describeForeignStep({ uid, mode }: ForeignStep): string {
  if (uid === 0) return `may be written by others than root (mode 0${mode.toString(8)})`;
  const name = readUsers(liveFiles('/proc')).get(uid);
  return name === undefined ? `belongs to uid ${uid}` : `belongs to user ${name} (uid ${uid})`;
}
