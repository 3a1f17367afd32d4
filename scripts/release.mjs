// npm run release: installs what is missing, and makes everything that is published, in dist/release/; scripts/release/main.ts
// does it. `npm run release -- --help` says what can be chosen.
import { install, run } from './install.mjs';

install();
const loaders = ['--import', 'tsx', '--import', './scripts/toml-loader.mjs'];
run('making the release', process.execPath, [...loaders, 'scripts/release/main.ts', ...process.argv.slice(2)]);
