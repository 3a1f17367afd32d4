// Installs what package-lock.json names, once: start.mjs and test.mjs call it in a fresh clone.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';

const root = new URL('..', import.meta.url).pathname;
const [major, minor] = process.versions.node.split('.').map(Number);

export function install() {
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

/** Runs one step in the foreground, says which, and ends with its status when it fails. */
export function run(what, command, args, options = {}) {
  console.error(`# ${what}`);
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (status === 0) return;
  console.error(`# ${what}: failed${error ? `: ${error.message}` : ` with status ${status}`}`);
  process.exit(status || 1);
}
