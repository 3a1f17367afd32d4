// Module hooks that import what the bundle imports (bundle.mjs): `import json from './x.toml'` gives a function that gives
// the document as JSON text, `import text from './x.md'` its text, and `import source from './x.ts?source'` the text of a bundle of its own.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { parse } from 'smol-toml';

/** @type {import('node:module').ResolveHook} */
export async function resolve(specifier, context, next) {
  if (!specifier.endsWith('?source')) return next(specifier, context);
  return { url: new URL(specifier, context.parentURL).href, format: 'module', shortCircuit: true };
}

/** @type {import('node:module').LoadHook} */
export async function load(url, context, next) {
  if (url.endsWith('.toml')) {
    const json = JSON.stringify(parse(await readFile(fileURLToPath(url), 'utf8')));
    return { format: 'module', shortCircuit: true, source: `export default () => ${JSON.stringify(json)};` };
  }
  if (url.endsWith('.md')) return text(await readFile(fileURLToPath(url), 'utf8'));
  if (!url.endsWith('?source')) return next(url, context);
  const { outputFiles } = await build({
    ...{ bundle: true, platform: 'node', format: 'cjs', target: 'node20', write: false },
    entryPoints: [fileURLToPath(url.replace('?source', ''))],
  });
  return text(outputFiles[0]?.text ?? '');
}

/**
 * A module whose default export is a text.
 * @param {string} content
 */
const text = (content) => ({
  format: /** @type {const} */ ('module'),
  shortCircuit: true,
  source: `export default ${JSON.stringify(content)};`,
});
