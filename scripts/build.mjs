// npm run build: installs what is missing and makes dist/herakles.cjs, the whole program in one file.
import { chmodSync } from 'node:fs';
import { install } from './install.mjs';

install();
const [{ build }, { programOptions, root }] = await Promise.all([import('esbuild'), import('./bundle.mjs')]);
const bundle = 'dist/herakles.cjs';
await build(programOptions(bundle));
chmodSync(root + bundle, 0o755);
