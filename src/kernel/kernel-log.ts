// The kernel's log, /dev/kmsg (Documentation/ABI/testing/dev-kmsg, Linux 6.18), and which processes it says were killed for
// memory. Each read(2) gives one record, and none waits for the next one: the descriptor does not block.
//   3,1042,11734737884,-;Memory cgroup out of memory: Killed process 4713 (java) total-vm:207152kB, anon-rss:91648kB, …
// The prefix has facility and level in one number, the number of the record, and microseconds; lines that begin with a blank
// belong to the record above. Everything in a record that is no printable ASCII is written as \x0a.
import * as fs from 'node:fs';

/** The path for `KernelFiles.read`, which gives the records since the last read, and at the first time from the oldest on. */
export const KERNEL_LOG = 'dev/kmsg';

/** Records of one read: some milliseconds of work at most. */
const RECORDS_MAX = 1024;
/** No record is longer (PRINTK_MESSAGE_MAX, 8192 before Linux 6.3). */
const RECORD_MAX_BYTES = 8192;
/** Major 1, minor 11 (Documentation/admin-guide/devices.txt): elsewhere than on a host it may be a link to a terminal. */
const KMSG_DEVICE = 0x10b;

/** The log, opened once: the kernel keeps for the descriptor which record comes next. */
export class KernelLog {
  #fd: number | undefined;

  /** @returns bytes of whole records, written to the buffer from `from` on @throws the error of a system call */
  read(path: string, buffer: Uint8Array, from: number): number {
    this.#fd ??= open(path);
    let at = from;
    for (let records = 0; records < RECORDS_MAX && at + RECORD_MAX_BYTES <= buffer.length; records++) {
      try {
        at += fs.readSync(this.#fd, buffer, at, RECORD_MAX_BYTES, null);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EAGAIN') break; // there is no further record yet
        if (code !== 'EPIPE') throw error; // records were overwritten: the next read gives the oldest that is left
      }
    }
    return at - from;
  }
}

function open(path: string): number {
  const { rdev } = fs.statSync(path);
  if (rdev !== KMSG_DEVICE) throw Object.assign(new Error(`${path} is not the kernel's log`), { code: 'ENODEV' });
  return fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOCTTY);
}

export interface OomKill {
  /** In the first pid namespace. */
  readonly pid: number;
  /** The name that the process had, as the kernel's bytes, a character each. */
  readonly comm: string;
}

export interface LogText {
  /** Number of the last record; -1 where there is none. */
  readonly newest: number;
  readonly kills: readonly OomKill[];
}

const RECORD = /^(\d{1,10}),(\d{1,15}),[^;\n]*;(.*)$/gm;
/** Programs that write to the log (as root) cannot claim facility 0: in the prefix it is the part above three bits. */
const FACILITY = 8;
/**
 * The kernel's words stand before the name and behind it, and a name cannot hold all of these: it has 15 bytes. Linux 4.18
 * begins with "Killed process", behind a record "Kill process … or sacrifice child"; Red Hat's kernels have the user behind the name.
 */
const KILLED =
  /^(?:(?:Memory cgroup out|Out) of memory[^:]{0,40}: )?Killed process (\d{1,10}) \((.{0,60})\),? (?:UID \d+, )?total-vm:\d+kB/;

/** @param after number of the last record that is known */
export function parseKernelLog(text: string, after: number): LogText {
  let newest = -1;
  const kills: OomKill[] = [];
  for (const [, level, number, message] of text.matchAll(RECORD)) {
    newest = Number(number);
    if (newest <= after || Number(level) >= FACILITY) continue;
    const [, pid, comm] = KILLED.exec(message!) ?? [];
    if (comm !== undefined) kills.push({ pid: Number(pid), comm: withoutEscapes(comm) });
  }
  return { newest, kills };
}

const withoutEscapes = (text: string): string =>
  text.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** Reduces the log to the records of processes that were killed. The others must not leave the host in a capture. */
export function oomRecordsOf(log: Uint8Array): Uint8Array {
  const records = Buffer.from(log).toString('latin1').matchAll(RECORD);
  const kept = [...records].filter(([, level, , message]) => Number(level) < FACILITY && KILLED.test(message!));
  return Buffer.from(kept.map(([record]) => `${record}\n`).join(''), 'latin1');
}
