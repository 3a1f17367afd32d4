// Bundles test files, so that each runs as plain JavaScript. Started through a TypeScript loader, each of the sixty
// test processes spends half a second of CPU before its first test; as bundles that share their chunks, a tenth of a
// second. Each file is still a process of its own, stacks name source lines, and properties are seeded.
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { commonOptions, root } from './bundle.mjs';

/**
 * A test finds its files by import.meta.url, which must stay the address of its source.
 * @type {import('esbuild').Plugin}
 */
const sourceAddress = {
  name: 'source-address',
  setup(plugin) {
    plugin.onLoad({ filter: /\.(ts|mjs)$/, namespace: 'file' }, async ({ path }) => ({
      loader: extname(path) === '.ts' ? 'ts' : 'js',
      contents: (await readFile(path, 'utf8')).replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
    }));
  },
};

/**
 * `import fc from 'fast-check'` gives properties.mjs, which decides seed and duration.
 * @type {import('esbuild').Plugin}
 */
const properties = {
  name: 'properties',
  setup(plugin) {
    const ours = `${root}scripts/properties.mjs`;
    plugin.onResolve({ filter: /^fast-check$/ }, ({ importer }) =>
      importer === ours ? { path: 'fast-check', external: true } : { path: ours },
    );
  },
};

/**
 * Writes one file for each test file, and the chunks they share, to a folder of dist/: libraries are found from there.
 * @param {readonly string[]} files test files, relative to the project's folder
 * @param {string} folder for instance dist/unit
 * @returns {Promise<string[]>} the files to run, in the same order
 */
export async function bundleTests(files, folder) {
  const common = commonOptions('with examples');
  await build({
    ...common,
    entryPoints: [...files],
    outdir: folder,
    outbase: '.',
    outExtension: { '.js': '.mjs' },
    format: 'esm',
    splitting: true,
    packages: 'external',
    sourcemap: 'linked',
    plugins: [properties, ...common.plugins, sourceAddress],
    logLevel: 'warning',
  });
  return files.map((file) => `${folder}/${file.replace(/\.ts$/, '.mjs')}`);
}
