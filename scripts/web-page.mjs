// Builds the program of the page in the browser (src/web/) to what the exporter keeps of it in its bundle: script and
// style sheet, minified and compressed, as base64. So the bundle stays one plain text, and a browser gets the same bytes
// that lie in it.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url).pathname;

/**
 * A file of the page: gzip of its bytes as base64, and the start of their SHA-256, which changes with the file.
 * @typedef {{ gzip: string, hash: string }} Asset
 */

/** @param {Uint8Array} bytes @returns {Asset} */
const assetOf = (bytes) => ({
  gzip: gzipSync(bytes, { level: 9 }).toString('base64'),
  hash: createHash('sha256').update(bytes).digest('hex').slice(0, 16),
});

/**
 * Script and style sheet of the page.
 * @param {string} path its first file, relative to the project's folder
 */
export async function buildPage(path) {
  const { outputFiles, metafile } = await build({
    ...{ absWorkingDir: root, entryPoints: [path], bundle: true, write: false, metafile: true, preserveSymlinks: true },
    ...{ platform: 'browser', format: 'iife', target: 'es2022', minify: true, legalComments: 'none', outdir: 'page' },
    ...{ jsx: 'automatic', jsxImportSource: 'preact', tsconfigRaw: {} },
  });
  const contents = (/** @type {string} */ end) =>
    assetOf(outputFiles.find((file) => file.path.endsWith(end))?.contents ?? new Uint8Array());
  return {
    script: contents('.js'),
    style: contents('.css'),
    icon: assetOf(await readFile(`${root}src/web/icon.svg`)),
    metafile,
  };
}

/**
 * x.tsx?page: the assets of the page that begins in that file.
 * @type {(built?: (metafile: import('esbuild').Metafile) => void) => import('esbuild').Plugin}
 */
export const page = (built) => ({
  name: 'page',
  setup(plugin) {
    plugin.onResolve({ filter: /\?page$/ }, ({ path, resolveDir }) => ({
      path: relative(root, join(resolveDir, path.replace('?page', ''))),
      namespace: 'page',
    }));
    plugin.onLoad({ filter: /./, namespace: 'page' }, async ({ path }) => {
      const { metafile, ...assets } = await buildPage(path);
      built?.(metafile);
      const watchFiles = Object.keys(metafile.inputs).map((one) => join(root, one));
      return { loader: 'json', contents: JSON.stringify(assets), watchFiles };
    });
  },
});
