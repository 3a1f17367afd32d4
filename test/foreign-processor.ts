// Programs of arm64 on a machine of x86-64, by the QEMU that translates single programs. The kernel starts it where binfmt_misc
// says so; since Linux 6.7 a user namespace has a binfmt_misc of its own, so nothing of this machine changes.
import { spawnSync } from 'node:child_process';

/** An ELF file for AArch64, and the bits that count (Documentation/admin-guide/binfmt-misc.rst); F: QEMU is opened at once. */
const MAGIC = String.raw`\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00`;
const MASK = String.raw`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff`;

const MOUNT_BINFMT = 'mount -t binfmt_misc none /proc/sys/fs/binfmt_misc';

/** A namespace in which runForeign may be called; what follows runs in it. */
export const APART = ['unshare', '--user', '--map-root-user', '--mount'] as const;

/** Why no namespace of this kernel can run programs of arm64; undefined where one can. */
export function whyNotForeign(): string | undefined {
  const [unshare, ...own] = APART;
  const { status, stderr } = spawnSync(unshare, [...own, 'sh', '-c', MOUNT_BINFMT], { encoding: 'utf8' });
  return status === 0 ? undefined : `this kernel has no binfmt_misc for a user namespace: ${stderr}`;
}

/** Commands of the shell: from now on this namespace runs programs of arm64. */
export const runForeign = (qemu: string): string =>
  `${MOUNT_BINFMT}\nprintf '%s' ':aarch64:M::${MAGIC}:${MASK}:${qemu}:F' > /proc/sys/fs/binfmt_misc/register`;
