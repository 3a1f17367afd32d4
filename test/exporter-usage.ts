// What a running exporter uses, its readers included, as /proc has it: end-to-end tests that run for long compare it with
// its start.
import { readdirSync, readFileSync } from 'node:fs';
import { median } from '../bench/machine.ts';
import { family } from './proc-truth.ts';

export interface ExporterUsage {
  /** Anonymous resident bytes: what it has taken for itself, without the pages of the program. */
  readonly memory: number;
  /** Open descriptors; the descriptors of its readers are not counted. */
  readonly descriptors: number;
  /** It and its readers. */
  readonly processes: number;
}

export function exporterUsage(pid: number): ExporterUsage {
  const pids = family(pid);
  const memory = pids.reduce((sum, each) => sum + anonymous(each), 0);
  return { memory, descriptors: readdirSync(`/proc/${pid}/fd`).length, processes: pids.length };
}

/** 0 where the process has just ended. */
function anonymous(pid: number): number {
  try {
    return Number(/^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** The median memory of each quarter of a run, in MiB: a leak shows from the second to the last. */
export const memoryByQuarter = (usage: readonly ExporterUsage[]): number[] =>
  [0, 1, 2, 3]
    .map((quarter) => usage.slice((usage.length * quarter) / 4, (usage.length * (quarter + 1)) / 4))
    .map((part) => Math.round(median(part.map(({ memory }) => memory)) / 2 ** 20));
