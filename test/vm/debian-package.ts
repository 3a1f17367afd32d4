// What the scenarios know of the Debian package, and how they ask a machine of booted-debian.ts for its state.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import type { Architecture } from '../../scripts/release/node-binaries.ts';
import type { Exposition } from '../exposition-text.ts';
import { eventually, near, root } from '../harness.ts';
import type { BootedDebian } from './booted-debian.ts';

export const SERVICE = 'herakles-node-exporter.service';
export const SOCKET = 'herakles-node-exporter.socket';
export const BPF = 'herakles-bpf.service';
export const DROP_INS = `/etc/systemd/system/${SERVICE}.d`;
export const MIB = 2 ** 20;
/** Long, because a machine whose processor is emulated, and that shares its cores with other tests, is slow. */
export const LONG_MS = 300_000;
/** A whole scenario took 29 minutes where forty other processes wanted the same two cores. */
export const SCENARIO_MS = 3_600_000;

/** The packages of this version, which scripts/vm.mjs has made. */
export const release = `${root}dist/vm/release`;
export const packageFor = (architecture: Architecture): string =>
  `${release}/${readdirSync(release).find((name) => name.endsWith(`_${architecture}.deb`))}`;
export const debianPackage = packageFor('amd64');

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

/** A process of another user, and its PSS in the page beside the kernel's own. */
export async function foreignPss(debian: BootedDebian): Promise<void> {
  debian.done(`systemd-run --quiet --unit=large --uid=nobody perl -e 'sub f { sleep } f(q(x) x (64 * 2**20))'`);
  const pid = debian.property('large.service', 'MainPID');
  const truth = () => Number(debian.done(`awk '/^Pss:/ { print $2 * 1024 }' /proc/${pid}/smaps_rollup`));
  await eventually(async () => {
    const sample = (await debian.scrape()).all('herakles_mem_process_pss_bytes', { pid })[0];
    assert.ok(truth() >= 64 * MIB);
    near(sample?.value, truth(), MIB, 'PSS of a process of nobody');
  }, LONG_MS);
  debian.done('systemctl stop large.service');
}
