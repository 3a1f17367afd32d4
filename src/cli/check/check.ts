// check: tells whether the configuration is right, what this kernel offers, what this user may read, and which capability
// would give which metric.
import type { Setup } from '../../agent/agent.ts';
import { describeBalance } from '../../agent/balance.ts';
import { accessTo, grantFor, hiddenAdvice, lastingFailures, UNIT_SETTING } from '../../agent/capabilities.ts';
import { describeUnknownName, stillUnknown, unknownNames } from '../../agent/unknown-names.ts';
import type { Config } from '../../config/options.ts';
import { settingsWithoutEffect } from '../../config/without-effect.ts';
import { type CounterSource, type KernelFiles, reasonOf } from '../../kernel/files.ts';
import { type Privileges, readPrivileges } from '../../kernel/self.ts';
import type { UnreadableCount } from '../../process/unreadable.ts';
import { Classifier } from '../../rules/classifier.ts';
import { lint } from '../../rules/linter.ts';
import { describeWebConfig, loadWebConfig } from '../../server/web-config.ts';
import { escapeForTerminal } from '../../text/hostile.ts';
import type { GroupRow } from '../../view/view.ts';
import { collectOnce } from '../collect-once.ts';
import { counted, countedProcesses } from '../counted.ts';
import { hungLines } from '../hung-lines.ts';
import { loadSetup, openHost, sourcesOf } from '../load-host.ts';
import { program } from '../program.ts';
import type { GivenSettings } from '../verb.ts';
import { oomKillLines } from './oom-kill-lines.ts';

/** Files of the kernel that depend on its version and on how it was built. */
export const FEATURES: readonly { path: string; gives: string }[] = [
  { path: 'proc/self/smaps_rollup', gives: 'PSS and USS (Linux 4.14, CONFIG_PROC_PAGE_MONITOR)' },
  { path: 'proc/meminfo', gives: "the host's memory by kind, and its swap" },
  { path: 'proc/vmstat', gives: 'the number of processes that the kernel killed for memory (Linux 4.13)' },
  { path: 'proc/stat', gives: 'start times (btime), CPUs, and the count of forks' },
  { path: 'proc/pressure/memory', gives: 'memory pressure (Linux 4.20, CONFIG_PSI)' },
];

/** @returns one line for each thing that was looked at @throws ConfigError where the configuration is wrong */
export async function check(settings: GivenSettings): Promise<string> {
  const sources = sourcesOf(settings);
  const setup = await loadSetup(sources);
  const web = await loadWebConfig(setup.config, []);
  const files = await openHost(setup.config);
  const privileges = readPrivileges(setup.config.path_procfs);
  const findings = lint(setup.rules, setup.catalogue).length;
  const classifier = new Classifier(setup.rules, setup.catalogue);
  const { view } = await collectOnce(setup, files, { classifier, footprints: 'settings' });
  const unknown = unknownNamesOf(setup, classifier, view.groups);
  const lines = [
    `configuration: ok, ${setup.files.length === 0 ? 'no file' : setup.files.join(', ')}`,
    ...[...unknown, ...settingsWithoutEffect(setup.config, setup.origins)].map(warningLine),
    `rules:         ok, ${setup.rules.length} of yours, ${setup.catalogue.length} of the catalogue`,
    ...(findings > 0
      ? [warningLine(`${counted(findings, 'finding')}; ${program.name} subgroups lint shows more`)]
      : []),
    `web:           ok, ${describeWebConfig(web)}`,
    ...web.warnings.map(warningLine),
    `user:          ${privileges.uid === 0 ? 'root' : `uid ${privileges.uid}`}, ${capabilityText(privileges)}`,
  ];
  for (const { path, gives } of FEATURES) {
    const reason = whyUnreadable(files, path);
    const state = reason ? `cannot be read (${reason})` : 'can be read';
    lines.push(`kernel:        /${path} ${state}; it is needed for ${gives}`);
  }
  lines.push(`source:        ${sourceText(view.source, setup.config)}`);
  const balance = describeBalance(view);
  lines.push(`memory:        ${balance.memory}`);
  const [oomKills, ...remedy] = oomKillLines(view.oomKills);
  lines.push(`oom kills:     ${oomKills}`, ...remedy.map((line) => `               ${line}`));
  lines.push(
    `processes:     ${view.seen} seen, ${balance.processes}`,
    ...hungLines(view.hung).map((line) => `               ${line}`),
  );
  const hidden = privileges.hidepid !== '' && !setup.config.capture;
  if (hidden) lines.push(...hiddenLines(privileges));
  lines.push('', ...advice(lastingFailures(view.unreadable), privileges, hidden));
  return `${lines.join('\n')}\n`;
}

/** Names of groups that exist nowhere, with the place where each is set. */
function unknownNamesOf({ config, origins }: Setup, classifier: Classifier, groups: readonly GroupRow[]): string[] {
  const seen = groups.map(({ counters }) => counters);
  return stillUnknown(unknownNames(config, classifier.subgroups()), seen).map(
    (name) => `${origins[name.setting]}: ${describeUnknownName(name)}`,
  );
}

const warningLine = (warning: string): string => `               warning: ${escapeForTerminal(warning)}`;

/** Undefined where the file can be read. */
function whyUnreadable(files: KernelFiles, path: string): string | undefined {
  try {
    files.read(path);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

function capabilityText({ capabilities, userNamespace }: Privileges): string {
  const held = capabilities.length === 0 ? 'without capabilities' : `with ${capabilities.join(', ')}`;
  return userNamespace ? `in a user namespace, ${held} there` : held;
}

const hiddenLines = (privileges: Privileges): string[] => [
  `hidden:        /proc is mounted with hidepid=${privileges.hidepid}: processes of other users cannot be seen`,
  `               ${hiddenAdvice(privileges)}`,
];

function sourceText({ name, problem }: CounterSource, { source, bpf_file: file }: Config): string {
  if (name === 'bpf') return `bpf, the program that is pinned at ${file}`;
  if (problem !== undefined) return `procfs, because of ${file}: ${problem}`;
  return source === 'procfs' ? 'procfs' : `procfs; nothing is pinned at ${file}`;
}

function advice(denied: readonly UnreadableCount[], privileges: Privileges, hidden: boolean): string[] {
  if (denied.length === 0)
    return [hidden ? 'Of the processes that can be seen, everything can be read.' : 'Everything can be read.'];
  const lines = ['Not everything can be read:'];
  let helps = false;
  for (const count of denied) {
    const { file, reason, processes } = count;
    const known = accessTo(file);
    const use = known ? `; it is needed for ${known.neededFor}` : '';
    lines.push(`  /proc/PID/${file} of ${countedProcesses(processes)} cannot be read (${reason})${use}`);
    const grant = grantFor(count, privileges);
    if (grant) lines.push(`    grant ${grant}`);
    helps ||= grant !== undefined;
  }
  if (!denied.some(({ reason }) => reason === 'denied')) return lines;
  if (privileges.userNamespace) {
    return [
      ...lines,
      '',
      'This program runs in a user namespace (rootless container, unshare --user): a capability counts only for processes of',
      'that namespace. Run it outside, with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, to read the others (user_namespaces(7)).',
    ];
  }
  if (!helps) {
    return [
      ...lines,
      '',
      'This user has every capability that helps. A security module of the kernel protects the rest.',
    ];
  }
  lines.push(
    '',
    `With systemd, write ${UNIT_SETTING} into the [Service] section of the unit.`,
    'Without these capabilities, RSS, CPU and estimated footprints are still served.',
  );
  return lines;
}
