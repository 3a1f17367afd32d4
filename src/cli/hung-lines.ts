// Names the processes that were left out because their files below /proc do not answer.
import { countedProcesses } from './counted.ts';

/** So many pids are named. */
const NAMED_MAX = 20;

/** One line, or none where every process answers. */
export function hungLines(pids: readonly number[]): string[] {
  if (pids.length === 0) return [];
  const more = pids.length > NAMED_MAX ? ', …' : '';
  return [
    `left out, because reads of their files do not return: ${countedProcesses(pids.length)}, PID ${pids.slice(0, NAMED_MAX).join(', ')}${more}`,
  ];
}
