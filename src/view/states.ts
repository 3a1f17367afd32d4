// The states of processes as they are shown.
import { BLOCKED, DEAD, SLEEPING, ZOMBIE } from '../process/process.ts';

/** In the order of `GroupRow.states`; a row of a process has the index. */
export const STATES = ['running', 'sleeping', 'blocked', 'stopped', 'zombie', 'idle'] as const;

/** Index in STATES of the state in /proc/<pid>/stat (proc(5)): R, S, D, T or t, Z or X; I, and P, W, K of older kernels. */
export function stateIndex(code: number): number {
  if (code === SLEEPING) return 1;
  if (code === 0x52) return 0;
  if (code === BLOCKED) return 2;
  if (code === 0x54 || code === 0x74) return 3;
  if (code === ZOMBIE || code === DEAD) return 4;
  return 5;
}
