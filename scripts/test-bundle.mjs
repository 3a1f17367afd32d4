// Bundles test files, so that they run as plain JavaScript. Started through a TypeScript loader, a test process spends
// half a second of CPU before its first test; as bundles that share their chunks, a tenth of a second. Stacks name
// source lines, and properties are seeded.
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, extname, relative } from 'node:path';
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

/** Folders whose tests together take less CPU than their processes need to start. */
const QUICK = ['bench', 'src-collectors', 'src-exposition', 'src-text', 'src-web'];

/**
 * Writes one file for each folder of the project's folders (`src/cli`, `test`) that imports the bundles in it and in its
 * own folders, and one for all folders whose tests are quick: their tests run one after another in one process. A process
 * for each of a hundred files loads and compiles the same code again, a fifth of all CPU.
 * @param {readonly string[]} bundles what bundleTests returned
 * @param {string} folder as bundleTests has it
 * @returns {Promise<string[]>} the files to run
 */
export async function oneForEachFolder(bundles, folder) {
  /** @param {string} bundle dist/unit/src/cli/top/keys.test.mjs gives src-cli */
  const nameOf = (bundle) => {
    const name = dirname(relative(folder, bundle)).split('/').slice(0, 2).join('-');
    return QUICK.includes(name) ? 'quick' : name;
  };
  const names = [...new Set(bundles.map(nameOf))];
  return Promise.all(
    names.map(async (name) => {
      const path = `${folder}/${name}.mjs`;
      const own = bundles.filter((bundle) => nameOf(bundle) === name);
      const imports = own.map((bundle) => `import './${relative(folder, bundle)}';\n`);
      await writeFile(root + path, imports.join(''));
      return path;
    }),
  );
}
