// The disks of the machines in booted-debian.ts: a smallest Debian with a kernel, systemd, AppArmor and an SSH server. Each is
// made once, which takes some minutes, and lies in .cache/vm/.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { root } from '../harness.ts';

export type Suite = 'bullseye' | 'bookworm' | 'trixie';

const PACKAGES = [
  ...['systemd', 'systemd-sysv', 'dbus', 'linux-image-amd64', 'openssh-server', 'curl', 'procps', 'util-linux'],
  'apparmor', // every Debian that a person installs has it, and it is in force
];
const NETWORK = '[Match]\nType=ether\n\n[Network]\nDHCP=ipv4\n';
/** The folder with disk, kernel (vmlinuz), initrd.img and key of a suite. A change of this file makes a new one. */
export function imageOf(suite: Suite, { mmdebstrap, mke2fs }: Record<'mmdebstrap' | 'mke2fs', string>): string {
  const recipe = createHash('sha256')
    .update(readFileSync(`${root}test/vm/debian-image.ts`))
    .digest('hex');
  const home = `${root}.cache/vm`;
  const image = `${home}/debian-${suite}-${recipe.slice(0, 12)}`;
  if (existsSync(image)) return image;
  mkdirSync(home, { recursive: true });
  for (const name of readdirSync(home))
    if (name.startsWith(`debian-${suite}-`)) rmSync(`${home}/${name}`, { recursive: true });
  const part = mkdtempSync(`${home}/making-`);
  try {
    const tree = `${part}/tree`;
    const options = ['--quiet', '--variant=minbase', `--include=${PACKAGES.join()}`, '--format=directory'];
    execFileSync(mmdebstrap, [...options, '--skip=output/dev,output/mknod', suite, tree], { stdio: 'pipe' });
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', `${part}/key`]);
    mkdirSync(`${tree}/root/.ssh`, { recursive: true, mode: 0o700 });
    copyFileSync(`${part}/key.pub`, `${tree}/root/.ssh/authorized_keys`);
    writeFileSync(`${tree}/etc/systemd/network/wired.network`, NETWORK);
    const wanted = `${tree}/etc/systemd/system/multi-user.target.wants`;
    symlinkSync('/lib/systemd/system/systemd-networkd.service', `${wanted}/systemd-networkd.service`);
    for (const name of ['vmlinuz', 'initrd.img']) {
      const file = readdirSync(`${tree}/boot`).find((each) => each.startsWith(`${name}-`));
      copyFileSync(`${tree}/boot/${file}`, `${part}/${name}`);
    }
    execFileSync(mke2fs, ['-q', '-t', 'ext4', '-d', tree, `${part}/disk`, '3G'], { stdio: 'pipe' });
    rmSync(tree, { recursive: true });
    renameSync(part, image);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  return image;
}
