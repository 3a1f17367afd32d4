// install and uninstall: what is put in place on a host run by systemd, in which order, and taken away again. install
// records every file with its hash; uninstall removes only files that are still as recorded, and keeps the others.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import sysusers from '../../../deploy/systemd/herakles.sysusers.conf';
import serviceUnit from '../../../deploy/systemd/herakles-node-exporter.service';
import socketUnit from '../../../deploy/systemd/herakles-node-exporter.socket';
import activation from '../../../deploy/systemd/socket-activation.conf';
import { VerbError } from '../verb.ts';
import {
  carryOut,
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
const PROGRAM = '/usr/local/lib/herakles/herakles.cjs';
const COMMAND = '/usr/local/bin/herakles-node-exporter';

const CONFIG = `# Configuration of herakles-node-exporter. "herakles-node-exporter config init" prints every key with its meaning.
# interval: 15s
# per_process: all
`;

const RULES = `# Rules of this host. They decide before the rules that ship with the exporter. "herakles-node-exporter explain PID"
# tells which rule decided about a process. This rule is an example.
[[rule]]
group = "monitoring"
subgroup = "herakles"
unit = "herakles-node-exporter.service"
`;

/** @returns one line for each step @throws VerbError where it cannot be done on this host or by this user */
export function install({ dryRun, socket }: { readonly dryRun: boolean; readonly socket: boolean }): string {
  if (!dryRun) demandRoot('install');
  if (!onPath('systemd-sysusers')) {
    throw new VerbError(
      'install is for hosts run by systemd, and systemd-sysusers is not here; docs/deployment.md tells about other hosts',
    );
  }
  const node = reachableNode();
  const record = readRecord() ?? { put: {}, user: false };
  const steps = [
    ...fileSteps(record, PROGRAM, readFileSync(ownBundle()), 0o755),
    ...legalSteps(record),
    linkStep(record, COMMAND, PROGRAM),
    ...fileSteps(record, '/etc/herakles/config.yaml', CONFIG),
    ...fileSteps(record, '/etc/herakles/subgroups.toml', RULES),
    ...fileSteps(record, '/etc/sysusers.d/herakles.conf', sysusers),
    userStep(record),
    ...fileSteps(
      record,
      `${UNITS}/${SERVICE}`,
      serviceUnit.replace('=/usr/bin/node ', () => `=${node} `),
    ),
    ...(socket ? fileSteps(record, `${UNITS}/${SOCKET}`, socketUnit) : []),
    ...(socket ? fileSteps(record, `${UNITS}/${SERVICE}.d/socket.conf`, activation) : []),
  ];
  if (steps.some(({ run }) => run)) steps.push(...reloadSteps());
  const done = carryOut(steps, dryRun, () => writeRecord(record));
  if (steps.some(({ action }) => action === 'create'))
    return `${done}\nNext: systemctl enable --now ${socket ? SOCKET : SERVICE}\n`;
  return steps.some(({ action }) => action === 'update') ? `${done}\nNext: systemctl try-restart ${SERVICE}\n` : done;
}

/** @returns one line for each step @throws VerbError where nothing was installed, or this user may not remove it */
export function uninstall({ dryRun }: { readonly dryRun: boolean }): string {
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

/** The licences of the libraries in the bundle, which the build writes beside it. */
function legalSteps(record: InstallRecord): Step[] {
  const text = `${ownBundle()}.LEGAL.txt`;
  return existsSync(text) ? fileSteps(record, `${PROGRAM}.LEGAL.txt`, readFileSync(text)) : [];
}

function userStep(record: InstallRecord): Step {
  if (spawnSync('getent', ['passwd', USER]).status === 0) return { action: 'unchanged', what: `user ${USER}` };
  const run = (): void => {
    execute('systemd-sysusers', '/etc/sysusers.d/herakles.conf');
    record.user = true;
  };
  return { action: 'create', what: `user ${USER}`, run };
}

function reloadSteps(): Step[] {
  if (!systemdRuns()) return [];
  return [{ action: 'run', what: 'systemctl daemon-reload', run: () => execute('systemctl', 'daemon-reload') }];
}

/** The bundle that runs now. */
const ownBundle = (): string => realpathSync(process.argv[1]!);

/** The path of this Node.js, for the unit. @throws VerbError where a unit cannot start it */
function reachableNode(): string {
  const node = process.execPath;
  if (/[^\w./@+-]/.test(node))
    throw new VerbError(
      `${node}: a unit cannot name a path with such characters; run install with a node at another path`,
    );
  if (!/^\/(?:home|root|run\/user|tmp|var\/tmp)\//.test(node)) return node;
  throw new VerbError(
    `${node} is hidden from services (ProtectHome, PrivateTmp); run install with a node below /usr or /opt`,
  );
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
