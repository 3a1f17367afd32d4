// The disks of the machines in booted-debian.ts: a smallest Debian with a kernel, systemd, AppArmor and an SSH server. Each is
// made once, which takes some minutes.
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { root, type Scope } from '../harness.ts';
import { completed, madeOnce } from './made-once.ts';

export type Suite = 'bullseye' | 'bookworm' | 'trixie';

const PACKAGES = [
  ...['systemd', 'systemd-sysv', 'dbus', 'linux-image-amd64', 'openssh-server', 'curl', 'procps', 'util-linux'],
  'apparmor', // every Debian that a person installs has it, and it is in force
];
const NETWORK = '[Match]\nType=ether\n\n[Network]\nDHCP=ipv4\n';
const OPTIONS = ['--quiet', '--variant=minbase', `--include=${PACKAGES.join()}`, '--format=directory'];

/** The folder with disk, kernel (vmlinuz), initrd.img and key of a suite. A change of this file makes a new one. */
export function imageOf(t: Scope, suite: Suite, { mmdebstrap, mke2fs }: Record<'mmdebstrap' | 'mke2fs', string>) {
  const recipe = createHash('sha256').update(readFileSync(`${root}test/vm/debian-image.ts`));
  return madeOnce(`debian-${suite}`, recipe.digest('hex'), async (part) => {
    const tree = `${part}/tree`;
    await completed(t, [mmdebstrap, ...OPTIONS, '--skip=output/dev,output/mknod', suite, tree]);
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
    await completed(t, [mke2fs, '-q', '-t', 'ext4', '-d', tree, `${part}/disk`, '3G']);
    rmSync(tree, { recursive: true });
  });
}
