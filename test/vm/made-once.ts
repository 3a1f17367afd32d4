// What the scenarios need and takes minutes to make: it is made once, and lies in .cache/vm/. Nothing of a failure is left.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { root, type Scope, Started } from '../harness.ts';

const home = `${root}.cache/vm`;

const remove = (path: string): void => rmSync(path, { recursive: true, force: true, maxRetries: 5 });

/**
 * A folder that is made once.
 * @param kind what it is; one of the same kind with another version is removed when this one is made
 * @param version what it is made from
 * @param make fills the empty folder that it is given; only when that is complete it has its name
 * @returns the path of the folder
 */
export async function madeOnce(kind: string, version: string, make: (part: string) => Promise<void>): Promise<string> {
  const path = `${home}/${kind}-${version.slice(0, 12)}`;
  if (existsSync(path)) return path;
  mkdirSync(home, { recursive: true });
  for (const name of readdirSync(home)) {
    const maker = /^making-(\d+)$/.exec(name)?.[1];
    const unfinished = maker !== undefined && !existsSync(`/proc/${maker}`); // its maker was killed
    if (unfinished || name.startsWith(`${kind}-`)) remove(`${home}/${name}`);
  }
  const part = `${home}/making-${process.pid}`;
  const removePart = () => remove(part);
  process.once('exit', removePart); // a signal ends this process before the block below ends
  mkdirSync(part, { mode: 0o700 });
  try {
    await make(part);
    renameSync(part, path);
  } finally {
    removePart();
    process.off('exit', removePart);
  }
  return path;
}

/**
 * A command in namespaces of its own for mounts and processes. They end with it, and it ends with this process, whatever ends
 * that: no mount and no process is left.
 */
export const contained = (command: readonly string[]): string[] => [
  ...['setpriv', '--pdeathsig', 'KILL', 'unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'],
  ...['--', ...command],
];

/** Runs a contained command to its end. @throws AssertionError with the end of its messages, where it fails */
export async function completed(t: Scope, command: readonly string[], cwd = root): Promise<void> {
  const started = new Started(t, contained(command), { cwd, env: process.env });
  const { code, signal } = await started.ended;
  assert.equal(code, 0, `${command.join(' ')}: ${signal ?? `status ${code}`}: ${started.stderr.slice(-2000)}`);
}
