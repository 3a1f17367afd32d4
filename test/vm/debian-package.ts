// What the scenarios know of the Debian package, and how they ask a machine of booted-debian.ts for its state.
import { readdirSync } from 'node:fs';
import type { Exposition } from '../exposition-text.ts';
import { eventually, root } from '../harness.ts';
import type { BootedDebian } from './booted-debian.ts';

export const SERVICE = 'herakles-node-exporter.service';
export const SOCKET = 'herakles-node-exporter.socket';
export const BPF = 'herakles-bpf.service';
export const DROP_INS = `/etc/systemd/system/${SERVICE}.d`;
export const MIB = 2 ** 20;
/** Long, because a machine whose processor is emulated, and that shares its cores with other tests, is slow. */
export const LONG_MS = 300_000;

/** The packages of this version, which scripts/vm.mjs has made. */
export const release = `${root}dist/vm/release`;
export const debianPackage = `${release}/${readdirSync(release).find((name) => name.endsWith('_amd64.deb'))}`;

const apt = (words: string) => (debian: BootedDebian) =>
  debian.done(`DEBIAN_FRONTEND=noninteractive apt-get -y ${words}`);
export const installPackage = (debian: BootedDebian, path: string) => apt(`install ${path}`)(debian);
export const removePackage = apt('remove herakles-node-exporter');
export const purgePackage = apt('purge herakles-node-exporter');

export const pidOf = (debian: BootedDebian): number => Number(debian.property(SERVICE, 'MainPID'));

/** How often systemd has started the service since the machine was booted. */
export const startsOf = (debian: BootedDebian): number =>
  Number(debian.done(`journalctl -u ${SERVICE} -o cat | grep -c '^Started '`));

export const scraped = (debian: BootedDebian): Promise<Exposition> => eventually(() => debian.scrape(), LONG_MS);
