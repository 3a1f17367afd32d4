// check: tells whether the configuration is right, what this kernel offers, what this user may read of it, and which
// capability would buy which metric.
import { KernelFileError, type KernelFiles } from '../kernel/files.ts';
import { type Privileges, readPrivileges } from '../kernel/self.ts';
import type { UnreadableCount } from '../process/unreadable.ts';
import type { Invocation } from './arguments.ts';
import { collectOnce } from './scan.ts';
import { loadSetup, openHost, sourcesOf } from './setup.ts';

/** What each file is good for, and who may read it of other users' processes. */
const FILES: Readonly<Record<string, { buys: string; grant: string }>> = {
  smaps_rollup: { buys: 'measured PSS, USS and footprint', grant: 'CAP_SYS_PTRACE (or CAP_PERFMON on recent kernels)' },
  io: { buys: 'storage I/O', grant: 'CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH' },
  exe: { buys: 'rules on executables, and the label exe', grant: 'CAP_SYS_PTRACE' },
  stat: { buys: 'everything about these processes', grant: 'CAP_SYS_PTRACE, or a mount of /proc without hidepid' },
};

const FEATURES: readonly { path: string; buys: string }[] = [
  { path: 'proc/self/smaps_rollup', buys: 'PSS and USS (Linux 4.14, CONFIG_PROC_PAGE_MONITOR)' },
  { path: 'proc/pressure/memory', buys: 'memory pressure (Linux 4.20, CONFIG_PSI)' },
];

/** @throws ConfigError where the configuration is wrong */
export async function check(asked: Invocation): Promise<string> {
  const sources = sourcesOf(asked);
  const setup = await loadSetup(sources);
  const files = openHost(setup.config);
  const privileges = readPrivileges();
  const lines = [
    `configuration: ok, ${setup.files.length === 0 ? 'no file' : setup.files.join(', ')}`,
    `rules:         ok, ${setup.rules.length} of yours, ${setup.catalogue.length} of the catalogue`,
    `user:          ${privileges.uid === 0 ? 'root' : `uid ${privileges.uid}`}, ${capabilityText(privileges)}`,
  ];
  const { view } = await collectOnce(setup, files);
  for (const { path, buys } of FEATURES) {
    const missing = whyMissing(files, path);
    lines.push(`kernel:        /${path} ${missing ? `missing (${missing}): no ${buys}` : `there: ${buys}`}`);
  }
  lines.push(`processes:     ${view.seen} seen`);
  if (privileges.hidepid && !setup.config.capture) lines.push(...hiddenAdvice(privileges.hidepid));
  lines.push('', ...advice(view.unreadable.filter(({ reason, processes }) => reason !== 'gone' && processes > 0)));
  return `${lines.join('\n')}\n`;
}

function whyMissing(files: KernelFiles, path: string): string | undefined {
  try {
    files.read(path);
    return undefined;
  } catch (error) {
    if (error instanceof KernelFileError) return error.reason;
    throw error;
  }
}

function capabilityText({ capabilities }: Privileges): string {
  return capabilities.length === 0 ? 'without capabilities' : `with ${capabilities.join(', ')}`;
}

function hiddenAdvice(hidepid: string): string[] {
  return [
    `hidden:        /proc is mounted with hidepid=${hidepid}: processes of other users cannot be seen`,
    '               grant CAP_SYS_PTRACE, or mount it with gid=GROUP and run the exporter in that group',
  ];
}

function advice(denied: readonly UnreadableCount[]): string[] {
  if (denied.length === 0) return ['everything can be read.'];
  const lines = ['not everything can be read:'];
  for (const { file, reason, processes } of denied) {
    const known = FILES[file];
    lines.push(`  ${file} of ${processes} processes is ${reason}${known ? `; it buys ${known.buys}` : ''}`);
    if (known && reason === 'denied') lines.push(`    grant ${known.grant}`);
  }
  lines.push(
    '',
    'with systemd: AmbientCapabilities=CAP_SYS_PTRACE CAP_DAC_READ_SEARCH in the [Service] section.',
    'Without them RSS, CPU and estimated footprints are served all the same.',
  );
  return lines;
}
