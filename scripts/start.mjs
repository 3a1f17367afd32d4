// npm start: install, build, run. Arguments after `--` go to the exporter: npm start -- --port 9300
import { createRequire } from 'node:module';
import { install, root, run } from './install.mjs';

// Node.js opens a debugger at this signal; src/cli/node-signals.ts tells more.
process.on('SIGUSR1', () => {});
install();
run('building dist/herakles.cjs', process.execPath, ['scripts/build.mjs']);
process.argv[1] = `${root}dist/herakles.cjs`;
createRequire(import.meta.url)(process.argv[1]);
