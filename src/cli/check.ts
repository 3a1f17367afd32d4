// check: tells whether the configuration is right, what this kernel offers, what this user may read of it, and which
// capability would buy which metric.
import { grantOf, lasting, UNIT_SETTING } from '../agent/capabilities.ts';
import { KernelFileError, type KernelFiles } from '../kernel/files.ts';
import { type Privileges, readPrivileges } from '../kernel/self.ts';
import type { UnreadableCount } from '../process/unreadable.ts';
import { lint } from '../rules/linter.ts';
import { describeWebConfig, loadWebConfig } from '../server/web-config.ts';
import type { Invocation } from './arguments.ts';
import { loadSetup, openHost, sourcesOf } from './load-host.ts';
import { collectOnce } from './scan.ts';

const FEATURES: readonly { path: string; buys: string }[] = [
  { path: 'proc/self/smaps_rollup', buys: 'PSS and USS (Linux 4.14, CONFIG_PROC_PAGE_MONITOR)' },
  { path: 'proc/pressure/memory', buys: 'memory pressure (Linux 4.20, CONFIG_PSI)' },
];

/** @throws ConfigError where the configuration is wrong */
export async function check(asked: Invocation): Promise<string> {
  const sources = sourcesOf(asked);
  const setup = await loadSetup(sources);
  const web = await loadWebConfig(setup.config, []);
  const files = openHost(setup.config);
  const privileges = readPrivileges();
  const own = new Set(setup.rules.map(({ name }) => name));
  const findings = lint(setup.rules, setup.catalogue).filter(({ rule }) => own.has(rule)).length;
  const lines = [
    `configuration: ok, ${setup.files.length === 0 ? 'no file' : setup.files.join(', ')}`,
    `rules:         ok, ${setup.rules.length} of yours, ${setup.catalogue.length} of the catalogue`,
    ...(findings > 0
      ? [`               warning: ${findings} findings; herakles-node-exporter subgroups lint tells`]
      : []),
    `web:           ok, ${describeWebConfig(web)}`,
    ...web.warnings.map((warning) => `               warning: ${warning}`),
    `user:          ${privileges.uid === 0 ? 'root' : `uid ${privileges.uid}`}, ${capabilityText(privileges)}`,
  ];
  const { view } = await collectOnce(setup, files);
  for (const { path, buys } of FEATURES) {
    const missing = whyMissing(files, path);
    lines.push(`kernel:        /${path} ${missing ? `missing (${missing}): no ${buys}` : `there: ${buys}`}`);
  }
  lines.push(`processes:     ${view.seen} seen`);
  const hidden =
    privileges.hidepid !== '' && !privileges.capabilities.includes('CAP_SYS_PTRACE') && !setup.config.capture;
  if (hidden) lines.push(...hiddenAdvice(privileges.hidepid));
  lines.push('', ...advice(lasting(view.unreadable), privileges, hidden));
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

function advice(denied: readonly UnreadableCount[], { capabilities }: Privileges, hidden: boolean): string[] {
  if (denied.length === 0) return [hidden ? 'of what can be seen, everything can be read.' : 'everything can be read.'];
  const granted = ['CAP_SYS_PTRACE', 'CAP_DAC_READ_SEARCH'].every((name) => capabilities.includes(name));
  const lines = ['not everything can be read:'];
  for (const { file, reason, processes } of denied) {
    const known = grantOf(file);
    lines.push(`  ${file} of ${processes} processes is ${reason}${known ? `; it buys ${known.buys}` : ''}`);
    if (known && reason === 'denied' && !granted) lines.push(`    grant ${known.grant}`);
  }
  if (granted) {
    return [
      ...lines,
      '',
      'This user has every capability that would help: what is still denied, a security module protects.',
    ];
  }
  lines.push(
    '',
    `with systemd: ${UNIT_SETTING} in the [Service] section.`,
    'Without them RSS, CPU and estimated footprints are served all the same.',
  );
  return lines;
}
