// The Debian package: the executable below /usr, its units, /etc/herakles as configuration files that dpkg keeps, the manual
// page and the completions where their programs look for them. dpkg-deb(1), deb(5), Debian policy.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { root } from '../install.mjs';
import type { Architecture } from './node-binaries.ts';
import {
  dateTree,
  documents,
  type Entry,
  MAINTAINER,
  NAME,
  type Release,
  socketDropIn,
  systemFiles,
  writeTree,
} from './release.ts';

/** @returns the path of NAME_VERSION_ARCH.deb */
export function writeDebianPackage(
  release: Release,
  architecture: Architecture,
  executable: string,
  scratch: string,
): string {
  const { version, date, fast, out } = release;
  const tree = join(scratch, `deb-${architecture}`);
  mkdirSync(join(tree, 'usr/bin'), { recursive: true, mode: 0o755 });
  copyFileSync(executable, join(tree, 'usr/bin', NAME));
  writeTree(tree, files(release));
  const scripts = ['postinst', 'prerm', 'postrm'].map((name) => ({ path: name, content: template(name), mode: 0o755 }));
  const control = template('control')
    .replace('@VERSION@', version)
    .replace('@ARCHITECTURE@', architecture)
    .replace('@MAINTAINER@', MAINTAINER)
    .replace('@SIZE@', String(Math.ceil(sizeOf(tree) / 1024)));
  const conffiles = '/etc/herakles/config.yaml\n/etc/herakles/subgroups.toml\n';
  const sums = execFileSync('sh', ['-c', 'find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum'], {
    cwd: tree,
  });
  writeTree(join(tree, 'DEBIAN'), [
    ...scripts,
    { path: 'control', content: control },
    { path: 'conffiles', content: conffiles },
    { path: 'md5sums', content: sums },
  ]);
  dateTree(tree, date);
  const path = join(out, `${NAME}_${version}_${architecture}.deb`);
  const compress = fast ? ['-Zgzip', '-z1'] : ['-Zxz', '-z6'];
  execFileSync('dpkg-deb', ['--root-owner-group', ...compress, '--build', tree, path], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(date) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return path;
}

function files({ version, date, notice, sbom }: Release): Entry[] {
  const docs = `usr/share/doc/${NAME}`;
  const gzip = (text: string) => gzipSync(text, { level: 9 });
  return [
    ...systemFiles('usr/share/zsh/vendor-completions'),
    { path: `${docs}/copyright`, content: template('copyright') },
    { path: `${docs}/NOTICE`, content: notice },
    { path: `${docs}/sbom.cdx.json`, content: sbom },
    { path: `${docs}/changelog.gz`, content: gzip(changelog(version, date)) },
    { path: `${docs}/NEWS.md.gz`, content: gzip(readFileSync(`${root}CHANGELOG.md`, 'utf8')) },
    { path: `${docs}/examples/socket-activation.conf`, content: socketDropIn() },
    ...documents('NEWS.md.gz').map(({ path, content }) => ({ path: `${docs}/${path}`, content })),
    { path: `usr/share/lintian/overrides/${NAME}`, content: template('lintian-overrides') },
  ];
}

/** In Debian's form, which names the version that is installed; NEWS.md.gz says what is new. */
function changelog(version: string, date: number): string {
  const day = new Date(date * 1000).toUTCString().replace('GMT', '+0000');
  return `${NAME} (${version}) stable; urgency=medium\n\n  * NEWS.md.gz says what is new.\n\n -- ${MAINTAINER}  ${day}\n`;
}

const template = (name: string): string => readFileSync(`${root}deploy/debian/${name}`, 'utf8');

/** Bytes of all files in a folder. */
const sizeOf = (folder: string): number =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(folder, name)))
    .reduce((sum, entry) => sum + (entry.isFile() ? entry.size : 0), 0);
