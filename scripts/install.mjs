// Installs the libraries that package-lock.json names, once: every script that needs them calls it first, so that each
// works in a fresh clone. It and its callers import no library before that.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';

/** The project's folder, with a slash at its end. */
export const root = new URL('..', import.meta.url).pathname;

/** Ends with status 2 where Node.js is too old, and with npm's status where npm fails. */
export function install() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 15)) {
    console.error(
      `herakles needs Node.js 20.15 or newer; this is ${process.version}. Install a newer one and try again.`,
    );
    process.exit(2);
  }
  const done = `${root}node_modules/.package-lock.json`;
  if (existsSync(done) && statSync(done).mtimeMs >= statSync(`${root}package-lock.json`).mtimeMs) return;
  run('installing libraries', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}

/**
 * Runs one step in the foreground, says which, and ends with the step's status where it fails.
 * @param {string} what for people, as in "building the bundle"
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 */
export function run(what, command, args, options = {}) {
  console.error(`# ${what}`);
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (status === 0) return;
  console.error(`# ${what}: failed${error ? `: ${error.message}` : ` with status ${status}`}`);
  process.exit(status || 1);
}
