// npm start: install, build, run. Arguments after `--` go to the exporter: npm start -- --port 9300
import { createRequire } from 'node:module';
import { install } from './install.mjs';

install();
console.error('# building dist/herakles.cjs');
await import('./build.mjs');
process.argv[1] = new URL('../dist/herakles.cjs', import.meta.url).pathname;
createRequire(import.meta.url)(process.argv[1]);
