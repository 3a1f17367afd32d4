// Makes the program one executable that needs no Node.js: an official Node.js without its symbols, and in an ELF note of it
// what it runs instead of a file (nodejs.org/api/single-executable-applications.html, Node.js 24). That is
// src/executable.ts, with the bundle, the reader's program and NOTICE as assets.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'postject';
import { sourceText } from '../bundle.mjs';
import { stripped } from './elf-strip.ts';
import { type Architecture, here, nodeFolder } from './node-binaries.ts';

/** What Node.js looks for in itself; postject changes its last character. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** process.versions of the Node.js inside. */
export const nodeVersions = (): Record<string, string> =>
  JSON.parse(
    execFileSync(`${nodeFolder(here)}/bin/node`, ['-p', 'JSON.stringify(process.versions)'], { encoding: 'utf8' }),
  );

/**
 * The blob to put in: the same for every architecture, because it holds neither code for a processor nor a snapshot.
 * @param bundle path of the bundle, which holds no shebang there
 * @param notice text of NOTICE
 */
export async function makeBlob(bundle: string, notice: string): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'herakles-executable-'));
  try {
    // The paths are relative, since the blob holds that of `main`.
    const config = {
      main: 'main.js',
      output: 'blob',
      disableExperimentalSEAWarning: true,
      // Words of the command line, and NODE_OPTIONS, are no options of this Node.js: nobody can open a debugger by them.
      // A SIGUSR1 opens none either.
      execArgv: ['--disable-sigusr1'],
      execArgvExtension: 'none',
      assets: { 'herakles.cjs': 'herakles.cjs', 'reader.js': 'reader.js', NOTICE: 'NOTICE' },
    };
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
    writeFileSync(join(folder, 'main.js'), (await sourceText('src/executable.ts')).text);
    writeFileSync(join(folder, 'reader.js'), (await sourceText('src/kernel/reader.ts')).text);
    // As a comment the first line keeps its place: stacks of the executable name the same lines as stacks of the bundle.
    writeFileSync(join(folder, 'herakles.cjs'), readFileSync(bundle, 'utf8').replace(/^#!/, '//'));
    writeFileSync(join(folder, 'NOTICE'), notice);
    const args = ['--experimental-sea-config', 'config.json'];
    execFileSync(`${nodeFolder(here)}/bin/node`, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
    return readFileSync(join(folder, 'blob'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Writes the executable of an architecture. */
export async function writeExecutable(architecture: Architecture, blob: Buffer, path: string): Promise<void> {
  writeFileSync(path, stripped(readFileSync(`${nodeFolder(architecture)}/bin/node`)));
  await inject(path, 'NODE_SEA_BLOB', blob, { sentinelFuse: FUSE });
  chmodSync(path, 0o755);
}
