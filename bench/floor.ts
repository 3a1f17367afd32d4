// The floor: the same reads of the same files, through the same calls, with nothing done to what they give.
// Run as a program: after each line on stdin it reads every process once, and prints how many.
import * as fs from 'node:fs';
import { createInterface } from 'node:readline';
import { keptDescriptors } from '../src/kernel/files.ts';

const FLAGS = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK;
const KEPT = ['stat', 'statm', 'io'];
const buffer = new Uint8Array(64 << 10);
const kept = new Map<string, number[]>();
/** As many descriptors stay open as the exporter keeps. */
const most = keptDescriptors() / KEPT.length;

/** One pass: kept descriptors for the cheap counters, and smaps_rollup opened anew. */
function pass(rollups: boolean): number {
  let processes = 0;
  for (const pid of fs.readdirSync('/proc')) {
    const first = pid.charCodeAt(0);
    if (first < 0x31 || first > 0x39) continue;
    processes++;
    try {
      const files = kept.get(pid) ?? KEPT.map((file) => fs.openSync(`/proc/${pid}/${file}`, FLAGS));
      for (const fd of files) fs.readSync(fd, buffer, 0, buffer.length, 0);
      if (kept.size < most) kept.set(pid, files);
      else if (!kept.has(pid)) for (const fd of files) fs.closeSync(fd);
      if (!rollups) continue;
      const fd = fs.openSync(`/proc/${pid}/smaps_rollup`, FLAGS);
      try {
        fs.readSync(fd, buffer, 0, buffer.length, null);
      } finally {
        fs.closeSync(fd);
      }
    } catch {} // gone, or a kernel thread
  }
  return processes;
}

createInterface(process.stdin).on('line', (line) => console.log(`read ${pass(line === 'exact')}`));
console.log('ready');
