// Module hooks: `import document from './x.toml'` gives the document as JSON text, as in the bundle.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'smol-toml';

/** @type {import('node:module').LoadHook} */
export async function load(url, context, next) {
  if (!url.endsWith('.toml')) return next(url, context);
  const document = parse(await readFile(fileURLToPath(url), 'utf8'));
  return {
    format: 'module',
    shortCircuit: true,
    source: `export default ${JSON.stringify(JSON.stringify(document))};`,
  };
}
