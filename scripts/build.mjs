// Makes the one bundle, dist/herakles.cjs: program, libraries and catalogue in a single CommonJS file.
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { parse } from 'smol-toml';

const root = new URL('..', import.meta.url).pathname;
const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));

/** The commit the bundle is made from; an archive without git says so. */
function revision() {
  try {
    return execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim();
  } catch {
    return 'unknown';
  }
}

/** A rule's examples are its tests; the program has no use for them. */
const withoutExamples = (key, value) =>
  key === 'examples' || key === 'not_examples' || key === 'source' ? undefined : value;

const toml = {
  name: 'toml',
  setup(plugin) {
    plugin.onLoad({ filter: /\.toml$/ }, async ({ path }) => ({
      loader: 'text',
      contents: JSON.stringify(parse(await readFile(path, 'utf8')), withoutExamples),
    }));
  },
};

/** x.ts?source: the text of a bundle of its own, for a thread to run. */
const source = {
  name: 'source',
  setup(plugin) {
    plugin.onResolve({ filter: /\?source$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.replace('?source', '')),
      namespace: 'source',
    }));
    plugin.onLoad({ filter: /./, namespace: 'source' }, async ({ path }) => {
      const options = { bundle: true, platform: 'node', format: 'cjs', target: 'node20', minify: true, write: false };
      const { outputFiles } = await build({ ...options, entryPoints: [path], legalComments: 'inline' });
      return { loader: 'text', contents: outputFiles[0].text };
    });
  },
};

await build({
  absWorkingDir: root,
  entryPoints: ['src/main.ts'],
  outfile: 'dist/herakles.cjs',
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  legalComments: 'linked',
  minifyWhitespace: true,
  minifySyntax: true,
  banner: { js: '#!/usr/bin/env node' },
  define: {
    'globalThis.HERAKLES_VERSION': JSON.stringify(version),
    'globalThis.HERAKLES_REVISION': JSON.stringify(revision()),
  },
  loader: { '.service': 'text', '.socket': 'text', '.conf': 'text' },
  plugins: [toml, source],
});
chmodSync(`${root}dist/herakles.cjs`, 0o755);
