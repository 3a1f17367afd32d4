// install and uninstall: puts program, unit, user, configuration and rules in place on a host run by systemd, and takes
// away again only what it put there: every file is recorded with its hash, and one that was changed since is kept.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import sysusers from '../../../deploy/systemd/herakles.sysusers.conf';
import serviceUnit from '../../../deploy/systemd/herakles-node-exporter.service';
import socketUnit from '../../../deploy/systemd/herakles-node-exporter.socket';
import activation from '../../../deploy/systemd/socket-activation.conf';
import { NotFound } from '../load-host.ts';

const USER = 'herakles';
const SERVICE = 'herakles-node-exporter.service';
const SOCKET = 'herakles-node-exporter.socket';
const UNITS = '/etc/systemd/system';
const PROGRAM = '/usr/local/lib/herakles/herakles.cjs';
const COMMAND = '/usr/local/bin/herakles-node-exporter';
const RECORD = '/var/lib/herakles/installed.json';

const CONFIG = `# Configuration of herakles-node-exporter. "herakles-node-exporter config init" prints every key with its meaning.
# interval: 15s
# per_process: all
`;

const RULES = `# Rules of this host; they are asked before those that ship with the exporter. "herakles-node-exporter explain PID"
# tells which one decided about a process. This one shows the form.
[[rule]]
group = "monitoring"
subgroup = "herakles"
unit = "herakles-node-exporter.service"
`;

/** What stands at a path, as the record knows it: a file by the hash of its bytes, a link by its target. */
type Mark = string;

interface Installed {
  /** Path to what was put there, in the order in which it was. */
  readonly put: Record<string, Mark>;
  /** Whether the user was made here. */
  user: boolean;
}

/** One thing to do, or to leave as it is; `run` is missing where nothing has to be done. */
interface Step {
  readonly verb: 'create' | 'update' | 'remove' | 'run' | 'keep' | 'unchanged';
  readonly what: string;
  readonly run?: () => void;
}

