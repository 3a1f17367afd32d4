// npm run bench: install, build, and measure this exporter beside its peers. Arguments name parts: cost, accuracy, classify, soak.
import { install, run } from './install.mjs';

install();
run('building dist/herakles.cjs', 'node', ['scripts/build.mjs']);
run('measuring', 'node', [
  '--import',
  'tsx',
  '--import',
  './scripts/toml-loader.mjs',
  'bench/run.ts',
  ...process.argv.slice(2),
]);
