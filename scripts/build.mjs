// npm run build: installs what is missing and makes dist/herakles.cjs, the whole program in one file, and dist/NOTICE.
import { install } from './install.mjs';

install();
const { buildProgram } = await import('./bundle.mjs');
await buildProgram('dist/herakles.cjs');
