// Installs and unpacks Debian packages for the tests. Each function gives what went wrong as text, undefined when all
// went well: a machine without apt is no error, its tests are skipped.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';

const DAY_MS = 24 * 3600 * 1000;
const LOCK = ['-o', 'DPkg::Lock::Timeout=300']; // seconds, while another apt-get runs

/**
 * Runs one step, says which, and gives what went wrong.
 * @param {string} what
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 * @returns {string | undefined}
 */
export function step(what, command, args, options = {}) {
  console.error(`# ${what}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status, error, stdout, stderr } = spawnSync(command, args, { env, ...options });
  if (status === 0) return undefined;
  return `${what} failed: ${error?.message ?? `${stdout}${stderr}`.trim()}`;
}

/**
 * Why apt cannot be used here; undefined where it can.
 * @returns {string | undefined}
 */
export function aptProblem() {
  if (spawnSync('apt-get', ['--version']).status !== 0) return 'there is no apt-get on this machine';
  if (process.getuid?.() !== 0) return 'installing needs root: sudo node scripts/test-servers.mjs';
  return undefined;
}

/**
 * Installs packages of this machine's own suite; it removes no package.
 * @param {readonly string[]} names
 */
export function installPackages(names) {
  const packages = [...new Set(names)];
  if (packages.length === 0) return undefined;
  const problem = aptProblem() ?? refresh();
  if (problem) return problem;
  const allowServices = forbidServices();
  try {
    const options = ['install', '-y', '-qq', '--no-install-recommends', '--no-remove', ...LOCK];
    return step(`installing the Debian packages ${packages.join(', ')}`, 'apt-get', [...options, ...packages]);
  } finally {
    allowServices();
  }
}

/** Fetches package lists where there are none, or where they are older than a day. */
function refresh() {
  const lists = '/var/lib/apt/lists';
  const fresh =
    existsSync(lists) &&
    readdirSync(lists).some((n) => n.includes('_Packages') && Date.now() - statSync(`${lists}/${n}`).mtimeMs < DAY_MS);
  return fresh ? undefined : update([]);
}

/** @param {readonly string[]} options */
const update = (options) => step('fetching package lists', 'apt-get', ['update', '-qq', ...LOCK, ...options]);

/**
 * While apt runs, no package may start its service. A policy that is already there stays in charge.
 * @returns {() => void} ends it
 */
function forbidServices() {
  const policy = '/usr/sbin/policy-rc.d';
  if (existsSync(policy)) return () => {};
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  return () => rmSync(policy);
}

/**
 * Unpacks one package of this machine's own suite into a folder.
 * @param {string} name
 * @param {string} cache the folder below which scratch files may lie
 * @param {string} target
 */
export const unpackOwn = (name, cache, target) =>
  aptProblem() ?? refresh() ?? unpack(name, ['-o', 'APT::Sandbox::User=root'], `${cache}/apt-own`, target);

/**
 * Unpacks one package of another suite into a folder, with lists, cache and sources of its own.
 * @param {string} suite
 * @param {string} name
 * @param {string} cache the folder below which scratch files may lie
 * @param {string} target
 */
export function unpackSuite(suite, name, cache, target) {
  const problem = aptProblem() ?? refresh();
  if (problem) return problem;
  const scratch = `${cache}/apt-${suite}`;
  const options = suiteOptions(suite, scratch);
  if (!options) return NO_MIRROR;
  return update(options) ?? unpack(`${name}/${suite}`, options, scratch, target);
}

const NO_MIRROR = 'no mirror found in the apt sources of this machine';

/**
 * Options with which apt-get works in another suite of Debian, and with lists, cache and sources of its own.
 * @param {string} suite
 * @param {string} scratch the folder of these
 * @returns {string[] | undefined} undefined where this machine names no mirror of Debian
 */
function suiteOptions(suite, scratch) {
  const mirror = ownMirror();
  if (!mirror) return undefined;
  for (const dir of ['lists/partial', 'cache/archives/partial']) mkdirSync(`${scratch}/${dir}`, { recursive: true });
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  writeFileSync(`${scratch}/sources.list`, `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`);
  return [
    ...['-o', `Dir::Etc::sourcelist=${scratch}/sources.list`, '-o', 'Dir::Etc::sourceparts=-'],
    ...['-o', `Dir::State::lists=${scratch}/lists`, '-o', `Dir::Cache=${scratch}/cache`],
    ...['-o', 'APT::Sandbox::User=root', '-o', 'Acquire::Languages=none'],
  ];
}

/**
 * Downloads packages of a suite for an architecture, whatever this machine's own are; apt-get checks their signatures. It
 * does not need root.
 * @param {{ suite: string, architecture: string, names: readonly string[] }} wanted names as apt-get takes them, with or
 *   without `=VERSION`
 * @param {string} target the folder for the .deb files
 * @returns {string | undefined} what went wrong
 */
export function downloadSuite({ suite, architecture, names }, target) {
  const scratch = `${target}/apt`;
  try {
    const options = suiteOptions(suite, scratch);
    if (!options) return NO_MIRROR;
    options.push(...['-o', `APT::Architecture=${architecture}`, '-o', `APT::Architectures=${architecture}`]);
    options.push(...['-o', 'Dir::State::status=/dev/null']); // what is installed here does not count
    const what = `downloading ${names.join(', ')} of Debian ${suite} for ${architecture}`;
    return update(options) ?? step(what, 'apt-get', ['download', '-qq', ...options, ...names], { cwd: target });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * Downloads a package into the scratch folder, unpacks it, and removes the scratch folder.
 * @param {string} name as apt-get takes it, with or without a suite
 * @param {readonly string[]} options for apt-get
 * @param {string} scratch
 * @param {string} target
 */
function unpack(name, options, scratch, target) {
  const cwd = `${scratch}/download`;
  mkdirSync(cwd, { recursive: true });
  const failed = step(`downloading ${name}`, 'apt-get', ['download', '-qq', ...options, name], { cwd });
  if (failed) return failed;
  const file = readdirSync(cwd).find((entry) => entry.startsWith(`${name.split('/')[0]}_`));
  if (!file) return `apt-get downloaded no file of ${name}`;
  rmSync(target, { recursive: true, force: true });
  const problem = step(`unpacking ${file}`, 'dpkg', ['-x', `${cwd}/${file}`, `${target}.partial`]);
  if (problem) return problem;
  renameSync(`${target}.partial`, target);
  rmSync(scratch, { recursive: true });
  return undefined;
}

/** Where this machine's own release comes from: other suites are found at the same place. */
function ownMirror() {
  const own = spawnSync('sh', ['-c', '. /etc/os-release; echo "$VERSION_CODENAME"']).stdout.toString().trim();
  const targets = spawnSync('apt-get', ['indextargets', '--format', '$(RELEASE) $(REPO_URI)', 'Created-By: Packages']);
  const lines = targets.stdout.toString().split('\n');
  return lines.find((target) => target.startsWith(`${own} `))?.split(' ')[1];
}
