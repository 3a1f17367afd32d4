// install, upgrade and uninstall: what is put in place on a host run by systemd, or below the folder of an image or
// package, in which order, and taken away again. install records every file with its hash; uninstall removes only files that are still as recorded, and keeps the others.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { getAsset } from 'node:sea';
import sysusers from '../../../deploy/systemd/herakles.sysusers.conf';
import bpfUnit from '../../../deploy/systemd/herakles-bpf.service';
import serviceUnit from '../../../deploy/systemd/herakles-node-exporter.service';
import socketUnit from '../../../deploy/systemd/herakles-node-exporter.socket';
import activation from '../../../deploy/systemd/socket-activation.conf';
import { type ForeignStep, foreignStep } from '../../config/path-control.ts';
import { isExecutable } from '../../kernel/executable.ts';
import { describeForeignStep } from '../foreign-step.ts';
import { program } from '../program.ts';
import { VerbError } from '../verb.ts';
import { FIRST_CONFIG, FIRST_RULES, unitOfExecutable } from './first-files.ts';
import {
  carryOut,
  FOREIGN,
  fileSteps,
  type Installation,
  type InstallRecord,
  linkSteps,
  RECORD,
  type Root,
  readRecord,
  removeRecord,
  removeStep,
  type Step,
  writeRecord,
} from './steps.ts';
import type { InstallOptions } from './verb.ts';

/** The Node.js that the shipped unit names. */
const SHIPPED_NODE = '/usr/bin/node';
const USER = 'herakles';
const SERVICE = 'herakles-node-exporter.service';
const SOCKET = 'herakles-node-exporter.socket';
const BPF = 'herakles-bpf.service';
const UNITS = '/etc/systemd/system';
const PROGRAM = isExecutable
  ? '/usr/local/lib/herakles/herakles-node-exporter'
  : '/usr/local/lib/herakles/herakles.cjs';
/** Licences of the libraries inside the program. */
const NOTICE = '/usr/local/lib/herakles/NOTICE';
const COMMAND = '/usr/local/bin/herakles-node-exporter';

const CONFIG_FILE = '/etc/herakles/config.yaml';
const RULE_FILE = '/etc/herakles/subgroups.toml';
const SYSUSERS = '/etc/sysusers.d/herakles.conf';
const DROP_IN = `${UNITS}/${SERVICE}.d/socket.conf`;
/** Every path at which install puts something, and its record. */
const PLACES = [
  ...[PROGRAM, NOTICE, COMMAND, CONFIG_FILE, RULE_FILE, SYSUSERS],
  ...[`${UNITS}/${SERVICE}`, `${UNITS}/${SOCKET}`, `${UNITS}/${BPF}`, DROP_IN, RECORD],
];

/** Files that an operator is expected to change. To keep them is no failure. */
const EDITED = [CONFIG_FILE, RULE_FILE];

/**
 * @returns one line for each step; status 1 where something that install did not write stands in the place of its own
 * @throws VerbError where it cannot be done on this host or by this user; then nothing has changed
 */
export function install({ dryRun, socket, bpf, root }: InstallOptions): InstallOutcome {
  if (root === '') demandHost('install', dryRun);
  else demandInside(root);
  const node = root === '' && !isExecutable ? reachableNode() : SHIPPED_NODE;
  const into = { root, record: readRecord(root) ?? { put: {}, user: false } };
  const steps = [
    ...programSteps(into),
    ...fileSteps(into, CONFIG_FILE, FIRST_CONFIG),
    ...fileSteps(into, RULE_FILE, FIRST_RULES),
    ...systemSteps(into, node, { socket, bpf }),
  ];
  if (root === '' && (into.record.pending || steps.some(({ run }) => run))) steps.push(...reloadSteps());
  const { done, complete } = put(into, steps, dryRun);
  if (!complete) return incomplete(done, 'install');
  const units = `${bpf ? `${BPF} ` : ''}${socket ? SOCKET : SERVICE}`;
  return { output: done + (root === '' ? nextCommand(steps, units) : leftToDo(root, units)), status: 0 };
}

/**
 * Replaces the program and the units, and restarts the service once if something has changed. Configuration and rules stay.
 * @throws VerbError as install, and where nothing is installed
 */
