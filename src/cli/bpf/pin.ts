// bpf pin and bpf unpin. The pinned file stands on a bpffs of its own, so that a group can be let in: that of the host,
// /sys/fs/bpf, is closed to everybody but root on most hosts, and what others pin there is not to be opened with it. A new program
// takes the place of the old one at once: an exporter that runs never finds nothing there.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statfsSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import object from '../../../bpf/tasks.bpf.o';
import { BPF_FS } from '../../kernel/task-file.ts';
import { VerbError } from '../verb.ts';
import { findBpftool, requirements } from './requirements.ts';

/** Files that the kernel itself has on each bpffs. */
const OF_KERNEL = ['maps.debug', 'progs.debug'];

/** @param group whose members may read the list @throws VerbError where something is missing: what, and how to get it */
export function pin(file: string, group: string): string {
  const missing = requirements().filter(({ found }) => found === undefined);
  if (missing.length > 0) throw new VerbError(missing.map((one) => one.missing).join('\n'));
  if (basename(file).includes('.'))
    throw new VerbError(`${file}: a name on a bpffs has no dot; choose another bpf_file`);
  const gid = groupId(group);
  const folder = dirname(file);
  const lines: string[] = [];
  if (!isBpffs(folder)) {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    run('mount', '-t', 'bpf', '-o', `nosuid,nodev,noexec,mode=0750,gid=${gid}`, 'bpf', folder);
    chownSync(folder, 0, gid); // kernels before 6.9 know no option gid
    lines.push(`mounted a bpffs at ${folder}\n`);
  }
  const fresh = `${file}-new`;
  rmSync(fresh, { force: true });
  const scratch = mkdtempSync(join(tmpdir(), 'herakles-bpf-'));
  try {
    const path = join(scratch, 'tasks.bpf.o');
    writeFileSync(path, object);
    run(findBpftool()!, 'iter', 'pin', path, fresh);
    chownSync(fresh, 0, gid);
    chmodSync(fresh, 0o440);
    renameSync(fresh, file);
  } finally {
    rmSync(scratch, { recursive: true });
  }
  lines.push(`pinned ${file}; root and the group ${group} can read it\n`);
  return lines.join('');
}

/** @throws VerbError where it cannot be removed */
export function unpin(file: string): string {
  if (lstatSync(file, { throwIfNoEntry: false }) === undefined) return `nothing is pinned at ${file}\n`;
  const folder = dirname(file);
  if (!isBpffs(folder)) throw new VerbError(`${file} is not on a bpffs, so nothing is pinned there; remove it by hand`);
  try {
    unlinkSync(file);
  } catch (error) {
    throw new VerbError(`${file} cannot be removed (${(error as Error).message}); run it as root`);
  }
  const lines = [`unpinned ${file}\n`];
  if (
    isMountPoint(folder) &&
    folder !== '/sys/fs/bpf' &&
    readdirSync(folder).every((name) => OF_KERNEL.includes(name))
  ) {
    run('umount', '--lazy', folder); // an exporter may read the list at this moment
    rmdirSync(folder);
    lines.push(`unmounted ${folder}\n`);
  }
  return lines.join('');
}

const isBpffs = (folder: string): boolean => existsSync(folder) && Number(statfsSync(folder).type) === BPF_FS;
const isMountPoint = (folder: string): boolean => statSync(folder).dev !== statSync(dirname(folder)).dev;

function groupId(group: string): number {
  if (/^\d+$/.test(group)) return Number(group);
  const { status, stdout } = spawnSync('getent', ['group', group], { encoding: 'utf8' });
  if (status === 0) return Number(stdout.split(':')[2]);
  throw new VerbError(`there is no group ${group}; name that of the exporter with --group, or --group root`);
}

/** @throws VerbError with what the program said last */
function run(command: string, ...args: string[]): void {
  try {
    execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  } catch (error) {
    const said = String((error as { stderr?: string }).stderr ?? (error as Error).message)
      .trim()
      .split('\n');
    throw new VerbError(`${command} ${args.join(' ')}: ${said.slice(-3).join('; ')}`);
  }
}
