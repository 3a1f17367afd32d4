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
import { renewDebian } from './debian-libraries.ts';
import { writeExecutable } from './executable.ts';
import { writeImages } from './image.ts';
import { ARCHITECTURES, type Architecture, NODE_VERSION } from './node-binaries.ts';
import { NAME, prepareRelease, type Release, sbomText } from './release.ts';
import { rpmProblem, writeRpm } from './rpm.ts';

const KINDS = ['archive', 'deb', 'rpm', 'image', 'npm'] as const;
type Kind = (typeof KINDS)[number];

const USAGE = `Usage: npm run release -- [--arch amd64|arm64] [--only KIND] [--out FOLDER] [--fast] [--renew-debian]

--arch ARCH     only artefacts of this architecture; may be repeated
--only KIND     only ${KINDS.join(', ')}; may be repeated
--out FOLDER    instead of dist/release
--fast          compress quickly instead of well
--renew-debian  first write the present versions of Debian's libraries, which the images hold, into debian-libraries.json
SOURCE_DATE_EPOCH in the environment is the date of every file; without it, the time of the commit.
`;

interface CommandLine {
  readonly architectures: readonly Architecture[];
  readonly kinds: readonly Kind[];
  readonly out: string;
  readonly fast: boolean;
  readonly renew: boolean;
}

function commandLine(): CommandLine {
  const { values } = parseArgs({
    options: {
      arch: { type: 'string', multiple: true, default: Object.keys(ARCHITECTURES) },
      only: { type: 'string', multiple: true },
      out: { type: 'string', default: 'dist/release' },
      fast: { type: 'boolean', default: false },
      'renew-debian': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const wrong = [
    ...values.arch.filter((name) => !(name in ARCHITECTURES)).map((name) => `--arch ${name}: give amd64 or arm64`),
    ...(values.only ?? [])
      .filter((name) => !KINDS.includes(name as Kind))
      .map((name) => `--only ${name}: give ${KINDS.join(', ')}`),
  ];
  if (values.help || wrong.length > 0) {
    process.stderr.write(`${wrong.map((line) => `${line}\n\n`).join('')}${USAGE}`);
    process.exit(wrong.length > 0 ? 2 : 0);
  }
  const [architectures, kinds] = [values.arch as Architecture[], possible(values.only as Kind[] | undefined)];
  return { architectures, kinds, out: resolve(root, values.out), fast: values.fast, renew: values['renew-debian'] };
}

/** The kinds that were asked for; of all, those that can be made here. */
function possible(asked: readonly Kind[] | undefined): readonly Kind[] {
  const problem = (asked ?? KINDS).includes('rpm') ? rpmProblem() : undefined;
  if (!problem) return asked ?? KINDS;
  process.stderr.write(`# no package for rpm: ${problem}\n`);
  if (asked) process.exit(1);
  return KINDS.filter((kind) => kind !== 'rpm');
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

/** Writes the artefacts of an architecture. @returns their paths */
async function writeFor(architecture: Architecture, release: Release, kinds: readonly Kind[]): Promise<string[]> {
  const executable = join(scratch, architecture);
  await writeExecutable(architecture, release.blob, executable);
  return [
    ...(kinds.includes('archive') ? [writeArchive(release, architecture, executable, scratch)] : []),
    ...(kinds.includes('deb') ? [writeDebianPackage(release, architecture, executable, scratch)] : []),
    ...(kinds.includes('rpm') ? [writeRpm(release, architecture, executable, scratch)] : []),
    ...(kinds.includes('image') ? await writeImages(release, architecture, executable) : []),
  ];
}

process.umask(0o022);
const { architectures, kinds, out, fast, renew } = commandLine();
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const scratch = mkdtempSync(join(tmpdir(), 'herakles-release-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
if (renew) renewDebian();
const release = await prepareRelease(out, fast);
const { version, packages } = release;
const artefact = (name: string) => join(out, `${NAME}-${version}.${name}`);
const paths: string[] = [];
for (const architecture of architectures) paths.push(...(await writeFor(architecture, release, kinds)));
if (kinds.includes('npm')) {
  paths.push(writeNpmPackage(release));
  paths.push(writeText(artefact('npm.cdx.json'), sbomText({ version, packages })));
}
paths.push(writeText(artefact('executable.cdx.json'), release.sbom));
paths.sort();
paths.push(writeText(join(out, 'manifest.json'), manifest(release, paths)));
writeText(join(out, 'SHA256SUMS'), paths.map((path) => `${sha256(path)}  ${basename(path)}\n`).join(''));
for (const path of paths) process.stderr.write(`# ${path} ${statSync(path).size}\n`);