export function upgrade({ dryRun }: { readonly dryRun: boolean }): InstallOutcome {
  demandHost('upgrade', dryRun);
  const node = isExecutable ? SHIPPED_NODE : reachableNode();
  const record = readRecord();
  if (!record)
    throw new VerbError(`nothing to upgrade: ${RECORD} does not exist, so install has not put anything in place`);
  const into = { root: '', record };
  const has = (unit: string): boolean => record.put[`${UNITS}/${unit}`] !== undefined;
  const steps = [...programSteps(into), ...systemSteps(into, node, { socket: has(SOCKET), bpf: has(BPF) })];
  const changed = record.pending === true || steps.some(({ run }) => run);
  if (changed && systemdRuns()) {
    const units = has(BPF) ? [BPF, SERVICE] : [SERVICE];
    const run = (): void => execute('systemctl', 'try-restart', ...units);
    steps.push(...reloadSteps(), { action: 'run', what: `systemctl try-restart ${units.join(' ')}`, run });
  }
  const { done, complete } = put(into, steps, dryRun);
  if (!complete) return incomplete(done, 'upgrade');
  const none = `\nNothing to do: ${program.name} ${program.version} is installed. Run upgrade with the program of the new version.\n`;
  return { output: changed ? done : done + none, status: 0 };
}

interface InstallOutcome {
  readonly output: string;
  readonly status: 0 | 1;
}

/** Carries the steps out. complete: nothing but files for the operator to edit was kept as it is. */
function put(into: Installation, steps: readonly Step[], dryRun: boolean): { done: string; complete: boolean } {
  const done = carryOut(steps, dryRun, (all) => {
    into.record.pending = all ? undefined : true;
    writeRecord(into);
  });
  const kept = steps.filter(({ action, what }) => action === 'keep' && !EDITED.some((path) => what.startsWith(path)));
  return { done, complete: kept.length === 0 };
}

const incomplete = (done: string, verb: string): InstallOutcome => ({
  output: `${done}\nNot all of it is in place: move away what was kept, and run ${verb} again.\n`,
  status: 1,
});

/** What a host must have, and who may do it. @throws VerbError */
function demandHost(verb: string, dryRun: boolean): void {
  if (!dryRun) demandRoot(verb);
  if (!onPath('systemd-sysusers')) {
    throw new VerbError(
      `${verb} is for hosts run by systemd, and systemd-sysusers is not here; docs/deployment.md tells about other hosts`,
    );
  }
  for (const path of PLACES)
    demandRootOnly(path, 'look at what it holds, then give it to root alone (chown, chmod go-w)');
}

/** A link inside of the folder may lead to the host, which must stay as it is. @throws VerbError where one does */
function demandInside(root: Root): void {
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory())
    throw new VerbError(`${root} is not a folder; make the folder of the image or package first`);
  const real = realpathSync(root);
  for (const path of PLACES) {
    let folder = dirname(path);
    while (!lstatSync(root + folder, { throwIfNoEntry: false })) folder = dirname(folder);
    if (!existsSync(root + folder)) throw new VerbError(`${root}${folder} is a link to nothing; make its target first`);
    if (!`${realpathSync(root + folder)}/`.startsWith(`${real}/`))
      throw new VerbError(
        `${root}${folder} leads out of ${root}, to ${realpathSync(root + folder)}; use a relative link`,
      );
  }
}

/** @param units to start after the first time */
function nextCommand(steps: readonly Step[], units: string): string {
  const did = (wanted: Step['action']) => steps.some(({ action }) => action === wanted);
  if (did('create')) return `\nNext: systemctl enable --now ${units}\n`;
  return did('update') ? `\nNext: systemctl try-restart ${SERVICE}\n` : '';
}

/** What has to happen in the image or package, or on the machine that runs it. */
const leftToDo = (root: Root, units: string): string =>
  [
    `\nLeft to do for ${root}:`,
    ...(isExecutable ? [] : [`  Node.js 20.15 or newer at ${SHIPPED_NODE}`]),
    ...(process.geteuid?.() === 0 ? [] : [`  give the files to root: they belong to you now`]),
    `  systemd-sysusers --root=${root}   makes the user ${USER}`,
    `  systemctl --root=${root} enable ${units}`,
    '',
  ].join('\n');

/** @returns one line for each step @throws VerbError where nothing was installed, or this user may not remove it */
export function uninstall({ dryRun }: { readonly dryRun: boolean }): string {
  demandRootOnly(RECORD, 'what it says cannot be believed; remove it, and what install put in place by hand');
  const record = readRecord();
  if (!record) throw new VerbError(`nothing to uninstall: install writes ${RECORD}, and there is no such file`);
  if (!dryRun) demandRoot('uninstall');
  const steps: Step[] = [];
  if (systemdRuns()) {
    const units = [SOCKET, SERVICE, BPF].filter((unit) => existsSync(`${UNITS}/${unit}`));
    const run = (): void => execute('systemctl', 'disable', '--now', ...units);
    if (units.length > 0) steps.push({ action: 'run', what: `systemctl disable --now ${units.join(' ')}`, run });
  }
  for (const [path, mark] of Object.entries(record.put).reverse()) steps.push(removeStep(record, path, mark));
  if (record.user) steps.push({ action: 'remove', what: `user ${USER}`, run: () => execute('userdel', USER) });
  steps.push(...reloadSteps());
  return carryOut(steps, dryRun, (all) => {
    if (all) removeRecord();
  });
}

