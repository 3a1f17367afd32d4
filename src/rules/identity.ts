// What a rule looks at, and what it decides: the words that rules and processes share.

/** What is known of a process besides its numbers. It is read once in a process's life, and again after an exec. */
export interface Identity {
  /** The kernel's comm (at most 15 bytes), made valid UTF-8 so that different names stay different. */
  readonly name: string;
  /** Target of the exe link without the kernel's " (deleted)"; '' when it may not be read, or there is none. */
  readonly exe: string;
  /**
   * Command line, its first 64 KiB, valid UTF-8; empty for kernel threads. It may hold secrets, so no metric, log line
   * or page shows it; only `explain` does, scrubbed.
   */
  readonly argv: readonly string[];
  /** Name of the real user, or the number where the host has no name for it; '' when unknown. */
  readonly user: string;
  /** systemd unit that the process runs in ("nginx.service"), or ''. */
  readonly unit: string;
  /** Container id (64 hex digits), or the name for runtimes that use names (LXC, nspawn), or ''. */
  readonly container: string;
  /** Kubernetes pod uid, canonical with dashes, or ''. */
  readonly podUid: string;
}

/** The first word of a command line; '' where there is none: V8 is slow at each read behind the end of an array. */
export const argv0Of = (argv: readonly string[]): string => (argv.length > 0 ? argv[0]! : '');

/** Where a process belongs, and which rule decided that. */
export interface Classification {
  readonly group: string;
  readonly subgroup: string;
  /**
   * The rule's name ("catalogue/db.toml#postgres", "./subgroups.toml:3"); NO_RULE for other/other; SERVICE_RULE for
   * service/<unit>; or the ancestor from which the process inherited ("inherited from PID 7 (./subgroups.toml:3)").
   */
  readonly rule: string;
}

/** What is known of a process when nothing of it can be read. */
export const UNKNOWN_IDENTITY: Identity = {
  name: '',
  exe: '',
  argv: [],
  user: '',
  unit: '',
  container: '',
  podUid: '',
};

/** The rule of a process that no rule matches. */
export const NO_RULE = 'none';

/** Where a process belongs that no rule matches. */
export const UNCLASSIFIED: Classification = { group: 'other', subgroup: 'other', rule: NO_RULE };

/** The rule of a process that no rule matches, and that has its group from its system unit (service-groups.ts). */
export const SERVICE_RULE = 'none; system unit';

/** Whether no rule matched, so that the process is in other/other or in the group of its service. */
export const isWithoutRule = ({ rule }: Pick<Classification, 'rule'>): boolean =>
  rule === NO_RULE || rule === SERVICE_RULE;

/** Kernel threads are not matched against rules: all of them belong here. */
export const KERNEL_THREAD: Classification = { group: 'system', subgroup: 'kernel', rule: 'kernel thread' };
