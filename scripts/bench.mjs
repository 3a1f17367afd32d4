// npm run bench: install, build, and measure this exporter beside its peers. Arguments name parts: as-used,
// cost, accuracy, classify, start, soak, page; without any it runs them all, which takes hours.
import { install, run } from './install.mjs';

install();
run('building dist/herakles.cjs', process.execPath, ['scripts/build.mjs']);
run('measuring', process.execPath, [
  '--import',
  'tsx',
  '--import',
  './scripts/toml-loader.mjs',
  'bench/run.ts',
  ...process.argv.slice(2),
]);
