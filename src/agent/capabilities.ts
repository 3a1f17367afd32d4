// What an unreadable file of a process would have been good for, and who may read it. Asked by `check` and by the page.
import type { CountedFile, UnreadableCount } from '../process/unreadable.ts';

export interface Grant {
  /** What reading the file buys. */
  readonly buys: string;
  /** What lets this program read it of other users' processes. */
  readonly grant: string;
}

const GRANTS: Readonly<Partial<Record<CountedFile, Grant>>> = {
  smaps_rollup: { buys: 'measured PSS, USS and footprint', grant: 'CAP_SYS_PTRACE (or CAP_PERFMON on recent kernels)' },
  io: { buys: 'storage I/O', grant: 'CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH' },
  exe: { buys: 'rules on executables, and the label exe', grant: 'CAP_SYS_PTRACE' },
  stat: { buys: 'everything about these processes', grant: 'CAP_SYS_PTRACE, or a mount of /proc without hidepid' },
};

/** How to grant it to a service. */
export const UNIT_SETTING = 'AmbientCapabilities=CAP_SYS_PTRACE CAP_DAC_READ_SEARCH';

export const grantOf = (file: CountedFile): Grant | undefined => GRANTS[file];

/** What is not there for a reason that lasts: a process that ended is no loss. */
export const lasting = (counts: readonly UnreadableCount[]): UnreadableCount[] =>
  counts.filter(({ reason, processes }) => reason !== 'gone' && processes > 0);
