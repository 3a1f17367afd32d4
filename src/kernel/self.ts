// What Linux says about this exporter's own process (proc(5), Linux 6.18). It is read from the running kernel also when
// the exporter serves a capture.
import { readdirSync, readFileSync, statSync } from 'node:fs';

export interface SelfReading {
  /** Open descriptors. */
  readonly openFiles: number;
  /** Descriptors that it may have open: its soft limit RLIMIT_NOFILE. */
  readonly maxFiles: number;
  /** Bytes of address space. */
  readonly virtualMemory: number;
}

/**
 * The state of this process; NaN where a value cannot be read. Since Linux 6.2 the size of /proc/self/fd is the number of
 * its entries; before, it is 0 and the entries are counted. `Max open files  1024  524288  files` is a line of limits,
 * `VmSize:\t   12345 kB` one of status.
 */
export function readSelf(): SelfReading {
  return {
    openFiles: orNaN(() => statSync('/proc/self/fd').size || readdirSync('/proc/self/fd').length),
    maxFiles: orNaN(() => numberIn('/proc/self/limits', /^Max open files\s+(\d+)/m)),
    virtualMemory: orNaN(() => numberIn('/proc/self/status', /^VmSize:\s+(\d+) kB/m) * 1024),
  };
}

const numberIn = (path: string, pattern: RegExp): number => Number(pattern.exec(readFileSync(path, 'latin1'))?.[1]);

function orNaN(read: () => number): number {
  try {
    return read();
  } catch {
    return Number.NaN;
  }
}

/** What this process may read, and how /proc is mounted for it. */
export interface Privileges {
  readonly uid: number;
  /** Effective capabilities that matter for reading /proc, by name (capabilities(7)). */
  readonly capabilities: readonly string[];
  /** Value of the mount option hidepid (proc(5)) where it hides processes; '' where it does not. */
  readonly hidepid: string;
}

const CAPABILITIES: readonly (readonly [bit: bigint, name: string])[] = [
  [2n, 'CAP_DAC_READ_SEARCH'],
  [19n, 'CAP_SYS_PTRACE'],
  [38n, 'CAP_PERFMON'],
];

export function readPrivileges(): Privileges {
  const effective = BigInt(`0x${match('/proc/self/status', /^CapEff:\s+([0-9a-f]+)/m) || '0'}`);
  const hidepid = match('/proc/self/mounts', /^\S+ \/proc proc \S*\bhidepid=(\w+)/m);
  return {
    uid: process.getuid?.() ?? 0,
    capabilities: CAPABILITIES.filter(([bit]) => (effective >> bit) & 1n).map(([, name]) => name),
    hidepid: hidepid === '0' || hidepid === 'off' ? '' : hidepid,
  };
}

function match(path: string, pattern: RegExp): string {
  try {
    return pattern.exec(readFileSync(path, 'latin1'))?.[1] ?? '';
  } catch {
    return '';
  }
}
