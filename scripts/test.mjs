// npm test: install, build, static checks, unit tests, end-to-end tests; `npm test -- --help` says the rest.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
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

/**
 * Bundles the files of one part to dist/PART/ and runs them: unit tests in one process for each folder, others each in a
 * process of its own.
 * @param {string} part
 * @param {string} what
 * @param {readonly string[]} files
 * @param {number} concurrency
 * @param {NodeJS.ProcessEnv} [env]
 */
async function test(part, what, files, concurrency, env = {}) {
  if (files.length === 0) return;
  const { bundleTests, oneForEachFolder } = await import('./test-bundle.mjs');
  rmSync(`${root}dist/${part}`, { recursive: true, force: true });
  const bundles = await bundleTests(files, `dist/${part}`);
  const node = ['--enable-source-maps', '--test', '--test-reporter', 'spec', `--test-concurrency=${concurrency}`];
  const started = part === 'unit' ? await oneForEachFolder(bundles, `dist/${part}`) : bundles;
  run(what, process.execPath, [...node, ...started], { env: { ...process.env, ...env } });
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
const atOnce = 2 * Math.max(2, availableParallelism()); // more than there are cores, because some tests wait
if (everything || options.unit) await test('unit', 'unit tests', unit, atOnce);
if (options.fuzz) {
  const properties = unit.filter((path) => readFileSync(root + path, 'utf8').includes("from 'fast-check'"));
  const what = `properties, ${seconds} s each, with seed ${seed}`;
  await test('fuzz', what, properties, atOnce, { PROPERTY_SEED: String(seed), PROPERTY_SECONDS: String(seconds) });
}
if ((everything || options.e2e) && e2e.length > 0) {
  const { announce } = await import('./test-servers.mjs');
  announce();
  await test('e2e', 'end-to-end tests', e2e, 1);
}
