// What esbuild has to know about this project's files. build.mjs bundles the program with it, dev.mjs the program
// while it is edited, and test-bundle.mjs the tests: so an import means the same in all of them.
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { build } from 'esbuild';
import { parse } from 'smol-toml';
import { noticeOf, packagesOf } from './bundled-packages.mjs';
import { page } from './web-page.mjs';

/** @typedef {import('esbuild').BuildOptions} BuildOptions */
/** @typedef {import('esbuild').Metafile} Metafile */
/** @typedef {import('esbuild').Plugin} Plugin */
/** @typedef {import('./bundled-packages.mjs').Package} Package */

/** The project's folder, with a slash at its end. */
export const root = new URL('..', import.meta.url).pathname;

/**
 * A rule's examples and its source are for tests and readers; the program has no use for them.
 * @type {(key: string, value: unknown) => unknown}
 */
const withoutExamples = (key, value) =>
  key === 'examples' || key === 'not_examples' || key === 'source' ? undefined : value;

/**
 * A module whose default export is a function that gives a document as JSON text.
 * @param {unknown} document
 * @param {(key: string, value: unknown) => unknown} [replacer]
 */
const functionOf = (document, replacer) =>
  `export default () => ${JSON.stringify(JSON.stringify(document, replacer))};`;

/**
 * x.toml: a function that gives the document as JSON text. V8 keeps the text of the whole program in any case; what it makes of
 * this function, with a second copy of the document, it forgets when the function was not called for some time.
 * @type {(examples: 'with examples' | 'without examples') => Plugin}
 */
const toml = (examples) => ({
  name: 'toml',
  setup(plugin) {
    plugin.onLoad({ filter: /\.toml$/ }, async ({ path }) => ({
      loader: 'js',
      contents: functionOf(
        parse(await readFile(path, 'utf8')),
        examples === 'with examples' ? undefined : withoutExamples,
      ),
      watchFiles: [path],
    }));
  },
});

/**
 * A program in one CommonJS text, for a thread or a process.
 * @param {string} path relative to the project's folder
 */
export async function sourceText(path) {
  const { outputFiles, metafile } = await build({
    ...{ absWorkingDir: root, entryPoints: [path], bundle: true, write: false, metafile: true, preserveSymlinks: true },
    ...{ platform: 'node', format: 'cjs', target: 'node20', minify: true, legalComments: 'none' },
  });
  return { text: outputFiles[0]?.text ?? '', metafile };
}

/**
 * x.ts?source: the text of a bundle of its own, which a thread runs. Its name in the outer bundle is relative to the
 * project's folder: the same sources give the same bytes, whatever the folder.
 * @type {(built?: (metafile: Metafile) => void) => Plugin}
 */
const source = (built) => ({
  name: 'source',
  setup(plugin) {
    plugin.onResolve({ filter: /\?source$/ }, ({ path, resolveDir }) => ({
      path: relative(root, join(resolveDir, path.replace('?source', ''))),
      namespace: 'source',
    }));
    plugin.onLoad({ filter: /./, namespace: 'source' }, async ({ path }) => {
      const { text, metafile } = await sourceText(path);
      built?.(metafile);
      return { loader: 'text', contents: text, watchFiles: Object.keys(metafile.inputs).map((one) => join(root, one)) };
    });
  },
});

/**
 * What the bundles of program and tests have in common.
 * @param {'with examples' | 'without examples'} examples
 * @param {(metafile: Metafile) => void} [built] takes the metafile of each bundle that the bundle holds
 * @returns {BuildOptions & { plugins: Plugin[] }}
 */
export const commonOptions = (examples, built) => ({
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  loader: { '.o': 'binary', '.service': 'text', '.socket': 'text', '.conf': 'text', '.md': 'text' },
  plugins: [toml(examples), source(built), page(built)],
  sourcesContent: false,
});

/** The commit the bundle is made from; 'unknown' in an archive without git. */
export function revision() {
  try {
    return execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim();
  } catch {
    return 'unknown';
  }
}

/**
 * The date of the sources, for everything that is built from them, in seconds since 1970: SOURCE_DATE_EPOCH, else the time
 * of the commit; undefined in an archive without git. The time of the build itself would make every build another.
 * @returns {number | undefined}
 */
export function sourceDate() {
  const given = process.env.SOURCE_DATE_EPOCH;
  if (given !== undefined && !/^\d{1,10}$/.test(given))
    throw new Error(`SOURCE_DATE_EPOCH is "${given}"; give the seconds since 1970, such as 1767225600`);
  if (given !== undefined) return Number(given);
  try {
    const args = ['log', '-1', '--format=%ct'];
    return Number(execFileSync('git', args, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8' }));
  } catch {
    return undefined;
  }
}

/**
 * The program: libraries and catalogue in a single CommonJS file, and its source map beside it. Node.js reads the map
 * only when it runs with --enable-source-maps; `npm run trace` reads it for stacks that people send.
 * @param {string} outfile
 * @param {(metafile: Metafile) => void} [built] takes the metafile of each bundle that this one holds
 * @returns {BuildOptions & { plugins: Plugin[] }}
 */
export function programOptions(outfile, built) {
  const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
  const date = sourceDate();
  return {
    ...commonOptions('without examples', built),
    entryPoints: ['src/main.ts'],
    outfile,
    format: 'cjs',
    legalComments: 'none', // NOTICE has the licences, also of libraries without such comments
    supported: { 'dynamic-import': false }, // a single executable has no loader for import()
    preserveSymlinks: true, // the bundle holds paths of libraries: the same where node_modules is a link
    minifyWhitespace: true,
    minifySyntax: true,
    minifyIdentifiers: true, // V8 keeps the whole text in memory; `npm run trace` finds the names again
    lineLimit: 200, // Node.js prints the whole line of an error that nothing caught
    sourcemap: 'linked',
    banner: { js: '#!/usr/bin/env node' },
    define: {
      'globalThis.HERAKLES_VERSION': JSON.stringify(version),
      'globalThis.HERAKLES_REVISION': JSON.stringify(revision()),
      'globalThis.HERAKLES_DATE': JSON.stringify(
        date === undefined ? 'unknown' : new Date(date * 1000).toISOString().replace('.000', ''),
      ),
    },
  };
}

/**
 * Builds the program, and writes NOTICE beside it: the licences of the libraries inside.
 * @param {string} outfile relative to the project's folder, or absolute
 * @returns {Promise<Package[]>} these libraries
 */
export async function buildProgram(outfile) {
  /** @type {Metafile[]} */
  const inner = [];
  const { metafile } = await build({ ...programOptions(outfile, (one) => inner.push(one)), metafile: true });
  const packages = packagesOf([/** @type {Metafile} */ (metafile), ...inner], root);
  const path = resolve(root, outfile);
  chmodSync(path, 0o755);
  writeFileSync(join(dirname(path), 'NOTICE'), noticeOf(packages));
  return packages;
}
