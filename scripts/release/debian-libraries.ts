// The libraries that the executable loads. An image takes them from Debian's packages. debian-libraries.json lists the packages,
// with versions and checksums, so that the same sources give the same image. A mirror of Debian keeps only the newest
// version of each; `npm run release -- --renew-debian` then takes the newest version and writes the file again (docs/releasing.md).
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { downloadSuite } from '../debian-packages.mjs';
import { root } from '../install.mjs';
import type { LayerEntry } from './layer.ts';
import { ARCHITECTURES, type Architecture } from './node-binaries.ts';

export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
}

interface Lock {
  readonly suite: string;
  readonly packages: Readonly<Record<Architecture, readonly DebianPackage[]>>;
}

const LOCK = `${root}scripts/release/debian-libraries.json`;
const CACHE = `${root}.cache/release/debian`;
const fileOf = (sha256: string): string => `${CACHE}/${sha256}.deb`;

/** Suite and packages of the file. */
export const lock = (): Lock => JSON.parse(readFileSync(LOCK, 'utf8'));

/** What an image takes from them: the libraries, the names of the system and of its packages, and all licences. */
const KEPT = [
  /^lib(?:64)?$/, // links into usr
  /^usr\/lib(?:64)?\/(?:[a-z0-9_]+-linux-gnu\/)?(?:ld-linux-[^/]+|lib(?:c|m|dl|pthread|gcc_s|stdc\+\+)\.so\.[\d.]+)$/,
  /^(?:etc\/(?:os-release|debian_version)|usr\/lib\/os-release)$/,
  /^usr\/share\/(?:common-licenses\/[^/]+|doc\/[^/]+\/copyright|doc\/lib[^/]+)$/,
];

/**
 * The files of an image that come from Debian, with what scanners for vulnerabilities look for.
 * @throws Error where a package of the lock cannot be had: which one, why, and what to do
 */
export function debianFiles(architecture: Architecture): LayerEntry[] {
  const { suite, packages } = lock();
  const missing = packages[architecture].filter(({ sha256 }) => !existsSync(fileOf(sha256)));
  if (missing.length > 0) {
    const names = missing.map(({ name, version }) => `${name}=${version}`);
    const problem = download({ suite, architecture, names });
    if (problem || missing.some(({ sha256 }) => !existsSync(fileOf(sha256))))
      throw new Error(
        `the image needs Debian's ${missing.map(({ name, version, sha256 }) => `${name} ${version} (SHA-256 ${sha256})`).join(', ')} ` +
          `for ${architecture}, and this machine's mirror does not give these. To take the versions that it has: npm run ` +
          `release -- --renew-debian; or put the files as SHA256.deb into ${CACHE}${problem ? `\n${problem}` : ''}`,
      );
  }
  return packages[architecture].flatMap(({ name, sha256 }) => [
    ...filesOf(fileOf(sha256)),
    {
      path: `var/lib/dpkg/status.d/${name}`,
      content: execFileSync('dpkg-deb', ['--field', fileOf(sha256)], { encoding: 'utf8' }),
    },
  ]);
}

/** Writes the lock again, with the newest version of each package for both architectures. */
export function renewDebian(): void {
  const { suite, packages } = lock();
  const newest = (Object.keys(ARCHITECTURES) as Architecture[]).map((architecture) => {
    const names = packages[architecture].map(({ name }) => name);
    const found: DebianPackage[] = [];
    const problem = download({ suite, architecture, names }, (one) => found.push(one));
    if (problem) throw new Error(`no packages of Debian ${suite} for the images: ${problem}`);
    return [architecture, found.sort((a, b) => (a.name < b.name ? -1 : 1))];
  });
  const text = JSON.stringify({ suite, packages: Object.fromEntries(newest) }, undefined, 2);
  writeFileSync(LOCK, `${text}\n`);
}

/** Downloads packages into the cache. @returns what went wrong */
function download(
  wanted: { suite: string; architecture: string; names: string[] },
  found?: (one: DebianPackage) => void,
): string | undefined {
  mkdirSync(CACHE, { recursive: true });
  const part = mkdtempSync(`${CACHE}/part-`);
  try {
    const problem = downloadSuite(wanted, part);
    for (const file of readdirSync(part).filter((name) => name.endsWith('.deb'))) {
      const field = (name: string) =>
        execFileSync('dpkg-deb', ['--field', `${part}/${file}`, name])
          .toString()
          .trim();
      const sha256 = createHash('sha256')
        .update(readFileSync(`${part}/${file}`))
        .digest('hex');
      found?.({ name: field('Package'), version: field('Version'), sha256 });
      renameSync(`${part}/${file}`, fileOf(sha256));
    }
    return problem;
  } finally {
    rmSync(part, { recursive: true });
  }
}

/** The files of a package that an image takes. */
function filesOf(deb: string): LayerEntry[] {
  const folder = mkdtempSync(`${CACHE}/part-`);
  try {
    execFileSync('dpkg-deb', ['--extract', deb, folder]);
    return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry): LayerEntry[] => {
      const place = `${entry.parentPath}/${entry.name}`;
      const path = place.slice(folder.length + 1);
      if (!KEPT.some((kept) => kept.test(path))) return [];
      if (entry.isSymbolicLink()) return [{ path, content: '', link: readlinkSync(place) }];
      return entry.isFile() ? [{ path, content: readFileSync(place), mode: isProgram(path) ? 0o755 : 0o644 }] : [];
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The loader of libraries is run by the kernel. */
const isProgram = (path: string): boolean => path.includes('/ld-linux-');
