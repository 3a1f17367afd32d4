// npm run bench: installs what is missing; bench/run.ts does the rest. `npm run bench -- --help` says what can be chosen.
import { install, run } from './install.mjs';

install();
const loaders = ['--import', 'tsx', '--import', './scripts/toml-loader.mjs'];
run('measuring', process.execPath, [...loaders, 'bench/run.ts', ...process.argv.slice(2)]);
