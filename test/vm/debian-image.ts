// The disks of the machines in booted-debian.ts: a smallest Debian with a kernel, systemd, AppArmor and an SSH server. Each is
// made once, which takes some minutes.
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { Architecture } from '../../scripts/release/node-binaries.ts';
import { runForeign } from '../foreign-processor.ts';
import { root, type Scope } from '../harness.ts';
import { completed, madeOnce } from './made-once.ts';

export type Suite = 'bullseye' | 'bookworm' | 'trixie';

const PACKAGES = [
  ...['systemd', 'systemd-sysv', 'dbus', 'openssh-server', 'curl', 'procps', 'util-linux'],
  'apparmor', // every Debian that a person installs has it, and it is in force
];
const NETWORK = '[Match]\nType=ether\n\n[Network]\nDHCP=ipv4\n';
const OPTIONS = ['--quiet', '--variant=minbase', '--format=directory'];
/** A tree without devices. The check asks for a binfmt_misc of the whole machine. */
const SKIP = '--skip=output/dev,output/mknod,check/qemu';

/** The initrd with the disk's modules alone: QEMU that translates would copy all others for half an hour. */
const SMALL_INITRD = [
  'mkdir -p "$1/usr/share/initramfs-tools/modules.d" "$1/etc/initramfs-tools/conf.d"',
  'printf "virtio_pci\\nvirtio_blk\\next4\\n" > "$1/usr/share/initramfs-tools/modules.d/vm"',
  'echo MODULES=list > "$1/etc/initramfs-tools/conf.d/vm"',
].join(' && ');

/** The kernel allows a user namespace to have all users only when a process outside of it says so. */
const MAP_USERS = `
unshare --user --mount --pid --fork --kill-child --mount-proc \\
  sh -c 'until [ "$(id -u)" = 0 ]; do sleep 0.1; done; exec sh -ec "$0" "$@"' "$0" "$@" &
for map in gid_map uid_map; do until echo "0 0 65536" > /proc/$!/$map; do sleep 0.1; done 2> /dev/null; done
wait $!`;

export interface Image {
  readonly suite: Suite;
  readonly architecture: Architecture;
}

/** The folder with disk, kernel (vmlinuz), initrd.img and key. A change of this file makes a new one. */
export function imageOf(t: Scope, image: Image, paths: { mmdebstrap: string; mke2fs: string; foreign?: string }) {
  const { suite, architecture } = image;
  const recipe = createHash('sha256').update(readFileSync(`${root}test/vm/debian-image.ts`));
  return madeOnce(`debian-${suite}-${architecture}`, recipe.digest('hex'), async (part) => {
    const tree = `${part}/tree`;
    const chosen = [`--architectures=${architecture}`, `--include=${PACKAGES},linux-image-${architecture}`];
    if (paths.foreign) chosen.push(`--essential-hook=${SMALL_INITRD}`);
    const make = [paths.mmdebstrap, ...OPTIONS, SKIP, ...chosen, suite, tree];
    const script = paths.foreign && `${runForeign(paths.foreign)}\nexec "$0" "$@"`;
    await completed(t, script ? ['sh', '-ec', MAP_USERS, script, ...make] : make);
    await completed(t, ['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', `${part}/key`]);
    mkdirSync(`${tree}/root/.ssh`, { recursive: true, mode: 0o700 });
    copyFileSync(`${part}/key.pub`, `${tree}/root/.ssh/authorized_keys`);
    writeFileSync(`${tree}/etc/systemd/network/wired.network`, NETWORK);
    const wanted = `${tree}/etc/systemd/system/multi-user.target.wants`;
    symlinkSync('/lib/systemd/system/systemd-networkd.service', `${wanted}/systemd-networkd.service`);
    for (const name of ['vmlinuz', 'initrd.img']) {
      const file = readdirSync(`${tree}/boot`).find((each) => each.startsWith(`${name}-`));
      copyFileSync(`${tree}/boot/${file}`, `${part}/${name}`);
    }
    await completed(t, [paths.mke2fs, '-q', '-t', 'ext4', '-d', tree, `${part}/disk`, '3G']);
    rmSync(tree, { recursive: true });
  });
}
