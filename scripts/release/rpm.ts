// The package for rpm, by rpmbuild(8): the files of the Debian package where Fedora and SUSE look for them, with the spec file in
// deploy/rpm. rpmbuild reads what each executable needs from its ELF header, so it makes packages for every architecture.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BPF_LICENCE } from '../bundled-packages.mjs';
import { root } from '../install.mjs';
import type { Architecture } from './node-binaries.ts';
import {
  dateTree,
  documents,
  MAINTAINER,
  NAME,
  type Release,
  socketDropIn,
  systemFiles,
  writeTree,
} from './release.ts';

const MACHINES: Readonly<Record<Architecture, string>> = { amd64: 'x86_64', arm64: 'aarch64' };

/** Why no package can be made here; undefined where one can. */
export const rpmProblem = (): string | undefined =>
  spawnSync('rpmbuild', ['--version']).status === 0
    ? undefined
    : 'rpmbuild is not here; it is in the package rpm of Debian, and rpm-build of Fedora';

/** @returns the path of NAME-VERSION-1.MACHINE.rpm */
export function writeRpm(release: Release, architecture: Architecture, executable: string, scratch: string): string {
  const { date, fast, out } = release;
  const machine = MACHINES[architecture];
  // rpm takes no hyphen in a version; a tilde sorts before the release, as a hyphen does in semver.
  const version = release.version.replace('-', '~').replaceAll('-', '.');
  const folder = join(scratch, `rpm-${architecture}`);
  const tree = join(folder, 'tree');
  mkdirSync(join(tree, 'usr/bin'), { recursive: true, mode: 0o755 });
  copyFileSync(executable, join(tree, 'usr/bin', NAME));
  writeTree(tree, files(release));
  dateTree(tree, date);
  writeTree(folder, [{ path: 'package.spec', content: specOf(release, version) }]);
  const macros = {
    tree,
    _topdir: folder,
    _rpmdir: out,
    _rpmfilename: `${NAME}-${version}-1.${machine}.rpm`,
    _buildhost: 'localhost',
    _binary_payload: fast ? 'w1.gzdio' : 'w6.xzdio',
    use_source_date_epoch_as_buildtime: '1',
    clamp_mtime_to_source_date_epoch: '1',
  };
  const defines = Object.entries(macros).flatMap(([name, value]) => ['--define', `${name} ${value}`]);
  execFileSync(
    'rpmbuild',
    ['-bb', '--quiet', '--target', `${machine}-linux`, ...defines, join(folder, 'package.spec')],
    {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(date) },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  return join(out, macros._rpmfilename);
}

function files({ notice, sbom }: Release) {
  const [docs, licences] = [`usr/share/doc/${NAME}`, `usr/share/licenses/${NAME}`];
  const read = (path: string) => readFileSync(root + path, 'utf8');
  return [
    ...systemFiles('usr/share/zsh/site-functions'),
    { path: `${licences}/LICENSE`, content: read('LICENSE') },
    { path: `${licences}/NOTICE`, content: notice },
    { path: `${docs}/sbom.cdx.json`, content: sbom },
    { path: `${docs}/CHANGELOG.md`, content: read('CHANGELOG.md') },
    { path: `${docs}/examples/socket-activation.conf`, content: socketDropIn() },
    ...documents().map(({ path, content }) => ({ path: `${docs}/${path}`, content })),
  ];
}

function specOf({ date, packages }: Release, version: string): string {
  const [day, number, month, year] = new Date(date * 1000).toUTCString().replace(',', '').split(' ');
  const licences = new Set(['Apache-2.0', `(${BPF_LICENCE})`, 'MIT', ...packages.map(({ licence }) => licence)]); // MIT is that of Node.js
  return readFileSync(`${root}deploy/rpm/${NAME}.spec`, 'utf8')
    .replaceAll('@VERSION@', version)
    .replace('@LICENSE@', [...licences].sort().join(' AND '))
    .replace('@DAY@', `${day} ${month} ${number} ${year}`)
    .replaceAll('@MAINTAINER@', MAINTAINER);
}