/** @throws NotFound where this host or this user cannot have it */
export function install({ dryRun, socket }: { readonly dryRun: boolean; readonly socket: boolean }): string {
  if (!dryRun) demandRoot('install');
  if (!onPath('systemd-sysusers')) {
    throw new NotFound('install is for hosts run by systemd, and there is none; see docs/deployment.md for others');
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
  if (steps.some(({ verb }) => verb === 'create'))
    return `${done}\nNext: systemctl enable --now ${socket ? SOCKET : SERVICE}\n`;
  return steps.some(({ verb }) => verb === 'update') ? `${done}\nNext: systemctl try-restart ${SERVICE}\n` : done;
}

/** @throws NotFound where nothing was installed, or this user may not remove it */
export function uninstall({ dryRun }: { readonly dryRun: boolean }): string {
  const record = readRecord();
  if (!record) throw new NotFound(`nothing to uninstall: there is no ${RECORD}, which install writes`);
  if (!dryRun) demandRoot('uninstall');
  const steps: Step[] = [];
  if (systemdRuns()) {
    const units = [SOCKET, SERVICE].filter((unit) => existsSync(`${UNITS}/${unit}`));
    const run = (): void => execute('systemctl', 'disable', '--now', ...units);
    if (units.length > 0) steps.push({ verb: 'run', what: `systemctl disable --now ${units.join(' ')}`, run });
  }
  for (const [path, mark] of Object.entries(record.put).reverse()) steps.push(removeStep(record, path, mark));
  if (record.user) steps.push({ verb: 'remove', what: `user ${USER}`, run: () => execute('userdel', USER) });
  steps.push(...reloadSteps());
  return carryOut(steps, dryRun, (all) => {
    if (!all) return;
    unlinkSync(RECORD);
    removeIfEmpty(dirname(RECORD));
  });
}

/** @param finish told whether everything was done; not called for a dry run */
function carryOut(steps: readonly Step[], dryRun: boolean, finish: (all: boolean) => void): string {
  const lines: string[] = [];
  const once = steps.filter(({ what }, index) => steps.findIndex((step) => step.what === what) === index);
  process.umask(0o022);
  try {
    for (const { verb, what, run } of once) {
      if (!dryRun) run?.();
      lines.push(`${dryRun && run ? 'would ' : ''}${verb} ${what}\n`);
    }
  } catch (error) {
    finish(false);
    const { message } = error as Error;
    throw new NotFound(`${message}; remove the cause and run it again. Until then:\n${lines.join('')}`);
  }
  if (!dryRun) finish(true);
  return lines.join('');
}

/** A file and the folders it needs. One that is not as we left it is somebody's work, and is kept. */
function fileSteps(record: Installed, path: string, content: string | Buffer, mode = 0o644): Step[] {
  const [now, wanted] = [markOf(path), hash(content)];
  if (now === wanted) return [{ verb: 'unchanged', what: path }];
  if (now !== undefined && now !== record.put[path])
    return [{ verb: 'keep', what: `${path}: it is not as install left it` }];
  const write = (): void => {
    writeFileSync(`${path}.new`, content, { mode, flag: 'wx' });
    renameSync(`${path}.new`, path);
    record.put[path] = wanted;
  };
  return [
    ...folderSteps(record, dirname(path)),
    { verb: now === undefined ? 'create' : 'update', what: path, run: write },
  ];
}

function folderSteps(record: Installed, path: string): Step[] {
  if (existsSync(path)) return [];
  const make = (): void => {
    if (existsSync(path)) return;
    mkdirSync(path, { mode: 0o755 });
    record.put[path] = 'folder';
  };
  return [...folderSteps(record, dirname(path)), { verb: 'create', what: `${path}/`, run: make }];
}

function linkStep(record: Installed, path: string, target: string): Step {
  const now = markOf(path);
  if (now === `link ${target}`) return { verb: 'unchanged', what: path };
  if (now !== undefined) return { verb: 'keep', what: `${path}: it is not as install left it` };
  const run = (): void => {
    symlinkSync(target, path);
    record.put[path] = `link ${target}`;
  };
  return { verb: 'create', what: `${path} -> ${target}`, run };
}

function legalSteps(record: Installed): Step[] {
  const text = `${ownBundle()}.LEGAL.txt`;
  return existsSync(text) ? fileSteps(record, `${PROGRAM}.LEGAL.txt`, readFileSync(text)) : [];
}

function userStep(record: Installed): Step {
  if (spawnSync('getent', ['passwd', USER]).status === 0) return { verb: 'unchanged', what: `user ${USER}` };
  const run = (): void => {
    execute('systemd-sysusers', '/etc/sysusers.d/herakles.conf');
    record.user = true;
  };
  return { verb: 'create', what: `user ${USER}`, run };
}

function reloadSteps(): Step[] {
  if (!systemdRuns()) return [];
  return [{ verb: 'run', what: 'systemctl daemon-reload', run: () => execute('systemctl', 'daemon-reload') }];
}

function removeStep(record: Installed, path: string, mark: Mark): Step {
  if (mark === 'folder') {
    const others = existsSync(path) ? readdirSync(path).filter((name) => !(`${path}/${name}` in record.put)) : [];
    if (others.length > 0) return { verb: 'keep', what: `${path}/: it holds ${others[0]}` };
    return { verb: 'remove', what: `${path}/`, run: () => removeIfEmpty(path) };
  }
  const now = markOf(path);
  if (now === undefined) return { verb: 'unchanged', what: `${path}: gone already` };
  if (now !== mark) return { verb: 'keep', what: `${path}: it is not as install left it` };
  return { verb: 'remove', what: path, run: () => rmSync(path) };
}

function removeIfEmpty(path: string): void {
  if (existsSync(path) && readdirSync(path).length === 0) rmdirSync(path);
}

const hash = (content: string | Buffer): Mark => createHash('sha256').update(content).digest('hex');

/** What stands at a path now; undefined for nothing. */
function markOf(path: string): Mark | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return undefined;
  if (found.isSymbolicLink()) return `link ${readlinkSync(path)}`;
  return found.isFile() ? hash(readFileSync(path)) : 'something else';
}

function readRecord(): Installed | undefined {
  if (!existsSync(RECORD)) return undefined;
  try {
    return JSON.parse(readFileSync(RECORD, 'utf8')) as Installed;
  } catch {
    throw new NotFound(
      `${RECORD} is damaged, so it is not known what was installed; remove it, then what it was about by hand`,
    );
  }
}

function writeRecord(record: Installed): void {
  mkdirSync(dirname(RECORD), { recursive: true, mode: 0o755 });
  writeFileSync(RECORD, `${JSON.stringify(record, undefined, 2)}\n`, { mode: 0o644 });
}

/** The bundle that runs now. */
const ownBundle = (): string => realpathSync(process.argv[1]!);

/** This Node.js, as the unit will start it. @throws NotFound where the unit's own protection hides it */
function reachableNode(): string {
  const node = process.execPath;
  if (/[^\w./@+-]/.test(node)) throw new NotFound(`${node}: a unit cannot name this path; use a node at a plainer one`);
  if (!/^\/(?:home|root|run\/user|tmp|var\/tmp)\//.test(node)) return node;
  throw new NotFound(
    `${node} is hidden from services (ProtectHome, PrivateTmp); run install with a node below /usr or /opt`,
  );
}

function demandRoot(verb: string): void {
  if (process.geteuid?.() === 0) return;
  throw new NotFound(
    `${verb} writes to /etc and /usr/local and has to be run by root; --dry-run only tells what it would do`,
  );
}

const systemdRuns = (): boolean => existsSync('/run/systemd/system');
const onPath = (command: string): boolean => spawnSync(command, ['--version']).status === 0;
const execute = (command: string, ...args: string[]): void =>
  void execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
