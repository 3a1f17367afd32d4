// npm run vm: builds the Debian package, and tries it on machines that are really booted (test/vm/). It needs root, on Debian of
// x86-64. Without a KVM that starts a kernel the processor is emulated, and each machine takes some minutes.
import { readdirSync, rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { install, root, run } from './install.mjs';

const all = readdirSync(`${root}test/vm`)
  .filter((name) => name.endsWith('.vm.ts'))
  .sort();
const USAGE = `Usage: npm run vm -- [--suite SUITE] [NAME ...]

--suite SUITE  only machines of this Debian: bullseye, bookworm or trixie
NAME           only scenarios whose name contains one of the names; all are ${all.map((name) => name.replace('.vm.ts', '')).join(', ')}
`;

function commandLine() {
  try {
    const options = /** @type {const} */ ({ suite: { type: 'string' }, help: { type: 'boolean', short: 'h' } });
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    process.stderr.write(`${/** @type {Error} */ (error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

const {
  values: { suite, help },
  positionals: names,
} = commandLine();
if (help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
if (suite !== undefined && !['bullseye', 'bookworm', 'trixie'].includes(suite)) {
  process.stderr.write(`no machine is of ${suite}\n\n${USAGE}`);
  process.exit(2);
}
const unknown = names.find((name) => !all.some((scenario) => scenario.includes(name)));
if (unknown !== undefined) {
  process.stderr.write(`no scenario has a name that contains ${unknown}\n\n${USAGE}`);
  process.exit(2);
}
const wanted = all.filter((scenario) => names.length === 0 || names.some((name) => scenario.includes(name)));
install();
const architectures = ['--arch', 'amd64', ...(wanted.includes('arm64.vm.ts') ? ['--arch', 'arm64'] : [])];
const release = ['scripts/release.mjs', ...architectures, '--only', 'deb', '--only', 'archive', '--fast'];
rmSync(`${root}dist/vm`, { recursive: true, force: true });
run('making the packages', process.execPath, [...release, '--out', 'dist/vm/release']);
const { bundleTests } = await import('./test-bundle.mjs');
const scenarios = wanted.map((scenario) => `test/vm/${scenario}`);
const bundles = await bundleTests(scenarios, 'dist/vm/test');
// One machine at a time. What a scenario needs and cannot be had is a failure here, because it was asked for; only a
// history that does not reach back to the version before skips one. The tests end with this process, whatever ends it.
const node = ['--enable-source-maps', '--test', '--test-reporter', 'spec', '--test-concurrency=1'];
// The title of each test names its suite; its parts run with it.
if (suite) node.push(`--test-name-pattern=/${suite}/`);
const tied = ['--pdeathsig', 'TERM', process.execPath];
run('booting machines', 'setpriv', [...tied, ...node, ...bundles], { env: { ...process.env, CI: 'true' } });
