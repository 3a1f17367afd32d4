// The vocabulary: what identifies a process, what tells what it is, and what a rule makes of it.
// Types only; who fills them: kernel/ (readings), identity.ts (Identity), classify.ts (Classification).

/** A process, never confused with a later one of the same pid: pid and start time together (proc(5), stat field 22). */
export interface ProcessId {
  readonly pid: number;
  /** Start time in the kernel's clock ticks since boot. */
  readonly startTicks: number;
}

/** What is known of a process beyond its numbers: read once in its life, and again after an exec. */
export interface Identity {
  /** The kernel's comm (at most 15 bytes), made valid UTF-8 without loss of distinctness. */
  readonly name: string;
  /** Target of the exe link without the kernel's " (deleted)"; '' when it may not be read, or there is none. */
  readonly exe: string;
  /** Command line, bounded to its first 4 KiB, valid UTF-8. Empty for kernel threads. May hold secrets: never exported. */
  readonly argv: readonly string[];
  /** Name of the real user, or the number where the host has no name for it; '' when unknown. */
  readonly user: string;
  /** systemd unit the process runs in ("nginx.service"), or ''. */
  readonly unit: string;
  /** Container id (64 hex digits), or the name for runtimes that use names (LXC, nspawn), or ''. */
  readonly container: string;
  /** Kubernetes pod uid, canonical with dashes, or ''. */
  readonly podUid: string;
}

/** Where a process belongs, and which rule said so. */
export interface Classification {
  readonly group: string;
  readonly subgroup: string;
  /** The rule's own name ("catalogue/db.toml#postgres", "./subgroups.toml:3"), or "none" for other/other. */
  readonly rule: string;
}
