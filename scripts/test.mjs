// npm test: install, build, static checks, unit tests, end-to-end tests; `npm test -- --help` says the rest.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { install, root, run } from './install.mjs';

const USAGE = `Usage: npm test -- [--static] [--unit] [--e2e] [--no-install] [NAME ...]
       npm run fuzz -- [--seconds N] [--seed N] [NAME ...]

NAME         only test files whose path contains one of the names
--static     types, format, lint, generated files
--unit       *.test.ts; properties are tried with the same values every time
--e2e        *.e2e.ts: the built program beside real servers
--no-install installs no server; tests that need one that is missing are skipped, or fail where CI is set
--fuzz       unit tests that hold properties, each property tried with new values
--seconds N  for so long (5)
--seed N     with values that begin here, for instance at the seed that a failure named
Without a part all but --fuzz run.
`;

/**
 * These end-to-end tests do not look at other processes of this host, and they wait more than they work. They run one after the
 * other, and at the same time as the tests that are in no list.
 */
const BESIDE = (
  'arm64 booted-machine completion demo deployment discovery guide image import install man-page mixin old-text release ' +
  'upgrade'
).split(' ');
/**
 * These measure growth, the use of a core or the whole host, or they build in dist/. They run last, and nothing runs beside them.
 */
const ALONE =
  'alerts ground-truth host-books hung live-page many-processes memory-kinds open-tabs rhythm run-as shared-memory soak'.split(
    ' ',
  );

