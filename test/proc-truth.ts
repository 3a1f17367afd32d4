// What /proc says, read independently of the product: the truth that end-to-end tests compare with.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const booted = Date.now() / 1000 - Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]);

/** Bytes, seconds of CPU, and the unix time of the start. */
export type Truth = {
  pid: number;
  comm: string;
  rss: number;
  pss: number;
  uss: number;
  cpuSeconds: number;
  start: number;
};

/** Bytes of one smaps_rollup, meminfo or status line. */
function kilobytes(text: string, key: string): number {
  return Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
}

/** One process; undefined when it is gone, has no memory of its own or may not be read. */
export function readTruth(pid: number, proc = '/proc'): Truth | undefined {
  try {
    const stat = readFileSync(`${proc}/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const rollup = readFileSync(`${proc}/${pid}/smaps_rollup`, 'latin1');
    if (rollup === '') return undefined;
    const uss = ['Private_Clean', 'Private_Dirty'].reduce((sum, key) => sum + kilobytes(rollup, key), 0);
    const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
    const comm = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    const start = booted + Number(fields[19]) / ticksPerSecond;
    return { pid, comm, rss: kilobytes(rollup, 'Rss'), pss: kilobytes(rollup, 'Pss'), uss, cpuSeconds, start };
  } catch {
    return undefined;
  }
}

/** Every process that has memory, as procfs lists them now. */
export function readAllTruths(proc = '/proc'): Truth[] {
  const pids = readdirSync(proc).filter((name) => /^\d+$/.test(name));
  return pids.map((pid) => readTruth(Number(pid), proc)).filter((truth) => truth !== undefined);
}

/** A process and all of its descendants, its own pid first. */
export function family(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
  return [pid, ...(children === '' ? [] : children.split(' ').flatMap((child) => family(Number(child))))];
}

export const hostMemory = (): number => kilobytes(readFileSync('/proc/meminfo', 'latin1'), 'MemTotal');
export const sharedMemory = (): number => kilobytes(readFileSync('/proc/meminfo', 'latin1'), 'Shmem');
export const availableMemory = (): number => kilobytes(readFileSync('/proc/meminfo', 'latin1'), 'MemAvailable');
