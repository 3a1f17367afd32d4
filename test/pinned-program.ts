// The BPF program, pinned for one test file by the built bundle, and gone with it.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensure } from '../scripts/test-servers.mjs';
import { bundle } from './harness.ts';

const herakles = (...words: string[]): string =>
  execFileSync(process.execPath, [bundle, ...words], { encoding: 'utf8' });

/** Why nothing can be pinned here; undefined where it can. With CI set it is an error. */
export function whyNotPinned(): string | undefined {
  try {
    if (process.getuid?.() !== 0) throw new Error('needs root');
    ensure('bpftool');
    return undefined;
  } catch (error) {
    if (process.env.CI) throw error;
    return (error as Error).message;
  }
}

/**
 * Pins the program on a bpffs of its own.
 * @param group that may read the list @returns the pinned file
 */
export function pinProgram(group: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'herakles-bpf-')); // not a scratch folder: that cannot be removed while it holds a mount
  const file = `${folder}/bpf/tasks`;
  chmodSync(folder, 0o755);
  process.on('exit', () => {
    herakles('bpf', 'unpin', '--bpf-file', file);
    rmdirSync(folder);
  });
  herakles('bpf', 'pin', '--bpf-file', file, '--group', group);
  return file;
}
