// install and uninstall: what is put in place on a host run by systemd, in which order, and taken away again. install
// records every file with its hash; uninstall removes only files that are still as recorded, and keeps the others.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { getAsset } from 'node:sea';
import sysusers from '../../../deploy/systemd/herakles.sysusers.conf';
import serviceUnit from '../../../deploy/systemd/herakles-node-exporter.service';
import socketUnit from '../../../deploy/systemd/herakles-node-exporter.socket';
import activation from '../../../deploy/systemd/socket-activation.conf';
import { type ForeignStep, foreignStep } from '../../config/path-control.ts';
import { isExecutable } from '../../kernel/executable.ts';
import { describeForeignStep } from '../foreign-step.ts';
import { VerbError } from '../verb.ts';
import { FIRST_CONFIG, FIRST_RULES, unitOfExecutable } from './first-files.ts';
import {
  carryOut,
  FOREIGN,
  fileSteps,
  type InstallRecord,
  linkStep,
  RECORD,
  readRecord,
  removeRecord,
  removeStep,
  type Step,
  writeRecord,
} from './steps.ts';

const USER = 'herakles';
const SERVICE = 'herakles-node-exporter.service';
const SOCKET = 'herakles-node-exporter.socket';
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
  ...[`${UNITS}/${SERVICE}`, `${UNITS}/${SOCKET}`, DROP_IN, RECORD],
];

/** Files that an operator is expected to change. To keep them is no failure. */
const EDITED = [CONFIG_FILE, RULE_FILE];

/**
 * @returns one line for each step; status 1 where something that install did not write stands in the place of its own
 * @throws VerbError where it cannot be done on this host or by this user; then nothing has changed
 */
export function install({ dryRun, socket }: { readonly dryRun: boolean; readonly socket: boolean }): InstallOutcome {
  if (!dryRun) demandRoot('install');
  if (!onPath('systemd-sysusers')) {
    throw new VerbError(
      'install is for hosts run by systemd, and systemd-sysusers is not here; docs/deployment.md tells about other hosts',
    );
  }
  const node = isExecutable ? '' : reachableNode();
  for (const path of PLACES)
    demandRootOnly(path, 'look at what it holds, then give it to root alone (chown, chmod go-w)');
  const record = readRecord() ?? { put: {}, user: false };
  const steps = [
    ...programSteps(record),
    ...legalSteps(record),
    linkStep(record, COMMAND, PROGRAM),
    ...fileSteps(record, CONFIG_FILE, FIRST_CONFIG),
    ...fileSteps(record, RULE_FILE, FIRST_RULES),
    ...fileSteps(record, SYSUSERS, sysusers),
    userStep(record),
    ...fileSteps(
      record,
      `${UNITS}/${SERVICE}`,
      isExecutable ? unitOfExecutable(serviceUnit, PROGRAM) : serviceUnit.replace('=/usr/bin/node ', () => `=${node} `),
    ),
    ...(socket ? fileSteps(record, `${UNITS}/${SOCKET}`, socketUnit) : []),
    ...(socket ? fileSteps(record, DROP_IN, activation) : []),
  ];
  if (steps.some(({ run }) => run)) steps.push(...reloadSteps());
  const done = carryOut(steps, dryRun, () => writeRecord(record));
  const kept = steps.filter(({ action, what }) => action === 'keep' && !EDITED.some((path) => what.startsWith(path)));
  if (kept.length > 0)
    return {
      output: `${done}\nNot all of it is in place: move away what was kept, and run install again.\n`,
      status: 1,
    };
  return { output: done + nextCommand(steps, socket ? SOCKET : SERVICE), status: 0 };
}

interface InstallOutcome {
  readonly output: string;
  readonly status: 0 | 1;
}

/** @param unit to start after the first time */
function nextCommand(steps: readonly Step[], unit: string): string {
  const did = (wanted: Step['action']) => steps.some(({ action }) => action === wanted);
  if (did('create')) return `\nNext: systemctl enable --now ${unit}\n`;
  return did('update') ? `\nNext: systemctl try-restart ${SERVICE}\n` : '';
}

/** @returns one line for each step @throws VerbError where nothing was installed, or this user may not remove it */
export function uninstall({ dryRun }: { readonly dryRun: boolean }): string {
  demandRootOnly(RECORD, 'what it says cannot be believed; remove it, and what install put in place by hand');
  const record = readRecord();
  if (!record) throw new VerbError(`nothing to uninstall: install writes ${RECORD}, and there is no such file`);
  if (!dryRun) demandRoot('uninstall');
  const steps: Step[] = [];
  if (systemdRuns()) {
    const units = [SOCKET, SERVICE].filter((unit) => existsSync(`${UNITS}/${unit}`));
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
function programSteps(record: InstallRecord): Step[] {
  const steps = fileSteps(record, PROGRAM, readFileSync(ownProgram()), 0o755);
  if (!steps.some(({ action }) => action === 'keep')) return steps;
  throw new VerbError(
    `${PROGRAM}: ${FOREIGN}, and the unit would start it with two capabilities; move it away, and run install again`,
  );
}

/** The licences of the libraries inside, which the build writes beside the bundle, and into the executable. */
function legalSteps(record: InstallRecord): Step[] {
  if (isExecutable) return fileSteps(record, NOTICE, getAsset('NOTICE', 'utf8'));
  const text = join(dirname(ownProgram()), 'NOTICE');
  return existsSync(text) ? fileSteps(record, NOTICE, readFileSync(text)) : [];
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
