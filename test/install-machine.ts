// A machine on which install and upgrade really run: overlays of /etc, /run, /usr/local and /var/lib that only the test sees.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import { bundle, need, needRoot, Started, scratch } from './harness.ts';

const TREES = ['/etc', '/run', '/usr/local', '/var/lib'];
export const UNIT = '/etc/systemd/system/herakles-node-exporter.service';
export const BPF_UNIT = '/etc/systemd/system/herakles-bpf.service';
export const PROGRAM = '/usr/local/lib/herakles/herakles.cjs';

/** A mount namespace in which the trees can be written without an effect on the machine. */
export class Machine {
  readonly #enter: string[];

  constructor(pid: number) {
    this.#enter = ['nsenter', `--target=${pid}`, '--mount', '--wd=/', '--'];
  }

  run(...command: string[]) {
    const [file, ...args] = [...this.#enter, ...command] as [string, ...string[]];
    const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8' });
    return { status, stdout, stderr };
  }

  herakles(...args: string[]) {
    return this.run(process.execPath, bundle, ...args);
  }

  /** Everything in the trees: kind, mode, owner, size, target; without the backups of useradd and userdel, and without the folders of other tests that run meanwhile. */
  state(): string[] {
    const printed = this.run('find', ...TREES, '-not', '-type', 'd', '-printf', '%p %y %m %U:%G %s %l\n').stdout;
    const folders = this.run('find', ...TREES, '-type', 'd', '-printf', '%p/ %m %U:%G\n').stdout;
    const others = /^\/var\/lib\/herakles-/;
    const backup = /^\/etc\/(?:(?:passwd|group|g?shadow|sub[ug]id)- |\.pwd\.lock )/;
    return `${printed}${folders}`
      .split('\n')
      .filter((line) => line !== '' && !backup.test(line) && !others.test(line))
      .sort();
  }

  accounts(): string {
    return this.run('sort', '/etc/passwd', '/etc/group').stdout;
  }

  write(path: string, text: string): void {
    assert.equal(this.run('sh', '-c', 'printf %s "$1" > "$2"', 'sh', text, path).status, 0);
  }
}

export async function startMachine(t: TestContext): Promise<Machine | undefined> {
  if (!needRoot(t) || !need(t, 'unshare', 'systemd-sysusers', 'systemd-analyze')) return undefined;
  const dir = scratch();
  const layer =
    'mkdir -p $0$d/up $0$d/work; mount -t overlay overlay -o lowerdir=$d,upperdir=$0$d/up,workdir=$0$d/work $d';
  const script = `mount -t tmpfs tmpfs $0 && for d in ${TREES.join(' ')}; do ${layer} || exit 1; done; echo ready 1; read -r line`;
  const started = new Started(t, ['unshare', '--mount', 'sh', '-c', script, dir]);
  await started.line('ready');
  return new Machine(started.pid);
}

/** No systemd runs where the tests run. This script stands in for systemctl and writes down how it is called. */
export function standInForSystemctl(machine: Machine): void {
  machine.run('mkdir', '-p', '/run/systemd/system', '/usr/local/bin');
  machine.write(
    '/usr/local/bin/systemctl',
    '#!/bin/sh\necho "$@" "$(ls /etc/systemd/system | grep -c herakles)" >> /run/calls\n',
  );
  machine.run('chmod', '+x', '/usr/local/bin/systemctl');
}

export const callsOfSystemctl = (machine: Machine): string[] =>
  machine.run('cat', '/run/calls').stdout.trim().split('\n').filter(Boolean);

/** A program that is newer than the installed one. */
export function newerBundle(machine: Machine): string {
  const newer = `${scratch()}/herakles.cjs`;
  assert.equal(machine.run('sh', '-c', 'cat "$0" > "$1"; echo "// newer" >> "$1"', bundle, newer).status, 0);
  return newer;
}
