// What the artefacts of a release have in common: version and date, the built program with its licences, the files that
// come with it, and how a tree of files is written so that the same sources give the same bytes.
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { completionFor } from '../../src/cli/completion/completion.ts';
import { FIRST_CONFIG, FIRST_RULES, unitOfExecutable } from '../../src/cli/install/first-files.ts';
import { verbs } from '../../src/cli/verbs.ts';
import { buildProgram, sourceDate } from '../bundle.mjs';
import { noticeOf, type Package, sbomOf } from '../bundled-packages.mjs';
import { root } from '../install.mjs';
import { manPage } from '../man-page.ts';
import { makeBlob, nodeVersions } from './executable.ts';
import { here, NODE_VERSION, nodeFolder } from './node-binaries.ts';

export const NAME = 'herakles-node-exporter';
/** Name and address of who answers for the packages: `author` of package.json. */
export const MAINTAINER: string = JSON.parse(readFileSync(`${root}package.json`, 'utf8')).author;

export interface Release {
  readonly version: string;
  /** What the program is, in one line. */
  readonly description: string;
  /** Seconds since 1970: the date of every file (reproducible-builds.org/specs/source-date-epoch). */
  readonly date: number;
  /** Quick and large, for tests; else slow and small. */
  readonly fast: boolean;
  /** Folder of the artefacts. */
  readonly out: string;
  readonly packages: readonly Package[];
  /** What is injected into a Node.js. */
  readonly blob: Buffer;
  /** process.versions of that Node.js. */
  readonly node: Readonly<Record<string, string>>;
  /** NOTICE and SBOM of an executable: the Node.js inside is in them. */
  readonly notice: string;
  readonly sbom: string;
}

/** A file of an artefact. */
export interface Entry {
  readonly path: string;
  readonly content: string | Buffer;
  readonly mode?: number;
}

/** Builds the program, and takes together what the artefacts need. */
export async function prepareRelease(out: string, fast: boolean): Promise<Release> {
  const { version, description } = JSON.parse(read('package.json')) as { version: string; description: string };
  const packages = await buildProgram('dist/herakles.cjs');
  const licence = readFileSync(`${nodeFolder(here)}/LICENSE`, 'utf8').trim();
  const notice = noticeOf(packages, {
    name: 'Node.js',
    version: NODE_VERSION,
    licence: 'MIT and others',
    text: licence,
  });
  const node = nodeVersions();
  const sbom = sbomText({ version, packages, node });
  const blob = await makeBlob(`${root}dist/herakles.cjs`, notice);
  const date = sourceDate() ?? OLDEST_DATE;
  return { version, description, date, fast, out, packages, blob, node, notice, sbom };
}

/** The text of an SBOM. */
export const sbomText = (contents: Parameters<typeof sbomOf>[0]): string =>
  `${JSON.stringify(sbomOf(contents), undefined, 2)}\n`;

/** The date of every file, where an archive without git says none: the first second of 1980, the oldest that zip has. */
const OLDEST_DATE = 315_532_800;

const read = (path: string): string => readFileSync(root + path, 'utf8');

/** The units, with the path of the executable in place of Node.js and the bundle. */
export function units(program: string): Entry[] {
  const names = readdirSync(`${root}deploy/systemd`).filter((name) => /\.(?:service|socket)$/.test(name));
  return names.sort().map((name) => {
    const text = unitOfExecutable(read(`deploy/systemd/${name}`), program);
    return {
      path: name,
      content: text.replace(/^# Installed by .*\n/, `# To change something: systemctl edit ${name}\n`),
    };
  });
}

export const socketDropIn = (): string => read('deploy/systemd/socket-activation.conf');
export const completions = {
  bash: () => completionFor('bash', verbs),
  zsh: () => completionFor('zsh', verbs),
  fish: () => completionFor('fish', verbs),
} as const;

/** What the packages of every distribution install beside the executable; they differ in the folder for zsh. */
export function systemFiles(zsh: string): Entry[] {
  return [
    { path: 'etc/herakles/config.yaml', content: FIRST_CONFIG },
    { path: 'etc/herakles/subgroups.toml', content: FIRST_RULES },
    ...units(`/usr/bin/${NAME}`).map(({ path, content }) => ({ path: `usr/lib/systemd/system/${path}`, content })),
    { path: `usr/share/man/man1/${NAME}.1.gz`, content: gzipSync(manPage(), { level: 9 }) },
    { path: `usr/share/bash-completion/completions/${NAME}`, content: completions.bash() },
    { path: `${zsh}/_${NAME}`, content: completions.zsh() },
    { path: `usr/share/fish/vendor_completions.d/${NAME}.fish`, content: completions.fish() },
  ];
}

/**
 * What README.md and the documents lead to, with both of them: below a folder of an artefact every link of them has its target.
 * @param changelog what CHANGELOG.md is called there
 */
export function documents(changelog = 'CHANGELOG.md'): Entry[] {
  const below = (folder: string) =>
    readdirSync(root + folder, { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`);
  const files = [...below('docs'), ...below('deploy')].filter((path) => statSync(root + path).isFile());
  return ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', ...files.sort()].map((path) => {
    const content = readFileSync(root + path);
    if (!path.endsWith('.md')) return { path, content };
    return { path, content: content.toString().replaceAll('CHANGELOG.md)', `${changelog})`) };
  });
}

/** Writes files into a folder. */
export function writeTree(folder: string, entries: readonly Entry[]): void {
  for (const { path, content, mode = 0o644 } of entries) {
    const place = join(folder, path);
    mkdirSync(dirname(place), { recursive: true, mode: 0o755 });
    writeFileSync(place, content, { mode });
  }
}

/**
 * Gives a folder and everything in it one date, after the last file is written: each file changes the date of its folder.
 * @throws Error for a mode that depends on who builds
 */
export function dateTree(folder: string, date: number): void {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  for (const path of [folder, ...names.map((name) => join(folder, name))]) {
    if ((statSync(path).mode & 0o022) !== 0)
      throw new Error(`${path} may be written by others; set umask 022 and run the release again`);
    utimesSync(path, date, date);
  }
}
