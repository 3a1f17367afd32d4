// What is missing while a file of other users' processes cannot be read, and which capability makes it readable. Shown
// by `check` and by the landing page.
import type { CountedFile, UnreadableCount } from '../process/unreadable.ts';

export interface FileAccess {
  /** What the exporter cannot know without the file. */
  readonly neededFor: string;
  /** What allows this program to read it for processes of other users. */
  readonly requires: string;
}

const ACCESS: Readonly<Partial<Record<CountedFile, FileAccess>>> = {
  smaps_rollup: {
    neededFor: 'measured PSS, USS and footprint',
    requires: 'CAP_SYS_PTRACE (or CAP_PERFMON on recent kernels)',
  },
  io: { neededFor: 'storage I/O', requires: 'CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH' },
  fd: { neededFor: 'open descriptors, before Linux 6.2', requires: 'CAP_DAC_READ_SEARCH' },
  exe: { neededFor: 'rules on executables, and the label exe', requires: 'CAP_SYS_PTRACE' },
  stat: { neededFor: 'all values of these processes', requires: 'CAP_SYS_PTRACE, or a mount of /proc without hidepid' },
};

/** How to grant the capabilities to a systemd service. */
export const UNIT_SETTING = 'AmbientCapabilities=CAP_SYS_PTRACE CAP_DAC_READ_SEARCH CAP_SYSLOG';

/** Undefined for a file that needs no capability. */
export const accessTo = (file: CountedFile): FileAccess | undefined => ACCESS[file];

/** The files that cannot be read for a lasting reason: that of an ended process is not worth a word. */
export const lastingFailures = (counts: readonly UnreadableCount[]): UnreadableCount[] =>
  counts.filter(({ reason, processes }) => reason !== 'gone' && processes > 0);
