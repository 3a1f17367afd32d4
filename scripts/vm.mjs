// npm run vm: builds the Debian package, and tries it on machines that are really booted (test/vm/). Arguments name
// scenarios: `npm run vm -- debian` runs the files whose path contains the word. It needs root, on Debian of
// x86-64. Without a KVM that starts a kernel the processor is emulated, and each machine takes some minutes.
import { readdirSync, rmSync } from 'node:fs';
import { install, root, run } from './install.mjs';

install();
const names = process.argv.slice(2);
const scenarios = readdirSync(`${root}test/vm`)
  .map((name) => `test/vm/${name}`)
  .filter((path) => path.endsWith('.vm.ts') && (names.length === 0 || names.some((name) => path.includes(name))))
  .sort();
if (scenarios.length === 0) {
  console.error(`no scenario in test/vm contains ${names.join(' or ')}`);
  process.exit(2);
}
const release = ['scripts/release.mjs', '--arch', 'amd64', '--fast', '--out', 'dist/vm/release'];
rmSync(`${root}dist/vm`, { recursive: true, force: true });
run('making the packages', process.execPath, release);
const { bundleTests } = await import('./test-bundle.mjs');
const bundles = await bundleTests(scenarios, 'dist/vm/test');
// One machine at a time. What a scenario needs and cannot be had is a failure here, because it was asked for; only a
// history that does not reach back to the version before skips one.
const node = ['--enable-source-maps', '--test', '--test-reporter', 'spec', '--test-concurrency=1'];
run('booting machines', process.execPath, [...node, ...bundles], { env: { ...process.env, CI: 'true' } });
