// npm run release: makes everything that is published, and the list of it with checksums.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../install.mjs';
import { writeArchive } from './archive.ts';
import { writeDebianPackage } from './debian.ts';
import { writeExecutable } from './executable.ts';
import { ARCHITECTURES, type Architecture, NODE_VERSION } from './node-binaries.ts';
import { NAME, prepareRelease, type Release, sbomText } from './release.ts';

const USAGE = `Usage: npm run release -- [--arch amd64|arm64] [--out FOLDER] [--fast]

--arch ARCH   only artefacts of this architecture; may be repeated
--out FOLDER  instead of dist/release
--fast        compress quickly instead of well
SOURCE_DATE_EPOCH in the environment is the date of every file; without it, the time of the commit.
`;

function commandLine(): { architectures: Architecture[]; out: string; fast: boolean } {
  const { values } = parseArgs({
    options: {
      arch: { type: 'string', multiple: true, default: Object.keys(ARCHITECTURES) },
      out: { type: 'string', default: 'dist/release' },
      fast: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const unknown = values.arch.find((name) => !(name in ARCHITECTURES));
  if (values.help || unknown) {
    process.stderr.write(unknown ? `--arch ${unknown}: give amd64 or arm64\n\n${USAGE}` : USAGE);
    process.exit(unknown ? 2 : 0);
  }
  return { architectures: values.arch as Architecture[], out: resolve(root, values.out), fast: values.fast };
}

/** The package for npm, from the files that package.json names. @returns its path */
function writeNpmPackage({ out, version }: Release): string {
  const args = ['pack', '--silent', '--ignore-scripts', '--pack-destination', out];
  execFileSync('npm', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  return join(out, `${NAME}-${version}.tgz`);
}

function writeText(path: string, text: string): string {
  writeFileSync(path, text);
  return path;
}

const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

/** What is in the folder, and from what it was made. */
function manifest({ version, date, packages }: Release, paths: readonly string[]): string {
  const files = paths.map((path) => ({ name: basename(path), bytes: statSync(path).size, sha256: sha256(path) }));
  const libraries = Object.fromEntries(packages.map(({ name, version }) => [name, version]));
  const made = new Date(date * 1000).toISOString();
  return `${JSON.stringify({ name: NAME, version, date: made, node: NODE_VERSION, libraries, files }, undefined, 2)}\n`;
}

process.umask(0o022);
const { architectures, out, fast } = commandLine();
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const scratch = mkdtempSync(join(tmpdir(), 'herakles-release-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
const release = await prepareRelease(out, fast);
const artefact = (name: string) => join(out, `${NAME}-${release.version}.${name}`);
const paths: string[] = [];
for (const architecture of architectures) {
  const executable = join(scratch, architecture);
  await writeExecutable(architecture, release.blob, executable);
  paths.push(writeArchive(release, architecture, executable, scratch));
  paths.push(writeDebianPackage(release, architecture, executable, scratch));
}
paths.push(writeNpmPackage(release));
paths.push(writeText(artefact('executable.cdx.json'), release.sbom));
paths.push(writeText(artefact('npm.cdx.json'), sbomText(release.version, release.packages)));
paths.sort();
paths.push(writeText(join(out, 'manifest.json'), manifest(release, paths)));
writeText(join(out, 'SHA256SUMS'), paths.map((path) => `${sha256(path)}  ${basename(path)}\n`).join(''));
for (const path of paths) process.stderr.write(`# ${path} ${statSync(path).size}\n`);
