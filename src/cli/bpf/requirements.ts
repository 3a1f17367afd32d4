// What a host must have so that the BPF program can be pinned, each with what is missing and how to get it. To read a pinned
// program needs none of it.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';

export interface Requirement {
  readonly name: string;
  /** What is there; undefined where it is missing. */
  readonly found: string | undefined;
  /** What is missing, and what to do. */
  readonly missing: string;
}

/** /sbin is not on the PATH of every user. */
const FOLDERS = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin', '/usr/local/sbin'];

/** The path of the host's bpftool that runs; Ubuntu's is a script that may lack the program for this kernel. */
export const findBpftool = (): string | undefined =>
  FOLDERS.map((folder) => `${folder}/bpftool`).find(
    (path) => path.startsWith('/') && existsSync(path) && spawnSync(path, ['version']).status === 0,
  );

export function requirements(): Requirement[] {
  const kernel = `Linux ${release()}`;
  const bpftool = findBpftool();
  return [
    {
      name: 'BTF',
      found: existsSync('/sys/kernel/btf/vmlinux') ? `${kernel} says where its fields are` : undefined,
      missing: `${kernel} has no /sys/kernel/btf/vmlinux: it needs 5.8 or newer with CONFIG_DEBUG_INFO_BTF, as the kernels of distributions have`,
    },
    {
      name: 'bpffs',
      found: /^nodev\tbpf$/m.test(textOf('/proc/filesystems')) ? `${kernel} has the file system bpf` : undefined,
      missing: `${kernel} lacks the file system bpf (CONFIG_BPF_SYSCALL)`,
    },
    {
      name: 'bpftool',
      found: bpftool,
      missing:
        'no bpftool that runs: apt install bpftool (Debian), apt install linux-tools-$(uname -r) (Ubuntu), dnf install bpftool',
    },
    {
      name: 'root',
      found: process.geteuid?.() === 0 ? 'this is root' : undefined,
      missing: 'this is not root; only root pins the program',
    },
  ];
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