/** @throws VerbError where another program stands there: the unit would start it with two capabilities */
function programSteps(into: Installation): Step[] {
  const steps = fileSteps(into, PROGRAM, readFileSync(ownProgram()), 0o755);
  if (steps.some(({ action }) => action === 'keep'))
    throw new VerbError(
      `${into.root}${PROGRAM}: ${FOREIGN}, and the unit would start it with two capabilities; move it away, and try again`,
    );
  return [...steps, ...legalSteps(into), ...linkSteps(into, COMMAND, PROGRAM)];
}

/** The user and the units. */
function systemSteps(
  into: Installation,
  node: string,
  { socket, bpf }: Pick<InstallOptions, 'socket' | 'bpf'>,
): Step[] {
  const unitOf = (shipped: string): string =>
    isExecutable ? unitOfExecutable(shipped, PROGRAM) : shipped.replaceAll(`=${SHIPPED_NODE} `, () => `=${node} `);
  return [
    ...fileSteps(into, SYSUSERS, sysusers),
    ...(into.root === '' ? [userStep(into.record)] : []),
    ...fileSteps(into, `${UNITS}/${SERVICE}`, unitOf(serviceUnit)),
    ...(socket ? fileSteps(into, `${UNITS}/${SOCKET}`, socketUnit) : []),
    ...(socket ? fileSteps(into, DROP_IN, activation) : []),
    ...(bpf ? fileSteps(into, `${UNITS}/${BPF}`, unitOf(bpfUnit)) : []),
  ];
}

/** The licences of the libraries inside, which the build writes beside the bundle, and into the executable. */
function legalSteps(into: Installation): Step[] {
  if (isExecutable) return fileSteps(into, NOTICE, getAsset('NOTICE', 'utf8'));
  const text = join(dirname(ownProgram()), 'NOTICE');
  return existsSync(text) ? fileSteps(into, NOTICE, readFileSync(text)) : [];
}

function userStep(record: InstallRecord): Step {
  if (spawnSync('getent', ['passwd', USER]).status === 0) return { action: 'unchanged', what: `user ${USER}` };
  const run = (): void => {
    execute('systemd-sysusers', SYSUSERS);
    record.user = true;
  };
  return { action: 'create', what: `user ${USER}`, run };
}

function reloadSteps(): Step[] {
  if (!systemdRuns()) return [];
  return [{ action: 'run', what: 'systemctl daemon-reload', run: () => execute('systemctl', 'daemon-reload') }];
}

/** The bundle or the executable that runs now. */
const ownProgram = (): string => realpathSync(isExecutable ? process.execPath : process.argv[1]!);

/** The path of this Node.js, for the unit. @throws VerbError where a unit cannot start it */
function reachableNode(): string {
  const node = process.execPath;
  if (/[^\w./@+-]/.test(node))
    throw new VerbError(
      `${node}: a unit cannot name a path with such characters; run install with a node at another path`,
    );
  if (/^\/(?:home|root|run\/user|tmp|var\/tmp)\//.test(node))
    throw new VerbError(
      `${node} is hidden from services (ProtectHome, PrivateTmp); run install with a node below /usr or /opt`,
    );
  demandRootOnly(node, 'run install with a Node.js that only root can change, for example /usr/bin/node');
  return node;
}

/** What runs with capabilities, or tells it what to do, is changed by root alone. @throws VerbError where it is not */
function demandRootOnly(path: string, remedy: string): void {
  const step = foreignStepOf(path);
  if (!step) return;
  const way = step.path === path ? path : `${path}: ${step.path}`;
  throw new VerbError(
    `${way} ${describeForeignStep(step)}, so the service would do what they want with its capabilities; ${remedy}`,
  );
}

function foreignStepOf(path: string): ForeignStep | undefined {
  try {
    return foreignStep(path);
  } catch (error) {
    throw new VerbError(
      `${path}: who can change it is not known (${(error as Error).message}); look at each folder above`,
    );
  }
}

function demandRoot(name: string): void {
  if (process.geteuid?.() === 0) return;
  throw new VerbError(
    `${name} changes /etc and /usr/local, so it has to be run by root; --dry-run only says what it would do`,
  );
}

const systemdRuns = (): boolean => existsSync('/run/systemd/system');
const onPath = (command: string): boolean => spawnSync(command, ['--version']).status === 0;
const execute = (command: string, ...args: string[]): void =>
  void execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
