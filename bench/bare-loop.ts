// The bare loop: the same reads of the same files through the same calls as the exporter, but the results are discarded.
// It runs as a program: for each line on standard input it reads every process once, and prints how many there were.
import * as fs from 'node:fs';
import { createInterface } from 'node:readline';
import { keptDescriptors } from '../src/kernel/kept-descriptors.ts';
import { IDLE_TURNS } from '../src/process/rss.ts';

const FLAGS = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK;
const buffer = new Uint8Array(64 << 10);
/** Descriptors that may stay open. */
const openMax = keptDescriptors();
/** Path of the procfs. */
const procfs = process.argv[2] ?? '/proc';
const FILES = ['stat', 'io', 'statm'] as const;
const [STAT, IO, STATM] = [0, 1, 2] as const;
/** Open descriptors by pid, in the order of FILES. */
const kept = new Map<string, (number | undefined)[]>();
let open = 0;
let passes = 0;

function read(pid: string, fds: (number | undefined)[], file: number, keep: boolean): void {
  const known = fds[file];
  if (known !== undefined) return void fs.readSync(known, buffer, 0, buffer.length, 0);
  const fd = fs.openSync(`${procfs}/${pid}/${FILES[file]}`, FLAGS);
  if (keep && open < openMax) {
    fds[file] = fd;
    open++;
  }
  try {
    fs.readSync(fd, buffer, 0, buffer.length, 0);
  } finally {
    if (fds[file] !== fd) fs.closeSync(fd);
  }
}

function readRollup(pid: string): void {
  const fd = fs.openSync(`${procfs}/${pid}/smaps_rollup`, FLAGS);
  try {
    fs.readSync(fd, buffer, 0, buffer.length, null);
  } finally {
    fs.closeSync(fd);
  }
}

/** One pass: the cheap counters through descriptors that stay open; smaps_rollup is opened and closed each time. */
function pass(rollups: boolean): number {
  passes++;
  const pids = fs.readdirSync(procfs).filter((name) => name.charCodeAt(0) > 0x30 && name.charCodeAt(0) <= 0x39);
  const roomForStatm = openMax - 2 * pids.length;
  let index = 0;
  for (const pid of pids) {
    let fds = kept.get(pid);
    if (!fds) {
      fds = [undefined, undefined, undefined];
      kept.set(pid, fds);
    }
    index++;
    try {
      read(pid, fds, STAT, true);
      read(pid, fds, IO, true);
      if ((index + passes) % IDLE_TURNS === 0) read(pid, fds, STATM, index < roomForStatm);
      if (rollups) readRollup(pid);
    } catch {} // gone, or a kernel thread
  }
  return pids.length;
}

createInterface(process.stdin).on('line', (line) => console.log(`read ${pass(line === 'exact')}`));
console.log('ready');