/** The command line, or its end with status 2. */
function commandLine() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        ...{ static: { type: 'boolean' }, unit: { type: 'boolean' }, e2e: { type: 'boolean' } },
        ...{ fuzz: { type: 'boolean' }, seconds: { type: 'string' }, seed: { type: 'string' } },
        ...{ 'no-install': { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
      },
    });
  } catch (error) {
    console.error(`${/** @type {Error} */ (error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

/**
 * A number of the command line, or what stands for it.
 * @param {string} option
 * @param {string | undefined} text
 * @param {number} otherwise
 */
function numberOf(option, text, otherwise) {
  if (text === undefined) return otherwise;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  console.error(`--${option} ${text}: give a whole number\n\n${USAGE}`);
  process.exit(2);
}

const { values: options, positionals: names } = commandLine();
if (options.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const everything = !options.static && !options.unit && !options.e2e && !options.fuzz;
const seconds = numberOf('seconds', options.seconds, 5);
const seed = numberOf('seed', options.seed, Math.floor(Math.random() * 1e9));
if (options['no-install']) process.env.TEST_INSTALL = 'no';

/**
 * The test files with this ending; where the command line names some, only these.
 * @param {readonly string[]} folders
 * @param {string} ending
 */
function find(folders, ending) {
  return folders
    .flatMap((folder) => readdirSync(root + folder, { recursive: true }).map((name) => `${folder}/${name}`))
    .filter((path) => path.endsWith(ending) && (names.length === 0 || names.some((name) => path.includes(name))))
    .sort();
}

const RUNNER = ['--enable-source-maps', '--test', '--test-reporter', 'spec'];

/**
 * Bundles test files to dist/PART/.
 * @param {string} part
 * @param {readonly string[]} files
 * @returns one for each file, in the same order
 */
async function bundled(part, files) {
  const { bundleTests } = await import('./test-bundle.mjs');
  rmSync(`${root}dist/${part}`, { recursive: true, force: true });
  return bundleTests(files, `dist/${part}`);
}

/**
 * Runs unit tests, in one process for each folder.
 * @param {string} part
 * @param {string} what
 * @param {readonly string[]} files
 * @param {NodeJS.ProcessEnv} [env]
 */
async function unitTests(part, what, files, env = {}) {
  if (files.length === 0) return;
  const bundles = await bundled(part, files);
  const { oneForEachFolder } = await import('./test-bundle.mjs');
  const started = part === 'unit' ? await oneForEachFolder(bundles, `dist/${part}`) : bundles;
  const atOnce = 2 * Math.max(2, availableParallelism()); // more than there are cores, because some tests wait
  const args = [...RUNNER, `--test-concurrency=${atOnce}`, ...started];
  run(what, process.execPath, args, { env: { ...process.env, ...env } });
}

/**
 * Runs test files one after the other, each in a process of its own.
 * @param {readonly string[]} bundles
 * @param {string} [log] a file for what they print
 * @returns {Promise<boolean>} whether all passed
 */
async function oneByOne(bundles, log) {
  if (bundles.length === 0) return true;
  const out = log === undefined ? 'inherit' : openSync(log, 'w');
  const args = [...RUNNER, '--test-concurrency=1', ...bundles];
  const [status] = await once(spawn(process.execPath, args, { cwd: root, stdio: ['ignore', out, out] }), 'exit');
  return status === 0;
}

/**
 * Runs end-to-end tests. Where the command line names files, they run one after the other; else as BESIDE and ALONE say.
 * @param {readonly string[]} files
 */
async function endToEndTests(files) {
  const bundles = await bundled('e2e', files);
  const all = names.length === 0;
  /** @param {string} name */
  const bundleOf = (name) => {
    const bundle = bundles[files.indexOf(`test/${name}.e2e.ts`)];
    if (!bundle) throw new Error(`test/${name}.e2e.ts is not there`);
    return bundle;
  };
  const [beside, alone] = [all ? BESIDE.map(bundleOf) : [], all ? ALONE.map(bundleOf) : []];
  // All servers are installed before two files run at the same time, because two apt-get cannot fetch lists at the same time.
  // A server that cannot be installed is no failure here: the tests that need it say so.
  if (all) spawnSync(process.execPath, ['scripts/test-servers.mjs'], { cwd: root, stdio: 'inherit' });
  const others = bundles.filter((bundle) => !beside.includes(bundle) && !alone.includes(bundle));
  console.error('# end-to-end tests');
  const log = `${root}dist/e2e/beside.log`;
  const passed = await Promise.all([oneByOne(others), oneByOne(beside, log)]);
  if (beside.length > 0) process.stdout.write(`# end-to-end tests that ran beside these\n${readFileSync(log, 'utf8')}`);
  if (alone.length > 0) console.error('# end-to-end tests with nothing beside them');
  passed.push(await oneByOne(alone));
  if (passed.includes(false)) {
    console.error('# end-to-end tests: failed; search above for ✖');
    process.exit(1);
  }
}

install();
const unit = find(['src', 'catalogue', 'test', 'deploy', 'bench', 'scripts'], '.test.ts');
const e2e = find(['test'], '.e2e.ts');
if (names.length > 0 && unit.length + e2e.length === 0) {
  console.error(`no test file's path contains ${names.join(' or ')}`);
  process.exit(2);
}
// Unit tests do without the program: they import its sources.
if (everything || options.e2e) run('building dist/herakles.cjs', process.execPath, ['scripts/build.mjs']);
if ((everything || options.static) && names.length === 0) {
  run('checking types', 'node_modules/.bin/tsc', []);
  run('checking types of the page', 'node_modules/.bin/tsc', ['-p', 'src/web']);
  run('checking format and lint', 'node_modules/.bin/biome', ['check', '--error-on-warnings', '.']);
  run('checking generated files', 'npm', ['run', '--silent', 'generate', '--', '--check']);
}
if (everything || options.unit) await unitTests('unit', 'unit tests', unit);
if (options.fuzz) {
  const properties = unit.filter((path) => readFileSync(root + path, 'utf8').includes("from 'fast-check'"));
  const what = `properties, ${seconds} s each, with seed ${seed}`;
  await unitTests('fuzz', what, properties, { PROPERTY_SEED: String(seed), PROPERTY_SECONDS: String(seconds) });
}
if ((everything || options.e2e) && e2e.length > 0) {
  const { announce } = await import('./test-servers.mjs');
  announce();
  await endToEndTests(e2e);
}
