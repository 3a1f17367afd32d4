// What is missing while a file of other users' processes cannot be read, and what would make it readable for this very
// process: a capability that it has already, or one that does not count in its user namespace, is no advice. Shown by `check`,
// by the landing page and by the API.
import type { Privileges } from '../kernel/self.ts';
import type { CountedFile, UnreadableCount } from '../process/unreadable.ts';

export interface FileAccess {
  /** What the exporter cannot know without the file. */
  readonly neededFor: string;
  /** What allows this program to read it for processes of other users. */
  readonly requires: string;
  /** The capabilities that are surely enough. */
  readonly capabilities: readonly string[];
}

const PTRACE = 'CAP_SYS_PTRACE';
const SEARCH = 'CAP_DAC_READ_SEARCH';

const ACCESS: Readonly<Partial<Record<CountedFile, FileAccess>>> = {
  smaps_rollup: {
    neededFor: 'measured PSS, USS and footprint',
    requires: `${PTRACE} (or CAP_PERFMON on recent kernels)`,
    capabilities: [PTRACE],
  },
  io: { neededFor: 'storage I/O', requires: `${PTRACE} and ${SEARCH}`, capabilities: [PTRACE, SEARCH] },
  fd: { neededFor: 'open descriptors, before Linux 6.2', requires: SEARCH, capabilities: [SEARCH] },
  exe: { neededFor: 'rules on executables, and the label exe', requires: PTRACE, capabilities: [PTRACE] },
  stat: {
    neededFor: 'all values of these processes',
    requires: `${PTRACE}, or a mount of /proc without hidepid`,
    capabilities: [PTRACE],
  },
};

/** How to grant the capabilities to a systemd service. */
export const UNIT_SETTING = `AmbientCapabilities=${PTRACE} ${SEARCH}`;

/** Undefined for a file that needs no capability. */
export const accessTo = (file: CountedFile): FileAccess | undefined => ACCESS[file];

/** What to grant to this process, so that it can read the file; undefined where no capability would help it. */
export function grantFor({ file, reason }: UnreadableCount, privileges: Privileges): string | undefined {
  const access = accessTo(file);
  if (!access || reason !== 'denied' || privileges.userNamespace) return undefined;
  return access.capabilities.every((name) => privileges.capabilities.includes(name)) ? undefined : access.requires;
}

/** What would show the hidden processes to this one. With hidepid=ptraceable, the group of the mount sees no more than others. */
export function hiddenAdvice({ hidepid, userNamespace }: Privileges): string {
  const grant = userNamespace ? `run the exporter outside of its user namespace, with ${PTRACE}` : `grant ${PTRACE}`;
  const byGroup = hidepid !== 'ptraceable' && hidepid !== '4';
  return byGroup ? `${grant}, or mount /proc with gid=GROUP and run the exporter in that group` : grant;
}

/** The files that cannot be read for a lasting reason: that of an ended process is not worth a word. */
export const lastingFailures = (counts: readonly UnreadableCount[]): UnreadableCount[] =>
  counts.filter(({ reason, processes }) => reason !== 'gone' && processes > 0);
